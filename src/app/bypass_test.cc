#include "app/bypass.h"

#include "app/gateway_calls.h"
#include "app/metrics.h"
#include "intake/intake.h"

#include <gtest/gtest.h>

#include <string>

namespace tagout::app {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));

class BypassTest : public testing::Test {
protected:
    /// The agent's own span of a call, and the header that it sent with it.
    std::string agent_calls(
        const std::string& tool, const std::string& session, bool reports = true
    ) {
        ++calls_;
        otlp::SpanRecord span;
        span.trace_id.bytes[0] = static_cast<std::uint8_t>(calls_);
        span.trace_id.bytes[15] = 7;
        span.span_id.bytes[0] = static_cast<std::uint8_t>(calls_);
        span.name = "execute_tool " + tool;
        span.started_at = now_;
        span.ended_at = now_ + seconds(1);
        span.attributes = {
            {"gen_ai.operation.name", std::string("execute_tool")},
            {"gen_ai.tool.name", tool},
            {"gen_ai.agent.name", std::string("support")},
            {"gen_ai.conversation.id", session}};
        if (reports) {
            send(otlp::Reporter{{{"service.name", std::string("shop")}}, "shop", "1"}, span);
        }
        return "00-" + to_hex(span.trace_id) + "-" + to_hex(span.span_id) + "-01";
    }
    void gateway_sees(
        const std::string& tool, const std::string& session, const std::string& parent
    ) {
        gateway::SeenCall call;
        call.tool = tool;
        call.session = session;
        call.traceparent = parent;
        call.started_at = now_;
        call.ended_at = now_ + seconds(1);
        const otlp::Reporter reporter{
            {{"service.name", std::string("tagout-gateway")}}, std::string(gateway_scope), "1"};
        send(reporter, span_of(call, ++seed_));
    }
    AgentCalls support() { return bypass_.last_hour(now_)["support"]; }

    std::uint64_t told(std::string_view gateway) {
        const std::string_view labels[] = {gateway};
        return metrics_.counter(agent_calls_total, labels).value();
    }

    void send(const otlp::Reporter& reporter, const otlp::SpanRecord& span) {
        auto batch = intake::decode(
            PaddedBytes::copy_of(otlp::encode_spans(reporter, std::vector{span})),
            Signal::Traces,
            intake::Encoding::Protobuf,
            intake::DecodeLimits{}
        );
        ASSERT_TRUE(batch) << batch.error().message;
        linker_.link(**batch);
        bypass_.see((*batch)->events, now_);
        kept_.push_back(*batch);
    }

    MetricRegistry metrics_;
    Bypass bypass_{metrics_};
    intake::Linker linker_{{}};
    std::vector<std::shared_ptr<EventBatch>> kept_;
    Instant now_ = noon;
    unsigned calls_ = 0;
    std::uint64_t seed_ = 1;
};

TEST_F(BypassTest, ACallInsideTheAgentsSpanIsSeenWhicheverReportComesFirst) {
    gateway_sees("payments.refund", "s-1", agent_calls("mcp__payments__refund", "s-1", false));
    calls_ = 0;
    (void)agent_calls("mcp__payments__refund", "s-1");  // the same call, told later
    const std::string parent = agent_calls("mcp__payments__refund", "s-2");
    gateway_sees("payments.refund", "s-2", parent);
    now_ += Bypass::grace * 2;
    EXPECT_EQ(support().all.calls, 2U);
    EXPECT_EQ(support().all.unseen, 0U);
    EXPECT_TRUE(support().unseen_tools.empty());
}

TEST_F(BypassTest, ACallWithoutATraceIsFoundByItsSessionOnce) {
    gateway_sees("refund", "s-1", "");
    (void)agent_calls("refund", "s-1");
    (void)agent_calls("refund", "s-1");
    (void)agent_calls("lookup", "s-1");
    now_ += Bypass::grace * 2;
    const AgentCalls calls = support();
    EXPECT_EQ(calls.all.calls, 3U);
    EXPECT_EQ(calls.all.unseen, 2U);
    ASSERT_EQ(calls.unseen_tools.size(), 2U);
    EXPECT_EQ(calls.unseen_tools[0].first, "refund");
    EXPECT_EQ(calls.unseen_tools[0].second.calls, 2U);
    EXPECT_EQ(calls.unseen_tools[0].second.unseen, 1U);
    EXPECT_EQ(told("seen"), 1U);
    EXPECT_EQ(told("unseen"), 2U);
}

TEST_F(BypassTest, ALongSessionsOldSightingsDoNotTakeNewOnesAway) {
    for (int minute = 0; minute < 30; ++minute) {
        gateway_sees("refund", "s-1", "");
        (void)agent_calls("refund", "s-1");
        now_ += minutes(1);
    }
    EXPECT_EQ(support().all.calls, 30U);
    EXPECT_EQ(support().all.unseen, 0U);
}

TEST_F(BypassTest, NothingIsJudgedBeforeTheGatewaysReportHadItsTime) {
    (void)agent_calls("refund", "s-1");
    EXPECT_EQ(support().all.calls, 0U);
    now_ += Bypass::grace;
    EXPECT_EQ(support().all.unseen, 1U);
    now_ += minutes(70);
    EXPECT_EQ(support().all.calls, 0U) << "an hour is over";
}

TEST_F(BypassTest, ACallOfBeforeTheRestartCountsInItsOwnTime) {
    now_ += minutes(90);
    otlp::SpanRecord old;
    old.trace_id.bytes[0] = 1;
    old.span_id.bytes[0] = 1;
    old.started_at = noon;
    old.ended_at = noon;
    old.attributes = {
        {"gen_ai.operation.name", std::string("execute_tool")},
        {"gen_ai.tool.name", std::string("refund")},
        {"gen_ai.agent.name", std::string("support")}};
    send(otlp::Reporter{{{"service.name", std::string("shop")}}, "shop", "1"}, old);
    now_ += Bypass::grace;
    EXPECT_EQ(support().all.calls, 0U);
}

TEST_F(BypassTest, ACallThatWasAskedAboutAndLetGoWasSeen) {
    const std::string parent = agent_calls("Bash", "s-1");
    bypass_.decided("Bash", "", parent, now_);
    agent_calls("mcp__shop__refund", "s-2");
    bypass_.decided("refund", "s-2", "", now_);
    agent_calls("Bash", "s-3");  // Nobody was asked about this one.
    bypass_.decided("Bash", "s-4", "00-no trace id of the right form at all-01", now_);
    now_ += Bypass::grace + seconds(1);
    EXPECT_EQ(support().all.calls, 3U);
    EXPECT_EQ(support().all.unseen, 1U);
}

}  // namespace
}  // namespace tagout::app
