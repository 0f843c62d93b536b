#include "net/upstream_client.h"

#include "net/http_server.h"
#include "net/raw_socket.h"
#include "net/scripted_server.h"
#include "net/url.h"

#include <gtest/gtest.h>

#include <atomic>

namespace tagout::net {
namespace {

using std::chrono::milliseconds;

/// A proxy of a few lines: what the gateway stands on, with sockets at both ends.
struct Proxy {
    explicit Proxy(std::string upstream, bool tell_lengths = true)
        : to(std::move(upstream)), client(UpstreamClient::make({})) {
        ServerOptions options;
        options.threads = 2;
        server = std::move(*HttpServer::start(
            options,
            [this, tell_lengths](
                ServerRequest request, const std::shared_ptr<Responder>& responder
            ) { forward(std::move(request), responder, tell_lengths); }
        ));
    }
    void forward(
        ServerRequest request, const std::shared_ptr<Responder>& responder, bool tell_lengths
    ) {
        struct State {
            std::shared_ptr<UpstreamCall> call;
            std::shared_ptr<EventStream> stream;
        };
        const auto state = std::make_shared<State>();
        UpstreamRequest out{
            request.method,
            *parse_url(to),
            end_to_end(request.headers),
            request.body.size() > 0 ? std::make_shared<const PaddedBytes>(std::move(request.body))
                                    : nullptr,
            may_repeat};
        UpstreamEvents events;
        events.on_head = [state, responder, tell_lengths](UpstreamHead head) {
            ServerResponse response{head.status, end_to_end(head.headers), ""};
            state->stream = responder->respond_body(
                std::move(response), tell_lengths ? head.length : std::nullopt
            );
            state->stream->on_drained([state] { state->call->resume(); });
        };
        events.on_chunk = [this, state](std::string_view bytes) {
            state->stream->send(std::string(bytes));
            const std::size_t queued = state->stream->queued();
            queued_most = std::max(queued_most.load(), queued);
            if (queued > 256 * 1024) {
                state->call->pause();
                ++pauses;
            }
        };
        events.on_end = [this, state, responder](const Result<void>& end) {
            if (state->stream) {
                end ? state->stream->close() : state->stream->abort();
            } else {
                responder->respond({502, {}, end ? "no head" : end.error().message});
            }
            ++ended;
            state->call.reset();
        };
        state->call = client->send(responder->loop(), std::move(out), std::move(events));
        responder->on_gone([this, state] {
            ++gone;
            if (state->call) {
                state->call->cancel();
            }
        });
    }
    /// On a connection that is closed behind it.
    std::string ask(std::string_view request, int wait_ms = 5000) const {
        RawSocket peer(server->port());
        peer.send(request);
        peer.read_to_end(wait_ms);
        return peer.received;
    }

    const std::string to;
    bool may_repeat = false;
    std::atomic<int> gone{0};
    std::atomic<int> ended{0};
    std::atomic<int> pauses{0};
    std::atomic<std::size_t> queued_most{0};
    std::shared_ptr<UpstreamClient> client;
    std::unique_ptr<HttpServer> server;
};

constexpr std::string_view closing_get = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// What an upstream sends, and what must reach the client.
struct Row {
    const char* name;
    std::string answer;
    const char* status_line;
    const char* contains;
    const char* ends_with;
};

class UpstreamTable : public testing::TestWithParam<Row> {};

TEST_P(UpstreamTable, ReachesTheClient) {
    const Row& row = GetParam();
    ScriptedServer upstream([&](ScriptedPeer& peer) {
        peer.read_request();
        peer.send(row.answer);
    });
    const Proxy proxy(upstream.url());
    const std::string got = proxy.ask(closing_get);
    EXPECT_TRUE(got.starts_with(row.status_line)) << got;
    EXPECT_NE(got.find(row.contains), std::string::npos) << got;
    EXPECT_TRUE(got.ends_with(row.ends_with)) << got;
}

INSTANTIATE_TEST_SUITE_P(
    Answers, UpstreamTable,
    testing::Values(
        Row{"with a length",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\n",
            "X-A: b\r\nContent-Length: 5",
            "\r\n\r\nhello"},
        Row{"in chunks",
            "HTTP/1.1 201 Yes\r\nTransfer-Encoding: "
            "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            "HTTP/1.1 201 Created\r\n",
            "Transfer-Encoding: chunked",
            "5\r\nabcde\r\n0\r\n\r\n"},
        Row{"until it closes",
            "HTTP/1.0 200 OK\r\n\r\nall of it",
            "HTTP/1.1 200 OK\r\n",
            "Transfer-Encoding: chunked",
            "9\r\nall of it\r\n0\r\n\r\n"},
        Row{"nothing in it",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n",
            "Connection: close",
            "\r\n\r\n"},
        Row{"an empty body",
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 202 Accepted\r\n",
            "Content-Length: 0",
            "\r\n\r\n"},
        Row{"interim answers first",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 "
            "OK\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: 2",
            "ok"},
        Row{"hop-by-hop headers stay behind",
            "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\nKeep-Alive: "
            "timeout=5\r\nX-Public: 2\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\n",
            "X-Public: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
            "ok"},
        Row{"two lengths are refused",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\nhello",
            "HTTP/1.1 502 Bad Gateway\r\n",
            "did not answer in HTTP/1.1",
            ""},
        Row{"length beside chunks is refused",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 502 Bad Gateway\r\n",
            "did not answer in HTTP/1.1",
            ""},
        Row{"chunks beside length are refused",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 502 Bad Gateway\r\n",
            "did not answer in HTTP/1.1",
            ""},
        Row{"no HTTP",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 502 Bad Gateway\r\n",
            "did not answer in HTTP/1.1",
            ""},
        Row{"a switch of protocols is refused",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "HTTP/1.1 502 Bad Gateway\r\n",
            "interim",
            ""},
        Row{"closed without a word",
            "",
            "HTTP/1.1 502 Bad Gateway\r\n",
            "the connection was closed",
            ""},
        Row{"a head without end",
            "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'),
            "HTTP/1.1 502 Bad Gateway\r\n",
            "did not answer in HTTP/1.1",
            ""}
    ),
    [](const testing::TestParamInfo<Row>& row) {
        std::string name = row.param.name;
        for (char& c : name) {
            c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
        }
        return name;
    }
);

TEST(UpstreamClient, ABodyThatIsCutIsCutForTheClientToo) {
    ScriptedServer upstream([](ScriptedPeer& peer) {
        const bool chunked = peer.read_request().find("GET /chunked") == 0;
        peer.send(
            chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
                    : "HTTP/1.1 200 OK\r\nContent-Length: 51\r\n\r\nhello"
        );
    });
    for (const char* path : {"/chunked", "/sized"}) {
        const Proxy proxy(upstream.url(path));
        const std::string got = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_NE(got.find("hello"), std::string::npos) << path;
        EXPECT_EQ(got.find("0\r\n\r\n"), std::string::npos) << "a cut body looked complete";
    }
}

TEST(UpstreamClient, OneKeptConnectionCarriesManyRequests) {
    std::atomic<int> requests{0};
    ScriptedServer upstream([&](ScriptedPeer& peer) {
        while (!peer.read_request().empty()) {
            ++requests;
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    const Proxy proxy(upstream.url());
    RawSocket peer(proxy.server->port());
    for (int i = 1; i <= 20; ++i) {
        peer.received.clear();
        peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
        ASSERT_TRUE(peer.read_until("\r\n\r\nok")) << i;
    }
    EXPECT_EQ(requests, 20);
    EXPECT_EQ(upstream.connections(), 1);
    EXPECT_EQ(proxy.client->stats().reused, 19U);
}

TEST(UpstreamClient, AKeptConnectionThatDiedIsReplacedUnlessTheRequestMayHaveRun) {
    // Closes each connection as its second request arrives: too late for any look before use.
    std::atomic<int> requests{0};
    ScriptedServer upstream([&](ScriptedPeer& peer) {
        peer.read_request();
        ++requests;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        peer.read_request();
    });
    Proxy proxy(upstream.url());
    RawSocket peer(proxy.server->port());
    const auto ask = [&](std::string_view method) {
        peer.received.clear();
        peer.send(std::string(method) + " / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        peer.read_until("\r\n\r\n");
        return peer.received.substr(0, 12);
    };
    EXPECT_EQ(ask("GET"), "HTTP/1.1 200");
    EXPECT_EQ(ask("GET"), "HTTP/1.1 200") << "a GET may be sent twice";
    EXPECT_EQ(proxy.client->stats().repeated, 1U);
    EXPECT_EQ(ask("POST"), "HTTP/1.1 502") << "a POST may have run: only its sender knows";
    EXPECT_EQ(requests, 2);
    proxy.may_repeat = true;
    EXPECT_EQ(ask("POST"), "HTTP/1.1 200");
    EXPECT_EQ(ask("POST"), "HTTP/1.1 200") << "its sender said that it may";
}

TEST(UpstreamClient, AClientThatGoesCancelsTheUpstream) {
    for (const bool started : {false, true}) {
        std::atomic<bool> saw_close{false};
        ScriptedServer upstream([&](ScriptedPeer& peer) {
            peer.read_request();
            if (started) {
                peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n");
            }
            saw_close = peer.sees_close(3000);
        });
        const Proxy proxy(upstream.url());
        {
            RawSocket peer(proxy.server->port());
            peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            started ? peer.read_until(": hello") : peer.read_some(100);
        }
        for (int i = 0; i < 200 && !saw_close; ++i) {
            std::this_thread::sleep_for(milliseconds(5));
        }
        EXPECT_TRUE(saw_close) << (started ? "in its stream" : "before an answer");
        EXPECT_EQ(proxy.gone, 1);
        EXPECT_EQ(proxy.ended, 0) << "cancelled, and yet told of an end";
    }
}

TEST(UpstreamClient, ARequestThatWaitsBehindAnotherIsNotLost) {
    ScriptedServer upstream([](ScriptedPeer& peer) {
        while (!peer.read_request().empty()) {
            peer.pause(60);
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        }
    });
    const Proxy proxy(upstream.url());
    const std::string got = proxy.ask(
        "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 "
        "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    );
    std::size_t answers = 0;
    for (std::size_t at = 0; (at = got.find("2\r\nok\r\n0\r\n\r\n", at)) != std::string::npos;
         ++at) {
        ++answers;
    }
    EXPECT_EQ(answers, 3U) << got;
}

TEST(UpstreamClient, ASlowClientSlowsItsUpstreamAndLosesNothing) {
    constexpr std::size_t size = 24 * 1024 * 1024;
    ScriptedServer upstream([&](ScriptedPeer& peer) {
        peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
        for (std::size_t sent = 0; sent < size; sent += 1024 * 1024) {
            peer.send(std::string(1024 * 1024, static_cast<char>('a' + sent / (1024 * 1024))));
        }
    });
    const Proxy proxy(upstream.url());
    RawSocket peer(proxy.server->port());
    peer.send(closing_get);
    std::this_thread::sleep_for(milliseconds(200));  // Takes nothing for a while.
    ASSERT_TRUE(peer.read_to_end(20'000));
    const std::size_t body = peer.received.find("\r\n\r\n") + 4;
    EXPECT_EQ(peer.received.size() - body, size);
    EXPECT_EQ(peer.received.back(), 'x');
    EXPECT_GT(proxy.pauses, 0) << "it was read as fast as it came";
    EXPECT_LT(proxy.queued_most, 400U * 1024) << "it piled up in memory";
}

TEST(UpstreamClient, EventsArriveAsTheyAreSent) {
    constexpr int events = 10;
    constexpr int gap_ms = 30;
    ScriptedServer upstream([&](ScriptedPeer& peer) {
        peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        for (int i = 0; i < events; ++i) {
            peer.pause(gap_ms);
            peer.send("data: " + std::to_string(i) + "\n\n");
        }
    });
    const Proxy proxy(upstream.url());
    const auto arrivals = [&](std::uint16_t port) {
        const SystemClock clock;
        std::vector<Instant> at;
        RawSocket peer(port);
        peer.send(closing_get);
        for (int i = 0; i < events; ++i) {
            EXPECT_TRUE(peer.read_until("data: " + std::to_string(i)));
            at.push_back(clock.now());
        }
        return at;
    };
    const auto through = arrivals(proxy.server->port());
    for (std::size_t i = 1; i < through.size(); ++i) {
        const auto gap = std::chrono::duration_cast<milliseconds>(through[i] - through[i - 1]);
        EXPECT_GT(gap.count(), gap_ms / 3) << "events were held and came together, at " << i;
    }
}

TEST(UpstreamClient, ConnectingHasATimeLimit) {
    ServerOptions options;
    const auto client = UpstreamClient::make({.connect_timeout = milliseconds(150)});
    const auto server = std::move(*HttpServer::start(
        options,
        [&](ServerRequest, const std::shared_ptr<Responder>& responder) {
            // TEST-NET-1: routed nowhere, or refused at once where there is no route.
            UpstreamRequest request{"GET", *parse_url("http://192.0.2.1:81/"), {}, nullptr, false};
            UpstreamEvents events;
            events.on_end = [responder](const Result<void>& end) {
                responder->respond({502, {}, end ? "?" : end.error().message});
            };
            client->send(responder->loop(), std::move(request), std::move(events));
        }
    ));
    RawSocket peer(server->port());
    peer.send(closing_get);
    ASSERT_TRUE(peer.read_to_end(3000));
    EXPECT_NE(peer.received.find("http://192.0.2.1:81"), std::string::npos) << peer.received;
}

TEST(UpstreamClient, AServerMayEndWhileItsUpstreamsRun) {
    ScriptedServer upstream([](ScriptedPeer& peer) {
        peer.read_request();
        peer.sees_close(5000);
    });
    auto proxy = std::make_unique<Proxy>(upstream.url());
    RawSocket peer(proxy->server->port());
    peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    peer.read_some(100);
    proxy->server.reset();
    EXPECT_TRUE(peer.read_to_end(2000)) << "the client was left waiting";
}

}  // namespace
}  // namespace tagout::net
