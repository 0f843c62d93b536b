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

/// Hears what reaches the upstreams.
class Heard {
public:
    World::Script answering(const std::string& answer) {
        return [this, answer](net::ScriptedPeer& peer) {
            for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
                {
                    const MutexLock lock(mutex_);
                    last_ = request;
                }
                peer.send(answer);
            }
        };
    }
    std::string last() const {
        const MutexLock lock(mutex_);
        return last_;
    }

private:
    mutable Mutex mutex_;
    std::string last_ TAGOUT_GUARDED_BY(mutex_);
};

TEST(PolicyRoad, RulesRedactAndRouteAsControlsDo) {
    Heard tools;
    Heard models;
    World world(
        tools.answering(http_answer("application/json", R"({"jsonrpc":"2.0","id":1,"result":{"content":[]}})")),
        models.answering(http_answer("application/json", "{}"))
    );
    world.control({}, policies(R"(
rules:
  - { name: blind, match: { tool: refund }, effect: redact, redact: [email] }
  - { name: seen, match: { tool: get_order }, effect: redact, redact: [email], mode: shadow }
  - { name: moved, match: { model: gpt-5 }, effect: route, route_to: gpt-4.1 }
  - { name: closed, match: { model: o3 }, effect: deny, message: Use another model. }
  - { name: quiet, match: { model: gpt-4* }, effect: redact, redact: [email] }
  - { name: away, match: { workflow: returns }, effect: route, route_to: fallback }
)"));
    EXPECT_FALSE(is_refused(world.mcp(tool_call("refund", R"({"to": "a@b.co"})"))));
    EXPECT_NE(tools.last().find("[redacted:email]"), std::string::npos) << tools.last();
    EXPECT_EQ(world.last_seen().decided_by, "policy:shop@v1#blind");
    EXPECT_EQ(world.last_seen().verdict, Verdict::Modify);
    EXPECT_FALSE(is_refused(world.mcp(tool_call("get_order", R"({"to": "a@b.co"})"))));
    EXPECT_NE(tools.last().find("a@b.co"), std::string::npos) << "shadow changes nothing";
    const auto ask = [&](const std::string& model) {
        return world.ask({"POST", "/model/openai/chat/completions",
                          R"({"model":")" + model + R"(","messages":[{"role":"user","content":"a@b.co"}]})"});
    };
    EXPECT_EQ(ask("gpt-5").status, 200);
    EXPECT_NE(models.last().find("\"gpt-4.1\""), std::string::npos) << models.last();
    EXPECT_EQ(models.last().find("a@b.co"), std::string::npos) << "what holds where it goes holds";
    const auto refused = ask("o3");
    EXPECT_EQ(refused.status, 403);
    EXPECT_NE(refused.body.find("Use another model."), std::string::npos) << refused.body;
    EXPECT_EQ(ask("other").status, 200);
    EXPECT_NE(models.last().find("a@b.co"), std::string::npos);
    EXPECT_EQ(world.ask({"POST", "/workflow/returns/", "{}"}).status, 200);
    EXPECT_NE(tools.last().find("/people"), std::string::npos) << tools.last();
}

TEST(PinRoad, WhoAsksForALabelIsGivenThePinnedVersionWhileItStands) {
    World world(answers());
    Control pin = World::stop("agent:bot", ControlMode::Pin);
    pin.terms.pin = {"prompts/support@v3"};
    world.control({pin});
    const net::Headers bot{{"tagout-agent", "bot"}};
    const auto ask = [&](const std::string& path, const net::Headers& headers) {
        return world.ask({"GET", path, "", headers});
    };
    const auto pinned = ask("/v1/prompts/support?label=staging", bot);
    EXPECT_EQ(pinned.status, 200);
    EXPECT_NE(pinned.body.find("prompts v3"), std::string::npos) << pinned.body;
    EXPECT_EQ(pinned.header("tagout-pinned"), "CTL-7");
    const auto other = ask("/v1/prompts/support?label=staging", {});
    EXPECT_NE(other.body.find("prompts staging"), std::string::npos) << other.body;
    EXPECT_EQ(other.header("tagout-pinned"), "");
    EXPECT_NE(ask("/v1/model-routes/support", bot).body.find("production"), std::string::npos);
    world.control({});
    EXPECT_NE(ask("/v1/prompts/support", bot).body.find("production"), std::string::npos);
}

}  // namespace
}  // namespace tagout::gateway
