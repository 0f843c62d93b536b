// A control server and gateways of its fleet, each whole, over real sockets in one process. Freezing and
// killing processes is tests/e2e/test_fleet.py.
#include "app/app.h"
#include "app/gateway_node.h"

#include "gateway/fleet/files.h"
#include "net/http_client.h"
#include "net/scripted_server.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>

namespace tagout::app {
namespace {

namespace json = boost::json;

class FleetTest : public testing::Test {
protected:
    FleetTest() {
        folder_ = testing::TempDir() + "fleet-" +
                  testing::UnitTest::GetInstance()->current_test_info()->name();
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        configure("");
    }
    ~FleetTest() override {
        nodes_.clear();
        app_.reset();
        std::filesystem::remove_all(folder_);
    }

    /// An MCP server that does as it is told; `containment` is more of tagout.yaml.
    void configure(const std::string& containment) {
        const std::string yaml =
            "tools:\n  refund: { server: shop, effect: write, risk: high }\n"
            "  get_order: { server: shop, effect: read }\n"
            "mcp_servers:\n  shop: { url: \"" +
            tools_.url("/mcp") + "\" }\n" + containment;
        ASSERT_TRUE(gateway::write_file(folder_ + "/tagout.yaml", yaml).has_value());
    }
    void start_server() {
        ServeOptions options;
        options.data_dir = folder_ + "/server";
        options.config = folder_ + "/tagout.yaml";
        options.http_port = http_port_;
        options.otlp_http_port = 0;
        options.otlp_grpc_port = 0;
        options.gateway_port = 0;
        auto app = App::start(options, clock_);
        ASSERT_TRUE(app.has_value()) << app.error().message;
        app_ = std::move(*app);
        control_ = app_->addresses().http;
        http_port_ = static_cast<std::uint16_t>(
            std::stoi(control_.substr(control_.rfind(':') + 1))
        );
        admin_ = **gateway::read_file(options.data_dir + "/admin.token", 500);
        admin_.erase(admin_.find_last_not_of('\n') + 1);
    }
    void stop_server() { app_.reset(); }

    NodeOptions node_options(const std::string& name, const std::string& token) {
        EXPECT_TRUE(gateway::write_file(folder_ + "/" + name + ".token", token).has_value());
        NodeOptions options;
        options.control = control_;
        options.name = name;
        options.token_file = folder_ + "/" + name + ".token";
        options.data_dir = folder_ + "/" + name;
        options.gateway_port = 0;
        options.admin_port = 0;
        return options;
    }
    GatewayNode& start_node(const std::string& name, const std::string& token) {
        auto node = GatewayNode::start(node_options(name, token), clock_);
        EXPECT_TRUE(node.has_value()) << node.error().message;
        nodes_[name] = std::move(*node);
        return *nodes_[name];
    }
    std::string make_token(const std::string& pattern) {
        const net::HttpResponse made = post(
            control_ + "/v1/fleet/tokens", json::object{{"pattern", pattern}, {"reason", "test"}},
            admin_
        );
        EXPECT_EQ(made.status, 201) << made.body;
        return std::string(json::parse(made.body).at("token").as_string());
    }

    static net::HttpResponse ask(
        const std::string& method, const std::string& url, const std::string& body,
        const std::string& token, net::Headers headers = {}
    ) {
        net::HttpClient client;
        if (!token.empty()) {
            headers.emplace_back("Authorization", "Bearer " + token);
        }
        headers.emplace_back("Content-Type", "application/json");
        const auto answer =
            client.send({method, url, std::move(headers), body, std::chrono::seconds(10)});
        return answer ? *answer : net::HttpResponse{0, {}, answer.error().message};
    }
    static net::HttpResponse post(
        const std::string& url, const json::object& body, const std::string& token
    ) {
        return ask("POST", url, json::serialize(body), token);
    }
    json::object get(const std::string& path) {
        const net::HttpResponse answer = ask("GET", control_ + path, "", "");
        EXPECT_EQ(answer.status, 200) << answer.body;
        return json::parse(answer.body).as_object();
    }
    json::object point(const std::string& name) {
        const json::object fleet = get("/v1/fleet");
        for (const json::value& each : fleet.at("points").as_array()) {
            if (each.at("name") == json::string(name)) {
                return each.as_object();
            }
        }
        return {};
    }
    json::object stop(
        const std::string& scope, const std::string& mode = "stopped",
        const std::string& actor = "ann"
    ) {
        const net::HttpResponse made = post(
            control_ + "/v1/controls",
            {{"scope", scope}, {"mode", mode}, {"reason", "pays twice"}, {"actor", actor}}, admin_
        );
        EXPECT_EQ(made.status, 201) << made.body;
        return json::parse(made.body).as_object();
    }
    /// What the gateway says of a call: verdict and who decided; the status when it is no decision.
    static std::string decides(const GatewayNode& node, const std::string& tool) {
        const net::HttpResponse answer =
            post(node.gateway_address() + "/v1/decide", {{"tool", tool}, {"server", "shop"}}, "");
        if (answer.status != 200) {
            return std::to_string(answer.status);
        }
        const json::object decision = json::parse(answer.body).as_object();
        return std::string(decision.at("verdict").as_string()) +
               (decision.contains("decided_by")
                    ? " " + std::string(decision.at("decided_by").as_string())
                    : "");
    }
    static std::string call_text(const std::string& tool) {
        return R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + tool +
               R"(","arguments":{"order":"A-1"}}})";
    }
    static net::HttpResponse call(const GatewayNode& node, const std::string& tool) {
        return ask(
            "POST", node.gateway_address() + "/mcp/shop", call_text(tool), "",
            {{"Accept", "application/json, text/event-stream"}, {"tagout-agent", "refund-agent"},
             {"tagout-session", "session-1"}}
        );
    }
    template <class Holds>
    static bool comes_true(Holds holds, int seconds = 10) {
        for (int i = 0; i < seconds * 100 && !holds(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return holds();
    }
    std::string metric(const std::string& row) {
        const std::string page = ask("GET", control_ + "/metrics", "", "").body;
        const std::size_t at = page.find("\n" + row + " ");
        return at == std::string::npos
                   ? ""
                   : page.substr(at + row.size() + 2, page.find('\n', at + 1) - at - row.size() - 2);
    }

    SystemClock clock_;
    std::string folder_;
    net::ScriptedServer tools_{[](net::ScriptedPeer& peer) {
        while (!peer.read_request().empty()) {
            const std::string body =
                R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done, told ann@example.com"}]}})";
            peer.send(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body
            );
        }
    }};
    std::uint16_t http_port_ = 0;
    std::string control_;
    std::string admin_;
    std::unique_ptr<App> app_;
    std::map<std::string, std::unique_ptr<GatewayNode>> nodes_;
};

TEST_F(FleetTest, AStopIsEnforcedAndProvedAtEveryGatewayAndSaysSo) {
    start_server();
    const std::string token = make_token("edge-*");
    const GatewayNode& one = start_node("edge-1", token);
    const GatewayNode& two = start_node("edge-2", token);
    ASSERT_TRUE(comes_true([&] { return one.is_ready() && two.is_ready(); }));
    EXPECT_EQ(decides(one, "refund"), "allow");
    ASSERT_TRUE(comes_true([&] { return point("edge-1").contains("acknowledged_at"); }));
    ASSERT_TRUE(comes_true([&] { return point("edge-2").contains("acknowledged_at"); }));
    const json::object control = stop("tool:shop.refund");
    EXPECT_EQ(control.at("state"), "proved") << json::serialize(control);
    EXPECT_EQ(control.at("acknowledged").at("reached"), 3);
    EXPECT_EQ(control.at("proved").at("reached"), 3);
    ASSERT_EQ(control.at("points").as_array().size(), 3U);
    const json::value& probes = control.at("points").at(0).at("probes");
    EXPECT_EQ(probes.at(0).at("decided_by"), "CTL-1") << "each on its own roads";
    EXPECT_EQ(decides(one, "refund"), "deny CTL-1");
    EXPECT_EQ(decides(two, "refund"), "deny CTL-1");
    EXPECT_EQ(decides(two, "get_order"), "allow");
    ASSERT_TRUE(comes_true([&] { return point("edge-1").at("calls_denied") == 1; }));
    const json::object seen = point("edge-1");
    EXPECT_EQ(seen.at("time_to_effect_ms").at("count"), 1);
    EXPECT_TRUE(seen.contains("last_contact"));
    app_->tick();
    EXPECT_EQ(metric("tagout_point_connected{point=\"edge-2\"}"), "1");
    EXPECT_EQ(metric("tagout_point_revision{point=\"edge-2\"}"), "1");
    EXPECT_EQ(metric("tagout_fleet_gateways_connected"), "2");
}

TEST_F(FleetTest, EffectsReachAGatewayWithWhatTheyNeed) {
    start_server();
    const GatewayNode& node = start_node("edge-1", make_token("edge-1"));
    ASSERT_TRUE(comes_true([&] { return point("edge-1").contains("acknowledged_at"); }));
    EXPECT_NE(call(node, "get_order").body.find("ann@example.com"), std::string::npos);
    const auto apply = [&](json::object draft) {
        draft["reason"] = "it tells too much, too often";
        draft["actor"] = "ann";
        const net::HttpResponse made = post(control_ + "/v1/controls", draft, admin_);
        ASSERT_EQ(made.status, 201) << made.body;
        EXPECT_EQ(json::parse(made.body).at("acknowledged").at("reached"), 2) << made.body;
    };
    apply(
        {{"scope", "tool:shop.get_order"}, {"mode", "redact"}, {"redact", json::array{"email"}},
         {"where", "results"}}
    );
    apply({{"scope", "tool:shop.refund"}, {"mode", "throttle"}, {"rate", "2/1h"}});
    const std::string told = call(node, "get_order").body;
    EXPECT_NE(told.find("done, told [redacted:email]"), std::string::npos) << told;
    EXPECT_EQ(decides(node, "refund"), "allow");
    EXPECT_EQ(decides(node, "refund"), "allow");
    EXPECT_EQ(decides(node, "refund"), "deny CTL-2");
}

TEST_F(FleetTest, EachCredentialMayDoItsOwnAndNothingElse) {
    start_server();
    const std::string token = make_token("edge-1");
    for (const std::string& credential : {std::string("an-agents-own-key"), token}) {
        for (const char* path : {"/v1/controls", "/v1/fleet", "/v1/approvals"}) {
            EXPECT_EQ(ask("GET", control_ + path, "", credential).status, 401) << path;
        }
        EXPECT_EQ(
            post(
                control_ + "/v1/controls",
                {{"scope", "global"}, {"mode", "stopped"}, {"reason", "x"}}, credential
            )
                .status,
            401
        );
        EXPECT_EQ(
            post(control_ + "/v1/controls/CTL-1/release", {{"reason", "x"}}, credential).status, 401
        );
    }
    for (const std::string& credential : {std::string(), admin_, std::string("an-agents-own-key")}) {
        EXPECT_EQ(ask("GET", control_ + "/v1/fleet/snapshot", "", credential).status, 401);
        EXPECT_EQ(ask("POST", control_ + "/v1/fleet/report", "{}", credential).status, 401);
        EXPECT_EQ(ask("POST", control_ + "/v1/fleet/controls", "{}", credential).status, 401);
    }
    EXPECT_EQ(ask("GET", control_ + "/v1/fleet/snapshot", "", token).status, 200);
    EXPECT_EQ(ask("POST", control_ + "/v1/fleet/report", "{", token).status, 400);
    const std::string other = control_ + "/v1/fleet/stream?instance=x&point=";
    EXPECT_EQ(ask("GET", other + "core-1", "", token).status, 403) << "another's name";
    const GatewayNode& node = start_node("edge-1", token);
    ASSERT_TRUE(comes_true([&] { return node.is_ready(); }));
    const net::HttpResponse second = ask("GET", other + "edge-1", "", token);
    EXPECT_EQ(second.status, 409) << second.body;
    EXPECT_NE(second.body.find("--name"), std::string::npos);
    // An agent reaches the gateway's port, and there is nothing to read or change there.
    for (const char* path : {"/v1/controls", "/v1/fleet", "/metrics", "/v1/fleet/snapshot"}) {
        EXPECT_EQ(ask("GET", node.gateway_address() + path, "", "").status, 404) << path;
        EXPECT_EQ(ask("POST", node.gateway_address() + path, "{}", "").status, 404) << path;
    }
    EXPECT_EQ(ask("GET", node.admin_address() + "/v1/controls", "", "").status, 401);
    EXPECT_EQ(ask("GET", node.admin_address() + "/v1/controls", "", token).status, 401);
    // Revoked, it is cut off, and what it enforces stays.
    stop("tool:shop.refund");
    ASSERT_EQ(
        post(control_ + "/v1/fleet/tokens/GWT-1/revoke", {{"reason", "lost"}}, admin_).status, 200
    );
    ASSERT_TRUE(comes_true([&] { return point("edge-1").at("connected") == false; }));
    EXPECT_EQ(decides(node, "refund"), "deny CTL-1");
    EXPECT_EQ(ask("GET", control_ + "/v1/fleet/snapshot", "", token).status, 401);
    ASSERT_EQ(
        post(control_ + "/v1/fleet/points/edge-1/retire", {{"reason", "gone"}}, admin_).status, 200
    );
    EXPECT_TRUE(point("edge-1").empty());
}

TEST_F(FleetTest, AloneItKeepsEnforcingOverARestartClosesAfterItsLeaseAndTakesStopsAtItsHost) {
    configure("containment:\n  lease: 1s\n  heartbeat: 100ms\n  lost_after: 500ms\n");
    start_server();
    const std::string token = make_token("edge-1");
    start_node("edge-1", token);
    ASSERT_TRUE(comes_true([&] { return nodes_["edge-1"]->is_ready(); }));
    ASSERT_TRUE(comes_true([&] { return point("edge-1").contains("acknowledged_at"); }));
    stop("agent:bad-agent");
    stop("tool:shop.cancel_order");
    EXPECT_EQ(decides(*nodes_["edge-1"], "cancel_order"), "deny CTL-2");
    stop_server();
    nodes_.erase("edge-1");
    const GatewayNode& node = start_node("edge-1", token);
    EXPECT_TRUE(node.is_ready()) << "from its own disk";
    EXPECT_EQ(decides(node, "cancel_order"), "deny CTL-2");
    EXPECT_EQ(decides(node, "get_order"), "allow");
    ASSERT_TRUE(comes_true([&] { return decides(node, "refund") == "deny lease:high_risk"; }, 5));
    EXPECT_EQ(decides(node, "get_order"), "allow") << "reads go on";

    // A stop at its host, by the token in its folder; not a release, and nothing that leads elsewhere.
    std::string host = **gateway::read_file(folder_ + "/edge-1/admin.token", 500);
    host.erase(host.find_last_not_of('\n') + 1);
    const std::string door = node.admin_address() + "/v1/controls";
    const net::HttpResponse applied = post(
        door,
        {{"scope", "tool:shop.get_order"}, {"mode", "stopped"}, {"reason", "it leaks"},
         {"actor", "ops"}},
        host
    );
    ASSERT_EQ(applied.status, 201) << applied.body;
    const json::object local = json::parse(applied.body).as_object();
    EXPECT_EQ(local.at("id"), "edge-1:CTL-1");
    EXPECT_EQ(local.at("state"), "proved") << applied.body;
    EXPECT_EQ(decides(node, "get_order"), "deny edge-1:CTL-1");
    EXPECT_EQ(
        post(
            door,
            {{"scope", "workflow:returns"}, {"mode", "route"}, {"route_to", "evil"}, {"reason", "x"}},
            host
        )
            .status,
        400
    );
    const net::HttpResponse refused = post(
        door + "/edge-1:CTL-1/release", {{"reason", "x"}, {"actor", "bob"}}, host
    );
    EXPECT_EQ(refused.status, 401) << refused.body;
    EXPECT_NE(refused.body.find("two people"), std::string::npos);

    // The server is back: the lease is renewed, the stop is its own now, and never was there a gap.
    start_server();
    ASSERT_TRUE(comes_true([&] { return decides(node, "refund") == "allow"; }));
    ASSERT_TRUE(comes_true([&] { return decides(node, "get_order") == "deny CTL-3"; }));
    const json::object adopted = get("/v1/controls/CTL-3");
    EXPECT_EQ(adopted.at("author"), "person:ops");
    EXPECT_EQ(adopted.at("reason"), "it leaks");
    EXPECT_EQ(adopted.at("origin"), "edge-1:CTL-1");
    EXPECT_EQ(adopted.at("since"), local.at("since"));
    ASSERT_TRUE(comes_true([&] { return get("/v1/controls/CTL-3").at("state") == "proved"; }));
    ASSERT_TRUE(comes_true([&] { return point("edge-1").at("local_controls") == 0; }));
}

TEST_F(FleetTest, AnAgentsTokenIsKnownAtEveryGatewayAndNowhereElse) {
    configure("gateway: { identity: { mode: token } }\n");
    start_server();
    const std::string point = make_token("edge-1");
    start_node("edge-1", point);
    const net::HttpResponse made = post(
        control_ + "/v1/agents/tokens",
        {{"pattern", "refund-agent"}, {"reason", "first"}, {"actor", "ann"}},
        admin_
    );
    ASSERT_EQ(made.status, 201) << made.body;
    const std::string token(json::parse(made.body).at("token").as_string());
    const auto as_agent = [&](const std::string& gateway, const std::string& shown) {
        return ask("POST",
                   gateway + "/mcp/shop",
                   call_text("get_order"),
                   "",
                   {{"Accept", "application/json, text/event-stream"}, {"tagout-token", shown}}
        ).status;
    };
    GatewayNode* node = nodes_["edge-1"].get();
    EXPECT_TRUE(comes_true([&] { return as_agent(node->gateway_address(), token) == 200; }));
    EXPECT_EQ(as_agent(app_->addresses().gateway, token), 200) << "the server's own gateway too";
    EXPECT_EQ(as_agent(node->gateway_address(), "tagout_agent_none"), 401);
    EXPECT_EQ(call(*node, "get_order").status, 401) << "a name is no proof";

    // It reads no control and changes none, wherever it stands.
    for (const auto& [method, path] :
         {std::pair("GET", "/v1/controls"),
          std::pair("GET", "/v1/now"),
          std::pair("POST", "/v1/controls"),
          std::pair("GET", "/v1/agents/tokens"),
          std::pair("GET", "/v1/fleet/snapshot"),
          std::pair("POST", "/v1/approvals/APR-1/approve"),
          std::pair("GET", "/metrics")}) {
        EXPECT_EQ(ask(method, control_ + path, "{}", token).status, 401) << path;
        EXPECT_EQ(ask(method, control_ + path, "{}", "", {{"tagout-token", token}}).status, 401)
            << path;
        EXPECT_EQ(
            ask(method, node->admin_address() + path, "{}", token).status == 200,
            std::string_view(path) == "/metrics"
        ) << path;
    }
    const auto refused = [&] {
        std::string all;
        const json::object answer = get("/v1/agents/refused");
        for (const json::value& each : answer.at("refused").as_array()) {
            all += std::string(each.at("road").as_string()) + " " +
                   std::string(each.at("why").as_string()) + "\n";
        }
        return all;
    };
    EXPECT_NE(refused().find("api agent_credential"), std::string::npos) << refused();

    // Away from its server and started anew it knows the token still.
    stop_server();
    nodes_.clear();
    node = &start_node("edge-1", point);
    EXPECT_EQ(as_agent(node->gateway_address(), token), 200);
    EXPECT_EQ(as_agent(node->gateway_address(), "tagout_agent_none"), 401);
    start_server();
    EXPECT_NE(refused().find("api agent_credential"), std::string::npos)
        << "the record outlives it";
    ASSERT_EQ(
        post(
            control_ + "/v1/agents/tokens/AGT-1/revoke",
            {{"reason", "lost"}, {"actor", "ann"}},
            admin_
        )
            .status,
        200
    );
    EXPECT_TRUE(comes_true([&] { return as_agent(node->gateway_address(), token) == 401; }));
    EXPECT_EQ(as_agent(app_->addresses().gateway, token), 401);
    EXPECT_EQ(get("/v1/agents/tokens").at("tokens").at(0).at("revoked_by"), "person:ann");
}

TEST_F(FleetTest, WhatAGatewaySawReachesTheServerAlsoWhatItSawAlone) {
    start_server();
    const GatewayNode& node = start_node("edge-1", make_token("edge-1"));
    ASSERT_TRUE(comes_true([&] { return node.is_ready(); }));
    ASSERT_TRUE(comes_true([&] { return point("edge-1").contains("acknowledged_at"); }));
    EXPECT_EQ(call(node, "get_order").status, 200);
    stop("tool:shop.refund");
    EXPECT_EQ(call(node, "refund").status, 200);
    const auto spans = [&] {
        const net::HttpResponse trace = ask("GET", control_ + "/v1/traces/session-1", "", "");
        std::size_t count = 0;
        for (std::size_t at = trace.body.find("\"tool\":\""); at != std::string::npos;
             at = trace.body.find("\"tool\":\"", at + 1)) {
            ++count;
        }
        return count;
    };
    ASSERT_TRUE(comes_true([&] { return spans() == 2; })) << spans();
    ASSERT_TRUE(comes_true([&] { return get("/v1/controls/CTL-1").at("calls_refused") == 1; }));
    stop_server();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(call(node, "refund").status, 200) << "refused in the way of its protocol";
    }
    ASSERT_TRUE(comes_true([&] {
        const std::string page = ask("GET", node.admin_address() + "/metrics", "", "").body;
        return page.find("\ntagout_gateway_records_waiting 0") == std::string::npos &&
               page.find("\ntagout_gateway_link_connected 0") != std::string::npos;
    }));
    start_server();
    ASSERT_TRUE(comes_true([&] { return spans() == 5; })) << spans();
    ASSERT_TRUE(comes_true([&] { return get("/v1/controls/CTL-1").at("calls_refused") == 3; }))
        << "counted once each since this start";
    ASSERT_TRUE(comes_true([&] { return point("edge-1").at("records_waiting") == 0; }));
    EXPECT_EQ(point("edge-1").at("records_dropped"), 0);
}

TEST_F(FleetTest, ACallWaitsAtAGatewayForAPersonAtTheServer) {
    start_server();
    const GatewayNode& node = start_node("edge-1", make_token("edge-1"));
    ASSERT_TRUE(comes_true([&] { return node.is_ready(); }));
    ASSERT_TRUE(comes_true([&] { return point("edge-1").contains("acknowledged_at"); }));
    stop("tool:shop.refund", "approvals");
    for (const bool approved : {true, false}) {
        net::HttpResponse answer;
        std::thread agent([&] { answer = call(node, "refund"); });
        std::string id;
        EXPECT_TRUE(comes_true([&] {
            const json::array waiting = get("/v1/approvals").at("approvals").as_array();
            if (waiting.empty()) {
                return false;
            }
            id = waiting[0].at("id").as_string();
            EXPECT_EQ(waiting[0].at("tool"), "refund");
            EXPECT_NE(
                waiting[0].at("arguments").as_string().find("A-1"), json::string::npos
            );
            return true;
        }));
        EXPECT_EQ(
            post(
                control_ + "/v1/approvals/" + id + (approved ? "/approve" : "/deny"),
                {{"actor", "bob"}, {"reason", "seen"}}, admin_
            )
                .status,
            200
        );
        agent.join();
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body.find("done") != std::string::npos, approved) << answer.body;
    }
    stop_server();
    ASSERT_TRUE(comes_true([&] {
        return ask("GET", node.admin_address() + "/-/ready", "", "").body.find("alone") !=
               std::string::npos;
    }));
    const net::HttpResponse alone = call(node, "refund");
    EXPECT_EQ(alone.status, 200);
    EXPECT_EQ(alone.body.find("done"), std::string::npos) << "nobody can let it pass";
}

}  // namespace
}  // namespace tagout::app
