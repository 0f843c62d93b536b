// Sessions as no honest agent tells them: endless, told twice, from other times, with ids that
// collide. Memory stays bounded, nothing counts twice, and what is told is true.
#include "detect/engine.h"
#include "detect/key_partials.h"
#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gtest/gtest.h>

#include <string>

namespace tagout::detect {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const auto no_catalog = std::make_shared<const catalog::Catalog>();

TEST(BadInput, ASessionOfAMillionStepsKeepsItsMemoryBounded) {
    constexpr int steps = 1'000'000;
    constexpr int at_once = 1'000;
    constexpr std::uint64_t bytes_max = 400 * 1024;
    Settings settings;
    SessionStage stage(settings, no_catalog);
    Output out;
    std::size_t findings = 0;
    Instant now = Instant(hours(24));
    for (int from = 0; from < steps; from += at_once) {
        Story story(now);
        story.session("endless", "agent", "work").user("Count " + std::to_string(from / 50'000));
        for (int i = from; i < from + at_once; i += 4) {
            const std::string n = std::to_string(i);
            story.model(10, "Item " + n + " of the list costs " + n + "000 dollars.");
            story.tool("get_item", R"({"n":)" + n + "}", "item " + n + " costs " + n + "000");
            story.tool("get_item", R"({"n":1})", "item changed to " + n);
            story.tool("add_item", R"({"n":)" + n + "}", "ok");
        }
        // Other spans in each batch: a Story numbers its own from one.
        for (AgentEvent& event : story.events) {
            event.span_id.bytes[7] = static_cast<std::uint8_t>(from / at_once);
            event.span_id.bytes[6] = static_cast<std::uint8_t>(from / at_once >> 8);
        }
        now = story.now();
        stage.observe(story.events, now, out);
        stage.tick(now, out);
        (void)stage.take_partials();
        findings += out.findings.size();
        out = {};
        ASSERT_LE(stage.stats().bytes, bytes_max) << "after " << from << " steps";
    }
    EXPECT_EQ(stage.stats().sessions_live, 1U);
    EXPECT_LT(findings, 400U) << "told anew when a number doubled, not at every step";
    EXPECT_EQ(stage.stats().events, static_cast<std::uint64_t>(steps));
    EXPECT_EQ(stage.stats().repeated_calls, 0U);
}

TEST(BadInput, ASpanThatIsToldTwiceIsOneAction) {
    Story story;
    story.session("s-1", "agent", "work").user("Send it").model();
    story.tool("send_money", R"({"to":"ann","amount":5})", "sent");
    for (int i = 0; i < 5; ++i) {
        const AgentEvent again = story.events.back();
        story.events.push_back(again);
    }
    story.end();
    const RunResult result = run(story.events, Settings{}, no_catalog);
    EXPECT_TRUE(result.of("context.duplicate_action").empty());
    EXPECT_EQ(result.sessions.at("s-1").tool_calls, 1U);
    EXPECT_EQ(result.sessions.at("s-1").writes, 1U);
}

TEST(BadInput, SpansWhoseIdsCollideAreStillTwoActions) {
    Story story;
    story.session("s-1", "agent", "work").user("Send it").model();
    story.tool("send_money", R"({"to":"ann","amount":5})", "sent");
    story.tool("send_money", R"({"to":"ann","amount":5})", "sent");
    story.events.back().span_id = story.events[story.events.size() - 2].span_id;
    story.end();
    const RunResult result = run(story.events, Settings{}, no_catalog);
    EXPECT_EQ(result.of("context.duplicate_action").size(), 1U);
    EXPECT_EQ(result.sessions.at("s-1").tool_calls, 2U);
}

TEST(BadInput, AClockThatRunsBackwardsMakesNoLoop) {
    Story story;
    story.session("s-1", "agent", "work").user("Look it up").model();
    for (int i = 0; i < 20; ++i) {
        AgentEvent& call = story.tool(
            "get_item",
            R"({"n":)" + std::to_string(i) + "}",
            "item " + std::to_string(i) + " costs 50 dollars and is in stock in all our shops"
        );
        call.started_at -= seconds(10 * i);
        call.ended_at = call.started_at - seconds(1);  // it ends before it begins
    }
    story.end();
    const RunResult result = run(story.events, Settings{}, no_catalog);
    EXPECT_TRUE(result.findings.empty());
    EXPECT_EQ(result.sessions.at("s-1").tool_calls, 20U);
    EXPECT_LE(result.sessions.at("s-1").started_at, result.sessions.at("s-1").ended_at);
}

TEST(BadInput, ASpanFromTheYear2100DoesNotHoldUpTheSession) {
    Settings settings;
    SessionStage stage(settings, no_catalog);
    KeyStage keys(settings, no_catalog);
    Story story;
    story.session("s-1", "agent", "work").user("Look it up").model();
    AgentEvent& future = story.tool("get_item", R"({"n":1})", "item 1 costs 50 dollars, in stock");
    future.started_at = Instant(hours(24 * 365 * 130));
    future.ended_at = future.started_at + seconds(1);
    story.tool("get_item", R"({"n":2})", "item 2 costs 60 dollars, in stock");
    story.tool("get_item", R"({"n":2})", "item 2 costs 60 dollars, in stock");
    story.end();
    const Instant now = story.now() + seconds(1);
    Output out;
    stage.observe(story.events, now, out);
    stage.tick(now, out);
    keys.merge(*stage.take_partials());
    keys.evaluate(now, out);
    ASSERT_FALSE(out.findings.empty()) << "the repetition is still seen";
    for (const Finding& finding : out.findings) {
        EXPECT_EQ(finding.signal, "context.duplicate_action");
        EXPECT_LE(finding.seen_at, now);
    }
    stage.tick(now + settings.session_idle + seconds(1), out);
    EXPECT_EQ(stage.stats().sessions_live, 0U) << "it ends when it is idle by our clock";
    ASSERT_FALSE(out.sessions.empty());
    EXPECT_LE(out.sessions.back().ended_at, now);
}

TEST(BadInput, TwoUsersUnderOneConversationIdStayOneBoundedSession) {
    Story story;
    for (int i = 0; i < 50; ++i) {
        story.session("shared", i % 2 == 0 ? "one" : "two", "work");
        story.by(i % 2 == 0 ? "ann" : "bob").user("Question " + std::to_string(i)).model();
        story.tool("get_item", R"({"n":1})", "item 1 costs 50 dollars and is in stock");
        story.end();
    }
    const RunResult result = run(story.events, Settings{}, no_catalog);
    EXPECT_EQ(result.sessions.size(), 1U);
    EXPECT_TRUE(result.of("context.duplicate_action").empty()) << "each asked for it himself";
}

}  // namespace
}  // namespace tagout::detect
