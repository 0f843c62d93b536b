// Steps over real sockets, to a server that speaks as little MCP as a step needs.

#include "app/journey_transport.h"

#include "base/mutex.h"
#include "net/http_server.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tagout::app {
namespace {

namespace json = boost::json;

/// Thread-safe.
class SmallServer {
public:
    explicit SmallServer(bool as_events) : as_events_(as_events) {
        auto started = net::HttpServer::start(
            net::ServerOptions{},
            [this](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
                responder->respond(answer(request));
            }
        );
        EXPECT_TRUE(started.has_value());
        server_ = std::move(*started);
    }

    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_->port());
    }
    [[nodiscard]] std::vector<std::string> seen() const {
        const MutexLock lock(mutex_);
        return seen_;
    }

private:
    net::ServerResponse answer(const net::ServerRequest& request) {
        const std::string body(request.body.view());
        {
            const MutexLock lock(mutex_);
            seen_.push_back(
                request.method + " " + request.path + " journey=" +
                std::string(request.header("tagout-journey")) + " session=" +
                std::string(request.header("Mcp-Session-Id")) + " " + body
            );
        }
        if (request.path == "/chat") {
            return {201, {}, std::string(request.header("Content-Type")) + ": " + body};
        }
        if (request.method != "POST") {
            return {405, {}, ""};
        }
        return rpc(json::parse(body).as_object());
    }

    net::ServerResponse rpc(const json::object& call) const {
        const std::string method(call.at("method").as_string());
        if (!call.contains("id")) {
            return {202, {}, ""};
        }
        json::object result;
        if (method == "initialize") {
            result = {{"protocolVersion", "2025-11-25"}, {"capabilities", json::object{}}};
        } else if (method == "tools/list") {
            result["tools"] = json::array{json::object{{"name", "refund"}}};
        } else {
            const json::object& params = call.at("params").as_object();
            result["content"] = json::array{json::object{
                {"type", "text"},
                {"text", "called " + std::string(params.at("name").as_string()) + " with " +
                             json::serialize(params.at("arguments"))}}};
            result["structuredContent"] = json::object{{"state", "refunded"}};
            result["isError"] = json::serialize(params.at("arguments")) == "{}";
        }
        const std::string text =
            json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", call.at("id")}, {"result", result}});
        net::Headers headers{{"Mcp-Session-Id", "s1"}};
        headers.emplace_back("Content-Type", as_events_ ? "text/event-stream" : "application/json");
        return {200, headers, as_events_ ? "event: message\r\ndata: " + text + "\r\n\r\n" : text};
    }

    const bool as_events_;
    mutable Mutex mutex_;
    std::vector<std::string> seen_ TAGOUT_GUARDED_BY(mutex_);
    std::unique_ptr<net::HttpServer> server_;
};

JourneyRoads roads(const std::string& gateway, const std::string& server) {
    catalog::Contents contents;
    contents.mcp_servers.push_back({"payments", server});
    auto catalog = std::make_shared<const catalog::Catalog>(std::move(contents));
    return {[gateway] { return gateway; }, "secret", [catalog] { return catalog; }};
}

constexpr Duration patience = std::chrono::seconds(5);

TEST(JourneyTransport, AnMcpStepGoesThroughTheGatewayAsAJourney) {
    for (const bool as_events : {false, true}) {
        SmallServer gateway(as_events);
        const auto transport = make_journey_transport(roads(gateway.url(), "http://127.0.0.1:1/mcp"));
        const auto answer =
            transport->mcp({"payments.refund", "payments", R"({"id":"7"})", patience});
        ASSERT_TRUE(answer.has_value()) << answer.error().message;
        EXPECT_FALSE(answer->is_error);
        EXPECT_EQ(answer->text, R"(called refund with {"id":"7"})");
        EXPECT_EQ(answer->json, R"({"state":"refunded"})");
        const std::vector<std::string> seen = gateway.seen();
        ASSERT_EQ(seen.size(), 5U) << "hello, ready, list, call, bye";
        EXPECT_TRUE(seen[0].starts_with("POST /mcp/payments journey=secret session= "));
        EXPECT_TRUE(seen[3].starts_with("POST /mcp/payments journey=secret session=s1 "));
        EXPECT_TRUE(seen[4].starts_with("DELETE "));
        EXPECT_TRUE(transport->mcp({"refund", "", "{}", patience})->is_error);
    }
}

TEST(JourneyTransport, WithoutAGatewayTheServerIsCalledAndTheSecretStays) {
    SmallServer server(false);
    const auto transport = make_journey_transport(roads("", server.url() + "/mcp"));
    EXPECT_TRUE(transport->mcp({"refund", "payments", R"({"a":1})", patience}).has_value());
    EXPECT_TRUE(server.seen().at(0).starts_with("POST /mcp journey= "));
}

TEST(JourneyTransport, AnHttpStepIsSentAsWritten) {
    SmallServer agent(false);
    const auto transport = make_journey_transport(roads("http://127.0.0.1:1", ""));
    const auto text = transport->http({"POST", agent.url() + "/chat", "my money", patience});
    ASSERT_TRUE(text.has_value());
    EXPECT_EQ(text->status, 201);
    EXPECT_EQ(text->text, "text/plain; charset=utf-8: my money");
    EXPECT_EQ(
        transport->http({"POST", agent.url() + "/chat", R"({"a":1})", patience})->text,
        R"(application/json: {"a":1})"
    );
    EXPECT_EQ(agent.seen().at(0).find("secret"), std::string::npos)
        << "the secret goes to the gateway alone";
}

TEST(JourneyTransport, WhatCannotBeReachedIsNamed) {
    const auto transport = make_journey_transport(roads("", "http://127.0.0.1:1/mcp"));
    EXPECT_FALSE(transport->http({"GET", "http://127.0.0.1:1/", "", patience}).has_value());
    EXPECT_FALSE(transport->mcp({"refund", "payments", "{}", patience}).has_value());
    const auto arguments = transport->mcp({"refund", "payments", "[1]", patience});
    ASSERT_FALSE(arguments.has_value());
    EXPECT_EQ(arguments.error().code, ErrorCode::InvalidArgument);
    const auto lost = make_journey_transport({[] { return std::string(); }, "", [] {
                          return std::make_shared<const catalog::Catalog>();
                      }})->mcp({"refund", "", "{}", patience});
    ASSERT_FALSE(lost.has_value());
    EXPECT_NE(lost.error().message.find("write server: NAME"), std::string::npos);
}

}  // namespace
}  // namespace tagout::app
