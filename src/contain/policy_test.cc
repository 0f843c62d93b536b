#include "contain/policy.h"

#include "base/prng.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tagout::contain {
namespace {

TEST(Policy, IsReadWithAllItsKeys) {
    const Result<Policy> policy = parse_policy("refunds", "v3", R"(
rules:
  - name: lookup
    match: { tool: payments.lookup }
    effect: allow
  - name: high
    match:
      tool: "payments.*"
      server: payments
      agent: refund-*
      workflow: refunds
      tenant: acme
      environment: production
      effect: write
      risk: high
    effect: ask
    message: A person looks at refunds first.
    mode: enforce
  - { name: rest, effect: deny, mode: shadow }
)");
    ASSERT_TRUE(policy.has_value()) << policy.error().message;
    EXPECT_EQ(policy->name, "refunds");
    EXPECT_EQ(policy->version, "v3");
    ASSERT_EQ(policy->rules.size(), 3U);
    EXPECT_EQ(policy->rules[0].then, Verdict::Allow);
    const PolicyRule& high = policy->rules[1];
    EXPECT_EQ(high.tool, "payments.*");
    EXPECT_EQ(high.server, "payments");
    EXPECT_EQ(high.agent, "refund-*");
    EXPECT_EQ(high.workflow, "refunds");
    EXPECT_EQ(high.tenant, "acme");
    EXPECT_EQ(high.environment, "production");
    EXPECT_EQ(high.effect, ToolEffect::Write);
    EXPECT_EQ(high.risk, ToolRisk::High);
    EXPECT_EQ(high.then, Verdict::Escalate);
    EXPECT_EQ(high.message, "A person looks at refunds first.");
    EXPECT_FALSE(high.shadow);
    EXPECT_TRUE(policy->rules[2].shadow);
}

TEST(Policy, NamesEveryMistakeWithItsLineAndRemedy) {
    const PolicyReport report = read_policy("p", "v1", R"(rules:
  - name: two words
    effekt: deny
  - name: a
    effect: maybe
  - name: a
    effect: deny
    match: { tol: x }
  - name: c
    effect: deny
    match: { risk: medium, effect: }
    mode: shadows
version: 3
)");
    EXPECT_FALSE(report.policy.has_value());
    struct Wanted {
        int line;
        const char* words;
    };
    const Wanted wanted[] = {
        {2, "Write letters, digits"},
        {3, "Write effect"},
        {2, "the key effect is missing"},
        {5, "Write deny, ask, allow, redact or route"},
        {6, "already"},
        {8, "Write tool"},
        {11, "Write low or high"},
        {11, "Write it on the line of its key"},
        {12, "Write shadow"},
        {13, "Write rules"},
    };
    for (const Wanted& each : wanted) {
        bool found = false;
        for (const catalog::Mistake& mistake : report.mistakes) {
            found = found || (mistake.line == each.line &&
                              catalog::to_text(mistake, "p").find(each.words) != std::string::npos);
        }
        EXPECT_TRUE(found) << each.line << ": " << each.words;
    }
    EXPECT_EQ(report.mistakes.size(), std::size(wanted));
    const Result<Policy> result = parse_policy("p", "v1", "rules: 3");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(result.error().message.find("p:1:"), std::string::npos) << result.error().message;
}

TEST(Policy, WhatIsNoPolicyIsRefused) {
    for (const char* yaml :
         {"", "x", "[]", "rules:", "rules: []", "rules: [1]", "rules: {a: b}", "{", "rules: [[]]",
          "? [a]\n: b", "rules:\n- name: a\n  effect: deny\n  match: x\n"}) {
        const PolicyReport report = read_policy("p", "v1", yaml);
        EXPECT_FALSE(report.policy.has_value()) << yaml;
        ASSERT_FALSE(report.mistakes.empty()) << yaml;
        EXPECT_FALSE(report.mistakes[0].remedy.empty()) << yaml;
    }
    std::string many = "rules:\n";
    for (std::size_t i = 0; i <= policy_rules_max; ++i) {
        many += "- {name: r" + std::to_string(i) + ", effect: deny, match: {tool: t" +
                std::to_string(i) + "}}\n";
    }
    EXPECT_FALSE(read_policy("p", "v1", many).policy.has_value());
}

TEST(Policy, ARuleThatIsNeverReachedIsAMistake) {
    struct Row {
        const char* name;
        const char* earlier;
        const char* later;
        bool reached;
    };
    const Row rows[] = {
        {"the same twice", "match: {tool: x}", "match: {tool: x}", false},
        {"everything, then one", "", "match: {tool: x}", false},
        {"a star, then one", "match: {tool: '*'}", "match: {tool: x}", false},
        {"glob, then a name in it", "match: {tool: 'pay.*'}", "match: {tool: pay.refund}", false},
        {"glob, then a narrower glob", "match: {tool: 'pay.*'}", "match: {tool: 'pay.r*'}", false},
        {"a narrower glob first", "match: {tool: 'pay.r*'}", "match: {tool: 'pay.*'}", true},
        {"a ? is not a *", "match: {tool: 'a?'}", "match: {tool: 'a*'}", true},
        {"? and a letter", "match: {tool: 'a?'}", "match: {tool: 'ab'}", false},
        {"one, then everything", "match: {tool: x}", "", true},
        {"another agent", "match: {tool: x, agent: a}", "match: {tool: x}", true},
        {"a narrower match", "match: {tool: x}", "match: {tool: x, agent: a}", false},
        {"another effect", "match: {tool: x, effect: read}", "match: {tool: x, effect: write}", true},
        {"writes hold unknown", "match: {effect: write}", "match: {effect: unknown}", false},
        {"risk", "match: {risk: high}", "match: {risk: low}", true},
        {"a shadow rule covers nothing", "mode: shadow", "match: {tool: x}", true},
    };
    for (const Row& row : rows) {
        const auto rule = [](const char* name, std::string more) {
            return std::string("- name: ") + name + "\n  effect: deny\n" +
                   (more.empty() ? "" : "  " + more + "\n");
        };
        const PolicyReport report =
            read_policy("p", "v1", "rules:\n" + rule("first", row.earlier) + rule("second", row.later));
        EXPECT_EQ(report.policy.has_value(), row.reached) << row.name;
        if (!row.reached) {
            ASSERT_EQ(report.mistakes.size(), 1U) << row.name;
            EXPECT_NE(report.mistakes[0].what.find("'first'"), std::string::npos)
                << report.mistakes[0].what;
            EXPECT_GT(report.mistakes[0].line, 3) << row.name;
        }
    }
    EXPECT_TRUE(read_policy(
                    "p", "v1",
                    "rules:\n- {name: a, effect: allow, match: {effect: write}}\n"
                    "- {name: b, effect: deny, match: {effect: write}}\n"
    )
                    .policy.has_value())
        << "an allowed write leaves the unknown ones";
}

TEST(Policy, AnyBytesAreAPolicyOrMistakesWithRemedies) {
    std::ifstream file(std::string(TAGOUT_SOURCE_DIR) + "/fuzz/corpus/policy_fuzz/rules.yaml");
    std::stringstream content;
    content << file.rdbuf();
    const std::string good = content.str();
    ASSERT_TRUE(read_policy("p", "v1", good).policy.has_value());
    Prng prng(11);
    int read = 0;
    for (int i = 0; i < 3'000; ++i) {
        std::string yaml = good;
        for (std::size_t changes = 1 + prng.below(4); changes > 0; --changes) {
            const std::size_t at = prng.below(yaml.size());
            switch (prng.below(3)) {
                case 0:
                    yaml[at] = static_cast<char>(prng.below(256));
                    break;
                case 1:
                    yaml.erase(at, prng.below(20));
                    break;
                default:
                    yaml.insert(at, good.substr(prng.below(good.size()), prng.below(40)));
            }
        }
        const PolicyReport report = read_policy("p", "v1", yaml);
        ASSERT_EQ(report.policy.has_value(), report.mistakes.empty()) << yaml;
        for (const catalog::Mistake& mistake : report.mistakes) {
            ASSERT_FALSE(mistake.what.empty() || mistake.remedy.empty()) << yaml;
        }
        read += report.policy ? 1 : 0;
    }
    EXPECT_GT(read, 100) << "some changes do no harm";
    EXPECT_LT(read, 2'900);
}

TEST(Policy, ItsSchemaAndPageAreFresh) {
    const std::pair<std::string, std::string> files[] = {
        {"/api/policy.schema.json", policy_schema()}, {"/docs/reference/policy.md", policy_page()}};
    for (const auto& [name, fresh] : files) {
        const std::string path = TAGOUT_SOURCE_DIR + name;
        if (std::getenv("UPDATE_GOLDEN") != nullptr) {
            std::ofstream(path) << fresh;
        }
        std::ifstream file(path);
        std::stringstream content;
        content << file.rdbuf();
        EXPECT_EQ(content.str(), fresh) << path << " is stale: run ./dev docs";
    }
}

}  // namespace
}  // namespace tagout::contain
