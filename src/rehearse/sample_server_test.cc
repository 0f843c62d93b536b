// The sample servers speak the protocols that real ones speak, also to those who get them wrong.

#include "rehearse/sample_server.h"

#include "rehearse/mcp_client.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tagout::rehearse {
namespace {

namespace json = boost::json;

const Troubles no_troubles{.seed = 1, .tool_unavailable = 0, .model_busy = 0, .pace = 0};

class SampleServerTest : public testing::Test {
protected:
    void SetUp() override {
        auto shop = Shop::open();
        ASSERT_TRUE(shop.has_value());
        shop_ = *std::move(shop);
        World world;
        world.user_id = "cust-1";
        world.order_id = "ORD-1";
        world.item = "kettle";
        world.status = "shipped";
        ASSERT_TRUE(shop_->add(world).has_value());
    }
    void serve(FaultPlan plan, const Troubles& troubles) {
        plan_ = std::move(plan);
        auto tools = ToolServer::start(ToolServerKind::Orders, *shop_, clock_, plan_, troubles);
        ASSERT_TRUE(tools.has_value()) << tools.error().message;
        tools_ = *std::move(tools);
        auto model = ModelServer::start(clock_, plan_, troubles);
        ASSERT_TRUE(model.has_value()) << model.error().message;
        model_ = *std::move(model);
    }
    net::HttpResponse exchange(
        const std::string& method, const std::string& url, const std::string& body,
        net::Headers headers = {}
    ) {
        headers.emplace_back("Content-Type", "application/json");
        auto response = http_.send({
            .method = method, .url = url, .headers = std::move(headers), .body = body,
            .timeout = std::chrono::seconds(5),
        });
        EXPECT_TRUE(response.has_value()) << (response ? "" : response.error().message);
        return response ? *std::move(response) : net::HttpResponse{};
    }
    net::HttpResponse ask_model(const std::string& body) {
        return exchange("POST", model_->url() + "/chat/completions", body);
    }

    SystemClock clock_;
    FaultPlan healthy_{{}, Instant{}};
    FaultPlan plan_ = healthy_;
    std::unique_ptr<Shop> shop_;
    std::unique_ptr<ToolServer> tools_;
    std::unique_ptr<ModelServer> model_;
    net::HttpClient http_;
};

TEST_F(SampleServerTest, ToolsSpeakMcp) {
    serve(healthy_, no_troubles);
    const net::HttpResponse hello = exchange(
        "POST", tools_->url(),
        R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",)"
        R"("capabilities":{},"clientInfo":{"name":"t","version":"1"}}})"
    );
    EXPECT_EQ(hello.status, 200);
    EXPECT_NE(hello.body.find(R"("protocolVersion":"2025-06-18")"), std::string::npos) << hello.body;
    const std::string session(hello.header("Mcp-Session-Id"));
    ASSERT_NE(session, "");
    const struct {
        const char* name;
        const char* method;
        const char* body;
        bool with_session;
        int status;
        const char* body_has;
    } rows[] = {
        {"the client is ready", "POST", R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
         true, 202, ""},
        {"ping", "POST", R"({"jsonrpc":"2.0","id":2,"method":"ping"})", true, 200, R"("result":{})"},
        {"the list", "POST", R"({"jsonrpc":"2.0","id":"x","method":"tools/list"})", true, 200,
         R"("readOnlyHint":true)"},
        {"a call", "POST",
         R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"get_order",)"
         R"("arguments":{"order_id":"ORD-1"},"_meta":{"example.harbour/user":"cust-1"}}})",
         true, 200, "kettle"},
        {"a call that fails is a result", "POST",
         R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"get_order",)"
         R"("arguments":{"order_id":"ORD-9"},"_meta":{"example.harbour/user":"cust-1"}}})",
         true, 200, R"("isError":true)"},
        {"another server's tool", "POST",
         R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"send_mail"}})", true, 200,
         "-32602"},
        {"no such method", "POST", R"({"jsonrpc":"2.0","id":4,"method":"tools/fly"})", true, 200,
         "-32601"},
        {"no JSON", "POST", "{", true, 400, "-32700"},
        {"a list of requests", "POST", "[]", true, 400, "-32700"},
        {"no JSON-RPC", "POST", R"({"id":4,"method":"ping"})", true, 400, "-32600"},
        {"no session", "POST", R"({"jsonrpc":"2.0","id":2,"method":"ping"})", false, 404, ""},
        {"no stream of its own", "GET", "", true, 405, ""},
        {"the end", "DELETE", "", true, 200, ""},
        {"after the end", "POST", R"({"jsonrpc":"2.0","id":2,"method":"ping"})", true, 404, ""},
    };
    for (const auto& row : rows) {
        net::Headers headers;
        if (row.with_session) {
            headers.emplace_back("Mcp-Session-Id", session);
        }
        const net::HttpResponse response = exchange(row.method, tools_->url(), row.body, headers);
        EXPECT_EQ(response.status, row.status) << row.name << ": " << response.body;
        EXPECT_NE(response.body.find(row.body_has), std::string::npos) << row.name << ": " << response.body;
    }
}

TEST_F(SampleServerTest, TheClientOpensItsSessionAgainWhenTheServerForgotIt) {
    serve(healthy_, no_troubles);
    McpClient client(tools_->url(), "test");
    const auto tools = client.list_tools();
    ASSERT_TRUE(tools.has_value()) << tools.error().message;
    ASSERT_EQ(tools->size(), 5u);
    EXPECT_EQ(tools->front().name, "get_order");
    const auto call = client.call("get_order", R"({"order_id":"ORD-1"})", {"cust-1", "", {}});
    ASSERT_TRUE(call.has_value());
    EXPECT_FALSE(call->is_error);
    const auto missing = client.call("get_order", R"({"order_id":"ORD-9"})", {"cust-1", "", {}});
    ASSERT_TRUE(missing.has_value());
    EXPECT_TRUE(missing->is_error);
    EXPECT_EQ(missing->status, 404);
    const auto unknown = client.call("fly", "{}", {"cust-1", "", {}});
    ASSERT_TRUE(unknown.has_value());
    EXPECT_TRUE(unknown->is_error);

    const std::string address = tools_->url();
    tools_.reset();
    EXPECT_FALSE(client.call("get_order", "{}", {"cust-1", "", {}}).has_value()) << "nobody there";
}

TEST_F(SampleServerTest, AnUnluckyCallMeets503OnceAndThenSucceeds) {
    Troubles always = no_troubles;
    always.tool_unavailable = 1;
    serve(healthy_, always);
    McpClient client(tools_->url(), "test");
    const auto first = client.call("get_order", R"({"order_id":"ORD-1"})", {"cust-1", "", {}});
    const auto second = client.call("get_order", R"({"order_id":"ORD-1"})", {"cust-1", "", {}});
    ASSERT_TRUE(first.has_value() && second.has_value());
    EXPECT_EQ(first->status, 503);
    EXPECT_FALSE(second->is_error);
}

TEST_F(SampleServerTest, TheStormRefusesTheCarriersToolAndNoOther) {
    Fault storm;
    storm.start = Duration::zero();
    serve(FaultPlan({storm}, clock_.now()), no_troubles);
    McpClient client(tools_->url(), "test");
    const auto tracked = client.call("track_shipment", R"({"order_id":"ORD-1"})", {"cust-1", "", {}});
    const auto looked_up = client.call("get_order", R"({"order_id":"ORD-1"})", {"cust-1", "", {}});
    ASSERT_TRUE(tracked.has_value() && looked_up.has_value());
    EXPECT_EQ(tracked->status, 422);
    EXPECT_FALSE(looked_up->is_error);
}

TEST_F(SampleServerTest, TheModelSpeaksChatCompletions) {
    serve(healthy_, no_troubles);
    auto script = std::make_shared<Script>();
    script->conversation = "conv-1";
    Turn turn;
    turn.user = "Where is ORD-1?";
    turn.steps.push_back({"get_order", R"({"order_id":"ORD-1"})"});
    turn.answer = "On its way.";
    script->turns.push_back(turn);
    model_->learn(script);

    const std::string asked = R"({"model":"gpt-4o","metadata":{"conversation_id":"conv-1"},"messages":)"
                              R"([{"role":"system","content":"s"},)"
                              R"({"role":"user","content":"Where is ORD-1?"}])";
    const net::HttpResponse first = ask_model(asked + "}");
    ASSERT_EQ(first.status, 200) << first.body;
    const json::value call = json::parse(first.body);
    EXPECT_EQ(call.at_pointer("/choices/0/finish_reason").as_string(), "tool_calls");
    EXPECT_EQ(
        call.at_pointer("/choices/0/message/tool_calls/0/function/name").as_string(), "get_order"
    );
    EXPECT_EQ(
        call.at_pointer("/choices/0/message/tool_calls/0/function/arguments").as_string(),
        R"({"order_id":"ORD-1"})"
    );
    EXPECT_GT(call.at_pointer("/usage/prompt_tokens").as_int64(), 10);
    EXPECT_EQ(
        call.at_pointer("/usage/total_tokens").as_int64(),
        call.at_pointer("/usage/prompt_tokens").as_int64() +
            call.at_pointer("/usage/completion_tokens").as_int64()
    );

    const struct {
        const char* name;
        std::string body;
        int status;
        const char* body_has;
    } rows[] = {
        {"a conversation it does not know",
         R"({"model":"m","messages":[{"role":"user","content":"hi"}]})", 200, "I can help"},
        {"no JSON", "{", 400, "could not parse"},
        {"no model", R"({"messages":[{"role":"user","content":"hi"}]})", 400, "model parameter"},
        {"no messages", R"({"model":"m","messages":[]})", 400, "too short"},
        {"a role that is none", R"({"model":"m","messages":[{"role":"king"}]})", 400, "unknown role"},
        {"a message that is none", R"({"model":"m","messages":[7]})", 400, "must be an object"},
    };
    for (const auto& row : rows) {
        const net::HttpResponse response = ask_model(row.body);
        EXPECT_EQ(response.status, row.status) << row.name << ": " << response.body;
        EXPECT_NE(response.body.find(row.body_has), std::string::npos) << row.name << ": " << response.body;
    }
    EXPECT_EQ(exchange("POST", model_->url() + "/fly", "{}").status, 404);
    EXPECT_EQ(exchange("GET", model_->url() + "/chat/completions", "").status, 405);
}

TEST_F(SampleServerTest, TheModelStreamsTheSameAnswerInPieces) {
    serve(healthy_, no_troubles);
    auto script = std::make_shared<Script>();
    script->conversation = "conv-1";
    Turn turn;
    turn.user = "Go.";
    turn.steps.push_back({"get_order", R"({"order_id":"ORD-1"})"});
    turn.answer = "Here.";
    script->turns.push_back(turn);
    model_->learn(script);
    std::string streamed;
    const auto head = http_.stream(
        {
            .method = "POST",
            .url = model_->url() + "/chat/completions",
            .headers = {{"Content-Type", "application/json"}},
            .body = R"({"model":"m","stream":true,"stream_options":{"include_usage":true},)"
                    R"("metadata":{"conversation_id":"conv-1"},)"
                    R"("messages":[{"role":"user","content":"Go."}]})",
            .timeout = std::chrono::seconds(5),
        },
        [&](std::string_view chunk) {
            streamed += chunk;
            return true;
        }
    );
    ASSERT_TRUE(head.has_value()) << head.error().message;
    EXPECT_EQ(head->status, 200);
    std::string arguments;
    std::string finish;
    bool usage = false;
    bool done = false;
    for (std::size_t at = streamed.find("data: "); at != std::string::npos;
         at = streamed.find("data: ", at + 1)) {
        const std::string line = streamed.substr(at + 6, streamed.find('\n', at) - at - 6);
        if (line == "[DONE]") {
            done = true;
            continue;
        }
        ASSERT_FALSE(done) << "nothing follows [DONE]";
        const json::value chunk = json::parse(line);
        boost::system::error_code missing;
        if (const auto* piece =
                chunk.find_pointer("/choices/0/delta/tool_calls/0/function/arguments", missing)) {
            arguments += piece->as_string();
        }
        const auto* reason = chunk.find_pointer("/choices/0/finish_reason", missing);
        if (reason != nullptr && reason->is_string()) {
            finish = std::string(reason->as_string());
        }
        usage |= chunk.as_object().contains("usage");
    }
    EXPECT_EQ(arguments, R"({"order_id":"ORD-1"})");
    EXPECT_EQ(finish, "tool_calls");
    EXPECT_TRUE(usage);
    EXPECT_TRUE(done);
}

}  // namespace
}  // namespace tagout::rehearse
