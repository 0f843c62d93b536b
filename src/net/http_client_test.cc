#include "net/http_client.h"

#include "net/http_server.h"
#include "net/raw_socket.h"
#include "net/scripted_server.h"
#include "net/url.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace tagout::net {
namespace {

TEST(Url, IsTakenApartOrRefusedWithTheReason) {
    struct Row {
        const char* url;
        const char* parts;  ///< "" when it is to be refused.
    };
    const Row rows[] = {
        {"http://example.com", "http example.com 80 /"},
        {"https://example.com", "https example.com 443 /"},
        {"HTTP://example.com:8080/a/b?c=d#e", "http example.com 8080 /a/b?c=d"},
        {"http://example.com?q=1", "http example.com 80 /?q=1"},
        {"http://127.0.0.1:1/", "http 127.0.0.1 1 /"},
        {"http://[::1]:4318/v1/traces", "http ::1 4318 /v1/traces"},
        {"http://[::1]", "http ::1 80 /"},
        {"http://host_name/%20", "http host_name 80 /%20"},
        {"http://example.com:/", "http example.com 80 /"},
        {"", ""},
        {"example.com", ""},
        {"ftp://example.com", ""},
        {"http://", ""},
        {"http:///path", ""},
        {"http://:80/", ""},
        {"http://user:secret@example.com/", ""},
        {"http://example.com:0/", ""},
        {"http://example.com:65536/", ""},
        {"http://example.com:8x/", ""},
        {"http://[::1", ""},
        {"http://[::1]x/", ""},
        {"http://[evil.example]/", ""},
        {"http://exa mple.com/", ""},
        {"http://example.com/a b", ""},
        {"http://example.com/\r\nX: y", ""},
        {"http://ex\u00e4mple.com/", ""},
    };
    for (const Row& row : rows) {
        const Result<UrlParts> parts = parse_url(row.url);
        const std::string got = parts ? parts->scheme + " " + parts->host + " " +
                                            std::to_string(parts->port) + " " + parts->target
                                      : "";
        EXPECT_EQ(got, row.parts) << row.url;
        if (!parts) {
            EXPECT_EQ(parts.error().code, ErrorCode::InvalidArgument);
            EXPECT_EQ(parts.error().message.find("secret"), std::string::npos)
                << "an error must not repeat a secret";
        }
    }
}

TEST(Url, QueriesAndPathsAreDecoded) {
    EXPECT_EQ(query_value("/a?x=1&y=a%20b+c&x=2", "x"), "1");
    EXPECT_EQ(query_value("/a?x=1&y=a%20b+c&x=2", "y"), "a b c");
    EXPECT_EQ(query_value("/a?x=1#y=2", "y"), "");
    EXPECT_EQ(query_value("/a?flag&y=%zz%4", "flag"), "");
    EXPECT_EQ(query_value("/a?flag&y=%zz%4", "y"), "%zz%4");
    EXPECT_EQ(query_value("/a", "y"), "");
    EXPECT_EQ(path_of_target("/a%2Fb?c"), "/a/b");
    EXPECT_FALSE(path_of_target("a").has_value());
    EXPECT_FALSE(path_of_target("").has_value());
    EXPECT_FALSE(path_of_target("*").has_value());
    EXPECT_TRUE(has_token("a, Keep-Alive ,b", "keep-alive"));
    EXPECT_FALSE(has_token("keep-alives", "keep-alive"));
}

std::unique_ptr<HttpServer> started(Handler handler) {
    ServerOptions options;
    options.read_timeout = std::chrono::seconds(5);
    Result<std::unique_ptr<HttpServer>> server = HttpServer::start(options, std::move(handler));
    EXPECT_TRUE(server.has_value());
    return std::move(*server);
}

HttpRequest request_to(std::uint16_t port, std::string path = "/") {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(port) + std::move(path);
    request.timeout = std::chrono::seconds(5);
    return request;
}

/// Answers every connection with the same bytes once something has come, and closes it.
class CannedServer {
public:
    explicit CannedServer(std::string answer, bool answers = true) {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(
            ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0
        );
        EXPECT_EQ(::listen(listener_, 16), 0);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this, answer = std::move(answer), answers] {
            int peer = -1;
            while ((peer = ::accept(listener_, nullptr, nullptr)) >= 0) {
                ++connections;
                char bytes[4096];
                if (::recv(peer, bytes, sizeof bytes, 0) > 0 && answers) {
                    (void)::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
                }
                if (!answers) {
                    (void)::recv(peer, bytes, sizeof bytes, 0);  // Until the client gives up.
                }
                ::close(peer);
            }
        });
    }
    ~CannedServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    std::uint16_t port = 0;
    std::atomic<int> connections{0};

private:
    int listener_ = -1;
    std::thread thread_;
};

TEST(HttpClient, SendsAndReadsAnythingOverOneConnection) {
    const auto server =
        started([](ServerRequest request, const std::shared_ptr<Responder>& responder) {
            responder->respond(
                {request.method == "DELETE" ? 404 : 200,
                 {{"X-Seen",
                   request.method + " " + request.target + " " +
                       std::string(request.header("x-mine"))}},
                 std::string(request.body.view())}
            );
        });
    HttpClient client;
    for (const std::string& body :
         {std::string(), std::string("abc"), std::string(3'000'000, 'b')}) {
        HttpRequest request = request_to(server->port(), "/p?q=1");
        request.method = "POST";
        request.headers = {{"X-Mine", "yes"}, {"Content-Length", "7"}};
        request.body = body;
        const auto response = client.send(request);
        ASSERT_TRUE(response.has_value()) << response.error().message;
        EXPECT_EQ(response->status, 200);
        EXPECT_EQ(response->header("x-seen"), "POST /p?q=1 yes");
        EXPECT_EQ(response->body, body);
    }
    HttpRequest gone = request_to(server->port());
    gone.method = "DELETE";
    EXPECT_EQ(client.send(gone)->status, 404);
    HttpRequest head = request_to(server->port());
    head.method = "HEAD";
    const auto nothing = client.send(head);
    ASSERT_TRUE(nothing.has_value()) << nothing.error().message;
    EXPECT_EQ(nothing->body, "");
    EXPECT_EQ(server->stats().connections, 1U);
}

TEST(HttpClient, ReadsEveryFraming) {
    struct Row {
        const char* name;
        std::string answer;
        int status;  ///< 0 when it is to fail.
        const char* body;
    };
    const Row rows[] = {
        {"until the end", "HTTP/1.1 200 OK\r\n\r\nabc", 200, "abc"},
        {"chunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
         200,
         "abc"},
        {"an interim answer first",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: "
         "1\r\n\r\nx",
         201,
         "x"},
        {"no body by its status", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"a redirect is an answer",
         "HTTP/1.1 302 Found\r\nLocation: http://other/\r\nContent-Length: 0\r\n\r\n",
         302,
         ""},
        {"cut in its head", "HTTP/1.1 200 OK\r\nConte", 0, ""},
        {"cut in its body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 0, ""},
        {"no http", "garbage\r\n\r\n", 0, ""},
        {"a head without end", "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'a'), 0, ""},
        {"endless interim answers",
         [] {
             std::string all;
             for (int i = 0; i < 20; ++i) {
                 all += "HTTP/1.1 100 Continue\r\n\r\n";
             }
             return all;
         }(),
         0,
         ""},
        {"nothing", "", 0, ""},
    };
    for (const Row& row : rows) {
        CannedServer server(row.answer);
        HttpClient client;
        const auto response = client.send(request_to(server.port));
        EXPECT_EQ(response ? response->status : 0, row.status) << row.name;
        EXPECT_EQ(response ? response->body : "", row.body) << row.name;
        if (!response) {
            EXPECT_EQ(response.error().code, ErrorCode::Unavailable) << row.name;
            EXPECT_NE(response.error().message.find("127.0.0.1"), std::string::npos)
                << response.error().message;
        }
    }
}

TEST(HttpClient, GivesUpWhenTheTimeIsOver) {
    CannedServer server("", false);
    HttpClient client;
    HttpRequest request = request_to(server.port);
    request.timeout = std::chrono::milliseconds(150);
    const SystemClock clock;
    const Instant start = clock.now();
    const auto response = client.send(request);
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code, ErrorCode::Unavailable);
    EXPECT_NE(response.error().message.find("in time"), std::string::npos);
    EXPECT_LT(clock.now() - start, std::chrono::seconds(3));
    EXPECT_GE(clock.now() - start, std::chrono::milliseconds(140));
}

TEST(HttpClient, AConnectionThatThePeerClosedMeanwhileIsMadeAnew) {
    CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    HttpClient client;
    for (int i = 0; i < 3; ++i) {
        HttpRequest request = request_to(server.port);
        request.method = "POST";
        const auto response = client.send(request);
        ASSERT_TRUE(response.has_value()) << response.error().message;
        EXPECT_EQ(response->body, "ok");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(server.connections, 3);
}

TEST(HttpClient, AnAnswerPastTheLimitIsRefused) {
    const auto server = started([](ServerRequest, const std::shared_ptr<Responder>& responder) {
        responder->respond({200, {}, std::string(100'000, 'x')});
    });
    HttpClient client;
    HttpRequest request = request_to(server->port());
    request.response_bytes_max = 99'999;
    const auto response = client.send(request);
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code, ErrorCode::LimitExceeded);
    request.response_bytes_max = 100'000;
    EXPECT_TRUE(client.send(request).has_value());
}

TEST(HttpClient, StreamsChunksAsTheyComeAndStopsWhenAsked) {
    const auto server = started([](ServerRequest, const std::shared_ptr<Responder>& responder) {
        const auto stream =
            responder->respond_stream({200, {{"Content-Type", "text/event-stream"}}, ""});
        stream->send("data: 1\n\n");
        std::thread([stream] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            stream->send("data: 2\n\n");
        }).detach();
    });
    HttpClient client;
    std::string seen;
    const auto response = client.stream(request_to(server->port()), [&](std::string_view chunk) {
        seen += chunk;
        return seen.find("data: 2") == std::string::npos;
    });
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(seen, "data: 1\n\ndata: 2\n\n");
}

TEST(HttpClient, AStreamMayLastButNotFallSilent) {
    ScriptedServer server([](ScriptedPeer& peer) {
        (void)peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 8; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(60));
            peer.send("2\r\nab\r\n");
        }
        (void)peer.read_request();  // Silent until the client goes.
    });
    HttpClient client;
    HttpRequest request{"GET", server.url("/"), {}, "", std::chrono::milliseconds(300)};
    request.silence_max = std::chrono::milliseconds(200);
    std::string got;
    const auto answer = client.stream(request, [&](std::string_view chunk) {
        got += chunk;
        return true;
    });
    EXPECT_EQ(got.size(), 16U) << "longer than the time-out, and never silent for so long";
    ASSERT_FALSE(answer.has_value());
    EXPECT_NE(answer.error().message.find("in time"), std::string::npos) << answer.error().message;
}

TEST(HttpClient, AnotherThreadMayEndAWait) {
    std::promise<void> asked;
    std::promise<bool> gone;
    ScriptedServer server([&](ScriptedPeer& peer) {
        (void)peer.read_request();
        asked.set_value();
        gone.set_value(peer.read_request().empty());
    });
    HttpClient client;
    std::thread cutter([&] {
        asked.get_future().wait();
        client.cut();
    });
    const auto answer = client.send({"POST", server.url("/"), {}, "", std::chrono::seconds(20)});
    cutter.join();
    EXPECT_FALSE(answer.has_value());
    EXPECT_TRUE(gone.get_future().get()) << "the server was not told";
}

TEST(HttpClient, ARefusalOfALargeBodyIsRead) {
    ServerOptions options;
    options.body_bytes_max = 1000;
    const auto server =
        HttpServer::start(options, [](ServerRequest, const std::shared_ptr<Responder>& responder) {
            responder->respond({200, {}, ""});
        });
    ASSERT_TRUE(server.has_value());
    HttpClient client;
    HttpRequest request = request_to((*server)->port());
    request.method = "POST";
    request.body = std::string(100'000'000, 'x');
    request.timeout = std::chrono::seconds(20);
    const auto response = client.send(request);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->status, 413);
}

TEST(HttpClient, RefusesToSendWhatIsNoHeader) {
    HttpClient client;
    HttpRequest request = request_to(1);
    request.headers = {{"X-A", "b\r\nX-C: d"}};
    EXPECT_EQ(client.send(request).error().code, ErrorCode::InvalidArgument);
    request.headers = {{"X A", "b"}};
    EXPECT_EQ(client.send(request).error().code, ErrorCode::InvalidArgument);
    request.headers = {};
    request.method = "GET /x HTTP/1.1\r\n";
    EXPECT_EQ(client.send(request).error().code, ErrorCode::InvalidArgument);
}

TEST(HttpClient, NobodyThereIsUnavailable) {
    std::uint16_t port = 0;
    {
        CannedServer gone("");
        port = gone.port;
    }
    HttpClient client;
    const auto response = client.send(request_to(port));
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code, ErrorCode::Unavailable);
    EXPECT_NE(response.error().message.find("connecting"), std::string::npos);
}

}  // namespace
}  // namespace tagout::net
