// Throttle, redact and the route of a model, as agents meet them.
#include "gateway/json_redact.h"
#include "gateway/json_scan.h"
#include "gateway/test_world.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tagout::gateway {
namespace {

struct Requests {
    Mutex mutex;
    std::vector<std::string> all TAGOUT_GUARDED_BY(mutex);

    World::Script answering(std::string answer) {
        return [this, answer = std::move(answer)](net::ScriptedPeer& peer) {
            for (std::string request = peer.read_request(); !request.empty();
                 request = peer.read_request()) {
                {
                    const MutexLock lock(mutex);
                    all.push_back(request);
                }
                peer.send(answer);
            }
        };
    }
    [[nodiscard]] std::string last() {
        const MutexLock lock(mutex);
        return all.empty() ? "" : all.back();
    }
};

Control redacting(std::string_view scope, std::vector<std::string> what) {
    Control control = World::stop(scope, ControlMode::Redact);
    control.terms.redact = std::move(what);
    return control;
}

constexpr std::string_view customer =
    R"({"to": "ann\u0040example.com", "n": 1.10, "card":4111111111111111, "deep":{"j":"{\"m\":\"b@example.com\"}"}})";

TEST(RedactRoad, ArgumentsAndResultsOfAToolHoldNothingOfIt) {
    Requests requests;
    World world(requests.answering(http_answer(
        "application/json",
        R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"sent to \"c@example.com\" \ud83d\ude00"}]}})"
    )));
    world.control({redacting("tool:shop.*", {"email", "card"})});
    const auto answer = world.mcp(tool_call("mail", customer), {{"Mcp-Param-To", "ann@example.com"}});
    EXPECT_EQ(
        answer.body,
        R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"sent to \"[redacted:email]\" )"
        "\xF0\x9F\x98\x80\"}]}}"
    );
    const std::string request = requests.last();
    EXPECT_NE(
        request.find(
            R"("arguments":{"to": "[redacted:email]", "n": 1.10, "card":"[redacted:card]", "deep":{"j":"{\"m\":\"[redacted:email]\"}"}})"
        ),
        std::string::npos
    ) << request;
    EXPECT_EQ(request.find("example.com"), std::string::npos) << "headers repeat arguments";
    const SeenCall seen = world.last_seen();
    EXPECT_EQ(seen.verdict, Verdict::Modify);
    EXPECT_EQ(seen.decided_by, "CTL-7");
    EXPECT_EQ((seen.arguments + seen.result).find("@example.com"), std::string::npos);
}

TEST(RedactRoad, WhatTiesMessagesTogetherStays) {
    const auto snapshot = contain::ControlSnapshot::build(
        std::vector<Control>{redacting("global", {"re:4+", "re:x@"})}, {}, 1
    );
    ASSERT_TRUE(snapshot.has_value());
    const Redaction redaction(*snapshot, 1);
    const auto message = [&](const std::string& json) {
        return redaction.redacted_message(RedactWhere::Results, json).value_or("(as it came)");
    };
    EXPECT_EQ(
        message(R"({"jsonrpc":"2.0","id":444444444,"result":{"id":444444444,"a":"4"}})"),
        R"({"jsonrpc":"2.0","id":444444444,"result":{"id":"[redacted]","a":"[redacted]"}})"
    );
    EXPECT_EQ(message(R"({"id":"x@4","error":{"code":-1,"message":"x@"}})"),
              R"({"id":"x@4","error":{"code":-1,"message":"[redacted]"}})");
    EXPECT_EQ(
        message(R"({"method":"notifications/progress","params":{"progressToken":444444444,"message":"4"}})"),
        R"({"method":"notifications/progress","params":{"progressToken":444444444,"message":"[redacted]"}})"
    );
    EXPECT_EQ(message(R"({"jsonrpc":"2.0","id":"4","result":{}})"), "(as it came)");
    EXPECT_EQ(message(R"([{"id":"4"}])"), R"([{"id":"[redacted]"}])") << "no message";
    EXPECT_EQ(message("no json 4"), "no json [redacted]");
}

TEST(RedactRoad, EventsOfAStreamAreRedactedOneByOne) {
    Requests requests;
    const std::string events =
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
        "\"params\":{\"data\":\"to d@example.com\"}}\n\n"
        "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}\n\n";
    World world(requests.answering(http_answer("text/event-stream", events)));
    world.control({redacting("global", {"email"})});
    const auto answer = world.mcp(tool_call("mail"));
    EXPECT_EQ(answer.body.find("d@example.com"), std::string::npos);
    EXPECT_NE(answer.body.find("to [redacted:email]"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("\"result\":{\"content\":[]}"), std::string::npos);
}

TEST(RedactRoad, ModelsAreToldNothingOfIt) {
    Requests requests;
    World world(
        [](net::ScriptedPeer&) {},
        requests.answering(http_answer("application/json", R"({"choices":[],"note":"e@example.com"})"))
    );
    world.control({redacting("model:gpt-*", {"email"})});
    const std::string body =
        R"({"model":"gpt-5","messages":[{"role":"user","content":"I am f@example.com"}]})";
    const auto answer = world.ask({"POST", "/model/openai/chat/completions", body});
    EXPECT_EQ(answer.body, R"({"choices":[],"note":"[redacted:email]"})");
    EXPECT_TRUE(requests.last().ends_with("I am [redacted:email]\"}]}")) << requests.last();
    const auto streamed = world.ask(
        {"POST", "/model/openai/chat/completions", R"({"model":"gpt-5","stream":true,"messages":[]})"}
    );
    EXPECT_EQ(streamed.status, 403);
    EXPECT_NE(streamed.body.find("ask without stream"), std::string::npos);
    Control only_out = redacting("model:gpt-*", {"email"});
    only_out.terms.where = RedactWhere::Arguments;
    world.control({only_out});
    EXPECT_EQ(
        world
            .ask({"POST", "/model/openai/chat/completions", R"({"model":"gpt-5","stream":true,"messages":[]})"})
            .status,
        200
    );
}

TEST(RedactRoad, DecisionsGiveTheArgumentsToUse) {
    World world([](net::ScriptedPeer&) {});
    world.control({redacting("tool:mail", {"email"})});
    const auto answer = world.ask(
        {"POST", "/v1/decide", R"({"tool":"mail","arguments":{"to":"g@example.com","n":1}})"}
    );
    EXPECT_EQ(member(answer.body, "verdict"), "\"modify\"");
    EXPECT_EQ(member(answer.body, "arguments"), R"({"to":"[redacted:email]","n":1})");
}

TEST(RedactRoad, SignedAndEncodedValuesStay) {
    const std::string long_text(80, '4');
    const auto snapshot = contain::ControlSnapshot::build(
        std::vector<Control>{redacting("global", {"re:4+", "re:x@"})}, {}, 1
    );
    ASSERT_TRUE(snapshot.has_value());
    const Redaction redaction(*snapshot, 1);
    const auto text = [&](const std::string& json) {
        return redaction.redacted(RedactWhere::Results, json).value_or("(as it came)");
    };
    EXPECT_EQ(text("{\"data\":\"" + long_text + "\"}"), "(as it came)");
    EXPECT_EQ(text("{\"data\":\"4\"}"), "{\"data\":\"[redacted]\"}") << "short: no file";
    EXPECT_EQ(text("{\"type\":\"thinking\",\"thinking\":\"4\"}"), "(as it came)");
    EXPECT_EQ(text("{\"a\":[\"x@\\\\\",\"4\\\"\"]}"), "{\"a\":[\"[redacted]\\\\\",\"[redacted]\\\"\"]}");
    EXPECT_EQ(text("no json 4"), "no json [redacted]");
    EXPECT_EQ(text(""), "(as it came)");
}

TEST(ThrottleRoad, EveryRoadIsToldWhenToComeBack) {
    Requests tools;
    Requests models;
    World world(
        tools.answering(http_answer("application/json", R"({"jsonrpc":"2.0","id":1,"result":{}})")),
        models.answering(http_answer("application/json", "{}"))
    );
    Control slow = World::stop("agent:bot", ControlMode::Throttle);
    ASSERT_TRUE(parse_rate("1/1m", slow.terms));
    slow.terms.key = LimitKey::Tool;  // Calls that name no tool count with their agent.
    world.control({slow});
    const net::Headers bot{{"tagout-agent", "bot"}};
    EXPECT_EQ(world.mcp(tool_call("get_order"), bot).body.find("isError"), std::string::npos);
    const auto refused = world.mcp(tool_call("get_order"), bot);
    EXPECT_EQ(refused.status, 200);
    EXPECT_NE(refused.body.find("\"isError\":true"), std::string::npos);
    EXPECT_NE(refused.body.find("\"retryAfterMs\":"), std::string::npos);
    EXPECT_NE(refused.body.find("There is room again in"), std::string::npos) << refused.body;
    EXPECT_NE(world.last_seen(2).result.find("[Tagout CTL-"), std::string::npos)
        << "detection counts no refusal of our own as rising denials";
    const std::string chat = R"({"model":"gpt-5","messages":[]})";
    EXPECT_EQ(world.ask({"POST", "/model/openai/chat/completions", chat, bot}).status, 200);
    const auto later = world.ask({"POST", "/model/openai/chat/completions", chat, bot});
    EXPECT_EQ(later.status, 429);
    EXPECT_GT(std::atoi(std::string(later.header("Retry-After")).c_str()), 0);
    EXPECT_EQ(world.ask({"POST", "/model/openai/chat/completions", chat}).status, 200)
        << "others are not slowed";
}

TEST(ModelRoute, AskedForOneModelItAsksForTheOther) {
    Requests requests;
    World world(
        [](net::ScriptedPeer&) {}, requests.answering(http_answer("application/json", "{}"))
    );
    Control moved = World::stop("model:gpt-5", ControlMode::Route);
    moved.route_to = WorkflowName("gpt-4.1");
    world.control({moved});
    const std::string body = R"({"messages":[], "model" : "gpt-5", "temperature":0.10})";
    const net::Headers key{{"Authorization", "Bearer own"}};
    EXPECT_EQ(world.ask({"POST", "/model/openai/chat/completions", body, key}).status, 200);
    EXPECT_TRUE(
        requests.last().ends_with(R"({"messages":[], "model" : "gpt-4.1", "temperature":0.10})")
    ) << requests.last();
    EXPECT_NE(requests.last().find("Bearer own"), std::string::npos) << "the same upstream";
    EXPECT_EQ(world.last_seen().verdict, Verdict::Modify);

    moved.route_to = WorkflowName("anthropic/claude");
    world.control({moved});
    const auto other = world.ask({"POST", "/model/openai/chat/completions", body, key});
    EXPECT_EQ(other.status, 403) << "it speaks another protocol";
    EXPECT_NE(other.body.find("speaks anthropic"), std::string::npos);
    moved.route_to = WorkflowName("meta-llama/Llama-4");
    world.control({moved});
    EXPECT_EQ(world.ask({"POST", "/model/openai/chat/completions", body, key}).status, 200);
    EXPECT_NE(requests.last().find("\"meta-llama/Llama-4\""), std::string::npos) << "no upstream's name";
}

TEST(ModelRoute, WhatIsStoppedIsNotReachedByAnothersRoute) {
    Requests requests;
    World world(
        [](net::ScriptedPeer&) {}, requests.answering(http_answer("application/json", "{}"))
    );
    Control moved = World::stop("model:gpt-5", ControlMode::Route);
    moved.route_to = WorkflowName("gpt-4.1");
    Control stopped = World::stop("model:gpt-4*");
    stopped.id = ControlId("CTL-2");
    world.control({moved, stopped});
    const std::string body = R"({"messages":[],"model":"gpt-5"})";
    const auto answer = world.ask({"POST", "/model/openai/chat/completions", body});
    EXPECT_EQ(answer.status, 403);
    EXPECT_NE(answer.body.find("CTL-2"), std::string::npos) << answer.body;
    Control redact = redacting("model:gpt-4*", {"email"});
    redact.id = ControlId("CTL-3");
    world.control({moved, redact});
    const std::string told = R"({"model":"gpt-5","messages":[{"role":"user","content":"a@b.co"}]})";
    EXPECT_EQ(world.ask({"POST", "/model/openai/chat/completions", told}).status, 200);
    EXPECT_EQ(requests.last().find("a@b.co"), std::string::npos) << requests.last();
    EXPECT_NE(requests.last().find("[redacted:email]"), std::string::npos);
}

}  // namespace
}  // namespace tagout::gateway
