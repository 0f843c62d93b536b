// Latency, queues and the cost of a good outcome, through both stages; and names without end.
#include "base/prng.h"
#include "detect/cost/queue_points.h"
#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace tagout::detect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::shared_ptr<const catalog::Catalog> nothing_configured() {
    return std::make_shared<const catalog::Catalog>();
}

constexpr int fault_from = 400;

/// Sessions half a second apart, each a model call and a tool call of `tool_millis(i)`; sessions
/// from fault_from on may differ.
struct Shop {
    int sessions = 800;
    std::function<double(int, Prng&)> tool_millis = [](int, Prng& p) {
        return 300 + 400 * p.unit();
    };
    std::function<std::int64_t(int)> tokens = [](int) { return 1'000; };
    std::function<bool(int, Prng&)> good = [](int, Prng&) { return true; };
};

std::vector<AgentEvent> tell(Story& story, const Shop& shop) {
    Prng prng(3);
    std::vector<AgentEvent> events;
    for (int i = 0; i < shop.sessions; ++i) {
        story.session("conv-" + std::to_string(i), "clerk", "orders").wait(milliseconds(100));
        story.by("user-" + std::to_string(i % 40));
        story.user("Where is order " + std::to_string(i) + "?").model(shop.tokens(i), "let me see");
        const std::string args = R"({"id":)" + std::to_string(i) + "}";
        AgentEvent& call = story.tool("get_order", args, "order " + std::to_string(i) + " is here");
        const auto took = Duration(static_cast<std::int64_t>(shop.tool_millis(i, prng) * 1e6));
        call.started_at = call.ended_at - took;
        story.end(shop.good(i, prng) ? StepOutcome::Ok : StepOutcome::Error);
    }
    return story.events;
}

TEST(TailLatency, SlowCallsAreToldWithTheSlowestOfThem) {
    Story story;
    Shop shop;
    shop.tool_millis = [](int i, Prng& p) {
        return (i < fault_from ? 1 : 8) * (300 + 400 * p.unit());
    };
    const RunResult result = run(tell(story, shop), Settings{}, nothing_configured());
    ASSERT_EQ(result.of("cost.tail_latency").size(), 1U);
    const Finding slow = result.of("cost.tail_latency").front();
    EXPECT_EQ(slow.failure_class, FailureClass::Cost);
    EXPECT_EQ(slow.tool.text(), "get_order");
    EXPECT_EQ(slow.agent.text(), "clerk");
    EXPECT_FALSE(slow.span_id.empty());
    EXPECT_NE(slow.evidence.find("tool get_order"), std::string::npos) << slow.evidence;
    EXPECT_NE(slow.evidence.find("times the usual"), std::string::npos) << slow.evidence;
    EXPECT_EQ(slow.outcome, SessionOutcome::Unknown);
    EXPECT_TRUE(result.incidents().empty()) << "nobody failed by waiting";
}

TEST(TailLatency, AFifthOfTheCallsIsTailEnough) {
    Story story;
    Shop shop;
    shop.tool_millis = [](int i, Prng& p) {
        const bool slow = i >= fault_from && i % 3 == 0;
        return (slow ? 12 : 1) * (300 + 400 * p.unit());
    };
    EXPECT_EQ(
        run(tell(story, shop), Settings{}, nothing_configured()).of("cost.tail_latency").size(), 1U
    );
}

TEST(TailLatency, WhatMustNotFire) {
    struct Row {
        const char* name;
        std::function<double(int, Prng&)> millis;
    };
    const Row rows[] = {
        {"as always", [](int, Prng& p) { return 300 + 400 * p.unit(); }},
        {"fast calls that are a little less fast",
         [](int i, Prng& p) { return (i < fault_from ? 5 : 60) + p.unit(); }},
        {"one call in fifty hangs",
         [](int i, Prng& p) { return i % 50 == 0 ? 20'000 : 300 + 400 * p.unit(); }},
        {"half as slow again",
         [](int i, Prng& p) { return (i < fault_from ? 1 : 1.5) * (900 + 400 * p.unit()); }},
    };
    for (const Row& row : rows) {
        Story story;
        Shop shop;
        shop.tool_millis = row.millis;
        const RunResult result = run(tell(story, shop), Settings{}, nothing_configured());
        EXPECT_TRUE(result.of("cost.tail_latency").empty()) << row.name;
        EXPECT_TRUE(result.of("cost.queue_depth").empty()) << row.name;
    }
}

TEST(QueueDepth, CallsThatPileUpWaitLonger) {
    Story story;
    Shop shop;
    shop.tool_millis = [](int i, Prng& p) {
        return (i < fault_from ? 1 : 25) * (300 + 400 * p.unit());
    };
    const RunResult result = run(tell(story, shop), Settings{}, nothing_configured());
    ASSERT_EQ(result.of("cost.queue_depth").size(), 1U);
    const Finding queue = result.of("cost.queue_depth").front();
    EXPECT_NE(queue.evidence.find("under way at once"), std::string::npos) << queue.evidence;
    ASSERT_EQ(result.of("cost.tail_latency").size(), 1U);
    EXPECT_EQ(queue.explained_by, result.of("cost.tail_latency").front().id);
}

TEST(QueueDepth, AMeasuredQueueThatGrowsIsTold) {
    const auto told = [](double raised_to) {
        KeyStage keys(Settings{}, nothing_configured());
        Prng prng(4);
        Output out;
        Instant now{std::chrono::hours(24 * 365 * 50)};
        for (int i = 0; i < 240; ++i) {
            now += seconds(10);
            KeyPartials partials;
            const double depth = static_cast<double>(prng.below(4)) + (i < 180 ? 0 : raised_to);
            add_depth(
                partials, "vllm:num_requests_waiting", "llm-pool", depth, now, now, seconds(5)
            );
            keys.merge(partials);
            keys.evaluate(now, out);
        }
        keys.finish(out);
        return out.findings;
    };
    const std::vector<Finding> found = told(80);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.front().signal, "cost.queue_depth");
    EXPECT_EQ(found.front().service, "llm-pool");
    EXPECT_NE(
        found.front().evidence.find("vllm:num_requests_waiting of llm-pool"), std::string::npos
    );
    EXPECT_TRUE(told(0).empty()) << "as always";
    EXPECT_TRUE(told(5).empty()) << "nobody waits long behind five";
}

TEST(OutcomeCost, SuccessThatCostsMoreIsTold) {
    struct Row {
        const char* name;
        std::function<std::int64_t(int)> tokens;
        std::function<bool(int, Prng&)> good;
        bool fires;
    };
    const auto flat = [](int) -> std::int64_t { return 1'000; };
    const auto nine_in_ten = [](int, Prng& p) { return p.chance(0.9); };
    const Row rows[] = {
        {"a usual day", flat, nine_in_ten, false},
        {"a bad hour",
         flat,
         [](int i, Prng& p) { return p.chance(i < fault_from ? 0.9 : 0.7); },
         false},
        {"most sessions lead nowhere",
         flat,
         [](int i, Prng& p) { return p.chance(i < fault_from ? 0.9 : 0.25); },
         true},
        {"sessions cost double and half of them fail",
         [](int i) -> std::int64_t { return i < fault_from ? 1'000 : 2'000; },
         [](int i, Prng& p) { return p.chance(i < fault_from ? 0.9 : 0.5); },
         true},
    };
    for (const Row& row : rows) {
        Story story;
        Shop shop;
        shop.tokens = row.tokens;
        shop.good = row.good;
        Settings settings;
        settings.session_idle = seconds(20);
        const RunResult result = run(tell(story, shop), settings, nothing_configured());
        ASSERT_EQ(result.of("cost.outcome_cost").size(), row.fires ? 1U : 0U) << row.name;
        if (row.fires) {
            const Finding cost = result.of("cost.outcome_cost").front();
            EXPECT_EQ(cost.workflow.text(), "orders");
            EXPECT_FALSE(cost.correlation.empty());
            EXPECT_EQ(cost.outcome, SessionOutcome::Failed);
            EXPECT_NE(cost.evidence.find("a good outcome of orders costs"), std::string::npos)
                << cost.evidence;
        }
    }
}

TEST(Keys, ATenantThatInventsNamesIsBoundedAndCounted) {
    Settings settings;
    settings.keys_max = 50;
    settings.names_max = 200;
    SessionStage stage(settings, nothing_configured());
    KeyStage keys(settings, nothing_configured());
    Output out;
    Story story;
    story.session("steady", "clerk", "orders").user("hello there").model();
    for (int i = 0; i < 3'000; ++i) {
        const std::string number = std::to_string(i);
        story.session("conv-" + number, "agent-" + number, "workflow-" + number);
        story.wait(milliseconds(10)).user("hello there").model(5'000);
        story.tool("tool-" + number, "{}", "fine");
        story.end();
    }
    for (const AgentEvent& event : story.events) {
        stage.observe({&event, 1}, event.ended_at, out);
    }
    keys.merge(*stage.take_partials());
    keys.evaluate(story.now(), out);
    EXPECT_LE(keys.stats().keys_live, 50U);
    EXPECT_GT(keys.stats().keys_refused + stage.stats().keys_refused, 3'000U);
    EXPECT_LT(keys.stats().bytes, 2'000'000U);
    EXPECT_TRUE(out.findings.empty());
}

}  // namespace
}  // namespace tagout::detect
