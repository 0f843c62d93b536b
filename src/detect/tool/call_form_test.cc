// What breaks a schema and what was never offered: what fires and what must not; and that hostile
// definitions and arguments cost no more than their bounds.
#include "detect/tool/call_form.h"

#include "detect/testing/runner.h"
#include "detect/testing/story.h"
#include "detect/tool/argument_shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace tagout::detect {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view schema =
    R"({"type":"object","properties":{"to":{"type":"string","pattern":"@"},)"
    R"("amount":{"type":"number","minimum":1}},"required":["to"]})";
const std::string openai = R"([{"type":"function","function":{"name":"pay","parameters":)" +
                           std::string(schema) + R"(}},{"type":"web_search"}])";

struct Case {
    std::string name;
    std::string definitions;
    std::string tool;
    std::string arguments;
    bool fails = true;
    std::string signal;  ///< "" for none.
    std::string says;
};

RunResult told(const Case& one) {
    Story s;
    s.session("c", "clerk", "payments").user("Pay Bob 5 dollars");
    AgentEvent& model = s.model();
    model.tool_definitions = s.keep(one.definitions);
    AgentEvent& call = s.tool(one.tool, one.arguments, one.fails ? "" : "done");
    if (one.fails) {
        s.fail(call, StepOutcome::ClientError, 422);
    }
    s.end(one.fails ? StepOutcome::Error : StepOutcome::Ok);
    return run(s.events, Settings{}, std::make_shared<const catalog::Catalog>());
}

TEST(CallForm, WhatFiresAndWhatDoesNot) {
    const std::string violation = "tool.schema_violation";
    const std::string unknown = "tool.unknown_tool";
    const std::string parameters = std::string(schema);
    const std::vector<Case> cases{
        {"OpenAI",
         openai,
         "pay",
         R"({"to":"bob","amount":5})",
         true,
         violation,
         R"(to is the string "bob", which the pattern @ does not match (#/properties/to/pattern), in {"to":"bob")"},
        {"OpenTelemetry",
         R"([{"type":"function","name":"pay","parameters":)" + parameters + "}]",
         "pay",
         R"({"amount":5})",
         true,
         violation,
         "lacks the member \"to\""},
        {"MCP",
         R"({"tools":[{"name":"pay","inputSchema":)" + parameters + "}]}",
         "pay",
         R"({"to":5})",
         true,
         violation,
         "to is 5, but must be a string"},
        {"Anthropic",
         R"([{"name":"pay","input_schema":)" + parameters + "}]",
         "pay",
         R"({"to":"a@b","amount":0.5})",
         true,
         violation,
         "amount is 0.5, but must be at least 1"},
        {"Gemini",
         R"([{"functionDeclarations":[{"name":"pay","parameters":)" + parameters + "}]}]",
         "pay",
         R"({"to":7})",
         true,
         violation,
         "must be a string"},
        {"by name",
         R"({"pay":{"parameters":)" + parameters + "}}",
         "pay",
         R"({"to":7})",
         true,
         violation,
         ""},
        {"behind a server's name", openai, "bank.pay", R"({"to":7})", true, violation, ""},
        {"a write that worked all the same",
         openai,
         "pay",
         R"({"to":7})",
         false,
         violation,
         "to is 7"},
        {"fits", openai, "pay", R"({"to":"bob@x","amount":5})", true, "", ""},
        {"a reading that worked",
         R"([{"name":"get_order","parameters":{"properties":{"id":{"type":"string"}}}}])",
         "get_order",
         R"({"id":7})",
         false,
         "",
         ""},
        {"arguments that were not captured", openai, "pay", "", true, "", ""},
        {"arguments that are cut", openai, "pay", R"({"to":"bo)", true, "", ""},
        {"a wrapping around them, and it worked",
         openai,
         "pay",
         R"({"input":{"to":"bob@x"}})",
         false,
         "",
         ""},
        {"a schema that nobody can read",
         R"([{"name":"pay","parameters":{"type":"text"}}])",
         "pay",
         "{}",
         true,
         "",
         ""},
        {"a schema that runs in circles",
         R"([{"name":"pay","parameters":{"$ref":"#"}}])",
         "pay",
         "{}",
         true,
         "",
         ""},
        {"a pattern that RE2 cannot run",
         R"x([{"name":"pay","parameters":{"properties":{"to":{"pattern":"(?=a)"},"amount":{"type":"number"}}}}])x",
         "pay",
         R"({"to":"b","amount":"5"})",
         true,
         violation,
         "amount is the string \"5\""},
        {"not offered",
         openai,
         "send_money",
         R"({"to":"bob"})",
         true,
         unknown,
         "the agent called send_money, which none of the lists that it was offered names"},
        {"not offered, read and worked", openai, "get_balance", "{}", false, "", ""},
        {"names alone", R"(["pay","get_balance"])", "get_balance", "{}", true, "", ""},
        {"run by the provider", openai, "web_search", "{}", true, "", ""},
        {"no list told", "", "send_money", "{}", true, "", ""},
        {"an empty list", "[]", "send_money", "{}", true, "", ""},
        {"what is no list", "no JSON", "send_money", "{}", true, "", ""},
    };
    for (const Case& one : cases) {
        const RunResult result = told(one);
        for (const std::string& signal : {violation, unknown}) {
            const std::vector<Finding> found = result.of(signal);
            ASSERT_EQ(found.size(), signal == one.signal ? 1U : 0U)
                << one.name << ": " << (found.empty() ? signal : found[0].evidence);
            if (!found.empty()) {
                EXPECT_THAT(found[0].evidence, HasSubstr(one.says)) << one.name;
                EXPECT_EQ(found[0].tool.text(), one.tool) << one.name;
                EXPECT_EQ(found[0].write_completed, !one.fails) << one.name;
                EXPECT_EQ(found[0].step, 1U) << one.name;
            }
        }
    }
}

// Another agent in the conversation has tools of its own; one server's list is not all there is.
TEST(CallForm, WhoseListsWereNotToldIsNotJudgedByThem) {
    for (const bool other_agent : {true, false}) {
        Story s;
        s.session("c", "clerk", "payments").user("Pay Bob");
        AgentEvent& list = s.model();
        list.tool_definitions = s.keep(openai);
        list.kind = other_agent ? EventKind::Llm : EventKind::Mcp;
        AgentEvent& call = s.fail(s.tool("archive", "{}", ""), StepOutcome::Error);
        call.agent_name = other_agent ? "archivist" : "clerk";
        s.end(StepOutcome::Error);
        const RunResult result =
            run(s.events, Settings{}, std::make_shared<const catalog::Catalog>());
        EXPECT_TRUE(result.of("tool.unknown_tool").empty()) << other_agent;
    }
}

TEST(CallForm, TenMegabytesOfArgumentsAreNotRead) {
    const std::string large = R"({"to":")" + std::string(10 << 20, 'x') + "\"}";
    EXPECT_TRUE(
        told({"large", openai, "pay", large, true, "", ""}).of("tool.schema_violation").empty()
    );
}

TEST(CallForm, ATenantThatChangesItsListWithEveryCallIsForgottenInTurn) {
    ToolLists lists;
    const std::uint64_t first = lists.note(R"([{"name":"tool_first"}])");
    for (int i = 0; i < 3'000; ++i) {
        const std::uint64_t list = lists.note(R"([{"name":"tool)" + std::to_string(i) + "\"}]");
        EXPECT_NE(lists.find(list, "tool" + std::to_string(i)), nullptr);
    }
    EXPECT_EQ(lists.find(first, "tool_first"), nullptr);
    EXPECT_FALSE(lists.knows(first));
    EXPECT_EQ(lists.forgotten(), 3'001 - ToolLists::lists_max);
    EXPECT_LT(lists.bytes(), ToolLists::bytes_max);
}

TEST(ArgumentShape, NamesAndTypesInOrderOfNames) {
    EXPECT_EQ(
        argument_shape(
            "pay", R"({"to":"a","amount":5,"items":[{"id":1},{"id":2}],"fast":true,"note":null})"
        ),
        "pay(amount:number,fast:boolean,id:number,note:null,to:string)"
    );
    EXPECT_EQ(argument_shape("pay", "{}"), "pay()");
    EXPECT_EQ(argument_shape("pay", "not json"), "pay(:null)");
    EXPECT_LE(argument_shape("pay", "{\"" + std::string(5'000, 'x') + "\":1}").size(), 200U);
}

}  // namespace
}  // namespace tagout::detect
