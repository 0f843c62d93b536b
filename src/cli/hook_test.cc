#include "cli/hook.h"

#include <gtest/gtest.h>

namespace tagout::cli {
namespace {

std::string asked(std::string_view input, HookOptions options = {}) {
    const auto body = decide_body(input, options);
    return body ? *body : "refused: " + body.error().message;
}

TEST(Hook, SaysWhoCallsWhat) {
    const std::string input =
        R"({"session_id":"s1","hook_event_name":"PreToolUse","tool_name":"mcp__pay__refund",)"
        R"("tool_input":{"amount":5},"agent_type":"reviewer","cwd":"x"})";
    EXPECT_EQ(
        asked(input),
        R"({"kind":"tool","tool":"mcp__pay__refund","agent":"reviewer","session":"s1","arguments":{"amount":5}})"
    );
    EXPECT_EQ(
        asked(
            R"({"hook_event_name":"PreToolUse","tool_name":"Bash"})", {.gateway = {}, .agent = "ci"}
        ),
        R"({"kind":"tool","tool":"Bash","agent":"ci"})"
    );
}

TEST(Hook, WithATokenTheGatewayKnowsWhoCalls) {
    const std::string input =
        R"({"hook_event_name":"PreToolUse","tool_name":"Bash","agent_type":"reviewer"})";
    EXPECT_EQ(asked(input, {.token = "tagout_agent_1"}), R"({"kind":"tool","tool":"Bash"})");
    EXPECT_EQ(
        asked(input, {.agent = "ci", .token = "tagout_agent_1"}),
        R"({"kind":"tool","tool":"Bash","agent":"ci"})"
    );
}

TEST(Hook, WhatCannotBeJudgedIsRefusedWithTheRemedy) {
    EXPECT_NE(asked("").find("no JSON object"), std::string::npos);
    EXPECT_NE(asked("[1]").find("no JSON object"), std::string::npos);
    EXPECT_NE(
        asked(R"({"hook_event_name":"PostToolUse","tool_name":"Bash"})").find("register"),
        std::string::npos
    );
    EXPECT_NE(
        asked(R"({"hook_event_name":"PreToolUse","tool_name":7})").find("tool_name"),
        std::string::npos
    );
    const std::string deep(100'000, '[');
    EXPECT_NE(asked(deep).find("no JSON object"), std::string::npos);
}

TEST(Hook, AllowsInSilenceAsksAndRefuses) {
    const HookAnswer allowed = hook_answer(200, R"({"verdict":"allow","reason":""})");
    EXPECT_EQ(allowed.exit_code, 0);
    EXPECT_EQ(allowed.out, "") << "an 'allow' would skip the agent's own permission rules";
    const HookAnswer ask =
        hook_answer(200, R"({"verdict":"escalate","reason":"a person decides"})");
    EXPECT_EQ(ask.exit_code, 0);
    EXPECT_EQ(
        ask.out,
        R"({"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"ask",)"
        R"("permissionDecisionReason":"a person decides"}})"
    );
    const HookAnswer denied =
        hook_answer(200, R"({"verdict":"deny","reason":"refund is closed","decided_by":"CTL-1"})");
    EXPECT_EQ(denied.exit_code, 2);
    EXPECT_EQ(denied.err, "tagout: refund is closed (CTL-1)\n");
}

TEST(Hook, RedactedArgumentsTakeThePlaceOfTheOthers) {
    const HookAnswer redacted = hook_answer(
        200, R"({"verdict":"modify","reason":"addresses stay here","arguments":{"to":"[redacted:email]"}})"
    );
    EXPECT_EQ(redacted.exit_code, 0);
    EXPECT_NE(redacted.out.find(R"("updatedInput":{"to":"[redacted:email]"})"), std::string::npos);
    EXPECT_NE(redacted.out.find(R"("permissionDecision":"ask")"), std::string::npos);
}

TEST(Hook, AnyOtherAnswerRefuses) {
    for (const auto& [status, body] : std::initializer_list<std::pair<int, const char*>>{
             {503, R"({"verdict":"allow"})"},
             {200, ""},
             {200, "[]"},
             {200, "{}"},
             {200, R"({"verdict":"maybe"})"},
             {200, R"({"verdict":true})"}}) {
        EXPECT_EQ(hook_answer(status, body).exit_code, 2) << status << " " << body;
        EXPECT_NE(hook_answer(status, body).err, "");
    }
}

}  // namespace
}  // namespace tagout::cli
