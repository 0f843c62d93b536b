#include "gateway/test_world.h"

#include "gateway/json_scan.h"

#include <gtest/gtest.h>

namespace tagout::gateway {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view ok_result =
    R"({"jsonrpc":"2.0", "id":1,"result":{"content":[{"type":"text","text":"done"}],"n":1.10}})";

/// Answers every request with that, and keeps what was asked.
struct Answers {
    Mutex mutex;
    std::vector<std::string> requests TAGOUT_GUARDED_BY(mutex);

    World::Script with(std::string answer) {
        return [this, answer = std::move(answer)](net::ScriptedPeer& peer) {
            for (std::string request = peer.read_request(); !request.empty();
                 request = peer.read_request()) {
                {
                    const MutexLock lock(mutex);
                    requests.push_back(request);
                }
                peer.send(answer);
            }
        };
    }
    std::vector<std::string> asked() {
        const MutexLock lock(mutex);
        return requests;
    }
};

TEST(McpRoad, PassesACallWithoutChangingAByte) {
    Answers upstream;
    World world(upstream.with(
        http_answer("application/json", ok_result, "Mcp-Session-Id: s1\r\nX-New: 1\r\n")
    ));
    const std::string body =
        tool_call("refund", R"({ "amount": 1.10000000000000000001, "b":"\u0041" })");
    const auto answer = world.mcp(
        body,
        {{"Mcp-Session-Id", "s1"},
         {"Mcp-Param-Region", "eu"},
         {"tagout-agent", "refund-bot"},
         {"tagout-session", "conv-9"},
         {"Connection", "X-Hop"},
         {"X-Hop", "1"},
         {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
    );
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, ok_result);
    EXPECT_EQ(answer.header("Mcp-Session-Id"), "s1");
    EXPECT_EQ(answer.header("X-New"), "1");
    const auto asked = upstream.asked();
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_TRUE(asked[0].starts_with(
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(world.tools_port())
    ));
    EXPECT_TRUE(asked[0].ends_with("\r\n\r\n" + body));
    EXPECT_NE(asked[0].find("Mcp-Param-Region: eu"), std::string::npos);
    EXPECT_NE(asked[0].find("traceparent: 00-0af"), std::string::npos);
    EXPECT_EQ(asked[0].find("tagout-"), std::string::npos)
        << "who calls is not the upstream's business";
    const SeenCall seen = world.last_seen();
    EXPECT_EQ(seen.tool, "refund");
    EXPECT_EQ(seen.server, "shop");
    EXPECT_EQ(seen.agent, "refund-bot");
    EXPECT_EQ(seen.session, "conv-9");
    EXPECT_EQ(seen.arguments, R"({ "amount": 1.10000000000000000001, "b":"\u0041" })");
    EXPECT_EQ(seen.result, R"({"content":[{"type":"text","text":"done"}],"n":1.10})");
    EXPECT_EQ(seen.verdict, Verdict::Allow);
    EXPECT_EQ(seen.http_status, 200);
    EXPECT_FALSE(seen.is_error);
    EXPECT_FALSE(seen.cancelled);
    EXPECT_GE(seen.ended_at, seen.started_at);
}

TEST(McpRoad, StatusesBodiesAndMethodsArePassedOn) {
    struct Row {
        const char* method;
        std::string answer;
        int status;
        const char* body;
    };
    const std::vector<Row> rows{
        {"POST", "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202, ""},
        {"GET", http_answer("text/plain", "no GET", "Allow: POST\r\n", 405), 405, "no GET"},
        {"DELETE", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"POST", http_answer("application/json", "{\"error\":1}", "", 404), 404, "{\"error\":1}"},
        {"POST",
         http_answer("application/json", "not json at all", "", 500),
         500,
         "not json at all"},
    };
    for (const Row& row : rows) {
        Answers upstream;
        World world(upstream.with(row.answer));
        const std::string body = std::string(row.method) == "POST"
                                     ? R"({"jsonrpc":"2.0","method":"notifications/x"})"
                                     : "";
        const auto answer = world.ask({row.method, "/mcp/shop?session=7", body});
        EXPECT_EQ(answer.status, row.status) << row.answer;
        EXPECT_EQ(answer.body, row.body);
        ASSERT_EQ(upstream.asked().size(), 1U);
        EXPECT_TRUE(upstream.asked()[0].starts_with(std::string(row.method) + " /mcp?session=7 "));
    }
}

TEST(McpRoad, AStoppedToolIsAnsweredAsAResultThatBothErasTake) {
    Answers upstream;
    World world(upstream.with(http_answer("application/json", ok_result)));
    ASSERT_LT(world.control({World::stop("tool:refund")}), milliseconds(2000));
    for (const bool modern : {false, true}) {
        const auto answer = world.mcp(tool_call("refund", "{\"amount\":5}", modern));
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.header("Content-Type"), "application/json");
        ASSERT_TRUE(check_json(answer.body)) << answer.body;
        const RawJson result = member(answer.body, "result");
        EXPECT_EQ(member(answer.body, "id"), "1");
        EXPECT_EQ(member(result, "isError"), "true");
        EXPECT_EQ(member(result, "resultType"), modern ? "\"complete\"" : "");
        EXPECT_NE(member(result, "content").find("pays twice"), std::string::npos)
            << "the model is told why";
        const RawJson decision = member(member(result, "_meta"), "dev.tagout/decision");
        EXPECT_EQ(member(decision, "verdict"), "\"deny\"");
        EXPECT_EQ(member(decision, "control"), "\"CTL-7\"");
        EXPECT_EQ(member(decision, "revision"), "2");
        EXPECT_EQ(member(decision, "incident"), "\"INC-3\"");
    }
    const auto events =
        world.ask({"POST", "/mcp/shop", tool_call("refund"), {{"Accept", "text/event-stream"}}});
    EXPECT_EQ(events.header("Content-Type"), "text/event-stream");
    EXPECT_TRUE(events.body.starts_with("event: message\ndata: {"))
        << "a client that takes events only";
    EXPECT_EQ(world.tool_requests, 0) << "a stopped call reached its upstream";
    const SeenCall seen = world.last_seen(3);
    EXPECT_EQ(seen.verdict, Verdict::Deny);
    EXPECT_EQ(seen.decided_by, "CTL-7");
    EXPECT_TRUE(seen.is_error);
    EXPECT_EQ(seen.http_status, 0);
    EXPECT_FALSE(seen.cancelled) << "it never ran";
    EXPECT_EQ(world.mcp(tool_call("get_order")).body, ok_result) << "other tools go on";
}

TEST(McpRoad, AnAgentIsKnownByHeaderBaggageOrItsClientsName) {
    Answers upstream;
    World world(upstream.with(http_answer("application/json", ok_result, "Mcp-Session-Id: s1\r\n"))
    );
    world.control({World::stop("agent:bad-*")});
    const auto is_stopped = [&](const std::string& body, net::Headers headers) {
        return world.mcp(body, std::move(headers)).body.find("\"isError\":true") !=
               std::string::npos;
    };
    EXPECT_TRUE(is_stopped(tool_call("x"), {{"tagout-agent", "bad-bot"}}));
    EXPECT_TRUE(is_stopped(tool_call("x"), {{"baggage", "a=b, gen_ai.agent.name=bad%2Dbot;p=1"}}));
    EXPECT_FALSE(is_stopped(
        tool_call("x"), {{"tagout-agent", "good"}, {"baggage", "gen_ai.agent.name=bad-bot"}}
    ));
    EXPECT_FALSE(is_stopped(tool_call("x"), {}));
    const std::string initialize =
        R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"clientInfo":{"name":"bad-client"}}})";
    EXPECT_FALSE(is_stopped(initialize, {})) << "the handshake passes";
    EXPECT_TRUE(is_stopped(tool_call("x"), {{"Mcp-Session-Id", "s1"}}))
        << "the session is remembered";
    EXPECT_FALSE(is_stopped(tool_call("x"), {{"Mcp-Session-Id", "other"}}));
}

TEST(McpRoad, HiddenToolsAreCutFromLists) {
    const std::string list =
        R"({"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"refund"}, {"name":"get_order","x":1.0}],"ttlMs":99999,"cacheScope":"public"}})";
    const std::string cut =
        R"({"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get_order","x":1.0}],"ttlMs":2000,"cacheScope":"private"}})";
    const std::string ask = R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})";
    for (const bool events : {false, true}) {
        Answers upstream;
        World world(upstream.with(
            events
                ? http_answer(
                      "text/event-stream", ": hi\n\nid: 4\nevent: message\ndata: " + list + "\n\n"
                  )
                : http_answer("application/json; charset=utf-8", list)
        ));
        const std::string before = world.mcp(ask).body;
        EXPECT_NE(before.find("refund"), std::string::npos);
        EXPECT_NE(before.find("\"ttlMs\":2000"), std::string::npos) << "a stop must show soon";
        world.control({World::stop("tool:refund")});
        EXPECT_EQ(
            world.mcp(ask).body,
            events ? ": hi\n\nid: 4\nevent: message\ndata: " + cut + "\n\n" : cut
        );
        world.control({});
        EXPECT_EQ(world.mcp(ask).body, before);
    }
}

TEST(McpRoad, ACallInFlightIsRefusedAtOnceAndItsUpstreamClosed) {
    std::atomic<bool> saw_close{false};
    Mutex mutex;
    std::string notice;
    World world([&](net::ScriptedPeer& peer) {
        const std::string request = peer.read_request();
        if (request.find("notifications/cancelled") != std::string::npos) {
            const MutexLock lock(mutex);
            notice = request;
            peer.send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        saw_close = peer.sees_close(5000);
    });
    net::RawSocket client(world.gateway->port());
    client.send(World::raw_post("/mcp/shop", tool_call("refund")));
    ASSERT_TRUE(world.wait_for([&] {
        return world.tool_requests == 1 && world.gateway->in_flight() == 1;
    }));
    ASSERT_LT(world.control({World::stop("tool_class:write")}), milliseconds(2000));
    ASSERT_TRUE(client.read_until("\"isError\":true", 1000)) << client.received;
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200"));
    EXPECT_TRUE(world.wait_for([&] { return saw_close.load(); }));
    EXPECT_TRUE(world.wait_for([&] {
        const MutexLock lock(mutex);
        return notice.find("\"requestId\":1") != std::string::npos;
    })) << "in the legacy era a closed connection cancels nothing";
    const SeenCall seen = world.last_seen();
    EXPECT_TRUE(seen.cancelled);
    EXPECT_EQ(seen.verdict, Verdict::Deny);
    EXPECT_EQ(seen.decided_by, "CTL-7");
    EXPECT_EQ(world.gateway->in_flight(), 0U);
    client.received.clear();
    client.send(World::raw_post("/mcp/shop", tool_call("refund")));
    EXPECT_TRUE(client.read_until("\"isError\":true", 1000)) << "the connection goes on being used";
}

TEST(McpRoad, ACallThatStreamsIsEndedBetweenItsEvents) {
    World world([](net::ScriptedPeer& peer) {
        peer.read_request();
        peer.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: "
            "{\"progress\":1}\n\ndata: {\"half"
        );
        peer.sees_close(5000);
    });
    net::RawSocket client(world.gateway->port());
    client.send(World::raw_post("/mcp/shop", tool_call("refund", "{}", true)));
    ASSERT_TRUE(client.read_until("progress"));
    world.control({World::stop("global")});
    ASSERT_TRUE(client.read_until("\r\n0\r\n\r\n", 1000))
        << "the stream did not end: " << client.received;
    EXPECT_EQ(client.received.find("half"), std::string::npos) << "an event was broken in two";
    EXPECT_NE(
        client.received.find("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"), std::string::npos
    );
    EXPECT_TRUE(world.last_seen().cancelled);
}

TEST(McpRoad, ACallOfAnotherToolInFlightIsLeftAlone) {
    World world([](net::ScriptedPeer& peer) {
        peer.read_request();
        peer.pause(150);
        peer.send(http_answer("application/json", ok_result));
    });
    net::RawSocket client(world.gateway->port());
    client.send(World::raw_post("/mcp/shop", tool_call("get_order")));
    ASSERT_TRUE(world.wait_for([&] { return world.gateway->in_flight() == 1; }));
    world.control({World::stop("tool:refund")});
    EXPECT_TRUE(client.read_until(ok_result)) << client.received;
}

TEST(McpRoad, StreamsTellOfToolsThatCameAndWent) {
    const std::string list = R"({"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"refund"}]}})";
    World world([&](net::ScriptedPeer& peer) {
        for (std::string request = peer.read_request(); !request.empty();
             request = peer.read_request()) {
            if (request.find("tools/list\"") != std::string::npos) {
                peer.send(http_answer("application/json", list));
                continue;
            }
            peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            peer.send(request.starts_with("GET") ? "id: 5\ndata: {}\n\n" : "data: {\"ack\":1}\n\n");
            peer.sees_close(5000);
            return;
        }
    });
    EXPECT_NE(
        world.mcp(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").body.find("refund"),
        std::string::npos
    );
    net::RawSocket legacy(world.gateway->port());
    legacy.send("GET /mcp/shop HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    ASSERT_TRUE(legacy.read_until("id: 5\ndata: {}\n\n"));
    const auto listen = [](bool tools) {
        return R"({"jsonrpc":"2.0","id":"sub-1","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":)" +
               std::string(tools ? "true" : "false") +
               R"(},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})";
    };
    net::RawSocket modern(world.gateway->port());
    modern.send(World::raw_post("/mcp/shop", listen(true)));
    ASSERT_TRUE(modern.read_until("ack"));
    net::RawSocket other(world.gateway->port());
    other.send(World::raw_post("/mcp/shop", listen(false)));
    ASSERT_TRUE(other.read_until("ack"));
    world.control({World::stop("tool:refund")});
    EXPECT_TRUE(legacy.read_until(
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n", 1000
    )) << legacy.received;
    EXPECT_TRUE(
        modern.read_until("\"io.modelcontextprotocol/subscriptionId\":\"sub-1\"}}}\n\n", 1000)
    ) << modern.received;
    other.read_some(100);
    EXPECT_EQ(other.received.find("list_changed"), std::string::npos) << "it had not asked";
    legacy.received.clear();
    world.control({World::stop("tool:refund"), World::stop("tool:never_offered")});
    legacy.read_some(100);
    EXPECT_EQ(legacy.received, "") << "nothing changed in its list";
    world.control({});
    EXPECT_TRUE(legacy.read_until("list_changed", 1000)) << "it is back";
}

TEST(McpRoad, AClientThatGoesCancelsItsCall) {
    std::atomic<bool> saw_close{false};
    World world([&](net::ScriptedPeer& peer) {
        peer.read_request();
        saw_close = peer.sees_close(5000);
    });
    {
        net::RawSocket client(world.gateway->port());
        client.send(World::raw_post("/mcp/shop", tool_call("refund")));
        ASSERT_TRUE(world.wait_for([&] { return world.gateway->in_flight() == 1; }));
    }
    EXPECT_TRUE(world.wait_for([&] { return saw_close.load(); }));
    EXPECT_TRUE(world.last_seen().cancelled) << "a write may have happened";
    EXPECT_EQ(world.gateway->in_flight(), 0U);
}

TEST(McpRoad, CallsThatNeedAPersonWaitForOne) {
    Answers upstream;
    World world(upstream.with(http_answer("application/json", ok_result)));
    world.control({World::stop("agent:*", ControlMode::Approvals)});
    const auto held = [&](net::RawSocket& client, std::size_t count) {
        client.send(
            World::raw_post("/mcp/shop", tool_call("refund", "{\"n\":1}"), "tagout-agent: bot\r\n")
        );
        return world.wait_for([&] { return world.approvals.asked().size() == count; });
    };
    net::RawSocket approved(world.gateway->port());
    ASSERT_TRUE(held(approved, 1));
    EXPECT_EQ(world.approvals.asked()[0], "refund {\"n\":1} CTL-7");
    approved.read_some(50);
    EXPECT_EQ(approved.received, "") << "it did not wait";
    EXPECT_EQ(world.tool_requests, 0);
    world.approvals.answer(0, contain::ApprovalAnswer::Approved, "fine");
    EXPECT_TRUE(approved.read_until(ok_result, 1000));
    EXPECT_EQ(world.last_seen(1).verdict, Verdict::Allow);
    EXPECT_EQ(world.last_seen(1).reason, "approved by person:ann: fine");

    net::RawSocket denied(world.gateway->port());
    ASSERT_TRUE(held(denied, 2));
    world.approvals.answer(1, contain::ApprovalAnswer::Denied, "wrong amount");
    EXPECT_TRUE(denied.read_until("wrong amount", 1000)) << denied.received;
    EXPECT_NE(denied.received.find("\"isError\":true"), std::string::npos);

    net::RawSocket stopped(world.gateway->port());
    ASSERT_TRUE(held(stopped, 3));
    world.control({World::stop("agent:bot")});
    EXPECT_TRUE(stopped.read_until("\"isError\":true", 1000)) << "stopped while it waited";
    EXPECT_EQ(world.approvals.withdrawn(), std::vector<std::string>{"APR-3"});

    world.control({World::stop("agent:*", ControlMode::Approvals)});
    net::RawSocket released(world.gateway->port());
    ASSERT_TRUE(held(released, 4));
    world.control({});
    EXPECT_TRUE(released.read_until(ok_result, 1000)) << "nobody needs to be asked any more";

    world.control({World::stop("agent:*", ControlMode::Approvals)});
    {
        net::RawSocket gone(world.gateway->port());
        ASSERT_TRUE(held(gone, 5));
    }
    EXPECT_TRUE(world.wait_for([&] { return world.approvals.withdrawn().size() == 3; }));
    world.approvals.full = true;
    EXPECT_NE(
        world.mcp(tool_call("refund"), {{"tagout-agent", "bot"}}).body.find("too many calls wait"),
        std::string::npos
    );
}

TEST(McpRoad, ABatchWithAStoppedCallIsNotSent) {
    Answers upstream;
    World world(upstream.with(http_answer("application/json", "[]")));
    world.control({World::stop("tool:refund")});
    const std::string batch =
        R"([{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"refund"}},)"
        R"({"jsonrpc":"2.0","id":"two","method":"tools/call","params":{"name":"get_order"}}])";
    const auto answer = world.mcp(batch);
    EXPECT_EQ(answer.status, 200);
    ASSERT_TRUE(check_json(answer.body)) << answer.body;
    EXPECT_NE(answer.body.find(R"({"jsonrpc":"2.0","id":1,"result":)"), std::string::npos);
    EXPECT_NE(answer.body.find(R"({"jsonrpc":"2.0","id":"two","error":)"), std::string::npos);
    EXPECT_NE(answer.body.find("send the others without it"), std::string::npos);
    EXPECT_EQ(world.tool_requests, 0);
    world.control({});
    EXPECT_EQ(world.mcp(batch).body, "[]");
    EXPECT_TRUE(upstream.asked()[0].ends_with(batch));
}

TEST(McpRoad, WhatCouldBeReadInTwoWaysIsRefused) {
    Answers upstream;
    World world(upstream.with(http_answer("application/json", ok_result)));
    world.control({World::stop("tool:refund")});
    const std::string twice =
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_order","name":"refund"}})";
    EXPECT_EQ(world.mcp(twice).status, 400);
    EXPECT_EQ(
        world.ask({"POST", "/mcp/shop", tool_call("x"), {{"Content-Encoding", "gzip"}}}).status, 415
    );
    EXPECT_EQ(
        world
            .ask(
                {"POST",
                 "/mcp/shop",
                 tool_call("x"),
                 {{"Content-Type", "application/json; charset=utf-7"}}}
            )
            .status,
        415
    );
    EXPECT_EQ(world.ask({"PUT", "/mcp/shop", tool_call("x")}).status, 405);
    net::RawSocket get(world.gateway->port());
    get.send("GET /mcp/shop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
    EXPECT_TRUE(get.read_until("HTTP/1.1 400"));
    net::RawSocket smuggler(world.gateway->port());
    smuggler.send(
        "POST /mcp/shop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n"
    );
    EXPECT_TRUE(smuggler.read_until("HTTP/1.1 400"));
    const auto mismatch = world.mcp(
        tool_call("refund", "{}", true), {{"Mcp-Method", "tools/call"}, {"Mcp-Name", "get_order"}}
    );
    EXPECT_EQ(mismatch.status, 400);
    EXPECT_NE(mismatch.body.find("-32020"), std::string::npos);
    EXPECT_EQ(world.tool_requests, 0);
}

TEST(McpRoad, OtherSitesPagesAreRefused) {
    Answers upstream;
    World world(upstream.with(http_answer("application/json", ok_result)));
    const auto status = [&](net::Headers headers) {
        return world.mcp(tool_call("x"), std::move(headers)).status;
    };
    EXPECT_EQ(status({{"Origin", "http://localhost:3000"}}), 200);
    EXPECT_EQ(status({{"Origin", "https://evil.example"}}), 403);
    EXPECT_EQ(status({{"Origin", "null"}}), 403);
    net::RawSocket rebound(world.gateway->port());
    rebound.send("GET /mcp/shop HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    EXPECT_TRUE(rebound.read_until("HTTP/1.1 403"));
    EXPECT_EQ(world.tool_requests, 1);
}

TEST(McpRoad, UpstreamsThatLieOrAreGoneAreSaidToBe) {
    struct Row {
        std::string answer;
        const char* what;
    };
    const std::vector<Row> rows{
        {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
         "5\r\nTransfer-Encoding: chunked\r\n\r\n",
         "two lengths"},
        {"", "closed without a word"},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n",
         "no body"},
    };
    for (const Row& row : rows) {
        World world([&](net::ScriptedPeer& peer) {
            peer.read_request();
            peer.send(row.answer);
        });
        const auto answer = world.mcp(tool_call("x"));
        EXPECT_EQ(answer.status, 502) << row.what;
        EXPECT_NE(answer.body.find("'shop' did not answer"), std::string::npos) << answer.body;
        EXPECT_TRUE(world.last_seen().is_error);
    }
    World world([](net::ScriptedPeer& peer) {
        peer.read_request();
        peer.send(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
            "500\r\n\r\n{\"half\""
        );
    });
    net::RawSocket client(world.gateway->port());
    client.send(World::raw_post("/mcp/shop", tool_call("x")));
    EXPECT_TRUE(client.read_to_end(3000)) << "a cut answer must look cut";
    EXPECT_NE(client.received.find("Content-Length: 500"), std::string::npos);
    EXPECT_EQ(world.ask({"POST", "/mcp/gone", tool_call("x")}).status, 502);
    const auto unknown = world.ask({"POST", "/mcp/nobody", tool_call("x")});
    EXPECT_EQ(unknown.status, 404);
    EXPECT_NE(
        unknown.body.find("mcp_servers in tagout.yaml (known: shop, gone)"), std::string::npos
    ) << unknown.body;
}

TEST(McpRoad, LargeAnswersPassAndAreClippedInTheRecord) {
    const std::string text(5 * 1024 * 1024, 'a');
    Answers upstream;
    World world(upstream.with(
        http_answer("application/json", R"({"id":1,"result":{"text":")" + text + R"("}})")
    ));
    EXPECT_EQ(world.mcp(tool_call("x")).body.size(), text.size() + 29);
    EXPECT_EQ(world.last_seen().result.size(), call_text_bytes_max);
    EXPECT_EQ(world.mcp(tool_call("x", "\"" + std::string(1024 * 1024, 'b') + "\"")).status, 413);
}

TEST(McpRoad, ALargeEventGoesOutWhole) {
    const std::string text(5 * 1024 * 1024, 'a');
    const std::string event = "data: {\"id\":1,\"result\":{\"text\":\"" + text + "\"}}\n\n";
    Answers upstream;
    World world(upstream.with(http_answer("text/event-stream", event)));
    EXPECT_EQ(world.mcp(tool_call("x")).body, event);
    EXPECT_FALSE(world.last_seen().is_error);
}

TEST(McpRoad, APacedStreamIsNotDelayed) {
    constexpr int events = 12;
    World world([](net::ScriptedPeer& peer) {
        peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        for (int i = 0; i < events; ++i) {
            peer.pause(25);
            peer.send("data: {\"n\":" + std::to_string(i) + "}\n\n");
        }
        peer.send("data: " + std::string(ok_result) + "\n\n");
    });
    // One after the other over the same upstream script: what the gateway adds is the difference.
    const auto arrivals = [&](std::uint16_t port, std::string_view path) {
        net::RawSocket client(port);
        client.send(World::raw_post(path, tool_call("x")));
        EXPECT_TRUE(client.read_until("text/event-stream"));
        std::vector<Duration> gaps;
        Instant last = world.clock.now();
        for (int i = 0; i < events; ++i) {
            EXPECT_TRUE(client.read_until("{\"n\":" + std::to_string(i) + "}"));
            gaps.push_back(world.clock.now() - last);
            last = world.clock.now();
        }
        std::ranges::sort(gaps);
        return gaps;
    };
    const auto direct = arrivals(world.tools_port(), "/mcp");
    const auto through = arrivals(world.gateway->port(), "/mcp/shop");
    const std::size_t middle = events / 2;
    EXPECT_GT(through.front(), milliseconds(5)) << "events were held and came together";
    EXPECT_LT(through[middle], direct[middle] + milliseconds(15));
}

TEST(Gateway, NothingPassesBeforeControlsAreInForce) {
    Answers upstream;
    World world(upstream.with(http_answer("application/json", ok_result)), nullptr, false);
    for (const char* path : {"/mcp/shop", "/model/openai/chat", "/v1/decide", "/-/healthy"}) {
        const auto answer = world.ask({"POST", path, tool_call("x")});
        EXPECT_EQ(answer.status, 503) << path;
        EXPECT_EQ(answer.header("Retry-After"), "1");
    }
    EXPECT_EQ(world.tool_requests, 0);
    world.control({});
    EXPECT_EQ(world.mcp(tool_call("x")).status, 200);
    EXPECT_EQ(world.ask({"GET", "/-/healthy", ""}).status, 200);
}

TEST(Gateway, ManyCallsAndChangesAtOnce) {
    Answers upstream;
    World world(upstream.with(http_answer("application/json", ok_result)));
    std::atomic<int> passed{0};
    std::atomic<int> refused{0};
    std::atomic<int> other{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&] {
            for (int k = 0; k < 60; ++k) {
                const auto answer = world.mcp(tool_call("refund"));
                if (answer.body == ok_result) {
                    ++passed;
                } else {
                    answer.body.find("\"isError\":true") != std::string::npos ? ++refused : ++other;
                }
            }
        });
    }
    for (int k = 0; k < 20; ++k) {
        world.control(
            k % 2 == 0 ? std::vector<Control>{World::stop("tool:refund")} : std::vector<Control>{}
        );
        std::this_thread::sleep_for(milliseconds(2));
    }
    for (std::thread& client : clients) {
        client.join();
    }
    EXPECT_EQ(passed + refused, 240);
    EXPECT_EQ(other, 0);
    EXPECT_EQ(world.gateway->in_flight(), 0U);
}

}  // namespace
}  // namespace tagout::gateway
