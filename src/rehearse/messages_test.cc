// The chat in its two forms, and streamed answers in whatever pieces they come.

#include "rehearse/messages.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tagout::rehearse {
namespace {

namespace json = boost::json;

ModelReply call_of(std::string id, std::string tool, std::string arguments) {
    ModelReply reply;
    reply.tool = std::move(tool);
    reply.call_id = std::move(id);
    reply.arguments = std::move(arguments);
    return reply;
}

TEST(StreamedReply, IsTheSameHoweverTheStreamIsCut) {
    const std::string stream =
        ": a comment\n"
        "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"One \"}}]}\n\n"
        "data: {\"choices\":[{\"delta\":{\"content\":\"\u00e4nd\"}}]}\n\n"
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"k\",\"function\":{\"name\":\"get\","
        "\"arguments\":\"\"}}]}}]}\n\n"
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"{}\"}}]}}]}\n\n"
        "data: not json\n\n"
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n"
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n"
        "data: [DONE]\n\n";
    for (std::size_t piece = 1; piece <= stream.size(); piece += 13) {
        StreamedReply reply;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            reply.feed(std::string_view(stream).substr(at, piece));
        }
        ASSERT_TRUE(reply.done().has_value()) << piece;
        EXPECT_EQ(reply.done()->text, "One \u00e4nd");
        EXPECT_EQ(reply.done()->tool, "get");
        EXPECT_EQ(reply.done()->call_id, "k");
        EXPECT_EQ(reply.done()->arguments, "{}");
        EXPECT_EQ(reply.done()->finish_reason, "tool_calls");
        EXPECT_EQ(reply.done()->input_tokens, 7);
        EXPECT_EQ(reply.done()->output_tokens, 3);
    }
    StreamedReply cut;
    cut.feed(std::string_view(stream).substr(0, stream.size() - 10));
    EXPECT_FALSE(cut.done().has_value()) << "a stream that was cut is no answer";
}

TEST(Capture, WritesTheConventionsPartsAndKeepsTheNewestWholeMessages) {
    std::string chat = begin_chat("Be kind.");
    add_user_message(chat, "Where is \"17\"?");
    const ModelReply call = call_of("k1", "get_order", R"({"order_id":"17"})");
    add_model_reply(chat, call);
    add_tool_result(chat, call, R"({"state":"sent"})");
    const json::value captured = json::parse(captured_input_json(chat));
    ASSERT_EQ(captured.as_array().size(), 3u);
    EXPECT_EQ(captured.at_pointer("/0/role").as_string(), "user");
    EXPECT_EQ(captured.at_pointer("/0/parts/0/content").as_string(), "Where is \"17\"?");
    EXPECT_EQ(captured.at_pointer("/1/parts/0/type").as_string(), "tool_call");
    EXPECT_EQ(captured.at_pointer("/1/parts/0/arguments/order_id").as_string(), "17");
    EXPECT_EQ(captured.at_pointer("/2/parts/0/type").as_string(), "tool_call_response");
    EXPECT_EQ(captured.at_pointer("/2/parts/0/response").as_string(), R"({"state":"sent"})");
    EXPECT_EQ(
        json::parse(captured_system_json(chat)).at_pointer("/0/content").as_string(), "Be kind."
    );

    for (int i = 0; i < 40; ++i) {
        add_user_message(chat, std::string(1000, 'x') + std::to_string(i));
    }
    const std::string long_capture = captured_input_json(chat);
    EXPECT_LE(long_capture.size(), capture_bytes_max);
    const json::value kept = json::parse(long_capture);
    EXPECT_TRUE(kept.as_array().back().at_pointer("/parts/0/content").as_string().ends_with("39"));
}

TEST(ModelReplyParser, TakesWhatAModelSaysAndNothingElse) {
    const auto reply = parse_model_reply(
        R"({"id":"c1","model":"m","choices":[{"finish_reason":"stop","message":{"content":"Hi"}}],)"
        R"("usage":{"prompt_tokens":5,"completion_tokens":2}})"
    );
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->text, "Hi");
    EXPECT_EQ(reply->tool, "");
    EXPECT_EQ(reply->input_tokens, 5);
    for (const char* const bad : {"", "[]", "{}", R"({"choices":[]})", R"({"choices":[{"message":3}]})"}) {
        EXPECT_FALSE(parse_model_reply(bad).has_value()) << bad;
    }
}

}  // namespace
}  // namespace tagout::rehearse
