#include "gateway/flag_road.h"
#include "gateway/json_scan.h"
#include "gateway/test_world.h"

#include <gtest/gtest.h>

namespace tagout::gateway {
namespace {

void nothing(net::ScriptedPeer&) {}

net::HttpResponse flag(
    const World& world, const std::string& key, const std::string& context = "{}"
) {
    auto answer =
        world.ask({"POST", std::string(flags_path) + "/" + key, "{\"context\":" + context + "}"});
    EXPECT_TRUE(check_json(answer.body)) << answer.body;
    return answer;
}
std::string value_of(const net::HttpResponse& answer) {
    return std::string(member(answer.body, "value"));
}

TEST(Flags, SayWhatACallWouldMeet) {
    World world(nothing);
    EXPECT_EQ(value_of(flag(world, "tool:refund")), "true");
    EXPECT_EQ(member(flag(world, "tool:refund").body, "reason"), "\"STATIC\"");
    EXPECT_EQ(value_of(flag(world, "route:returns")), "\"returns\"");
    Control route = World::stop("workflow:returns", ControlMode::Route);
    route.route_to = WorkflowName("fallback");
    Control agent = World::stop("agent:refund-*");
    agent.id = ControlId("CTL-8");
    Control approvals = World::stop("tool:refund", ControlMode::Approvals);
    approvals.id = ControlId("CTL-9");
    world.control({route, agent, approvals});
    const auto refund = flag(world, "tool%3Arefund");
    EXPECT_EQ(value_of(refund), "false") << "nobody waits for a person behind a flag";
    EXPECT_EQ(member(refund.body, "variant"), "\"approval\"");
    EXPECT_EQ(member(refund.body, "reason"), "\"TARGETING_MATCH\"");
    EXPECT_EQ(member(member(refund.body, "metadata"), "decidedBy"), "\"CTL-9\"");
    EXPECT_EQ(member(member(refund.body, "metadata"), "revision"), "2");
    EXPECT_EQ(value_of(flag(world, "tool:get_order")), "true");
    EXPECT_EQ(value_of(flag(world, "tool:get_order", R"({"agent":"refund-bot"})")), "false");
    EXPECT_EQ(value_of(flag(world, "agent:refund-bot")), "false");
    EXPECT_EQ(value_of(flag(world, "workflow:returns")), "true") << "its fallback takes requests";
    EXPECT_EQ(value_of(flag(world, "route:returns")), "\"fallback\"");
    Control stop = World::stop("workflow:returns");
    world.control({stop});
    EXPECT_EQ(value_of(flag(world, "workflow:returns")), "false");
    EXPECT_EQ(value_of(flag(world, "route:returns")), "") << "no value: the caller's own default";
}

TEST(Flags, AllOfThemHaveAnETagThatOnlyAChangedAnswerChanges) {
    World world(nothing);
    const auto all = [&](const std::string& known) {
        return world.ask(
            {"POST",
             std::string(flags_path),
             R"({"context":{"targetingKey":"eve"}})",
             {{"If-None-Match", known}}}
        );
    };
    const auto first = all("\"x\"");
    ASSERT_EQ(first.status, 200);
    EXPECT_TRUE(check_json(first.body)) << first.body;
    const std::string etag(first.header("ETag"));
    EXPECT_EQ(all(etag).status, 304);
    world.control({World::stop("user:adam")});
    EXPECT_EQ(all(etag).status, 304) << "another revision, the same answers";
    world.control({World::stop("user:eve")});
    const auto changed = all(etag);
    EXPECT_EQ(changed.status, 200);
    EXPECT_NE(changed.body.find("\"key\":\"tool:refund\",\"value\":false"), std::string::npos)
        << changed.body;
    EXPECT_NE(changed.body.find("\"requestUri\":\"/ofrep/v1/events\""), std::string::npos);
}

TEST(Flags, ChangesArePushed) {
    World world(nothing);
    net::RawSocket client(world.gateway->port());
    client.send("GET /ofrep/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(client.read_until("id: 1\n")) << client.received;
    world.control({World::stop("tool:refund")});
    ASSERT_TRUE(client.read_until("id: 2\n", 1000)) << client.received;
    EXPECT_NE(client.received.find("\"type\":\"refetchEvaluation\""), std::string::npos);
}

TEST(Flags, MistakesAreNamedInTheProtocolsWords) {
    World world(nothing);
    const auto code = [&](const std::string& path, const std::string& body) {
        const auto answer = world.ask({"POST", std::string(flags_path) + path, body});
        return std::to_string(answer.status) + " " + std::string(member(answer.body, "errorCode"));
    };
    EXPECT_EQ(code("/tool:x", "{"), "400 \"PARSE_ERROR\"");
    EXPECT_EQ(code("/tool:x", "[]"), "400 \"INVALID_CONTEXT\"");
    EXPECT_EQ(code("", R"({"context":3})"), "400 \"INVALID_CONTEXT\"");
    EXPECT_EQ(code("/colour", "{}"), "404 \"FLAG_NOT_FOUND\"");
    EXPECT_EQ(code("/tool:", "{}"), "404 \"FLAG_NOT_FOUND\"");
    EXPECT_EQ(world.ask({"GET", std::string(flags_path), ""}).status, 404);
}

}  // namespace
}  // namespace tagout::gateway
