// What a request to a model cost, read from its answer, and the road that refuses past a budget.
#include "gateway/test_world.h"

#include "gateway/usage.h"

#include <gtest/gtest.h>

namespace tagout::gateway {
namespace {

std::string said(const UsageMeter& meter) {
    const Usage usage = meter.usage();
    return std::to_string(usage.input) + " in, " + std::to_string(usage.output) + " out, " +
           std::to_string(usage.cached) + " cached" + (usage.estimated ? ", estimated" : "");
}

std::string of_whole(std::string_view body) {
    UsageMeter meter(400);
    meter.whole(body);
    return said(meter);
}

std::string of_stream(const std::vector<std::string>& data) {
    UsageMeter meter(400);
    for (const std::string& each : data) {
        meter.event("data: " + each + "\n\n");
    }
    return said(meter);
}

TEST(UsageMeter, ReadsWhatEachFormSays) {
    EXPECT_EQ(
        of_whole(R"({"choices":[{"message":{"content":"hello"}}],"usage":{"prompt_tokens":11,)"
                 R"("completion_tokens":7,"total_tokens":18,"prompt_tokens_details":{"cached_tokens":4}}})"),
        "11 in, 7 out, 4 cached"
    );
    EXPECT_EQ(
        of_whole(R"({"output":[],"usage":{"input_tokens":11,"output_tokens":7,)"
                 R"("input_tokens_details":{"cached_tokens":4}}})"),
        "11 in, 7 out, 4 cached"
    );
    EXPECT_EQ(
        of_whole(R"({"content":[],"usage":{"input_tokens":11,"cache_read_input_tokens":4,)"
                 R"("cache_creation_input_tokens":2,"output_tokens":7}})"),
        "17 in, 7 out, 4 cached"
    );
    EXPECT_EQ(
        of_stream({R"({"choices":[{"delta":{"content":"a"}}],"usage":null})",
                   R"({"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7}})"}),
        "11 in, 7 out, 0 cached"
    );
    EXPECT_EQ(
        of_stream({R"({"type":"response.output_text.delta","delta":"a"})",
                   R"({"type":"response.completed","response":{"usage":{"input_tokens":11,"output_tokens":7}}})"}),
        "11 in, 7 out, 0 cached"
    );
    EXPECT_EQ(
        of_stream({R"({"type":"message_start","message":{"usage":{"input_tokens":11,"output_tokens":1}}})",
                   R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}})",
                   R"({"type":"message_delta","delta":{},"usage":{"output_tokens":7}})"}),
        "11 in, 7 out, 0 cached"
    );
}

TEST(UsageMeter, EstimatesWhatNobodySaysAndSaysSo) {
    EXPECT_EQ(
        of_whole(R"({"choices":[{"message":{"content": "twelve bytes","x":1}}]})"),
        "101 in, 3 out, 0 cached, estimated"
    );
    EXPECT_EQ(
        of_stream({R"({"choices":[{"delta":{"content":"a"}}]})",
                   R"({"choices":[{"delta":{"content":"and a longer piece"}}]})",
                   R"({"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{\"a\":"}}]}}]})",
                   "[DONE]"}),
        "101 in, 8 out, 0 cached, estimated"
    );
    EXPECT_EQ(
        of_stream({R"({"type":"message_start","message":{"usage":{"input_tokens":11,"output_tokens":1}}})",
                   R"({"type":"content_block_delta","delta":{"text":"cut after this sentence."}})"}),
        "11 in, 6 out, 0 cached, estimated"
    ) << "a stream that was cut";
    EXPECT_EQ(of_whole("no json"), "101 in, 0 out, 0 cached, estimated");
    EXPECT_EQ(of_whole(R"({"usage":{"prompt_tokens":-5,"completion_tokens":99999999999999999999}})"),
              "101 in, 0 out, 0 cached, estimated")
        << "numbers that cannot be";
}

TEST(UsageMeter, ReadsTheEndOfWhatIsPassedOnUnread) {
    UsageMeter meter(400);
    for (int i = 0; i < 1'000; ++i) {
        meter.unread("[0.123,0.456],");
    }
    meter.unread(R"(],"usage": {"prompt_tokens": 8, "total_to)");
    meter.unread(R"(kens": 8}})");
    EXPECT_EQ(said(meter), "8 in, 0 out, 0 cached");
}

World::Script answering(std::string answer) {
    return [answer = std::move(answer)](net::ScriptedPeer& peer) {
        while (!peer.read_request().empty()) {
            peer.send(answer);
        }
    };
}

const std::string answer_of_60 =
    http_answer("application/json", R"({"choices":[{"message":{"role":"assistant","content":"hi"}}],)"
                                    R"("usage":{"prompt_tokens":50,"completion_tokens":10}})");
const std::string chat = R"({"model":"gpt-5","messages":[]})";
const net::Headers bot{{"tagout-agent", "bot"}};

Control held_to(const char* scope, const char* text) {
    Control held = World::stop(scope, ControlMode::Budget);
    EXPECT_TRUE(parse_budget(text, held.terms));
    return held;
}

TEST(BudgetRoad, PastItsBudgetEveryCallIsRefusedWithTheReason) {
    World world(
        answering(http_answer("application/json", R"({"jsonrpc":"2.0","id":1,"result":{}})")),
        answering(answer_of_60)
    );
    world.control({held_to("agent:bot", "100 tokens/1h")});
    const auto ask = [&](const net::Headers& headers) {
        return world.ask({"POST", "/model/openai/chat/completions", chat, headers});
    };
    EXPECT_EQ(ask(bot).status, 200);
    EXPECT_EQ(ask(bot).status, 200) << "60 of 100 are spent";
    const auto refused = ask(bot);
    EXPECT_EQ(refused.status, 403) << "a 429 would be asked again and again";
    EXPECT_EQ(refused.header("x-should-retry"), "false");
    EXPECT_EQ(refused.header("Retry-After"), "");
    EXPECT_NE(refused.body.find("The budget of 100 tokens/1h for agent bot is spent"), std::string::npos)
        << refused.body;
    EXPECT_NE(refused.body.find("There is room again in"), std::string::npos);
    EXPECT_EQ(refused.body.find("estimated"), std::string::npos);
    EXPECT_NE(world.mcp(tool_call("get_order"), bot).body.find("is spent"), std::string::npos);
    EXPECT_EQ(ask({}).status, 200) << "others have theirs";
    // A new snapshot gives no fresh allowance.
    world.control({held_to("agent:bot", "110 tokens/1h")});
    EXPECT_EQ(ask(bot).status, 403);
}

TEST(BudgetRoad, MoneyIsCountedByThePriceTableAndNotWithoutAPrice) {
    World world([](net::ScriptedPeer&) {}, answering(answer_of_60));
    // gpt-priced: 50 in at 10 USD a million and 10 out at 50 are a thousandth of a dollar.
    world.control({held_to("global", "0.0015 usd")});
    const std::string priced = R"({"model":"gpt-priced","messages":[]})";
    const auto ask = [&](const std::string& body) {
        return world.ask({"POST", "/model/openai/chat/completions", body, bot});
    };
    const auto unpriced = ask(chat);
    EXPECT_EQ(unpriced.status, 403);
    EXPECT_NE(unpriced.body.find("no price for model 'gpt-5'"), std::string::npos) << unpriced.body;
    EXPECT_EQ(world.model_requests, 0);
    EXPECT_EQ(ask(priced).status, 200);
    EXPECT_EQ(ask(priced).status, 200);
    EXPECT_EQ(ask(priced).status, 403);
}

TEST(BudgetRoad, AStreamThatTellsNothingIsEstimatedAndTheRefusalSaysSo) {
    World world(
        [](net::ScriptedPeer&) {},
        [](net::ScriptedPeer& peer) {
            (void)peer.read_request();
            peer.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"some words of an answer\"}}]}\n\n"
                "data: [DONE]\n\n"
            );
            peer.close();
        }
    );
    world.control({held_to("agent:bot", "10 tokens")});
    const auto ask = [&] {
        return world.ask({"POST", "/model/openai/chat/completions",
                          R"({"model":"gpt-5","stream":true,"messages":[]})", bot});
    };
    const auto passed = ask();
    EXPECT_EQ(passed.status, 200);
    EXPECT_NE(passed.body.find("some words of an answer"), std::string::npos);
    const auto refused = ask();
    EXPECT_EQ(refused.status, 403);
    EXPECT_NE(refused.body.find("Some of what was counted is estimated"), std::string::npos)
        << refused.body;
}

TEST(BudgetRoad, AnUpstreamThatRefusesIsPaidNothing) {
    World world(
        [](net::ScriptedPeer&) {},
        answering("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    );
    world.control({held_to("agent:bot", "1 tokens")});
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(world.ask({"POST", "/model/openai/chat/completions", chat, bot}).status, 400);
    }
}

}  // namespace
}  // namespace tagout::gateway
