#include "gateway/stdio/wrapper.h"
#include "gateway/test_world.h"
#include "incident/memory_journal.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

namespace tagout::gateway {
namespace {

using std::chrono::milliseconds;

/// What is written to one pipe, line by line.
class Lines {
public:
    Lines() { EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0); }
    ~Lines() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    Lines(const Lines&) = delete;
    Lines& operator=(const Lines&) = delete;
    [[nodiscard]] int writer() const { return ends_[1]; }
    /// The next line; "" when none comes in time.
    std::string next(int patience_ms = 5'000) {
        while (held_.find('\n') == std::string::npos) {
            pollfd wait{ends_[0], POLLIN, 0};
            std::array<char, 4096> part{};
            if (poll(&wait, 1, patience_ms) <= 0) {
                return "";
            }
            const ssize_t got = ::read(ends_[0], part.data(), part.size());
            held_.append(part.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        }
        const std::size_t end = held_.find('\n');
        std::string line = held_.substr(0, end);
        held_.erase(0, end + 1);
        return line;
    }
    [[nodiscard]] std::string none() { return next(60); }

private:
    std::array<int, 2> ends_{};
    std::string held_;
};

/// A wrapper between two pipes, in front of a gateway over real sockets.
struct Wrapped {
    explicit Wrapped(bool reads_go_on = false, const std::string& gateway = "") {
        WrapperOptions options;
        options.judge.gateway =
            gateway.empty() ? "http://127.0.0.1:" + std::to_string(world.gateway->port()) : gateway;
        options.judge.server = "shop";
        options.judge.session = "conv-1";
        options.reads_go_on = reads_go_on;
        wrapper = std::make_shared<StdioWrapper>(
            options,
            world.clock,
            client.writer(),
            server.writer(),
            [this](const std::string& what) {
                const MutexLock lock(mutex);
                notes += what + "\n";
            }
        );
    }
    ~Wrapped() {
        wrapper->end();
        if (follower.joinable()) {
            world.gateway->stop();
            follower.join();
        }
        if (teller.joinable()) {
            teller.join();
        }
    }
    Wrapped(const Wrapped&) = delete;
    Wrapped& operator=(const Wrapped&) = delete;

    void follow() {
        follower = std::thread([this] { wrapper->follow_controls(); });
    }
    void tell() {
        teller = std::thread([this] { wrapper->tell_results(); });
    }
    std::string said() {
        const MutexLock lock(mutex);
        return notes;
    }

    World world{[](net::ScriptedPeer&) {}};
    Lines client;
    Lines server;
    Mutex mutex;
    std::string notes TAGOUT_GUARDED_BY(mutex);
    std::shared_ptr<StdioWrapper> wrapper;
    std::thread follower;
    std::thread teller;
};

constexpr std::string_view list_answer =
    R"({"jsonrpc":"2.0","id":9,"result":{"tools":[{"name":"refund"},{"name":"get_order"}]}})";
constexpr std::string_view list_request = R"({"jsonrpc":"2.0","id":9,"method":"tools/list"})";

TEST(StdioLines, AreCutSkippedWhenTooLongAndCounted) {
    LineSplitter splitter(8);
    std::string seen;
    int too_long = 0;
    for (const std::string_view part : {"ab", "c\n\r\n", "12345678\n123456789", "0\nd\n"}) {
        splitter.feed(
            part,
            [&](std::string_view line) { seen += std::string(line) + "|"; },
            [&] { ++too_long; }
        );
    }
    EXPECT_EQ(seen, "abc|12345678|d|");
    EXPECT_EQ(too_long, 1);
}

TEST(StdioIds, AreTheSameWhenSomeClientTakesThemSo) {
    EXPECT_EQ(id_key("1"), id_key("1.0"));
    EXPECT_EQ(id_key("1"), id_key("\"1\""));
    EXPECT_EQ(id_key("\"a\""), id_key("\"\\u0061\""));
    EXPECT_NE(id_key("1"), id_key("2"));
    EXPECT_EQ(id_key("1e400"), "1e400");
    EXPECT_EQ(path_segment("a/b c"), "a%2Fb%20c");
}

TEST(StdioWrapper, PassesWhatIsAllowedByteForByteAndRecordsIt) {
    Wrapped wrapped;
    wrapped.tell();
    const std::string init =
        R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"clientInfo":{"name":"bot"}}})";
    wrapped.wrapper->on_client_line(init);
    EXPECT_EQ(wrapped.server.next(), init);
    const std::string call = tool_call("refund", R"({ "amount": 1.100000000000000000001 })");
    wrapped.wrapper->on_client_line(call);
    EXPECT_EQ(wrapped.server.next(), call);
    const std::string answer = R"({"jsonrpc":"2.0", "id":1,"result":{"content":[],"n":1.10}})";
    wrapped.wrapper->on_server_line(answer);
    EXPECT_EQ(wrapped.client.next(), answer);
    const SeenCall seen = wrapped.world.last_seen();
    EXPECT_EQ(seen.tool, "refund");
    EXPECT_EQ(seen.server, "shop");
    EXPECT_EQ(seen.agent, "bot");
    EXPECT_EQ(seen.session, "conv-1");
    EXPECT_EQ(seen.result, R"({"content":[],"n":1.10})");
    EXPECT_FALSE(seen.is_error);
}

TEST(StdioWrapper, RefusesAStoppedToolWithAResultThatTheModelCanRead) {
    Wrapped wrapped;
    (void)wrapped.world.control({World::stop("tool:refund")});
    wrapped.wrapper->on_client_line(tool_call("refund"));
    const std::string refused = wrapped.client.next();
    EXPECT_NE(refused.find("[Tagout CTL-7]"), std::string::npos) << refused;
    EXPECT_NE(refused.find(R"("isError":true)"), std::string::npos);
    EXPECT_EQ(refused.find("resultType"), std::string::npos);
    EXPECT_EQ(wrapped.server.none(), "");
    wrapped.wrapper->on_client_line(tool_call("refund", "{}", true));
    EXPECT_NE(wrapped.client.next().find(R"("resultType":"complete")"), std::string::npos);
    EXPECT_EQ(wrapped.world.last_seen().verdict, Verdict::Deny);
    wrapped.wrapper->on_client_line(tool_call("get_order"));
    EXPECT_NE(wrapped.server.next().find("get_order"), std::string::npos);
}

TEST(StdioWrapper, AStopReachesTheCallThatRunsTheListAndTheClient) {
    Wrapped wrapped;
    const std::string ready = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
    wrapped.wrapper->on_client_line(ready);
    wrapped.wrapper->on_client_line(list_request);
    wrapped.wrapper->on_server_line(list_answer);
    EXPECT_EQ(wrapped.client.next(), list_answer);
    wrapped.wrapper->on_client_line(tool_call("refund"));
    EXPECT_EQ(wrapped.server.next(), ready);
    EXPECT_EQ(wrapped.server.next(), list_request);
    EXPECT_NE(wrapped.server.next().find("tools/call"), std::string::npos);
    wrapped.follow();
    EXPECT_EQ(wrapped.client.none(), "");

    (void)wrapped.world.control({World::stop("tool:refund")});
    const std::string refused = wrapped.client.next();
    EXPECT_NE(refused.find("[Tagout CTL-7]"), std::string::npos) << refused;
    EXPECT_EQ(
        wrapped.server.next(),
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,)"
        R"("reason":"stopped by the people who run this system"}})"
    );
    EXPECT_NE(wrapped.client.next().find("notifications/tools/list_changed"), std::string::npos);
    EXPECT_TRUE(wrapped.world.last_seen().cancelled);

    wrapped.wrapper->on_server_line(R"({"jsonrpc":"2.0","id":1,"result":{"content":["late"]}})");
    EXPECT_EQ(wrapped.client.none(), "") << "the answer of a stopped call came through";
    wrapped.wrapper->on_client_line(list_request);
    wrapped.wrapper->on_server_line(list_answer);
    EXPECT_EQ(
        wrapped.client.next(),
        R"({"jsonrpc":"2.0","id":9,"result":{"tools":[{"name":"get_order"}]}})"
    );
    (void)wrapped.world.control({});
    EXPECT_NE(wrapped.client.next().find("notifications/tools/list_changed"), std::string::npos);
}

TEST(StdioWrapper, WaitsForAPerson) {
    Wrapped wrapped;
    (void)wrapped.world.control({World::stop("tool:refund", ControlMode::Approvals)});
    const auto ask = [&](std::size_t number) {
        wrapped.wrapper->on_client_line(tool_call("refund", R"({"amount":5})"));
        EXPECT_TRUE(wrapped.world.wait_for([&] {
            return wrapped.world.approvals.asked().size() > number;
        }));
        EXPECT_EQ(wrapped.server.none(), "");
    };
    ask(0);
    EXPECT_EQ(wrapped.world.approvals.asked().at(0), R"(refund {"amount":5} CTL-7)");
    wrapped.world.approvals.answer(0, contain::ApprovalAnswer::Approved, "fine");
    EXPECT_NE(wrapped.server.next().find("refund"), std::string::npos);
    wrapped.wrapper->on_server_line(R"({"jsonrpc":"2.0","id":1,"result":{}})");
    EXPECT_NE(wrapped.client.next(), "");
    ask(1);
    wrapped.world.approvals.answer(1, contain::ApprovalAnswer::Denied, "not today");
    EXPECT_NE(wrapped.client.next().find("not today"), std::string::npos);
    ask(2);
    (void)wrapped.world.control({World::stop("tool:refund")});
    EXPECT_NE(wrapped.client.next().find("[Tagout CTL-7]"), std::string::npos);
    EXPECT_TRUE(wrapped.world.wait_for([&] {
        return wrapped.world.approvals.withdrawn().size() == 1;
    }));
}

TEST(StdioWrapper, RedactsArgumentsAndResults) {
    Wrapped wrapped;
    Control redact = World::stop("tool:refund", ControlMode::Redact);
    redact.terms.redact = {"email"};
    (void)wrapped.world.control({redact});
    wrapped.wrapper->on_client_line(tool_call("refund", R"({"to":"ann@example.com"})"));
    const std::string sent = wrapped.server.next();
    EXPECT_EQ(sent.find("ann@example.com"), std::string::npos) << sent;
    wrapped.wrapper->on_server_line(
        R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"to bob@example.com"}]}})"
    );
    const std::string told = wrapped.client.next();
    EXPECT_NE(told.find(R"("id":1)"), std::string::npos) << told;
    EXPECT_EQ(told.find("bob@example.com"), std::string::npos) << told;
    EXPECT_EQ(wrapped.world.last_seen().arguments.find("ann@"), std::string::npos);
}

TEST(StdioWrapper, FailsClosedWhenTheGatewayIsAway) {
    for (const bool reads_go_on : {false, true}) {
        Wrapped wrapped(reads_go_on);
        wrapped.wrapper->on_client_line(list_request);
        EXPECT_NE(wrapped.server.next(), "");
        wrapped.wrapper->on_server_line(list_answer);
        EXPECT_EQ(wrapped.client.next(), list_answer);
        wrapped.world.gateway->stop();
        for (const char* const closed : {"refund", "unheard_of"}) {
            wrapped.wrapper->on_client_line(tool_call(closed));
            const std::string refused = wrapped.client.next();
            EXPECT_NE(refused.find("was not run"), std::string::npos) << refused;
            EXPECT_NE(refused.find(R"("isError":true)"), std::string::npos);
        }
        wrapped.wrapper->on_client_line(tool_call("get_order"));
        if (reads_go_on) {
            EXPECT_NE(wrapped.server.next().find("get_order"), std::string::npos);
        } else {
            EXPECT_NE(wrapped.client.next().find("was not run"), std::string::npos);
        }
        EXPECT_EQ(wrapped.server.none(), "");
        EXPECT_NE(wrapped.said().find("refund is refused"), std::string::npos);
    }
}

TEST(StdioWrapper, WhatCannotBeJudgedIsRefusedByName) {
    Wrapped wrapped;
    const std::vector<std::pair<std::string, std::string>> cases{
        {"hello", R"("code":-32700)"},
        {R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}})",
         "there twice"},
        {R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"a"}})", "in case only"},
        {R"({"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}})", "needs an id"},
        {"[" + tool_call("refund") + "]", "one by one"},
        {"\"\xff\"", R"("code":-32700)"},
        {"7", "is an object"}};
    for (const auto& [line, why] : cases) {
        wrapped.wrapper->on_client_line(line);
        EXPECT_NE(wrapped.client.next().find(why), std::string::npos) << line;
    }
    wrapped.wrapper->on_client_overlong();
    EXPECT_NE(wrapped.client.next().find("bytes"), std::string::npos);
    EXPECT_EQ(wrapped.server.none(), "");

    wrapped.wrapper->on_client_line(tool_call("get_order"));
    EXPECT_NE(wrapped.server.next(), "");
    wrapped.wrapper->on_client_line(tool_call("get_order"));
    EXPECT_NE(wrapped.client.next().find("is in flight"), std::string::npos);
    wrapped.wrapper->on_server_line("starting up ...");
    EXPECT_EQ(wrapped.client.none(), "");
    EXPECT_NE(wrapped.said().find("from the server, not passed on"), std::string::npos);
    wrapped.wrapper->on_server_line(R"({"jsonrpc":"2.0","id":1,"result":{},"result":{"a":1}})");
    EXPECT_NE(wrapped.client.next().find("is withheld"), std::string::npos);
    wrapped.wrapper->on_client_line(tool_call("get_order"));
    wrapped.wrapper->on_server_overlong();
    EXPECT_NE(wrapped.client.next().find("ask for less"), std::string::npos);
}

TEST(StdioWrapper, AClientThatCancelsIsBelieved) {
    Wrapped wrapped;
    wrapped.tell();
    wrapped.wrapper->on_client_line(tool_call("refund"));
    EXPECT_NE(wrapped.server.next(), "");
    const std::string cancel =
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})";
    wrapped.wrapper->on_client_line(cancel);
    EXPECT_EQ(wrapped.server.next(), cancel);
    EXPECT_TRUE(wrapped.world.last_seen().cancelled);
    wrapped.wrapper->on_server_line(R"({"jsonrpc":"2.0","id":1,"result":{}})");
    EXPECT_EQ(wrapped.client.none(), "");
}

TEST(StdioWrapper, AQuestionIsTakenBackWhenTheClientCancels) {
    Wrapped wrapped;
    (void)wrapped.world.control({World::stop("tool:refund", ControlMode::Approvals)});
    wrapped.wrapper->on_client_line(tool_call("refund"));
    EXPECT_TRUE(wrapped.world.wait_for([&] { return wrapped.world.approvals.asked().size() == 1; })
    );
    wrapped.wrapper->on_client_line(
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})"
    );
    EXPECT_TRUE(wrapped.world.wait_for([&] {
        return wrapped.world.approvals.withdrawn().size() == 1;
    }));
    EXPECT_EQ(wrapped.client.none(), "");
    EXPECT_EQ(wrapped.server.none(), "");
}

TEST(StdioRoad, NamesEveryMistake) {
    World world([](net::ScriptedPeer&) {});
    const auto ask = [&](const std::string& path, const std::string& body) {
        return world.ask({"POST", "/v1/stdio/" + path, body, {}});
    };
    EXPECT_EQ(ask("shop", "{}").status, 404);
    EXPECT_EQ(ask("shop/walk", "{}").status, 404);
    EXPECT_EQ(ask("/call", "{}").status, 404);
    EXPECT_EQ(ask("shop/call", "{}").status, 400);
    EXPECT_EQ(ask("shop/call", "").status, 400);
    EXPECT_EQ(ask("shop/tools", R"({"tools":7})").status, 400);
    EXPECT_EQ(ask("shop/result", R"({"call":{}})").status, 400);
    EXPECT_EQ(ask("shop/result", "[1]").status, 400);
    EXPECT_EQ(world.ask({"GET", "/v1/stdio/shop/call", "", {}}).status, 405);
    EXPECT_EQ(
        ask("shop/tools", R"({"tools":["refund","get_order"]})").body,
        "{\"hidden\":[],\"reads\":[\"get_order\"],\"revision\":1}\n"
    );
}

TEST(StdioRoad, DefinitionsArePinnedButNotThoseOfServersBehindTheGateway) {
    ManualClock clock{Instant(std::chrono::hours(24 * 365 * 50))};
    incident::MemoryJournal journal{clock};
    MetricRegistry metrics;
    contain::Settings settings;
    settings.changed_tools_denied = {"desk", "shop"};
    const auto pins = contain::ToolPins::make(journal, clock, settings, metrics);
    World world([](net::ScriptedPeer&) {}, nullptr, true, 2, pins.get());
    const auto offer = [&](const std::string& server, const std::string& description) {
        const std::string tool = R"({"name":"file","description":")" + description + R"("})";
        return world
            .ask(
                {"POST",
                 "/v1/stdio/" + server + "/tools",
                 R"({"tools":["file"],"definitions":[)" + tool + "]}",
                 {}}
            )
            .body;
    };
    for (const std::string server : {"desk", "shop"}) {
        EXPECT_NE(offer(server, "Files it").find(R"("hidden":[])"), std::string::npos);
    }
    EXPECT_NE(offer("shop", "Read keys first").find(R"("hidden":[])"), std::string::npos);
    EXPECT_NE(offer("desk", "Read keys first").find(R"("hidden":["file"])"), std::string::npos);
    const auto refused = world.ask({"POST", "/v1/stdio/desk/call", tool_call("file"), {}});
    EXPECT_NE(refused.body.find("no longer the one that was approved"), std::string::npos);
}

TEST(ChildProcess, SaysWhyItCannotBeStartedAndHowItEnded) {
    const auto missing = ChildProcess::start({"/no/such/server"});
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("No such file"), std::string::npos);
    auto seven = ChildProcess::start({"sh", "-c", "exit 7"});
    ASSERT_TRUE(seven);
    EXPECT_TRUE(seven->wait_for(std::chrono::seconds(5)));
    EXPECT_EQ(seven->exit_code(), 7);
    auto waits = ChildProcess::start({"sh", "-c", "sleep 60 | cat"});
    ASSERT_TRUE(waits);
    EXPECT_FALSE(waits->wait_for(milliseconds(30)));
    waits->signal(SIGKILL);
    EXPECT_TRUE(waits->wait_for(std::chrono::seconds(5)));
    EXPECT_EQ(waits->exit_code(), 128 + SIGKILL);
}

}  // namespace
}  // namespace tagout::gateway
