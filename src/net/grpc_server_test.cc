#include "net/grpc_server.h"

#include "net/compression.h"
#include "net/grpc_session.h"
#include "net/grpc_test_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tagout::net {
namespace {

/// Says back what it was asked, or what the path asks for.
void echo(GrpcRequest request, const std::shared_ptr<GrpcResponder>& responder) {
    if (request.path == "/t.T/Fail") {
        responder->respond(
            {GrpcStatus::Unavailable,
             "come again: 100 % \u00e9\n",
             {},
             {{"grpc-status-details-bin", std::string("\x00\xff\x10", 3)}}}
        );
    } else if (request.path != "/t.T/Echo") {
        responder->respond({GrpcStatus::Unimplemented, "no such method", {}, {}});
    } else {
        std::string text = std::to_string(request.message.size()) + ":";
        text += request.message.view().substr(0, 200);
        for (const auto& [name, value] : request.metadata) {
            text += name == "x-mine" ? "|" + value : "";
        }
        responder->respond({GrpcStatus::Ok, "", std::move(text), {{"X-Trailer", "a\r\nb"}}});
    }
}

ServerOptions small_options() {
    ServerOptions options;
    options.header_bytes_max = 4096;
    options.body_bytes_max = 100'000;
    options.read_timeout = std::chrono::milliseconds(400);
    options.idle_timeout = std::chrono::milliseconds(400);
    return options;
}

std::unique_ptr<GrpcServer> started(
    const ServerOptions& options = small_options(), GrpcHandler handler = echo
) {
    Result<std::unique_ptr<GrpcServer>> server = GrpcServer::start(options, std::move(handler));
    EXPECT_TRUE(server.has_value());
    return std::move(*server);
}

TEST(GrpcServer, AnswersAUnaryCallWithTrailers) {
    const auto server = started();
    GrpcTestClient client(server->port());
    const GrpcAnswer answer = client.call("/t.T/Echo", "hello", {{"x-mine", "yes"}});
    EXPECT_EQ(answer.header(":status"), "200");
    EXPECT_EQ(answer.header("content-type"), "application/grpc");
    EXPECT_EQ(answer.status(), "0");
    EXPECT_EQ(answer.body.substr(0, 5), std::string("\0\0\0\0\x0b", 5));
    EXPECT_EQ(answer.message(), "5:hello|yes");
    EXPECT_EQ(answer.header("x-trailer"), "a  b");
    EXPECT_EQ(answer.header("grpc-message"), "");
    EXPECT_EQ(answer.reset, 0U);
    EXPECT_EQ(client.call("/t.T/Echo", "").message(), "0:");
    EXPECT_EQ(server->stats().connections, 1U);
    EXPECT_EQ(server->stats().requests, 2U);
}

TEST(GrpcServer, SaysNoWithoutABody) {
    const auto server = started();
    GrpcTestClient client(server->port());
    const GrpcAnswer answer = client.call("/t.T/Fail", "hello");
    EXPECT_EQ(answer.header(":status"), "200");
    EXPECT_EQ(answer.status(), "14");
    EXPECT_EQ(answer.header("grpc-message"), "come again: 100 %25 %C3%A9%0A");
    EXPECT_EQ(answer.header("grpc-status-details-bin"), "AP8Q");
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(client.call("/t.T/Nothing", "hello").status(), "12");
}

TEST(GrpcServer, UndoesCompressionUnderItsLimit) {
    const auto server = started();
    GrpcTestClient client(server->port());
    const std::string text(5000, 'a');
    EXPECT_EQ(
        client.call("/t.T/Echo", gzip(text), {{"grpc-encoding", "gzip"}}, true)
            .message()
            .substr(0, 6),
        "5000:a"
    );
    EXPECT_EQ(
        client.call("/t.T/Echo", "plain", {{"grpc-encoding", "gzip"}}, false).message(), "5:plain"
    );
    EXPECT_EQ(
        client.call("/t.T/Echo", "plain", {{"grpc-encoding", "identity"}}).message(), "5:plain"
    );
    const GrpcAnswer bomb = client.call(
        "/t.T/Echo", gzip(std::string(50'000'000, '\0')), {{"grpc-encoding", "gzip"}}, true
    );
    EXPECT_EQ(bomb.status(), "8");
    EXPECT_EQ(bomb.header("grpc-status-details-bin"), "")
        << "with RetryInfo a client would send it again";
    EXPECT_EQ(client.call("/t.T/Echo", "no gzip", {{"grpc-encoding", "gzip"}}, true).status(), "3");
    EXPECT_EQ(client.call("/t.T/Echo", "x", {{"grpc-encoding", "identity"}}, true).status(), "13");
    EXPECT_EQ(client.call("/t.T/Echo", "x", {}, true).status(), "13");
    const GrpcAnswer unknown = client.call("/t.T/Echo", "x", {{"grpc-encoding", "snappy"}}, true);
    EXPECT_EQ(unknown.status(), "12");
    EXPECT_EQ(unknown.header("grpc-accept-encoding"), "gzip,deflate,zstd");
}

TEST(GrpcServer, RefusesWhatIsNoCall) {
    struct Row {
        const char* name;
        Headers headers;
        std::string body;
        const char* http;
        const char* grpc;
    };
    const Row rows[] = {
        {"a get", {{":method", "GET"}}, "", "405", ""},
        {"json", {{"content-type", "application/json"}}, "{}", "415", ""},
        {"grpc-web", {{"content-type", "application/grpc-web"}}, grpc_frame("x"), "415", ""},
        {"with a format",
         {{"content-type", "application/grpc+proto"}},
         grpc_frame("x"),
         "200",
         "0"},
        {"no message", {}, "", "200", "3"},
        {"half a prefix", {}, std::string(3, '\0'), "200", "3"},
        {"half a message", {}, grpc_frame("hello").substr(0, 7), "200", "3"},
        {"two messages", {}, grpc_frame("hello") + grpc_frame("again"), "200", "3"},
        {"a strange flag", {}, "\x07" + grpc_frame("hello").substr(1), "200", "13"},
        {"a message that is too large", {}, grpc_frame(std::string(100'001, 'x')), "200", "8"},
        {"a claim of 4 GiB", {}, std::string("\0\xff\xff\xff\xff", 5) + "x", "200", "8"},
        {"metadata that is too large",
         {{"x-large", std::string(5000, 'm')}},
         grpc_frame("x"),
         "200",
         "8"},
    };
    const auto server = started();
    GrpcTestClient client(server->port());
    for (const Row& row : rows) {
        const GrpcAnswer answer = client.wait(client.begin("/t.T/Echo", row.body, row.headers));
        EXPECT_EQ(answer.header(":status"), row.http) << row.name;
        EXPECT_EQ(answer.status(), row.grpc) << row.name;
        EXPECT_EQ(client.call("/t.T/Echo", "well").message(), "4:well") << "after " << row.name;
    }
}

TEST(GrpcServer, ALargeMessageFlowsWithinItsWindows) {
    ServerOptions options = small_options();
    options.body_bytes_max = 64 << 20;
    options.read_timeout = std::chrono::seconds(20);
    const auto server = started(options);
    GrpcTestClient client(server->port());
    const GrpcAnswer answer = client.call("/t.T/Echo", std::string(40'000'000, 'x'));
    EXPECT_EQ(answer.status(), "0");
    EXPECT_EQ(answer.message().substr(0, 9), "40000000:");
}

TEST(GrpcServer, ManyCallsAtOnceAndAnswersFromOtherThreads) {
    std::vector<std::thread> workers;
    std::atomic<int> forgotten{0};
    const auto server = started(
        small_options(),
        [&](GrpcRequest request, const std::shared_ptr<GrpcResponder>& responder) {
            if (request.path == "/t.T/Forget") {
                ++forgotten;
                return;
            }
            workers.emplace_back([responder, text = std::string(request.message.view())] {
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
                responder->respond({GrpcStatus::Ok, "", text, {}});
            });
        }
    );
    GrpcTestClient client(server->port());
    std::vector<std::int32_t> streams;
    for (int i = 0; i < 100; ++i) {
        streams.push_back(client.begin("/t.T/Echo", grpc_frame("call " + std::to_string(i))));
    }
    const std::int32_t lost = client.begin("/t.T/Forget", grpc_frame("x"));
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(
            client.wait(streams[static_cast<std::size_t>(i)]).message(), "call " + std::to_string(i)
        );
    }
    EXPECT_EQ(client.wait(lost).status(), "13");
    EXPECT_EQ(server->stats().unanswered, 1U);
    for (std::thread& worker : workers) {
        worker.join();
    }
}

TEST(GrpcServer, ACallTakenBackIsAnsweredToNobody) {
    std::shared_ptr<GrpcResponder> late;
    std::atomic<int> asked{0};
    auto server =
        started(small_options(), [&](GrpcRequest, std::shared_ptr<GrpcResponder> responder) {
            late = std::move(responder);
            ++asked;
        });
    GrpcTestClient client(server->port());
    const std::int32_t stream = client.begin("/t.T/Echo", grpc_frame("x"));
    while (asked == 0) {
        client.turn(1);
    }
    nghttp2_submit_rst_stream(client.session(), NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
    client.turn();
    late->respond({GrpcStatus::Ok, "", "too late", {}});
    client.begin("/t.T/Echo", grpc_frame("y"));
    while (asked == 1) {
        client.turn(1);
    }
    EXPECT_TRUE(client.answers[stream].headers.empty());
    server.reset();  // With one call unanswered: its responder outlives the server.
    late->respond({GrpcStatus::Ok, "", "after the end", {}});
}

TEST(GrpcServer, AHalfCallIsEndedInTimeAndTheConnectionLives) {
    const auto server = started();
    GrpcTestClient client(server->port());
    const std::int32_t stream =
        client.begin("/t.T/Echo", grpc_frame("hello").substr(0, 8), {}, false);
    EXPECT_EQ(client.wait(stream).status(), "4");
    EXPECT_EQ(client.call("/t.T/Echo", "well").message(), "4:well");
}

TEST(GrpcServer, PingIsAnsweredAndAnIdleConnectionIsSentAway) {
    const auto server = started();
    GrpcTestClient client(server->port());
    nghttp2_submit_ping(client.session(), NGHTTP2_FLAG_NONE, nullptr);
    for (int i = 0; i < 200 && client.pings == 0; ++i) {
        client.turn();
    }
    EXPECT_EQ(client.pings, 1);
    int turns = 0;
    while (client.turn() && turns < 200) {
        ++turns;
    }
    EXPECT_LT(turns, 200) << "an idle connection stayed open";
    EXPECT_EQ(client.goaways, 1);
}

TEST(GrpcServer, BodiesPastTheSharedBudgetAreToldToComeAgain) {
    ServerOptions options = small_options();
    options.body_bytes_in_flight_max = 120'000;
    std::vector<std::shared_ptr<GrpcResponder>> waiting;
    std::atomic<int> asked{0};
    const auto server =
        started(options, [&](GrpcRequest, std::shared_ptr<GrpcResponder> responder) {
            waiting.push_back(std::move(responder));
            ++asked;
        });
    GrpcTestClient client(server->port());
    const std::string body = grpc_frame(std::string(80'000, 'x'));
    const std::int32_t first = client.begin("/t.T/Echo", body);
    while (asked == 0) {
        client.turn(1);
    }
    EXPECT_EQ(client.wait(client.begin("/t.T/Echo", body)).status(), "14");
    waiting[0]->respond({GrpcStatus::Ok, "", "one", {}});
    EXPECT_EQ(client.wait(first).message(), "one");
    const std::int32_t third = client.begin("/t.T/Echo", body);
    for (int i = 0; i < 200 && asked == 1; ++i) {
        client.turn(5);
    }
    ASSERT_EQ(asked, 2) << "the budget was not given back";
    waiting[1]->respond({GrpcStatus::Ok, "", "two", {}});
    EXPECT_EQ(client.wait(third).message(), "two");
}

std::string frame(
    std::uint32_t length, int type, int flags, std::uint32_t stream, std::string_view payload
) {
    std::string out;
    for (const int shift : {16, 8, 0}) {
        out.push_back(static_cast<char>(length >> shift & 0xffU));
    }
    out.push_back(static_cast<char>(type));
    out.push_back(static_cast<char>(flags));
    for (const int shift : {24, 16, 8, 0}) {
        out.push_back(static_cast<char>(stream >> shift & 0xffU));
    }
    return out += payload;
}

TEST(GrpcServer, GarbageIsClosedAndTheOthersAreServed) {
    const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const std::string settings = frame(0, 4, 0, 0, "");
    struct Row {
        const char* name;
        std::string bytes;
        const char* answer;  ///< What must be in the answer.
    };
    const Row rows[] = {
        {"http/1.1",
         "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
         "HTTP/1.1 400 Bad Request"},
        {"a tls hello", std::string("\x16\x03\x01\x02\x00\x01\x00", 7), ""},
        {"zeros", std::string(1000, '\0'), ""},
        {"half a preface", preface.substr(0, 10), ""},
        {"a preface that goes wrong", preface.substr(0, 20) + "XXXXXXXX", ""},
        {"garbage after the preface", preface + std::string(200, '\xff'), ""},
        {"no settings first", preface + frame(8, 6, 0, 0, "12345678"), ""},
        {"data on no stream", preface + settings + frame(5, 0, 0, 1, "hello"), ""},
        {"data on stream 0", preface + settings + frame(5, 0, 0, 0, "hello"), ""},
        {"headers on an even stream", preface + settings + frame(1, 1, 5, 2, "\x82"), ""},
        {"headers that are no hpack",
         preface + settings + frame(4, 1, 5, 1, "\xff\xff\xff\xff"),
         ""},
        {"an hpack table that is too large",
         preface + settings + frame(5, 1, 5, 1, "\x3f\xff\xff\xff\x7f"),
         ""},
        {"headers cut by another frame",
         preface + settings + frame(1, 1, 0, 1, "\x82") + frame(0, 4, 0, 0, ""),
         ""},
        {"a continuation of nothing", preface + settings + frame(1, 9, 4, 1, "\x82"), ""},
        {"a frame that is too large", preface + settings + frame(0xffffff, 0, 0, 1, "x"), ""},
        {"settings of wrong size", preface + frame(5, 4, 0, 0, "12345"), ""},
        {"an initial window past 2^31",
         preface + frame(6, 4, 0, 0, std::string("\0\4\xff\xff\xff\xff", 6)),
         ""},
        {"a window update of 0", preface + settings + frame(4, 8, 0, 0, std::string(4, '\0')), ""},
        {"a window update past 2^31",
         preface + settings + frame(4, 8, 0, 0, "\x7f\xff\xff\xff"),
         ""},
        {"a ping of wrong size", preface + settings + frame(3, 6, 0, 0, "abc"), ""},
        {"a push promise",
         preface + settings + frame(5, 5, 4, 1, std::string("\0\0\0\2\x82", 5)),
         ""},
        {"goaway", preface + settings + frame(8, 7, 0, 0, std::string(8, '\0')), ""},
        {"padding longer than the frame",
         preface + settings + frame(3, 1, 0x0d, 1, "\xff\x82\x84"),
         ""},
    };
    const auto server = started();
    for (const Row& row : rows) {
        RawSocket peer(server->port());
        peer.send(row.bytes);
        EXPECT_TRUE(peer.read_to_end(4000)) << row.name << ": the connection stayed open";
        EXPECT_NE(peer.received.find(row.answer), std::string::npos) << row.name;
        GrpcTestClient client(server->port());
        EXPECT_EQ(client.call("/t.T/Echo", "well").message(), "4:well") << "after " << row.name;
    }
    EXPECT_EQ(server->stats().unanswered, 0U);
}

TEST(GrpcServer, FloodsEndTheirOwnConnectionOnly) {
    const std::string opening = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(0, 4, 0, 0, "");
    const auto server = started();
    for (const std::string& each : {frame(8, 6, 0, 0, "12345678"), frame(0, 4, 0, 0, "")}) {
        RawSocket peer(server->port());
        std::string flood = opening;
        for (int i = 0; i < 20'000; ++i) {
            flood += each;
        }
        peer.send(flood);
        GrpcTestClient client(server->port());
        EXPECT_EQ(client.call("/t.T/Echo", "well").message(), "4:well");
    }
}

TEST(GrpcText, IsEncodedAsTheProtocolSays) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg");
    EXPECT_EQ(base64("fo"), "Zm8");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(grpc_percent_encode("plain, with %"), "plain, with %25");
    EXPECT_EQ(grpc_percent_encode("\n\x7f"), "%0A%7F");
}

}  // namespace
}  // namespace tagout::net
