#include "domain/control.h"

#include <gtest/gtest.h>

namespace tagout {
namespace {

TEST(Scope, IsReadAsPeopleWriteIt) {
    struct Row {
        const char* text;
        ScopeKind kind;
        const char* name;
    };
    const Row rows[] = {
        {"global", ScopeKind::Global, ""},
        {"tool:payments.refund", ScopeKind::Tool, "payments.refund"},
        {"tool_class:write", ScopeKind::ToolClass, "write"},
        {"tool_class:high_risk", ScopeKind::ToolClass, "high_risk"},
        {"agent:refund-*", ScopeKind::Agent, "refund-*"},
        {"mcp_server:payments", ScopeKind::McpServer, "payments"},
        {"session:a:b", ScopeKind::Session, "a:b"},
        {"prompt_version:greeting@v3", ScopeKind::PromptVersion, "greeting@v3"},
    };
    for (const Row& row : rows) {
        const std::optional<Scope> scope = parse_scope(row.text);
        ASSERT_TRUE(scope.has_value()) << row.text;
        EXPECT_EQ(scope->kind, row.kind) << row.text;
        EXPECT_EQ(scope->name, row.name) << row.text;
        EXPECT_EQ(to_text(*scope), row.text);
    }
}

TEST(Scope, IsNotReadFromAnythingElse) {
    const std::string long_name(scope_name_bytes_max + 1, 'x');
    for (const std::string& text : {
             std::string(),
             std::string("tool"),
             std::string("tool:"),
             std::string("global:"),
             std::string("global:all"),
             std::string("Tool:x"),
             std::string("tools:x"),
             std::string("tool_class:destructive"),
             std::string("tool_class:w*"),
             std::string("tool:a\nb"),
             "tool:" + long_name,
         }) {
        EXPECT_FALSE(parse_scope(text).has_value()) << text;
    }
}

TEST(ControlNames, GoBothWays) {
    for (int i = 1; i <= static_cast<int>(ControlMode::Route); ++i) {
        const auto mode = static_cast<ControlMode>(i);
        EXPECT_EQ(parse_control_mode(name_of(mode)), mode);
    }
    for (int i = 1; i <= static_cast<int>(CallKind::Workflow); ++i) {
        const auto kind = static_cast<CallKind>(i);
        EXPECT_EQ(parse_call_kind(name_of(kind)), kind);
    }
    EXPECT_EQ(parse_control_mode("stop"), std::nullopt);
}

TEST(Rate, IsReadAndWritten) {
    EffectTerms terms;
    ASSERT_TRUE(parse_rate("20/1m30s", terms));
    EXPECT_EQ(terms.calls, 20U);
    EXPECT_EQ(terms.per, std::chrono::seconds(90));
    EXPECT_EQ(rate_text(terms), "20/1m30s");
    for (const char* const wrong :
         {"", "/", "20", "20/", "0/1m", "20/0s", "20/1ms", "20/25h",
          "1000001/1m", "-1/1m", "2x/1m", "20/1m "}) {
        EXPECT_FALSE(parse_rate(wrong, terms)) << wrong;
    }
    EXPECT_EQ(rate_text(terms), "20/1m30s");
}

}  // namespace
}  // namespace tagout
