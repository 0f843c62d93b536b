#include "gateway/answer_edit.h"

#include "gateway/event_splitter.h"

#include <gtest/gtest.h>

#include <vector>

namespace tagout::gateway {
namespace {

/// Refuses what is called "refund"; remembers what it was asked.
struct Judge {
    std::vector<std::string> asked;
    JudgeProposed judge() {
        return [this](const ProposedCall& call) -> std::optional<std::string> {
            asked.push_back(call.id + " " + call.tool + " " + call.arguments);
            return call.tool == "refund" || call.too_large
                       ? std::optional<std::string>("refund is \"closed\"")
                       : std::nullopt;
        };
    }
};

std::vector<std::string> blocks_of(std::string_view stream) {
    EventSplitter splitter;
    std::vector<std::string> blocks;
    EXPECT_TRUE(splitter.feed(stream, [&](std::string_view block) { blocks.emplace_back(block); }));
    EXPECT_EQ(splitter.held(), "");
    return blocks;
}

std::string edited(ModelApi api, std::string_view stream, Judge& judge) {
    const auto editor = AnswerEditor::make(api, judge.judge());
    std::string out;
    for (const std::string& block : blocks_of(stream)) {
        out += editor->event(block);
    }
    return out + editor->end();
}

std::string chunk(const std::string& delta, const std::string& finish = "null") {
    return R"(data: {"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":)" +
           delta + R"(,"finish_reason":)" + finish + "}]}\n\n";
}
std::string piece(int index, const std::string& name, const std::string& arguments) {
    const std::string at = "{\"index\":" + std::to_string(index);
    return name.empty() ? at + R"(,"function":{"arguments":)" + gateway::quoted(arguments) + "}}"
                        : at + R"(,"id":"call_)" + std::to_string(index) +
                              R"(","type":"function","function":{"name":)" + gateway::quoted(name) +
                              R"(,"arguments":)" + gateway::quoted(arguments) + R"(},"extra":1.0})";
}
std::string calls(const std::string& pieces) {
    return R"({"tool_calls":[)" + pieces + "]}";
}
const std::string done = "data: [DONE]\n\n";
const std::string usage = "data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"total_tokens\":7}}\n\n";

TEST(ChatAnswer, WordsPassAtOnceAndAllowedCallsByteForByte) {
    Judge judge;
    const auto editor = AnswerEditor::make(ModelApi::Chat, judge.judge());
    const std::string words = chunk(R"({"role":"assistant","content":"Let me see"})");
    EXPECT_EQ(editor->event(words), words);
    const std::string first = chunk(calls(piece(0, "find", "{\"a\"")));
    const std::string second = chunk(calls(piece(0, "", ":1}")));
    EXPECT_EQ(editor->event(first), "") << "nothing of a call goes out before it is judged";
    EXPECT_EQ(editor->event(second), "");
    EXPECT_TRUE(judge.asked.empty()) << "judged before it was complete";
    const std::string aside = chunk(R"({"content":"more"})");
    EXPECT_EQ(editor->event(aside), aside) << "words do not wait for a call";
    const std::string finish = chunk("{}", "\"tool_calls\"");
    EXPECT_EQ(editor->event(finish), first + second + finish);
    EXPECT_EQ(editor->event(usage) + editor->event(done), usage + done);
    EXPECT_EQ(judge.asked, std::vector<std::string>{"call_0 find {\"a\":1}"});
}

TEST(ChatAnswer, TheOnlyCallRefusedBecomesWordsAndAnEndInWords) {
    Judge judge;
    const std::string out = edited(
        ModelApi::Chat,
        chunk(
            R"({"role":"assistant","content":null,"tool_calls":[)" + piece(0, "refund", "") + "]}"
        ) + chunk(calls(piece(0, "", "{}"))) +
            chunk("{}", "\"tool_calls\"") + usage + done,
        judge
    );
    EXPECT_EQ(
        out,
        chunk(R"({"role":"assistant","content":"refund is \"closed\""})") +
            chunk("{}", "\"stop\"") + usage + done
    );
}

TEST(ChatAnswer, CallsThatStayHaveNoGapInTheirIndexes) {
    Judge judge;
    const std::string out = edited(
        ModelApi::Chat,
        chunk(R"({"role":"assistant","content":"Hm."})") + chunk(calls(piece(0, "refund", "{}"))) +
            chunk(calls(piece(1, "find", "{"))) + chunk(calls(piece(1, "", "}"))) +
            chunk(calls(piece(2, "refund", "{}") + "," + piece(3, "find", "{}"))) +
            chunk("{}", "\"tool_calls\"") + done,
        judge
    );
    std::string first = piece(1, "find", "{");
    std::string fourth = piece(3, "find", "{}");
    first.replace(first.find("\"index\":1"), 9, "\"index\":0");
    fourth.replace(fourth.find("\"index\":3"), 9, "\"index\":1");
    EXPECT_EQ(
        out,
        chunk(R"({"role":"assistant","content":"Hm."})") +
            chunk(R"({"content":"\n\nrefund is \"closed\"\nrefund is \"closed\""})") +
            chunk(calls(first)) + chunk(calls(piece(0, "", "}"))) + chunk(calls(fourth)) +
            chunk("{}", "\"tool_calls\"") + done
    );
}

TEST(ChatAnswer, AChunkWithWordsCallAndEndIsTakenApart) {
    Judge judge;
    const std::string all = chunk(
        R"({"content":"Yes","tool_calls":[)" + piece(0, "refund", "{}") + "]}", "\"tool_calls\""
    );
    EXPECT_EQ(
        edited(ModelApi::Chat, all + done, judge),
        chunk(R"({"content":"Yes"})") + chunk(R"({"content":"\n\nrefund is \"closed\""})") +
            chunk("{}", "\"stop\"") + done
    );
    const std::string cut_short =
        edited(ModelApi::Chat, chunk(calls(piece(0, "refund", "{")), "\"length\"") + done, judge);
    EXPECT_NE(cut_short.find("\"finish_reason\":\"length\""), std::string::npos)
        << "an answer that was cut short says so still";
}

TEST(ChatAnswer, ChoicesAreJudgedEachAlone) {
    Judge judge;
    const std::string two =
        R"(data: {"id":"c1","choices":[{"index":0,"delta":)" + calls(piece(0, "refund", "{}")) +
        R"(,"finish_reason":null},{"index":1,"delta":{"content":"hello"},"finish_reason":null}]})"
        "\n\n";
    const auto editor = AnswerEditor::make(ModelApi::Chat, judge.judge());
    EXPECT_EQ(
        editor->event(two),
        "data: {\"id\":\"c1\",\"choices\":[{\"index\":1,\"delta\":{\"content\":\"hello\"},"
        "\"finish_reason\":null}]}\n\n"
    );
    EXPECT_NE(editor->event(done).find("closed"), std::string::npos)
        << "a stream without a finish is judged at its end";
}

TEST(ChatAnswer, TheOlderFunctionCallIsJudgedToo) {
    Judge judge;
    EXPECT_EQ(
        edited(
            ModelApi::Chat,
            chunk(R"({"function_call":{"name":"refund","arguments":""}})") +
                chunk(R"({"function_call":{"arguments":"{}"}})") +
                chunk("{}", "\"function_call\"") + done,
            judge
        ),
        chunk(R"({"content":"refund is \"closed\""})") + chunk("{}", "\"stop\"") + done
    );
    EXPECT_EQ(judge.asked, std::vector<std::string>{" refund {}"});
}

TEST(ChatAnswer, WholeAnswers) {
    Judge judge;
    const auto whole = [&](const std::string& message, const std::string& finish) {
        return AnswerEditor::make(ModelApi::Chat, judge.judge())
            ->whole(
                R"({"choices":[{"message":)" + message + R"(,"finish_reason":")" + finish +
                R"("}],"x":1.0})"
            );
    };
    const std::string find =
        R"({"id":"a","type":"function","function":{"name":"find","arguments":"{}"}})";
    const std::string refund =
        R"({"id":"b","type":"custom","custom":{"name":"refund","input":"x"}})";
    EXPECT_EQ(
        whole(R"({"content":null,"tool_calls":[)" + find + "]}", "tool_calls"),
        R"({"choices":[{"message":{"content":null,"tool_calls":[)" + find +
            R"(]},"finish_reason":"tool_calls"}],"x":1.0})"
    );
    EXPECT_EQ(
        whole(R"({"content":null,"tool_calls":[)" + refund + "," + find + "]}", "tool_calls"),
        R"({"choices":[{"message":{"content":"refund is \"closed\"","tool_calls":[)" + find +
            R"(]},"finish_reason":"tool_calls"}],"x":1.0})"
    );
    EXPECT_EQ(
        whole(R"({"role":"assistant","tool_calls":[)" + refund + "]}", "tool_calls"),
        R"({"choices":[{"message":{"content":"refund is \"closed\"","role":"assistant"},"finish_reason":"stop"}],"x":1.0})"
    );
    EXPECT_EQ(
        whole(
            R"({"content":"So","function_call":{"name":"refund","arguments":"{}"}})",
            "function_call"
        ),
        R"({"choices":[{"message":{"content":"So\n\nrefund is \"closed\""},"finish_reason":"stop"}],"x":1.0})"
    );
}

std::string event(const std::string& type, const std::string& members) {
    return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + members + "}\n\n";
}
std::string tool_block(int index, const std::string& name, const std::string& input) {
    const std::string at = ",\"index\":" + std::to_string(index);
    return event(
               "content_block_start",
               at + R"(,"content_block":{"type":"tool_use","id":"t)" + std::to_string(index) +
                   R"(","name":")" + name + R"(","input":{}})"
           ) +
           event(
               "content_block_delta",
               at + R"(,"delta":{"type":"input_json_delta","partial_json":)" +
                   gateway::quoted(input) + "}"
           ) +
           event("content_block_stop", at);
}
std::string text_block(int index, const std::string& words) {
    const std::string at = ",\"index\":" + std::to_string(index);
    return event("content_block_start", at + R"(,"content_block":{"type":"text","text":""})") +
           event(
               "content_block_delta",
               at + R"(,"delta":{"type":"text_delta","text":)" + gateway::quoted(words) + "}"
           ) +
           event("content_block_stop", at);
}
std::string stop_for(const std::string& reason) {
    return event("message_delta", R"(,"delta":{"stop_reason":")" + reason + R"("})") +
           event("message_stop", "");
}

TEST(MessagesAnswer, ARefusedCallBecomesTextInItsPlace) {
    Judge judge;
    const std::string thinking = event(
        "content_block_delta", R"(,"index":0,"delta":{"type":"signature_delta","signature":"abc"})"
    );
    const std::string head = event("message_start", R"(,"message":{"id":"m"})") + thinking;
    EXPECT_EQ(
        edited(
            ModelApi::Messages,
            head + text_block(1, "Hm") + tool_block(2, "refund", "{}") + stop_for("tool_use"),
            judge
        ),
        head + text_block(1, "Hm") + text_block(2, "refund is \"closed\"") + stop_for("end_turn")
    );
    EXPECT_EQ(
        edited(
            ModelApi::Messages,
            head + tool_block(1, "refund", "{}") + tool_block(2, "find", "{\"a\":1}") +
                stop_for("tool_use"),
            judge
        ),
        head + text_block(1, "refund is \"closed\"") + tool_block(2, "find", "{\"a\":1}") +
            stop_for("tool_use")
    );
    EXPECT_EQ(
        judge.asked, (std::vector<std::string>{"t2 refund {}", "t1 refund {}", "t2 find {\"a\":1}"})
    );
}

TEST(MessagesAnswer, PingsAndWordsDoNotWaitForACall) {
    Judge judge;
    const auto editor = AnswerEditor::make(ModelApi::Messages, judge.judge());
    const auto blocks = blocks_of(tool_block(1, "find", "{}"));
    EXPECT_EQ(editor->event(blocks[0]), "");
    const std::string ping = event("ping", "");
    EXPECT_EQ(editor->event(ping), ping);
    EXPECT_EQ(editor->event(blocks[1]), "");
    EXPECT_EQ(editor->event(blocks[2]), tool_block(1, "find", "{}"));
    EXPECT_EQ(editor->end(), "");
}

TEST(MessagesAnswer, ACallTooLargeToBeHeldIsRefused) {
    Judge judge;
    const std::string large(AnswerEditor::held_bytes_max + 1, 'x');
    EXPECT_EQ(
        edited(ModelApi::Messages, tool_block(0, "find", large) + stop_for("tool_use"), judge),
        text_block(0, "refund is \"closed\"") + stop_for("end_turn")
    );
}

TEST(MessagesAnswer, WholeAnswers) {
    Judge judge;
    EXPECT_EQ(
        AnswerEditor::make(ModelApi::Messages, judge.judge())
            ->whole(
                R"({"content":[{"type":"text","text":"a"},{"type":"tool_use","id":"t","name":"refund","input":{"a":1.0}}],"stop_reason":"tool_use"})"
            ),
        R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"refund is \"closed\""}],"stop_reason":"end_turn"})"
    );
    EXPECT_EQ(judge.asked, std::vector<std::string>{"t refund {\"a\":1.0}"});
}

std::string numbered(const std::string& type, int number, const std::string& members) {
    return event(type, ",\"sequence_number\":" + std::to_string(number) + members);
}
std::string call_item(
    const std::string& id, const std::string& name, const std::string& arguments
) {
    return R"({"id":")" + id + R"(","type":"function_call","call_id":"c","name":")" + name +
           R"(","arguments":)" + gateway::quoted(arguments) + "}";
}
std::string call_events(int from, int place, const std::string& id, const std::string& name) {
    const std::string at = ",\"output_index\":" + std::to_string(place);
    return numbered(
               "response.output_item.added", from, at + ",\"item\":" + call_item(id, name, "")
           ) +
           numbered("response.function_call_arguments.delta", from + 1, at + R"(,"delta":"{}")") +
           numbered(
               "response.function_call_arguments.done", from + 2, at + R"(,"arguments":"{}")"
           ) +
           numbered(
               "response.output_item.done", from + 3, at + ",\"item\":" + call_item(id, name, "{}")
           );
}

TEST(ResponsesAnswer, EventsAndTheCompletedObjectAreBothEdited) {
    Judge judge;
    const std::string created = numbered("response.created", 0, R"(,"response":{"output":[]})");
    const std::string completed = R"(,"response":{"output":[)" + call_item("f1", "refund", "{}") +
                                  "," + call_item("f2", "find", "{}") + "]}";
    const std::string out = edited(
        ModelApi::Responses,
        created + call_events(1, 0, "f1", "refund") + call_events(5, 1, "f2", "find") +
            numbered("response.completed", 9, completed),
        judge
    );
    EXPECT_EQ(out.find("\"refund\","), std::string::npos) << out;
    EXPECT_EQ(out.find("function_call_arguments.delta\",\"sequence_number\":2"), std::string::npos);
    const auto blocks = blocks_of(out);
    ASSERT_EQ(blocks.size(), 1U + 6U + 4U + 1U) << out;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_NE(blocks[i].find("\"sequence_number\":" + std::to_string(i)), std::string::npos)
            << "a gap or a number twice: " << blocks[i];
    }
    EXPECT_NE(blocks[3].find(R"("delta":"refund is \"closed\"")"), std::string::npos) << blocks[3];
    EXPECT_NE(blocks[10].find(call_item("f2", "find", "{}")), std::string::npos);
    EXPECT_NE(
        blocks[11].find(
            R"("output":[{"id":"msg_f1","type":"message","status":"completed","role":"assistant")"
        ),
        std::string::npos
    ) << blocks[11];
    EXPECT_NE(blocks[11].find(call_item("f2", "find", "{}")), std::string::npos);
}

TEST(ResponsesAnswer, AnAllowedStreamIsByteForByteTheSame) {
    Judge judge;
    const std::string stream =
        numbered("response.created", 0, R"(,"response":{"output":[]})") +
        call_events(1, 0, "f2", "find") +
        numbered(
            "response.completed",
            5,
            R"(,"response":{"output":[)" + call_item("f2", "find", "{}") + "]}"
        );
    EXPECT_EQ(edited(ModelApi::Responses, stream, judge), stream);
}

TEST(ResponsesAnswer, WholeAnswers) {
    Judge judge;
    const auto whole =
        AnswerEditor::make(ModelApi::Responses, judge.judge())
            ->whole(
                R"({"output":[{"id":"x","type":"custom_tool_call","name":"refund","input":"y"}]})"
            );
    EXPECT_EQ(
        whole,
        R"({"output":[{"id":"msg_x","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"refund is \"closed\""}]}]})"
    );
    EXPECT_EQ(judge.asked, std::vector<std::string>{"x refund y"});
}

TEST(Answers, WhatIsNoSuchAnswerPassesAsItIs) {
    Judge judge;
    for (const ModelApi api : {ModelApi::Chat, ModelApi::Responses, ModelApi::Messages}) {
        for (const std::string body :
             {"",
              "no json tool_calls",
              R"({"tool_calls":3,"function_call":"tool_use"})",
              R"([{"type":"function_call"}])",
              R"({"choices":{"a_call":[]},"content":{}})"}) {
            EXPECT_EQ(AnswerEditor::make(api, judge.judge())->whole(body), body);
            const std::string block = "data: " + body + "\n\n";
            EXPECT_EQ(AnswerEditor::make(api, judge.judge())->event(block), block);
        }
    }
    EXPECT_TRUE(judge.asked.empty());
    EXPECT_EQ(AnswerEditor::make(ModelApi::Other, judge.judge()), nullptr);
}

}  // namespace
}  // namespace tagout::gateway
