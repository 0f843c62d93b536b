#include "gateway/test_world.h"

#include "gateway/json_scan.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tagout::gateway {
namespace {

using std::chrono::milliseconds;

const std::string chat =
    R"({"model":"gpt-5","messages":[{"role":"user","content":"hi"}],"temperature":0.10})";

World::Script echoing(std::string answer, Mutex& mutex, std::vector<std::string>& requests) {
    return [answer = std::move(answer), &mutex, &requests](net::ScriptedPeer& peer) {
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

TEST(ModelRoad, PassesRequestsAndAddsTheKeyWhereNoneIsSent) {
    ::setenv("TAGOUT_TEST_KEY", "sk-test", 1);
    Mutex mutex;
    std::vector<std::string> requests;
    World world(
        [](net::ScriptedPeer&) {},
        echoing(http_answer("application/json", "{\"ok\":1.0}"), mutex, requests)
    );
    const auto answer = world.ask(
        {"POST",
         "/model/openai/chat/completions?x=%2F1",
         chat,
         {{"tagout-agent", "bot"}, {"tagout-user", "eve"}}}
    );
    EXPECT_EQ(answer.body, "{\"ok\":1.0}");
    EXPECT_EQ(world.ask({"GET", "/model/anthropic/v1/models", ""}).status, 200);
    EXPECT_EQ(
        world.ask({"POST", "/model/openai/x", chat, {{"Authorization", "Bearer own"}}}).status, 200
    );
    const MutexLock lock(mutex);
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_TRUE(requests[0].starts_with("POST /v1/chat/completions?x=%2F1 HTTP/1.1\r\n"))
        << requests[0];
    EXPECT_TRUE(requests[0].ends_with("\r\n\r\n" + chat));
    EXPECT_NE(requests[0].find("Authorization: Bearer sk-test\r\n"), std::string::npos);
    EXPECT_EQ(requests[0].find("tagout-"), std::string::npos);
    EXPECT_TRUE(requests[1].starts_with("GET /v1/models HTTP/1.1\r\n"));
    EXPECT_NE(requests[2].find("Authorization: Bearer own\r\n"), std::string::npos);
    EXPECT_EQ(requests[2].find("sk-test"), std::string::npos) << "the client's own key goes first";
    ASSERT_EQ(world.seen().size(), 2U) << "requests without a call are not recorded";
    EXPECT_EQ(world.seen()[0].kind, CallKind::Model);
    EXPECT_EQ(world.seen()[0].tool, "gpt-5");
    EXPECT_EQ(world.seen()[0].server, "openai");
    EXPECT_EQ(world.seen()[0].agent, "bot");
    EXPECT_EQ(world.seen()[0].result, "{\"ok\":1.0}");
}

TEST(ModelRoad, AStoppedModelIsRefusedInItsProtocol) {
    World world([](net::ScriptedPeer&) {});
    world.control({World::stop("model:gpt-*")});
    const auto openai = world.ask({"POST", "/model/openai/chat/completions", chat});
    EXPECT_EQ(openai.status, 403) << "a 5xx would be asked again and again";
    EXPECT_EQ(openai.header("x-should-retry"), "false");
    const RawJson error = member(openai.body, "error");
    EXPECT_NE(member(error, "message").find("pays twice"), std::string::npos);
    EXPECT_EQ(member(error, "type"), "\"permission_error\"");
    const auto anthropic = world.ask({"POST", "/model/anthropic/v1/messages", chat});
    EXPECT_EQ(anthropic.status, 403);
    EXPECT_EQ(member(anthropic.body, "type"), "\"error\"");
    EXPECT_EQ(member(member(anthropic.body, "error"), "type"), "\"permission_error\"");
    EXPECT_EQ(world.model_requests, 0);
    EXPECT_EQ(world.last_seen(2).verdict, Verdict::Deny);
    for (const char* scope : {"agent:bot", "session:conv-1", "global"}) {
        world.control({World::stop(scope)});
        EXPECT_EQ(
            world
                .ask(
                    {"POST",
                     "/model/openai/chat/completions",
                     "{\"model\":\"other\"}",
                     {{"tagout-agent", "bot"}, {"tagout-session", "conv-1"}}}
                )
                .status,
            403
        ) << scope;
    }
}

TEST(ModelRoad, AStreamIsCutWithAnErrorThatClientsUnderstand) {
    for (const bool openai : {true, false}) {
        std::atomic<bool> saw_close{false};
        World world(
            [](net::ScriptedPeer&) {},
            [&](net::ScriptedPeer& peer) {
                peer.read_request();
                peer.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: "
                    "{\"delta\":\"a\"}\n\ndata: {\"ha"
                );
                saw_close = peer.sees_close(5000);
            }
        );
        net::RawSocket client(world.gateway->port());
        client.send(World::raw_post(
            openai ? "/model/openai/chat/completions" : "/model/anthropic/v1/messages", chat
        ));
        ASSERT_TRUE(client.read_until("delta"));
        world.control({World::stop("model:gpt-5")});
        ASSERT_TRUE(client.read_until("\r\n0\r\n\r\n", 1000)) << client.received;
        EXPECT_NE(
            client.received.find(
                openai ? "data: {\"error\":{\"message\":"
                       : "event: error\ndata: {\"type\":\"error\","
            ),
            std::string::npos
        ) << client.received;
        EXPECT_EQ(client.received.find("\"ha"), std::string::npos) << "an event was broken in two";
        EXPECT_TRUE(world.wait_for([&] { return saw_close.load(); }));
        EXPECT_TRUE(world.last_seen().cancelled);
    }
}

TEST(ModelRoad, ARequestInFlightIsRefusedAtOnce) {
    World world(
        [](net::ScriptedPeer&) {},
        [](net::ScriptedPeer& peer) {
            peer.read_request();
            peer.sees_close(5000);
        }
    );
    net::RawSocket client(world.gateway->port());
    client.send(World::raw_post("/model/openai/chat/completions", chat));
    ASSERT_TRUE(world.wait_for([&] { return world.gateway->in_flight() == 1; }));
    world.control({World::stop("global")});
    EXPECT_TRUE(client.read_until("HTTP/1.1 403", 1000));
}

TEST(ModelRoad, WhatCannotBeJudgedIsRefused) {
    World world([](net::ScriptedPeer&) {});
    const auto status =
        [&](const std::string& path, const std::string& body, net::Headers headers = {}) {
            return world.ask({"POST", path, body, std::move(headers)}).status;
        };
    EXPECT_EQ(status("/model/openai/x", R"({"model":"a","model":"b"})"), 400);
    EXPECT_EQ(status("/model/openai/x", R"({"model":"a","MODEL":"b"})"), 400);
    EXPECT_EQ(status("/model/openai/x", R"({"model":)"), 400);
    EXPECT_EQ(status("/model/openai/x", chat, {{"Content-Encoding", "gzip"}}), 400);
    EXPECT_EQ(status("/model/openai/../admin", chat), 400);
    EXPECT_EQ(status("/model/openai/%2e%2e/admin", chat), 400);
    EXPECT_EQ(status("/model/nobody/x", chat), 404);
    net::RawSocket socket(world.gateway->port());
    socket.send(
        "GET /model/openai/responses HTTP/1.1\r\nHost: localhost\r\nConnection: "
        "Upgrade\r\nUpgrade: websocket\r\n\r\n"
    );
    EXPECT_TRUE(socket.read_until("HTTP/1.1 400"));
    EXPECT_EQ(world.model_requests, 0);
}

TEST(DecideRoad, AnswersAsTheGatewayWouldDecide) {
    World world([](net::ScriptedPeer&) {});
    const auto ask = [&](const std::string& body) {
        return world.ask({"POST", "/v1/decide", body});
    };
    EXPECT_EQ(member(ask(R"({"tool":"refund"})").body, "verdict"), "\"allow\"");
    world.control(
        {World::stop("tool:refund"), World::stop("workflow:returns", ControlMode::Observe)}
    );
    const auto denied = ask(R"({"kind":"tool","tool":"refund","agent":"a","arguments":{"n":1}})");
    EXPECT_EQ(denied.status, 200);
    EXPECT_EQ(member(denied.body, "verdict"), "\"deny\"");
    EXPECT_EQ(member(denied.body, "decided_by"), "\"CTL-7\"");
    EXPECT_EQ(member(denied.body, "revision"), "2");
    EXPECT_EQ(member(ask(R"({"tool":"x","workflow":"returns"})").body, "shadow"), "\"CTL-7\"");
    EXPECT_EQ(ask(R"({"tol":"x"})").status, 400);
    EXPECT_NE(ask(R"({"tol":"x"})").body.find("'tol' is not known here"), std::string::npos);
    EXPECT_EQ(ask(R"({"tool":1})").status, 400);
    EXPECT_EQ(ask(R"({"kind":"thing"})").status, 400);
    EXPECT_EQ(ask("[]").status, 400);
    EXPECT_EQ(ask("").status, 400);
    EXPECT_EQ(world.ask({"GET", "/v1/decide", ""}).status, 405);
}

TEST(VersionRoad, AgentsFetchByLabelAndAskWhetherItChanged) {
    World world([](net::ScriptedPeer&) {});
    const auto first = world.ask({"GET", "/v1/prompts/support?label=canary", ""});
    EXPECT_EQ(first.body, "{\"content\":\"prompts canary\"}");
    EXPECT_EQ(first.header("ETag"), "\"v1\"");
    EXPECT_EQ(
        world.ask({"GET", "/v1/policies/support", ""}).body, "{\"content\":\"policies production\"}"
    );
    EXPECT_EQ(
        world.ask({"GET", "/v1/prompts/support", "", {{"If-None-Match", "\"v0\", \"v1\""}}}).status,
        304
    );
    EXPECT_EQ(
        world.ask({"GET", "/v1/prompts/support", "", {{"If-None-Match", "\"v0\""}}}).status, 200
    );
    EXPECT_EQ(world.ask({"GET", "/v1/prompts/nobody", ""}).status, 404);
    EXPECT_EQ(world.ask({"GET", "/v1/secrets/support", ""}).status, 404);
}

struct ProbeRow {
    const char* scope;
    ControlMode mode;
    std::vector<std::string> roads;
    Verdict verdict;
};

class ProbeTable : public testing::TestWithParam<ProbeRow> {};

TEST_P(ProbeTable, GoesOverEveryRoadThatTheControlBitesOn) {
    const ProbeRow& row = GetParam();
    World world([](net::ScriptedPeer&) {});
    Control control = World::stop(row.scope, row.mode);
    control.allowed = {"get_order"};
    control.route_to = WorkflowName("fallback");
    for (const bool in_force : {false, true}) {
        if (in_force) {
            world.control({control});
        }
        std::vector<std::string> roads;
        for (const contain::ProbeResult& probe : world.gateway->probe(control)) {
            roads.push_back(probe.road);
            EXPECT_TRUE(probe.reached) << probe.road << ": " << probe.detail;
            EXPECT_EQ(probe.verdict, in_force ? row.verdict : Verdict::Allow)
                << probe.road << ": " << probe.detail;
            EXPECT_EQ(probe.decided_by, in_force ? "CTL-7" : "") << probe.road;
            EXPECT_EQ(probe.revision, in_force ? 2U : 1U);
        }
        EXPECT_EQ(roads, row.roads);
    }
    EXPECT_EQ(world.tool_requests, 0) << "a probe reached an upstream";
    EXPECT_EQ(world.model_requests, 0) << "a probe reached an upstream";
    EXPECT_TRUE(world.seen().empty()) << "a probe is no call of an agent";
    EXPECT_TRUE(world.approvals.asked().empty()) << "a person was asked about a probe";
}

const std::vector<std::string> all_roads{
    "mcp:shop",         "mcp:gone",          "model:openai", "model:anthropic",
    "workflow:returns", "workflow:fallback", "decide"};
const std::vector<std::string> tool_roads{
    "mcp:shop", "mcp:gone", "model:openai", "model:anthropic", "decide"};
const std::vector<std::string> shop_roads{
    "mcp:shop", "model:openai", "model:anthropic", "decide"};

INSTANTIATE_TEST_SUITE_P(
    Controls, ProbeTable,
    testing::Values(
        ProbeRow{"tool:refund", ControlMode::Stopped, shop_roads, Verdict::Deny},
        ProbeRow{"tool:ref*", ControlMode::Stopped, shop_roads, Verdict::Deny},
        ProbeRow{"tool:shop.refund", ControlMode::Stopped, shop_roads, Verdict::Deny},
        ProbeRow{"tool:never.*", ControlMode::Stopped, tool_roads, Verdict::Deny},
        ProbeRow{
            "tool_class:high_risk", ControlMode::Stopped, shop_roads, Verdict::Deny},
        ProbeRow{"tool_class:egress", ControlMode::Stopped, tool_roads, Verdict::Deny},
        ProbeRow{"mcp_server:shop", ControlMode::Stopped, shop_roads, Verdict::Deny},
        ProbeRow{"agent:refund-*", ControlMode::Stopped, all_roads, Verdict::Deny},
        ProbeRow{"agent:refund-bot", ControlMode::ReadOnly, tool_roads, Verdict::Deny},
        ProbeRow{"agent:refund-bot", ControlMode::Allowlist, tool_roads, Verdict::Deny},
        ProbeRow{"agent:refund-bot", ControlMode::Approvals, tool_roads, Verdict::Escalate},
        ProbeRow{"agent:refund-bot", ControlMode::Observe, all_roads, Verdict::Allow},
        ProbeRow{
            "model:gpt-*",
            ControlMode::Stopped,
            {"model:openai", "model:anthropic", "decide"},
            Verdict::Deny},
        ProbeRow{"session:c1", ControlMode::Stopped, all_roads, Verdict::Deny},
        ProbeRow{
            "workflow:returns",
            ControlMode::Route,
            {"workflow:returns", "decide"},
            Verdict::Modify},
        ProbeRow{"global", ControlMode::Stopped, all_roads, Verdict::Deny}
    ),
    [](const testing::TestParamInfo<ProbeRow>& row) {
        std::string name =
            std::string(row.param.scope) + "_" + std::string(name_of(row.param.mode));
        for (char& c : name) {
            c = c == '*' ? 'x' : std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
        }
        return name;
    }
);

TEST(Probe, OnlyTheGatewaysOwnSecretMakesOne) {
    std::atomic<int> reached{0};
    World world([&](net::ScriptedPeer& peer) {
        peer.read_request();
        ++reached;
        peer.send(http_answer("application/json", "{}"));
    });
    EXPECT_EQ(world.mcp(tool_call("x"), {{"tagout-probe", "guess"}}).body, "{}");
    EXPECT_EQ(reached, 1) << "anybody could keep calls from being made, and unseen";
    EXPECT_EQ(world.last_seen().tool, "x");
}

TEST(Journey, PassesAControlThatIsBeingReleased) {
    World world([](net::ScriptedPeer& peer) {
        peer.read_request();
        peer.send(http_answer("application/json", "{}"));
    });
    Control control = World::stop("tool:refund");
    control.validating = true;
    world.control({control});
    EXPECT_NE(world.mcp(tool_call("refund")).body, "{}");
    EXPECT_NE(world.mcp(tool_call("refund"), {{"tagout-journey", "guess"}}).body, "{}");
    EXPECT_EQ(world.mcp(tool_call("refund"), {{"tagout-journey", "journey"}}).body, "{}");
}

const std::string two_tools =
    R"({"model":"gpt-5","tools":[{"type":"function","function":{"name":"refund"}},)"
    R"({"type":"function","function":{"name":"get_order"}}],"messages":[]})";

std::string proposal(const std::string& tool) {
    return R"({"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c9",)"
           R"("type":"function","function":{"name":")" +
           tool + R"(","arguments":"{\"n\":1}"}}]},"finish_reason":"tool_calls"}]})";
}

TEST(ModelRoad, AStoppedToolIsNeitherOfferedNorLetThrough) {
    Mutex mutex;
    std::vector<std::string> requests;
    World world(
        [](net::ScriptedPeer&) {},
        echoing(http_answer("application/json", proposal("refund")), mutex, requests)
    );
    EXPECT_EQ(
        world.ask({"POST", "/model/openai/chat/completions", two_tools}).body, proposal("refund")
    ) << "nothing is stopped yet";
    world.control({World::stop("tool:refund")});
    const auto answer =
        world.ask({"POST", "/model/openai/chat/completions", two_tools, {{"tagout-agent", "bot"}}});
    EXPECT_EQ(answer.status, 200) << "the agent's loop goes on";
    EXPECT_EQ(answer.body.find("tool_calls"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("pays twice"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("\"finish_reason\":\"stop\""), std::string::npos);
    const MutexLock lock(mutex);
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_NE(requests[0].find("\"refund\""), std::string::npos);
    EXPECT_EQ(requests[1].find("\"refund\""), std::string::npos) << "offered although stopped";
    EXPECT_NE(requests[1].find("get_order"), std::string::npos);
    const SeenCall model = world.last_seen(3);
    EXPECT_EQ(model.verdict, Verdict::Allow);
    const SeenCall refused = world.seen()[1];
    EXPECT_EQ(refused.kind, CallKind::Tool);
    EXPECT_EQ(refused.tool, "refund");
    EXPECT_EQ(refused.tool_call_id, "c9");
    EXPECT_EQ(refused.arguments, "{\"n\":1}");
    EXPECT_EQ(refused.agent, "bot");
    EXPECT_EQ(refused.decided_by, "CTL-7");
    EXPECT_EQ(refused.verdict, Verdict::Deny);
}

TEST(ModelRoad, AStopMeetsACallThatIsBeingWritten) {
    std::promise<void> stopped;
    World world(
        [](net::ScriptedPeer&) {},
        [&](net::ScriptedPeer& peer) {
            peer.read_request();
            peer.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: "
                R"({"choices":[{"index":0,"delta":{"role":"assistant","content":"one"}}]})"
                "\n\ndata: "
                R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1",)"
                R"("function":{"name":"refund","arguments":"{"}}]}}]})"
                "\n\n"
            );
            stopped.get_future().wait();
            peer.send(
                "data: "
                R"({"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]})"
                "\n\ndata: [DONE]\n\n"
            );
        }
    );
    net::RawSocket client(world.gateway->port());
    client.send(World::raw_post("/model/openai/chat/completions", two_tools));
    ASSERT_TRUE(client.read_until("\"one\"")) << "words pass at once";
    world.control({World::stop("tool:refund")});
    stopped.set_value();
    ASSERT_TRUE(client.read_until("[DONE]")) << client.received;
    EXPECT_EQ(client.received.find("\"refund\""), std::string::npos) << client.received;
    EXPECT_NE(client.received.find("pays twice"), std::string::npos);
    EXPECT_NE(client.received.find("\"finish_reason\":\"stop\""), std::string::npos);
}

TEST(ModelRoad, ACallThatWaitsForAPersonIsRefusedUnlessItsOwnRoadAsks) {
    World world(
        [](net::ScriptedPeer& peer) {
            peer.read_request();
            peer.send(http_answer(
                "application/json",
                R"({"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"refund"}]}})"
            ));
        },
        [](net::ScriptedPeer& peer) {
            for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request()) {
                peer.send(http_answer("application/json", proposal("refund")));
            }
        }
    );
    world.control({World::stop("tool:refund", ControlMode::Approvals)});
    const Asked chat_request{"POST", "/model/openai/chat/completions", two_tools};
    EXPECT_EQ(world.ask(chat_request).body.find("tool_calls"), std::string::npos);
    (void)world.mcp(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
    EXPECT_EQ(world.ask(chat_request).body, proposal("refund"));
}

TEST(ModelRoad, AnAnswerThatCannotBeJudgedIsNotPassed) {
    for (const std::string head : {"Content-Encoding: gzip\r\n"}) {
        World world(
            [](net::ScriptedPeer&) {},
            [&](net::ScriptedPeer& peer) {
                peer.read_request();
                peer.send(http_answer("application/json", "xxxx", head));
            }
        );
        const auto answer = world.ask({"POST", "/model/openai/chat/completions", two_tools});
        EXPECT_EQ(answer.status, 502);
        EXPECT_NE(answer.body.find("gzip"), std::string::npos) << answer.body;
    }
    World world([](net::ScriptedPeer&) {});
    const auto twice = world.ask(
        {"POST", "/model/openai/chat/completions", R"({"model":"m","tools":[],"Tools":[]})"}
    );
    EXPECT_EQ(twice.status, 400);
    EXPECT_NE(twice.body.find("'tools'"), std::string::npos) << twice.body;
}

}  // namespace
}  // namespace tagout::gateway
