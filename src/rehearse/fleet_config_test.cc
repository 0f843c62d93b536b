// The fleet's own configuration is one that Tagout takes, and names the fleet as it is.

#include "rehearse/fleet_config.h"

#include "catalog/config.h"
#include "net/http_server.h"
#include "rehearse/front_door.h"
#include "rehearse/prompt_shelf.h"
#include "rehearse/shop.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tagout::rehearse {
namespace {

TEST(FleetConfig, IsTakenWithoutAMistakeAndNamesEveryToolAndPlace) {
    const catalog::ConfigReport report = catalog::read_config(fleet_config(9400), "fleet.yaml");
    ASSERT_TRUE(report.mistakes.empty()) << report.text();
    const std::optional<catalog::Contents>& contents = report.contents;
    EXPECT_EQ(contents->tools.size(), sample_tools().size());
    EXPECT_EQ(contents->agents.size(), agent_kinds);
    ASSERT_EQ(contents->mcp_servers.size(), 3u);
    for (const ToolInfo& info : sample_tools()) {
        const auto known = std::ranges::find_if(contents->tools, [&](const catalog::Tool& tool) {
            return tool.name.text() == info.name;
        });
        ASSERT_NE(known, contents->tools.end()) << info.name;
        EXPECT_EQ(known->server, contents->mcp_servers[static_cast<std::size_t>(info.server)].name);
        EXPECT_EQ(known->effect == ToolEffect::Read, info.read_only) << info.name;
    }
    for (const AgentInfo& info : agent_table) {
        const auto known = std::ranges::find_if(contents->agents, [&](const catalog::Agent& agent) {
            return agent.name.text() == info.agent;
        });
        ASSERT_NE(known, contents->agents.end()) << info.agent;
        EXPECT_EQ(known->workflows, std::vector{WorkflowName(info.workflow)});
    }
}

TEST(FleetConfig, PortsStandInARow) {
    const FleetPorts ports = ports_from(9400);
    EXPECT_EQ(ports.model, 9400);
    EXPECT_EQ(ports.tools, (std::array<std::uint16_t, 3>{9401, 9402, 9403}));
    EXPECT_EQ(ports.desk, 9404);
    EXPECT_EQ(ports_from(0).desk, 0);
}

/// Answers every request with what the test says, and keeps what was asked.
class Peer {
public:
    explicit Peer(std::function<net::ServerResponse(const net::ServerRequest&)> answer) {
        server_ = net::HttpServer::start(
                      {},
                      [answer](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
                          responder->respond(answer(request));
                      }
        ).value();
    }
    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_->port());
    }

private:
    std::unique_ptr<net::HttpServer> server_;
};

std::shared_ptr<const Script> refund_script() {
    auto script = std::make_shared<Script>();
    script->agent = AgentKind::Refund;
    script->conversation = "conv-1";
    script->world.email = "ann@example.org";
    script->turns.push_back({.user = "I want my money back."});
    script->wanted_writes = {"issue_refund ORD-1 100"};
    return script;
}

TEST(FrontDoor, AConversationGoesWhereTheDecisionSays) {
    const struct {
        const char* name;
        int status;
        const char* body;
        const char* workflow;  ///< "" when nobody takes it.
    } rows[] = {
        {"nothing is against it", 200, R"({"verdict":"allow"})", "refunds"},
        {"routed", 200, R"({"verdict":"modify","route_to":"human_handover"})", "human_handover"},
        {"routed to what the fleet does not have", 200,
         R"({"verdict":"modify","route_to":"elsewhere"})", "refunds"},
        {"closed", 200, R"({"verdict":"deny"})", ""},
        {"the gateway is not ready", 503, "", "refunds"},
        {"nonsense", 200, "[", "refunds"},
    };
    for (const auto& row : rows) {
        std::string asked;
        const Peer gateway([&](const net::ServerRequest& request) {
            asked = std::string(request.body.view());
            return net::ServerResponse{row.status, {}, row.body};
        });
        FrontDoor door(gateway.url());
        const Entrance entrance = door.enter(refund_script());
        EXPECT_NE(asked.find(R"("workflow":"refunds")"), std::string::npos) << row.name;
        const std::string workflow =
            entrance.script ? std::string(info_of(entrance.script->agent).workflow) : "";
        EXPECT_EQ(workflow, row.workflow) << row.name;
        EXPECT_EQ(entrance.rerouted, workflow == "human_handover") << row.name;
        if (entrance.rerouted) {
            EXPECT_TRUE(entrance.script->wanted_writes.empty());
            EXPECT_EQ(entrance.script->conversation, "conv-1");
        }
    }
}

TEST(PromptShelf, TheLabelledVersionIsUsedAndKeptWhileTheGatewayIsAway) {
    int asked = 0;
    int status = 200;
    std::string condition;
    auto gateway = std::make_unique<Peer>([&](const net::ServerRequest& request) {
        ++asked;
        condition = std::string(request.header("If-None-Match"));
        if (status != 200 || condition == "\"h2\"") {
            return net::ServerResponse{status == 200 ? 304 : status, {}, ""};
        }
        return net::ServerResponse{
            200, {{"ETag", "\"h2\""}}, R"({"number":2,"content":"Be kind."})"};
    });
    PromptShelf shelf(gateway->url());
    EXPECT_EQ(shelf.fetch(AgentKind::Support, "12").text, "Be kind.");
    EXPECT_EQ(shelf.fetch(AgentKind::Support, "12").version, "v2");
    EXPECT_EQ(condition, "\"h2\"");
    EXPECT_EQ(asked, 2);
    status = 404;
    EXPECT_EQ(shelf.fetch(AgentKind::Support, "12").version, "12") << "nothing is published";
    status = 200;
    EXPECT_EQ(shelf.fetch(AgentKind::Support, "12").version, "v2");
    gateway.reset();
    EXPECT_EQ(shelf.fetch(AgentKind::Support, "12").version, "v2") << "the gateway is away";
}

}  // namespace
}  // namespace tagout::rehearse
