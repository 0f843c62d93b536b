#include "net/http_client.h"
#include "net/http_server.h"
#include "net/raw_socket.h"
#include "net/test_certificates.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace tagout::net {
namespace {

class TlsDoorTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(files_.write_authority("ca"));
        ASSERT_TRUE(files_.write_authority("stranger"));
        ASSERT_TRUE(files_.write("server", "ca", {.common_name = "localhost", .host = "127.0.0.1"})
        );
        ASSERT_TRUE(files_.write(
            "bot", "ca", {.common_name = "bot-cn", .uri = "spiffe://example.org/agent/bot"}
        ));
        ASSERT_TRUE(files_.write("forged", "stranger", {.common_name = "bot-cn", .host = ""}));
        ASSERT_TRUE(files_.write("old", "ca", {.common_name = "bot-cn", .days = -1}));
        ServerOptions options;
        options.tls = TlsFiles{files_.pem("server"), files_.key("server"), files_.pem("ca")};
        auto server = HttpServer::start(
            options,
            [this](ServerRequest request, std::shared_ptr<Responder> responder) {
                handle(std::move(request), std::move(responder));
            }
        );
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
    }

    void handle(ServerRequest request, std::shared_ptr<Responder> responder) {
        if (request.path == "/slow") {
            responder->on_gone([this] { gone_.store(true); });
            waiting_ = std::move(responder);
            return;
        }
        if (request.path == "/events") {
            responder->on_gone([this] { gone_.store(true); });
            stream_ =
                responder->respond_body({200, {{"Content-Type", "text/event-stream"}}, ""}, {});
            stream_->send("data: 1\n\n");
            return;
        }
        std::string text = "none";
        if (const auto& shown = request.certificate) {
            text = shown->common_name + "|" + (shown->uris.empty() ? "" : shown->uris.front()) +
                   "|" + shown->fault;
        }
        responder->respond(
            {200, {}, text + "|" + std::to_string(request.body.size()) + std::string(200'000, '.')}
        );
    }
    std::string url(const std::string& path) const {
        return "https://127.0.0.1:" + std::to_string(server_->port()) + path;
    }
    HttpClient client(const std::string& shown) const {
        ClientTls tls{.trusted = files_.pem("ca")};
        if (!shown.empty()) {
            tls.certificate = files_.pem(shown);
            tls.key = files_.key(shown);
        }
        return HttpClient(tls);
    }
    static std::string ask(HttpClient& from, const std::string& url, const std::string& body = "") {
        const auto answer = from.send({.method = "POST", .url = url, .headers = {}, .body = body});
        if (!answer) {
            return answer.error().message;
        }
        EXPECT_GT(answer->body.size(), 200'000U);
        return answer->body.substr(0, answer->body.find('.', 40));
    }

    TestCertificates files_;
    std::atomic<bool> gone_{false};
    std::shared_ptr<Responder> waiting_;
    std::shared_ptr<EventStream> stream_;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(TlsDoorTest, TellsWhatEachClientIsWorth) {
    auto bot = client("bot");
    const std::string known = ask(bot, url("/"));
    EXPECT_TRUE(known.starts_with("bot-cn|spiffe://example.org/agent/bot||0")) << known;
    EXPECT_TRUE(ask(bot, url("/"), std::string(300'000, 'x')).find("||300000") != std::string::npos)
        << "one connection, more than a record";
    auto nobody = client("");
    EXPECT_TRUE(ask(nobody, url("/")).starts_with("none|0"));
    auto forged = client("forged");
    const std::string said = ask(forged, url("/"));
    EXPECT_TRUE(said.starts_with("bot-cn||unable to get local issuer")) << said;
    auto old = client("old");
    EXPECT_NE(ask(old, url("/")).find("expired"), std::string::npos);
    // A second connection of each is looked at as the first was.
    auto again = client("forged");
    EXPECT_TRUE(ask(again, url("/")).starts_with("bot-cn||unable to get local issuer"));
}

TEST_F(TlsDoorTest, AClientThatGoesIsNoticedWhileItWaitsAndWhileItListens) {
    for (const std::string path : {"/slow", "/events"}) {
        gone_.store(false);
        auto from = std::make_unique<HttpClient>(client("bot"));
        std::thread asks([&] {
            (void)from->stream(
                {.method = "GET",
                 .url = url(path),
                 .headers = {},
                 .body = "",
                 .timeout = std::chrono::milliseconds(path == "/slow" ? 300 : 5'000)},
                [](std::string_view) { return false; }
            );
        });
        asks.join();
        from.reset();
        for (int i = 0; i < 500 && !gone_.load(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        EXPECT_TRUE(gone_.load()) << path;
        waiting_.reset();
        stream_.reset();
    }
}

TEST_F(TlsDoorTest, NewFilesAreUsedForNewConnectionsAndBadOnesAreNot) {
    EXPECT_EQ(server_->reload_tls().value_or(true), false);
    ASSERT_TRUE(
        files_.write("server", "stranger", {.common_name = "localhost", .host = "127.0.0.1"})
    );
    EXPECT_EQ(server_->reload_tls().value_or(false), true);
    auto bot = client("bot");
    EXPECT_NE(ask(bot, url("/")).find("no TLS connection"), std::string::npos);
    HttpClient other(ClientTls{.trusted = files_.pem("stranger")});
    EXPECT_TRUE(ask(other, url("/")).starts_with("none|"));
    files_.break_file("server");
    const auto broken = server_->reload_tls();
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().message.find("server.pem"), std::string::npos)
        << broken.error().message;
    EXPECT_TRUE(server_->reload_tls()) << "told once";
    HttpClient still(ClientTls{.trusted = files_.pem("stranger")});
    EXPECT_TRUE(ask(still, url("/")).starts_with("none|"));
}

TEST_F(TlsDoorTest, WhatIsNoTlsIsClosedAndCounted) {
    RawSocket plain(server_->port());
    plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(plain.read_to_end());
    EXPECT_GE(server_->stats().refused, 1U);
    EXPECT_EQ(server_->stats().requests, 0U);
}

TEST(TlsFilesTest, AreNamedWhenTheyAreOfNoUse) {
    ServerOptions options;
    options.tls = TlsFiles{"/nowhere/cert.pem", "/nowhere/key.pem", ""};
    const auto server =
        HttpServer::start(options, [](ServerRequest, std::shared_ptr<Responder>) {});
    ASSERT_FALSE(server);
    EXPECT_NE(server.error().message.find("/nowhere/cert.pem"), std::string::npos);
}

}  // namespace
}  // namespace tagout::net
