#include "catalog/catalog.h"

#include <gtest/gtest.h>

namespace tagout::catalog {
namespace {

TEST(Glob, TruthTable) {
    struct Row {
        const char* pattern;
        const char* text;
        bool matches;
    };
    const Row rows[] = {
        {"*", "", true},
        {"*", "anything", true},
        {"", "", true},
        {"", "a", false},
        {"refund-*", "refund-eu", true},
        {"refund-*", "refund-", true},
        {"refund-*", "refund", false},
        {"refund-*", "my-refund-eu", false},
        {"Refund", "refund", false},
        {"pay?ents.*", "payments.refund", true},
        {"?", "", false},
        {"*.refund", "payments.v2.refund", true},
        {"*a*b*c", "xxaxxbxxbxc", true},
        {"*a*b*c", "xxaxxcxxb", false},
        {"**", "x", true},
        {"a**b", "ab", true},
        {"[a]", "a", false},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(glob_matches(row.pattern, row.text), row.matches)
            << row.pattern << " ~ " << row.text;
    }
}

TEST(Glob, AHostilePatternStaysCheap) {
    std::string pattern;
    for (int i = 0; i < 2'000; ++i) {
        pattern += "*a";
    }
    EXPECT_FALSE(glob_matches(pattern + "b", std::string(20'000, 'a')));
}

Catalog example() {
    Contents contents;
    contents.tools = {
        {.name = ToolName("refund"),
         .server = "payments",
         .effect = ToolEffect::Write,
         .risk = ToolRisk::High,
         .reversibility = Reversibility::Irreversible,
         .compensating_tool = {}},
        {.name = ToolName("send_report"),
         .server = "",
         .effect = ToolEffect::Read,
         .risk = {},
         .reversibility = Reversibility::Unknown,
         .compensating_tool = {}},
        {.name = ToolName("ledger.*"),
         .server = "",
         .effect = ToolEffect::Write,
         .risk = {},
         .reversibility = Reversibility::Reversible,
         .compensating_tool = {}},
        {.name = ToolName("delete_draft"),
         .server = "",
         .effect = ToolEffect::Unknown,
         .risk = ToolRisk::Low,
         .reversibility = Reversibility::Unknown,
         .compensating_tool = {}},
    };
    contents.owners = {
        {.match = "agent:refund-*", .team = "support-ai", .contact = "ann", .channel = "slack-a"},
        {.match = "tool:payments.*", .team = "payments", .contact = "ben", .channel = ""},
        {.match = "*", .team = "platform", .contact = "cat", .channel = ""},
        {.match = "service:edge", .team = "edge", .contact = "dan", .channel = ""},
        {.match = "agent:*-eu", .team = "europe", .contact = "eve", .channel = ""},
    };
    contents.channels = {
        {.name = "slack-a", .type = "slack", .url = "", .secret_env = "", .secret_file = ""},
        {.name = "hook", .type = "webhook", .url = "", .secret_env = "", .secret_file = ""},
    };
    contents.default_channel = "hook";
    contents.prices = {
        {.name = "gpt-4o-mini*", .input_usd_per_million = 0.15, .output_usd_per_million = 0.6},
        {.name = "gpt-4o*",
         .input_usd_per_million = 2.5,
         .output_usd_per_million = 10,
         .cached_input_usd_per_million = 1.25},
    };
    return Catalog(std::move(contents));
}

TEST(Tools, TheConfigurationOutweighsTheName) {
    const Catalog catalog = example();
    for (const char* name :
         {"refund", "payments.refund", "payments__refund", "mcp__payments__refund"}) {
        const ToolFacts facts = catalog.tool(name);
        EXPECT_TRUE(facts.configured) << name;
        EXPECT_EQ(facts.effect, ToolEffect::Write) << name;
        EXPECT_EQ(facts.risk, ToolRisk::High) << name;
        EXPECT_EQ(facts.reversibility, Reversibility::Irreversible) << name;
    }
    EXPECT_FALSE(catalog.tool("other.refund").configured) << "that is another server's tool";

    const ToolFacts report = catalog.tool("send_report");
    EXPECT_EQ(report.effect, ToolEffect::Read);
    EXPECT_EQ(report.risk, ToolRisk::Low) << "a guess about sending does not hold for a read";
    EXPECT_EQ(report.reversibility, Reversibility::ReadOnly);

    EXPECT_EQ(catalog.tool("ledger.close_month").effect, ToolEffect::Write) << "by its glob";

    const ToolFacts draft = catalog.tool("delete_draft");
    EXPECT_EQ(draft.effect, ToolEffect::Write) << "what is not configured is inferred";
    EXPECT_EQ(draft.risk, ToolRisk::Low) << "what is configured stands";
}

TEST(Tools, AnEmptyCatalogStillKnowsAVerb) {
    const Catalog catalog;
    EXPECT_EQ(catalog.tool("delete_order").effect, ToolEffect::Write);
    EXPECT_FALSE(catalog.tool("delete_order").configured);
    EXPECT_EQ(catalog.tool("zorp").effect, ToolEffect::Unknown);
}

TEST(Owners, TheMostSpecificNameDecides) {
    struct Row {
        const char* name;
        const char* tool;
        const char* agent;
        const char* service;
        const char* team;
    };
    const Row rows[] = {
        {"tool before agent", "payments.refund", "refund-eu", "edge", "payments"},
        {"agent when the tool has no rule", "mail.send", "refund-eu", "edge", "support-ai"},
        {"first rule in the file's order", "", "refund-eu", "", "support-ai"},
        {"service before everything", "", "", "edge", "edge"},
        {"everything at last", "x", "y", "z", "platform"},
        {"nothing known at all", "", "", "", "platform"},
    };
    const Catalog catalog = example();
    for (const Row& row : rows) {
        const OwnerRule* rule = catalog.owner_of(row.tool, row.agent, "", row.service);
        ASSERT_NE(rule, nullptr) << row.name;
        EXPECT_EQ(rule->team, row.team) << row.name;
    }
    EXPECT_EQ(Catalog().owner_of("payments.refund", "a", "b", "c"), nullptr) << "unowned";
}

TEST(Prices, TheFirstGlobThatMatchesPrices) {
    const Catalog catalog = example();
    EXPECT_DOUBLE_EQ(catalog.cost_usd("gpt-4o-mini-2024", 1'000'000, 1'000'000), 0.75);
    EXPECT_DOUBLE_EQ(catalog.cost_usd("gpt-4o-2024", 1'000'000, 0), 2.5);
    EXPECT_DOUBLE_EQ(catalog.cost_usd("gpt-4o", -1, 1'000'000), 10) << "absent counts cost nothing";
    EXPECT_DOUBLE_EQ(catalog.cost_usd("unknown-model", 5, 5), -1);
    EXPECT_DOUBLE_EQ(catalog.cost_usd("gpt-4o", 1'000'000, 0, 400'000), 2) << "cached is cheaper";
    EXPECT_DOUBLE_EQ(catalog.cost_usd("gpt-4o", 1'000'000, 0, 9'000'000), 1.25) << "at most all";
    EXPECT_DOUBLE_EQ(catalog.cost_usd("gpt-4o-mini", 1'000'000, 0, 400'000), 0.15)
        << "without a price of its own it costs what other input costs";
}

TEST(Channels, AnEmptyNameAsksForTheDefault) {
    const Catalog catalog = example();
    ASSERT_NE(catalog.channel("slack-a"), nullptr);
    EXPECT_EQ(catalog.channel("slack-a")->type, "slack");
    ASSERT_NE(catalog.channel(""), nullptr);
    EXPECT_EQ(catalog.channel("")->name, "hook");
    EXPECT_EQ(catalog.channel("nowhere"), nullptr);
    EXPECT_EQ(Catalog().channel(""), nullptr);
}

}  // namespace
}  // namespace tagout::catalog
