// Rules of policies on the roads: conditions over what is called, limits, what a session has met, and
// what shadow rules leave behind.

#include "contain/policy.h"
#include "gateway/json_scan.h"
#include "gateway/test_world.h"

#include <gtest/gtest.h>

namespace tagout::gateway {
namespace {

World::Script answers() {
    return [](net::ScriptedPeer& peer) {
        while (!peer.read_request().empty()) {
            peer.send(http_answer(
                "application/json",
                R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}})"
            ));
        }
    };
}

std::vector<contain::Policy> policies(const std::string& yaml) {
    const Result<contain::Policy> policy = contain::parse_policy("shop", "v1", yaml);
    EXPECT_TRUE(policy.has_value()) << (policy ? "" : policy.error().message);
    return policy ? std::vector{*policy} : std::vector<contain::Policy>{};
}

bool is_refused(const net::HttpResponse& answer) {
    return answer.body.find("\"isError\":true") != std::string::npos ||
           answer.body.find("[Tagout policy:shop@v1#") != std::string::npos;
}

TEST(PolicyRoad, AConditionJudgesTheArgumentsThatGoOverTheWire) {
    World world(answers());
    world.control({}, policies(R"(
rules:
  - name: high
    match: { tool: refund }
    when: args.amount > 100
    effect: deny
  - name: seen
    match: { tool: refund }
    when: args.amount > 10
    effect: deny
    mode: shadow
)"));
    EXPECT_TRUE(is_refused(world.mcp(tool_call("refund", R"({"amount": 101})"))));
    EXPECT_FALSE(is_refused(world.mcp(tool_call("refund", R"({"amount": 50})"))));
    EXPECT_FALSE(is_refused(world.mcp(tool_call("refund", R"({"amount": 5})"))));
    // What cannot be judged does not pass: no amount, a text, a key that stands twice.
    EXPECT_TRUE(is_refused(world.mcp(tool_call("refund", "{}"))));
    EXPECT_TRUE(is_refused(world.mcp(tool_call("refund", R"({"amount": "5"})"))));
    EXPECT_TRUE(is_refused(world.mcp(tool_call("refund", R"({"amount": 5, "amount": 500})"))));
    ASSERT_TRUE(world.wait_for([&] { return world.seen().size() == 6; }));
    const std::vector<SeenCall> seen = world.seen();
    for (const std::size_t refused : {0U, 3U, 4U, 5U}) {
        EXPECT_EQ(seen[refused].http_status, 0) << "what was refused reached no tool";
    }
    EXPECT_EQ(seen[0].decided_by, "policy:shop@v1#high");
    EXPECT_EQ(seen[1].shadow, "policy:shop@v1#seen") << "the record says what shadow would have done";
    EXPECT_EQ(seen[2].shadow, "");
    const std::string metrics = world.metrics.expose();
    EXPECT_NE(metrics.find("tagout_gateway_shadow_total{by=\"rule\"} 1"), std::string::npos);
    EXPECT_NE(metrics.find("tagout_gateway_condition_faults_total 3"), std::string::npos);
}

TEST(PolicyRoad, ALimitCountsAcrossRoadsAndReloads) {
    World world(answers());
    const auto limit = policies(R"(
rules:
  - { name: two, match: { tool: refund }, limit: { calls: 2, per: 1h, key: agent }, effect: deny }
)");
    world.control({}, limit);
    const net::Headers agent{{"tagout-agent", "a"}};
    EXPECT_FALSE(is_refused(world.mcp(tool_call("refund"), agent)));
    const auto decide = [&] {
        const auto answer =
            world.ask({"POST", "/v1/decide", R"({"tool":"refund","server":"shop","agent":"a"})"});
        return std::string(member(answer.body, "verdict"));
    };
    EXPECT_EQ(decide(), "\"allow\"");
    EXPECT_EQ(decide(), "\"deny\"");
    world.control({}, limit);
    EXPECT_TRUE(is_refused(world.mcp(tool_call("refund"), agent))) << "a reload counts on";
    EXPECT_FALSE(is_refused(world.mcp(tool_call("refund"), {{"tagout-agent", "b"}})));
}

TEST(PolicyRoad, AfterAResultOfStrangersTheSessionMayNotSend) {
    World world(answers());
    world.control({}, policies(R"(
rules:
  - { name: no-refund-after, match: { tool: refund }, flow: untrusted, effect: deny }
marks:
  - { match: { tool: get_order }, as: untrusted }
)"));
    const net::Headers one{{"tagout-session", "s1"}};
    const net::Headers other{{"tagout-session", "s2"}};
    EXPECT_FALSE(is_refused(world.mcp(tool_call("refund"), one)));
    EXPECT_FALSE(is_refused(world.mcp(tool_call("get_order"), one)));
    EXPECT_TRUE(is_refused(world.mcp(tool_call("refund"), one)));
    EXPECT_FALSE(is_refused(world.mcp(tool_call("refund"), other)));
}

}  // namespace
}  // namespace tagout::gateway
