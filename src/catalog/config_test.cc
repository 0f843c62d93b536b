// What tagout check says. Each row is a mistake that somebody will make.

#include "catalog/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace tagout::catalog {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(Config, TheExampleInTheGuideIsWhole) {
    const std::string yaml = text_of(TAGOUT_SOURCE_DIR "/docs/guide/tagout.example.yaml");
    ASSERT_FALSE(yaml.empty());
    const ConfigReport report = read_config(yaml, "tagout.example.yaml");
    ASSERT_EQ(report.text(), "");
    ASSERT_TRUE(report.contents.has_value());
    const Contents& contents = *report.contents;
    ASSERT_EQ(contents.agents.size(), 2U);
    EXPECT_EQ(contents.agents[0].tools.size(), 3U);
    EXPECT_EQ(contents.workflows[0].fallback, WorkflowName("human-handover"));
    ASSERT_EQ(contents.tools.size(), 5U);
    EXPECT_EQ(contents.tools[1].risk, ToolRisk::High);
    EXPECT_EQ(contents.tools[1].reversibility, Reversibility::ExternallyReversible);
    EXPECT_EQ(contents.tools[1].compensating_tool, ToolName("payments.charge"));
    EXPECT_EQ(contents.tools[0].risk, std::nullopt);
    EXPECT_EQ(contents.mcp_servers[0].url, "http://127.0.0.1:9001/mcp");
    EXPECT_EQ(contents.model_upstreams[1].key_env, "ANTHROPIC_API_KEY");
    EXPECT_EQ(contents.owners[0].channel, "payments-pager");
    EXPECT_EQ(contents.default_channel, "ops");
    EXPECT_EQ(contents.channels.size(), 4U);
    EXPECT_EQ(contents.severity_rules[0].failure_class, FailureClass::Safety);
    EXPECT_TRUE(contents.severity_rules[0].irreversible_write);
    EXPECT_DOUBLE_EQ(contents.severity_rules[4].cost_usd_min, 100);
    EXPECT_EQ(contents.playbooks[0].enforcement, Enforcement::Enforce);
    EXPECT_EQ(contents.journeys[0].steps[1].kind, "mcp");
    EXPECT_DOUBLE_EQ(contents.prices[0].output_usd_per_million, 0.6);
    EXPECT_EQ(contents.prices[0].cached_input_usd_per_million, 0.075);
    EXPECT_EQ(contents.prices[1].cached_input_usd_per_million, std::nullopt);
    ASSERT_EQ(contents.incidents.size(), 2U);
    EXPECT_EQ(contents.incidents[0].path, "incidents.join_window");
    EXPECT_EQ(contents.incidents[0].value, "6h");
    EXPECT_GT(contents.incidents[0].line, 100);
}

TEST(Config, NothingAtAllIsAConfiguration) {
    for (const char* yaml :
         {"", "\n\n", "# only words\n", "tools:\n", "{}", "agents: {}\nowners: []\n"}) {
        const ConfigReport report = read_config(yaml, "tagout.yaml");
        EXPECT_EQ(report.text(), "") << yaml;
        EXPECT_TRUE(report.contents.has_value()) << yaml;
    }
}

struct Row {
    const char* name;
    const char* yaml;
    int line;
    const char* path;
    const char* says;
};

const Row mistakes[] = {
    {"a key mistyped", "agentz: {}\n", 1, "agentz", "Write agents"},
    {"a key of another section",
     "tools:\n  a:\n    url: http://x\n",
     3,
     "tools.a.url",
     "is no key here"},
    {"a key that is nothing like any", "zzzzzz: 1\n", 1, "zzzzzz", "Write agents, workflows"},
    {"a choice mistyped",
     "tools:\n  a: {effect: wirte}\n",
     2,
     "tools.a.effect",
     "'write' is the nearest"},
    {"upper case in a choice",
     "tools:\n  a: {risk: High}\n",
     2,
     "tools.a.risk",
     "'high' is the nearest"},
    {"a severity in small letters",
     "severity_rules:\n - {severity: sev1, users_min: 1}\n",
     2,
     "severity_rules[0].severity",
     "SEV1"},
    {"words for a number",
     "severity_rules:\n - severity: SEV1\n   users_min: many\n",
     3,
     "severity_rules[0].users_min",
     "whole number"},
    {"half a session",
     "severity_rules:\n - severity: SEV1\n   users_min: 1.5\n",
     3,
     "severity_rules[0].users_min",
     "whole number"},
    {"a negative count",
     "severity_rules:\n - severity: SEV1\n   users_min: -1\n",
     3,
     "severity_rules[0].users_min",
     "too small"},
    {"yes for true",
     "severity_rules:\n - severity: SEV1\n   high_risk_tool: yes\n",
     3,
     "severity_rules[0].high_risk_tool",
     "Write true or false"},
    {"a list where a map belongs", "tools: [a, b]\n", 1, "tools", "names, each with its keys"},
    {"a map where a list belongs", "owners: {match: '*'}\n", 1, "owners", "must be a list"},
    {"a word where a list belongs",
     "agents:\n  a:\n    tools: refund\n",
     3,
     "agents.a.tools",
     "[a, b]"},
    {"a list where a word belongs",
     "tools:\n  a:\n    server: [x]\n",
     3,
     "tools.a.server",
     "one value"},
    {"a value forgotten", "tools:\n  a:\n    effect:\n", 3, "tools.a.effect", "value is missing"},
    {"a required key forgotten", "owners:\n  - match: '*'\n", 2, "owners[0]", "team is missing"},
    {"a section written twice", "tools:\n  a:\ntools:\n  b:\n", 3, "'tools'", "first in line 1"},
    {"a tool written twice", "tools:\n  a: {}\n  a: {}\n", 3, "tools.'a'", "first in line 2"},
    {"a fallback that is not there",
     "workflows:\n  a: {fallback: b}\n",
     2,
     "workflows.a.fallback",
     "Add 'b' under workflows"},
    {"a fallback mistyped",
     "workflows:\n  refund: {fallback: human}\n  humans:\n",
     2,
     "workflows.refund.fallback",
     "Write humans"},
    {"fallbacks in a circle",
     "workflows:\n  a: {fallback: b}\n  b: {fallback: a}\n",
     2,
     "workflows.a.fallback",
     "circle"},
    {"a workflow that falls back to itself",
     "workflows:\n  a: {fallback: a}\n",
     2,
     "workflows.a.fallback",
     "circle"},
    {"a server that is not there",
     "tools:\n  a: {server: s}\n",
     2,
     "tools.a.server",
     "mcp_servers"},
    {"an undo that is not there",
     "tools:\n  a: {compensating_tool: b}\n",
     2,
     "tools.a.compensating_tool",
     "Add 'b' under tools"},
    {"an undo that only reads",
     "tools:\n  a: {compensating_tool: b}\n  b: {effect: read}\n",
     2,
     "tools.a.compensating_tool",
     "undo nothing"},
    {"an undo of itself",
     "tools:\n  a: {compensating_tool: a}\n",
     2,
     "tools.a.compensating_tool",
     "itself"},
    {"a read that cannot be undone",
     "tools:\n  a: {effect: read, reversibility: irreversible}\n",
     2,
     "tools.a.reversibility",
     "read_only"},
    {"a write that is read-only",
     "tools:\n  a: {effect: write, reversibility: read_only}\n",
     2,
     "tools.a.reversibility",
     "irreversible"},
    {"an agent's tool that is not there",
     "agents:\n  a:\n    tools:\n      - get\n",
     4,
     "agents.a.tools[0]",
     "Add 'get' under tools"},
    {"an owner's channel that is not there",
     "owners:\n - {match: '*', team: t, channel: c}\n",
     2,
     "owners[0].channel",
     "notices.channels"},
    {"a default channel that is not there",
     "notices:\n  default_channel: c\n",
     2,
     "notices.default_channel",
     "notices.channels"},
    {"two owners of one thing",
     "owners:\n - {match: '*', team: t}\n - {match: '*', team: u}\n",
     3,
     "owners[1].match",
     "already"},
    {"an owner of nothing known",
     "owners:\n - {match: 'agnet:a', team: t}\n",
     2,
     "owners[0].match",
     "'agent:a'"},
    {"an owner without a kind",
     "owners:\n - {match: 'refund-*', team: t}\n",
     2,
     "owners[0].match",
     "tool:, agent:"},
    {"a regular expression for a glob",
     "owners:\n - {match: 'tool:pay.*(a|b)', team: t}\n",
     2,
     "owners[0].match",
     "only * and ? are special"},
    {"an address without a scheme",
     "mcp_servers:\n  s: {url: 'localhost:9001'}\n",
     2,
     "mcp_servers.s.url",
     "http or https"},
    {"an address without a host",
     "mcp_servers:\n  s: {url: 'http:///mcp'}\n",
     2,
     "mcp_servers.s.url",
     "no valid host"},
    {"a port that does not exist",
     "mcp_servers:\n  s: {url: 'http://h:99999/'}\n",
     2,
     "mcp_servers.s.url",
     "1 to 65535"},
    {"a key written into the file",
     "model_upstreams:\n  o: {protocol: openai, url: 'http://h', key: abc}\n",
     2,
     "model_upstreams.o.key",
     "key_env"},
    {"a key where its variable belongs",
     "model_upstreams:\n  o: {protocol: openai, url: 'http://h', key_env: sk-abcdefghijklmnop}\n",
     2,
     "model_upstreams.o.key_env",
     "secret"},
    {"a password in an address",
     "mcp_servers:\n  s: {url: 'https://ann:pw@h/'}\n",
     2,
     "mcp_servers.s.url",
     "secret"},
    {"a Slack hook written into the file",
     "notices: {channels: {a: {type: slack, url: 'https://hooks.slack.com/services/T0/B0/x'}}}\n",
     1,
     "notices.channels.a.url",
     "url_env"},
    {"a pager without its key",
     "notices:\n  channels:\n    a: {type: pagerduty}\n",
     3,
     "notices.channels.a",
     "routing key"},
    {"a webhook without an address",
     "notices:\n  channels:\n    a: {type: webhook}\n",
     3,
     "notices.channels.a",
     "url"},
    {"a rule that always holds",
     "severity_rules:\n  - severity: SEV1\n",
     2,
     "severity_rules[0].severity",
     "every incident would be SEV1"},
    {"two playbooks for one case",
     "playbooks:\n  - {class: tool, severity: SEV1, contain: tool, mode: stopped}\n"
     "  - {class: tool, severity: SEV1, contain: agent, mode: stopped}\n",
     3,
     "playbooks[1].class",
     "already"},
    {"a tool routed elsewhere",
     "workflows: {a: {fallback: b}, b: }\n"
     "playbooks:\n  - {class: tool, severity: SEV1, contain: tool, mode: route}\n",
     3,
     "playbooks[0].contain",
     "only a workflow"},
    {"a route without a fallback",
     "playbooks:\n  - {class: tool, severity: SEV1, contain: workflow, mode: route}\n",
     2,
     "playbooks[0].mode",
     "fallback"},
    {"a journey without steps",
     "journeys:\n  j: {tools: []}\n",
     2,
     "journeys.j",
     "steps is missing"},
    {"a journey by an unknown tool",
     "journeys:\n  j:\n    steps:\n      - {kind: mcp, request: 'refund {}'}\n",
     4,
     "journeys.j.steps[0].request",
     "Add 'refund' under tools"},
    {"a journey without a method",
     "journeys:\n  j:\n    steps:\n      - {kind: http, request: 'http://h/'}\n",
     4,
     "journeys.j.steps[0].request",
     "Begin with GET"},
    {"a price of less than nothing",
     "prices:\n  - {model: a, input_usd_per_million: -1, output_usd_per_million: 1}\n",
     2,
     "prices[0].input_usd_per_million",
     "too small"},
    {"a setting without a value",
     "detection:\n  tool:\n    rate_min:\n",
     3,
     "detection.tool.rate_min",
     "value is missing"},
    {"an unknown proof of agents",
     "gateway:\n  identity:\n    mode: tokens\n",
     3,
     "gateway.identity.mode",
     "header, token or mtls"},
    {"a certificate's name where none is looked at",
     "gateway:\n  identity:\n    mode: token\n    certificate_prefix: 'spiffe://a/'\n",
     4,
     "gateway.identity.certificate_prefix",
     "mode: mtls"},
    {"a prefix that no URI has",
     "gateway:\n  identity:\n    mode: mtls\n    certificate_prefix: agent-\n",
     4,
     "gateway.identity.certificate_prefix",
     "common_name"},
    {"a bracket forgotten", "tools:\n  a: {effect: read\nowners: []\n", 3, "", "not YAML"},
    {"a tab", "tools:\n\ta:\n", 2, "", "not YAML"},
    {"two documents", "tools:\n---\ntools:\n", 3, "", "second YAML document"},
    {"a merge key",
     "tools:\n  a: &a {effect: read}\n  b:\n    <<: *a\n",
     4,
     "tools.b.<<",
     "not part of YAML 1.2"},
    {"no map at all", "just words\n", 1, "", "keys with values"},
};

TEST(Config, EveryMistakeIsNamedWithItsLineAndRemedy) {
    for (const Row& row : mistakes) {
        SCOPED_TRACE(row.name);
        const ConfigReport report = read_config(row.yaml, "tagout.yaml");
        EXPECT_FALSE(report.contents.has_value());
        ASSERT_EQ(report.mistakes.size(), 1U) << report.text();
        const Mistake& mistake = report.mistakes[0];
        EXPECT_EQ(mistake.line, row.line) << report.text();
        EXPECT_EQ(mistake.path, row.path) << report.text();
        EXPECT_GT(mistake.column, 0) << report.text();
        EXPECT_THAT(mistake.what + " | " + mistake.remedy, HasSubstr(row.says));
        EXPECT_NE(mistake.remedy, "");
    }
}

TEST(Config, AllMistakesAreFoundInOnePass) {
    const ConfigReport report = read_config(
        "agents:\n"
        "  a: {tools: [x], colour: red}\n"
        "tools:\n"
        "  b: {effect: wirte, risk: medium}\n"
        "owners:\n"
        "  - {match: q, team: t, channel: nowhere}\n"
        "zzz: 1\n",
        "f.yaml"
    );
    std::vector<int> lines;
    for (const Mistake& mistake : report.mistakes) {
        lines.push_back(mistake.line);
    }
    EXPECT_EQ(lines, (std::vector{2, 2, 4, 4, 6, 6, 7})) << report.text();
    EXPECT_THAT(report.text(), HasSubstr("f.yaml:4:15: tools.b.effect: 'wirte' is not one of"));
}

TEST(Config, ASecretIsNeverRepeated) {
    const char* const files[] = {
        "model_upstreams:\n  o: {protocol: openai, url: 'http://h', key_env: "
        "sk-verysecretvalue1}\n",
        "model_upstreams:\n  o: {protocol: openai, url: 'http://h', api_key: verysecretvalue1}\n",
        "mcp_servers:\n  s: {url: 'https://ann:verysecretvalue1@h/'}\n",
        "notices:\n  channels:\n    a: {type: pagerduty, secret_env: 'verysecretvalue1=='}\n",
        "server:\n  token: whsec_verysecretvalue1\n",
    };
    for (const char* yaml : files) {
        const ConfigReport report = read_config(yaml, "tagout.yaml");
        EXPECT_FALSE(report.mistakes.empty()) << yaml;
        EXPECT_THAT(report.text(), Not(HasSubstr("verysecretvalue1")));
    }
}

TEST(Config, SettingsAreCarriedWithTheirPlaces) {
    const ConfigReport report = read_config(
        "detection:\n"
        "  tool:\n"
        "    4xx_spike: {rate_min: 20%, window: 5m}\n"
        "  safety.words: [a, b]\n",
        "tagout.yaml"
    );
    ASSERT_EQ(report.text(), "");
    const std::vector<SettingText>& texts = report.contents->detection;
    ASSERT_EQ(texts.size(), 3U);
    EXPECT_EQ(texts[0].path, "detection.tool.4xx_spike.rate_min");
    EXPECT_EQ(texts[0].value, "20%");
    EXPECT_EQ(texts[0].line, 3);
    EXPECT_EQ(texts[0].column, 27);
    EXPECT_EQ(texts[2].path, "detection.safety.words");
    EXPECT_EQ(texts[2].value, "a, b");
}

TEST(Config, AnchorsShareWhatTheySay) {
    const ConfigReport report =
        read_config("tools:\n  a: &pay {effect: write, risk: high}\n  b: *pay\n", "tagout.yaml");
    ASSERT_EQ(report.text(), "");
    EXPECT_EQ(report.contents->tools[1].risk, ToolRisk::High);
}

TEST(Config, BombsAreRefusedWithinBounds) {
    std::string laughs = "detection:\n  a0: &a0 {x: 1, y: 2}\n";
    for (int i = 1; i <= 30; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        const std::string name = "a" + std::to_string(i);
        laughs += "  " + name + ": &" + name + " {";
        for (int j = 0; j < 9; ++j) {
            laughs += std::string(j == 0 ? "" : ", ") + "k" + std::to_string(j) + ": " + before;
        }
        laughs += "}\n";
    }
    std::string many = "tools:\n";
    for (int i = 0; i < 60'000; ++i) {
        many += "  t" + std::to_string(i) + ": \n";
    }
    struct Bomb {
        const char* name;
        std::string yaml;
        const char* says;
    };
    const Bomb bombs[] = {
        {"a billion laughs", laughs, "aliases repeat"},
        {"an alias inside its anchor", "detection: &a\n  b: *a\n", "inside its own anchor"},
        {"100,000 brackets", std::string(100'000, '['), "not YAML"},
        {"40 levels that close",
         "detection: " + std::string(40, '[') + std::string(40, ']') + "\n",
         "nested deeper"},
        {"too many values", many, "more than 100000 values"},
        {"too many bytes", std::string(2 * 1024 * 1024, '#'), "bytes"},
        {"a zero byte", std::string("tools:\0\n", 8), "zero byte"},
    };
    for (const Bomb& bomb : bombs) {
        const ConfigReport report = read_config(bomb.yaml, "tagout.yaml");
        EXPECT_FALSE(report.contents.has_value()) << bomb.name;
        EXPECT_THAT(report.text(), HasSubstr(bomb.says)) << bomb.name;
        EXPECT_LE(report.mistakes.size(), mistakes_max + 1) << bomb.name;
    }
}

TEST(Config, ThousandsOfMistakesAreCounted) {
    std::string yaml = "tools:\n";
    for (int i = 0; i < 1'000; ++i) {
        yaml += "  t" + std::to_string(i) + ": {effect: wirte}\n";
    }
    const ConfigReport report = read_config(yaml, "tagout.yaml");
    ASSERT_EQ(report.mistakes.size(), mistakes_max + 1);
    EXPECT_THAT(report.mistakes.back().what, HasSubstr("800 more mistakes"));
}

TEST(Config, AddressesOfChannelsComeFromTheEnvironment) {
    Contents contents;
    contents.channels.push_back(
        {.name = "a",
         .type = "slack",
         .url = "",
         .url_env = "HOOK",
         .secret_env = "",
         .secret_file = ""}
    );
    const auto set = [](const char* name) {
        return std::string_view(name) == "HOOK" ? "http://h/" : nullptr;
    };
    ASSERT_TRUE(fill_channel_urls(contents, set).has_value());
    EXPECT_EQ(contents.channels[0].url, "http://h/");
    const auto unset = [](const char*) -> const char* { return nullptr; };
    const Result<void> failed = fill_channel_urls(contents, unset);
    ASSERT_FALSE(failed.has_value());
    EXPECT_THAT(failed.error().message, HasSubstr("HOOK is not set"));
}

}  // namespace
}  // namespace tagout::catalog
