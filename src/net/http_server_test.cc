#include "net/http_server.h"

#include "base/mutex.h"
#include "net/raw_socket.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <thread>

namespace tagout::net {
namespace {

/// Says back what it was asked, so that a test sees what the handler saw.
void echo(ServerRequest request, const std::shared_ptr<Responder>& responder) {
    std::string text = request.method + " " + request.path + " q=" + request.query("q") + " body=" +
                       (request.body.size() > 100 ? std::to_string(request.body.size()) + " bytes"
                                                  : std::string(request.body.view()));
    responder->respond(
        {200, {{"Content-Type", "text/plain"}, {"X-Echo", "a\r\nInjected: b"}}, std::move(text)}
    );
}

ServerOptions small_options() {
    ServerOptions options;
    options.header_bytes_max = 4096;
    options.body_bytes_max = 100'000;
    options.read_timeout = std::chrono::milliseconds(400);
    options.idle_timeout = std::chrono::milliseconds(400);
    return options;
}

std::unique_ptr<HttpServer> started(const ServerOptions& options, Handler handler = echo) {
    Result<std::unique_ptr<HttpServer>> server = HttpServer::start(options, std::move(handler));
    EXPECT_TRUE(server.has_value()) << (server ? "" : server.error().message);
    return std::move(*server);
}

std::string many(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

/// What is sent on a fresh connection, and what must come back before the server closes it or
/// waits.
struct Row {
    const char* name;
    std::string sent;
    const char* status_line;  ///< "" when the connection is to be closed without an answer.
    const char* contains;
};

class HttpServerTable : public testing::TestWithParam<Row> {};

TEST_P(HttpServerTable, AnswersAndLivesOn) {
    const Row& row = GetParam();
    const auto server = started(small_options());
    RawSocket peer(server->port());
    peer.send(row.sent);
    peer.end_sending();
    ASSERT_TRUE(peer.read_to_end()) << "the connection stayed open";
    EXPECT_TRUE(peer.received.starts_with(row.status_line)) << peer.received;
    if (*row.status_line == '\0') {
        EXPECT_EQ(peer.received, "");
    }
    EXPECT_NE(peer.received.find(row.contains), std::string::npos) << peer.received;
    EXPECT_EQ(peer.received.find("\r\nInjected:"), std::string::npos)
        << "a handler's header split the answer";
    RawSocket next(server->port());
    next.send("GET /well HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(next.read_until("GET /well")) << "the server is not well any more";
}

INSTANTIATE_TEST_SUITE_P(
    Requests, HttpServerTable,
    testing::Values(
        Row{"get",
            "GET /a%20b?q=1%2B1&q=2 HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "GET /a b q=1+1 body="},
        Row{"head has a length and no body",
            "HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: 16\r\nConnection: close\r\n\r\n"},
        Row{"post with a length",
            "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\n",
            "body=hello"},
        Row{"post without a body",
            "POST /p HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "body="},
        Row{"chunked",
            "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
            "chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: u\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "body=hello world"},
        Row{"chunked and empty",
            "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "body="},
        Row{"two in one packet are answered in order",
            "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: "
            "2\r\n\r\nabGET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "GET /3"},
        Row{"http/1.0 is closed after one",
            "GET /old HTTP/1.0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "Connection: close"},
        Row{"absolute form",
            "GET http://x/abs?q=7 HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "GET /abs q=7"},
        Row{"expects to be let go on",
            "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\n",
            "body=ok"},
        Row{"another expectation",
            "POST /p HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 417 ",
            "Connection: close"},
        Row{"no host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "Host"},
        Row{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400 ", "Host"},
        Row{"target is no path",
            "GET nothing HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 400 ",
            "target"},
        Row{"a NUL in the path",
            "GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 400 ",
            "target"},
        Row{"length and chunked together",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: "
            "chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 400 ",
            ""},
        Row{"two lengths that differ",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "HTTP/1.1 400 ",
            ""},
        Row{"a length beyond all numbers",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 400 ",
            ""},
        Row{"a negative length",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 400 ",
            ""},
        Row{"an unknown transfer coding",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 400 ",
            ""},
        Row{"a chunk size that overflows",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
            "HTTP/1.1 400 ",
            ""},
        Row{"a chunk without its end",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n",
            "",
            ""},
        Row{"a body by length that is too large",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n" +
                std::string(100'001, 'x'),
            "HTTP/1.1 413 ",
            "100000 bytes"},
        Row{"a body by chunks that is too large",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                many("3e8\r\n" + std::string(1000, 'x') + "\r\n", 101),
            "HTTP/1.1 413 ",
            "100000 bytes"},
        Row{"a header that is too large",
            "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(5000, 'a') + "\r\n\r\n",
            "HTTP/1.1 431 ",
            ""},
        Row{"too many headers",
            "GET / HTTP/1.1\r\nHost: x\r\n" + many("X: y\r\n", 2000) + "\r\n",
            "HTTP/1.1 431 ",
            ""},
        Row{"a target without end", "GET /" + std::string(200'000, 'a'), "HTTP/1.1 431 ", ""},
        Row{"no http at all",
            std::string("\x00\x01\x02\xff garbage\r\n\r\n", 16),
            "HTTP/1.1 400 ",
            ""},
        Row{"an http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 ", ""},
        Row{"a header name with a space",
            "GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n",
            "HTTP/1.1 400 ",
            ""},
        Row{"a cut request is dropped", "GET / HTT", "", ""},
        Row{"a cut body is dropped",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhel",
            "",
            ""},
        Row{"nothing", "", "", ""}
    ),
    [](const auto& row) {
        std::string name = row.param.name;
        std::replace_if(
            name.begin(),
            name.end(),
            [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); },
            '_'
        );
        return name;
    }
);

TEST(HttpServer, KeepsAConnectionForManyRequestsOfAnySize) {
    const auto server = started(small_options());
    RawSocket peer(server->port());
    for (const int size : {0, 1, 8191, 8192, 8193, 65'536, 99'999, 3}) {
        peer.received.clear();
        peer.send(
            "POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
            std::string(static_cast<std::size_t>(size), 'z')
        );
        const std::string said = size > 100
                                     ? std::to_string(size) + " bytes"
                                     : "body=" + std::string(static_cast<std::size_t>(size), 'z');
        EXPECT_TRUE(peer.read_until(said)) << size << ": " << peer.received;
    }
    EXPECT_EQ(server->stats().connections, 1U);
    EXPECT_EQ(server->stats().requests, 8U);
    EXPECT_EQ(server->stats().refused, 0U);
}

TEST(HttpServer, SaysGoOnBeforeTheBodyOfOneThatWaitsForIt) {
    const auto server = started(small_options());
    RawSocket peer(server->port());
    peer.send("POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    ASSERT_TRUE(peer.read_until("HTTP/1.1 100 Continue\r\n\r\n")) << peer.received;
    peer.send("hello");
    EXPECT_TRUE(peer.read_until("body=hello")) << peer.received;
}

TEST(HttpServer, AnswersFromAnotherThreadAndCountsTheForgotten) {
    std::thread worker;
    {
        const auto server = started(
            small_options(),
            [&](ServerRequest request, const std::shared_ptr<Responder>& responder) {
                if (request.path == "/forgotten") {
                    return;
                }
                worker = std::thread([responder] { responder->respond({201, {}, "later"}); });
            }
        );
        RawSocket peer(server->port());
        peer.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(peer.read_until("later")) << peer.received;
        worker.join();
        peer.send("GET /forgotten HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(peer.read_until("HTTP/1.1 500 ")) << peer.received;
        EXPECT_EQ(server->stats().unanswered, 1U);
    }
}

TEST(HttpServer, AnAnswerAfterTheServersEndIsHarmless) {
    std::shared_ptr<Responder> late;
    std::atomic<bool> asked{false};
    {
        const auto server =
            started(small_options(), [&](ServerRequest, std::shared_ptr<Responder> responder) {
                late = std::move(responder);
                asked = true;
            });
        RawSocket peer(server->port());
        peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        while (!asked) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    late->respond({200, {}, "too late"});
}

TEST(HttpServer, AWaitingRequestIsAnsweredBeforeTheServerEnds) {
    std::shared_ptr<Responder> waiting;
    std::atomic<bool> asked{false};
    auto server =
        started(small_options(), [&](ServerRequest, std::shared_ptr<Responder> responder) {
            waiting = std::move(responder);
            asked = true;
        });
    RawSocket peer(server->port());
    peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    while (!asked) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::thread end([&] { server.reset(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    waiting->respond({200, {}, "just in time"});
    EXPECT_TRUE(peer.read_until("just in time")) << peer.received;
    EXPECT_NE(peer.received.find("Connection: close"), std::string::npos);
    end.join();
}

TEST(HttpServer, ASlowRequestIsEndedAndTheOthersAreServed) {
    const auto server = started(small_options());
    RawSocket slow_head(server->port());
    RawSocket slow_body(server->port());
    slow_head.send("GET / HTTP/1.1\r\nHo");
    slow_body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n");
    for (int i = 0; i < 20; ++i) {
        slow_head.send("s");
        slow_body.send("s");
        RawSocket quick(server->port());
        quick.send("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_TRUE(quick.read_until("GET /quick"));
        slow_head.read_some(40);
        slow_body.read_some(1);
        if (!slow_head.received.empty() && !slow_body.received.empty()) {
            break;
        }
    }
    EXPECT_TRUE(slow_head.received.starts_with("HTTP/1.1 408 ")) << slow_head.received;
    EXPECT_TRUE(slow_body.received.starts_with("HTTP/1.1 408 ")) << slow_body.received;
}

TEST(HttpServer, AnIdleConnectionIsClosed) {
    const auto server = started(small_options());
    RawSocket never(server->port());
    RawSocket once(server->port());
    once.send("GET /once HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(once.read_until("/once"));
    EXPECT_TRUE(once.read_to_end(2000));
    EXPECT_TRUE(never.read_to_end(2000));
    EXPECT_EQ(never.received, "");
}

TEST(HttpServer, PastTheConnectionsLimitNewOnesAreClosedAndCounted) {
    ServerOptions options = small_options();
    options.connections_max = 2;
    options.idle_timeout = std::chrono::seconds(20);
    options.read_timeout = std::chrono::seconds(20);
    const auto server = started(options);
    RawSocket first(server->port());
    RawSocket second(server->port());
    first.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    second.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(first.read_until("/1"));
    EXPECT_TRUE(second.read_until("/2"));
    RawSocket third(server->port());
    EXPECT_TRUE(third.read_to_end());
    EXPECT_EQ(server->stats().refused, 1U);
    first.received.clear();
    first.send("GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(first.read_until("/again"));
}

TEST(HttpServer, BodiesPastTheSharedBudgetAreToldToComeAgain) {
    ServerOptions options = small_options();
    options.body_bytes_in_flight_max = 120'000;
    std::vector<std::shared_ptr<Responder>> waiting;
    std::atomic<int> asked{0};
    const auto server = started(options, [&](ServerRequest, std::shared_ptr<Responder> responder) {
        waiting.push_back(std::move(responder));
        ++asked;
    });
    const std::string request =
        "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 80000\r\n\r\n" + std::string(80'000, 'x');
    RawSocket first(server->port());
    first.send(request);
    while (asked == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    RawSocket second(server->port());
    second.send(request);
    EXPECT_TRUE(second.read_until("HTTP/1.1 503 ")) << second.received;
    waiting[0]->respond({200, {}, "one"});
    EXPECT_TRUE(first.read_until("one"));
    RawSocket third(server->port());
    third.send(request);
    while (asked == 1) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    waiting[1]->respond({200, {}, "two"});
    EXPECT_TRUE(third.read_until("two")) << "the budget was not given back";
}

TEST(HttpServer, RefusalsAreWordedByTheDoor) {
    ServerOptions options = small_options();
    options.refuse = [](const ServerRequest& head, int status, std::string message) {
        return ServerResponse{
            status,
            {{"Content-Type", "application/x"}},
            "{" + head.path + ": " + std::move(message) + "}"};
    };
    const auto server = started(options);
    RawSocket peer(server->port());
    peer.send("POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n");
    EXPECT_TRUE(peer.read_until("{/big: the body is larger than 100000 bytes")) << peer.received;
}

TEST(HttpServer, ATakenPortIsNamedWithTheSetting) {
    const auto server = started(small_options());
    ServerOptions options = small_options();
    options.port = server->port();
    options.port_setting = "--http-port";
    const auto second = HttpServer::start(options, echo);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
    EXPECT_NE(
        second.error().message.find("127.0.0.1:" + std::to_string(server->port())),
        std::string::npos
    );
    EXPECT_NE(second.error().message.find("--http-port"), std::string::npos);
}

struct StreamServer {
    explicit StreamServer(ServerOptions options = small_options()) {
        server =
            started(options, [this](ServerRequest, const std::shared_ptr<Responder>& responder) {
                const MutexLock lock(mutex);
                stream =
                    responder->respond_stream({200, {{"Content-Type", "text/event-stream"}}, ""});
            });
    }
    std::shared_ptr<EventStream> opened(RawSocket& peer) {
        peer.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(peer.read_until("\r\n\r\n"));
        const MutexLock lock(mutex);
        return stream;
    }
    Mutex mutex;
    std::shared_ptr<EventStream> stream TAGOUT_GUARDED_BY(mutex);
    std::unique_ptr<HttpServer> server;
};

TEST(HttpServer, StreamsChunksUntilItIsClosed) {
    StreamServer server;
    RawSocket peer(server.server->port());
    const auto stream = server.opened(peer);
    EXPECT_NE(peer.received.find("Transfer-Encoding: chunked"), std::string::npos);
    EXPECT_TRUE(stream->send("data: 1\n\n"));
    EXPECT_TRUE(peer.read_until("9\r\ndata: 1\n\n\r\n")) << peer.received;
    std::this_thread::sleep_for(std::chrono::milliseconds(600));  // Longer than every time-out.
    EXPECT_TRUE(stream->send("data: 2\n\n"));
    EXPECT_TRUE(peer.read_until("data: 2\n\n")) << "a quiet stream was cut";
    stream->close();
    EXPECT_TRUE(peer.read_to_end());
    EXPECT_TRUE(peer.received.ends_with("0\r\n\r\n"));
    EXPECT_FALSE(stream->send("data: 3\n\n"));
}

TEST(HttpServer, AStreamKnowsThatItsClientWent) {
    StreamServer server;
    std::shared_ptr<EventStream> stream;
    {
        RawSocket peer(server.server->port());
        stream = server.opened(peer);
    }
    bool open = true;
    for (int i = 0; i < 100 && open; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        open = stream->send("data\n\n");
    }
    EXPECT_FALSE(open);
}

TEST(HttpServer, AClientThatDoesNotReadIsCutAndHoldsNobodyUp) {
    ServerOptions options = small_options();
    options.stream_queue_bytes_max = 50'000;
    options.read_timeout = std::chrono::seconds(20);
    StreamServer server(options);
    RawSocket peer(server.server->port());
    const auto stream = server.opened(peer);
    const std::string chunk(10'000, 'x');
    int sent = 0;
    while (sent < 100'000 && stream->send(chunk)) {
        ++sent;
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    EXPECT_LT(sent, 100'000);
    EXPECT_TRUE(peer.read_to_end(20'000)) << "the connection of the slow client stayed open";
}

TEST(HttpServer, EndsItsStreamsWhenItEnds) {
    auto server = std::make_unique<StreamServer>();
    RawSocket peer(server->server->port());
    const auto stream = server->opened(peer);
    server->server.reset();
    EXPECT_TRUE(peer.read_to_end());
    EXPECT_TRUE(peer.received.ends_with("0\r\n\r\n"))
        << "a cut stream looks like a fault to the page";
    EXPECT_FALSE(stream->send("more"));
}

TEST(HttpServer, ManyClientsOnTwoThreads) {
    ServerOptions options;
    options.threads = 2;
    const auto server = started(options);
    std::atomic<int> good{0};
    std::vector<std::thread> clients;
    for (int c = 0; c < 8; ++c) {
        clients.emplace_back([&, c] {
            RawSocket peer(server->port());
            for (int i = 0; i < 50; ++i) {
                const std::string name = "/" + std::to_string(c) + "-" + std::to_string(i);
                peer.received.clear();
                peer.send("POST " + name + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
                good += peer.read_until("POST " + name + " q= body=abc") ? 1 : 0;
            }
        });
    }
    for (std::thread& client : clients) {
        client.join();
    }
    EXPECT_EQ(good, 400);
    EXPECT_EQ(server->stats().requests, 400U);
}

}  // namespace
}  // namespace tagout::net
