// What the gateway saw is telemetry like any other: one call is one call, however often it is told.

#include "app/gateway_calls.h"

#include "intake/intake.h"

#include <gtest/gtest.h>

#include <map>

namespace tagout::app {
namespace {

const Instant start = *parse_rfc3339("2026-11-27T03:00:00Z");
constexpr const char* parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

gateway::SeenCall refund() {
    gateway::SeenCall call;
    call.tool = "issue_refund";
    call.server = "payments";
    call.agent = "refund-agent";
    call.workflow = "refunds";
    call.session = "conv-1";
    call.user = "cust-1";
    call.prompt_version = "refunds@v2";
    call.environment = "production";
    call.traceparent = parent;
    call.arguments = R"({"order_id":"ORD-1","amount_cents":100})";
    call.result = R"({"ok":true})";
    call.http_status = 200;
    call.revision = 7;
    call.started_at = start;
    call.ended_at = start + std::chrono::milliseconds(20);
    return call;
}

/// What intake makes of spans, linked, in order.
std::shared_ptr<EventBatch> taken(std::span<const otlp::SpanRecord> spans, intake::Linker& linker) {
    const otlp::Reporter reporter{{{"service.name", std::string("test")}}, "test", "1"};
    auto batch = intake::decode(
        PaddedBytes::copy_of(otlp::encode_spans(reporter, spans)),
        Signal::Traces,
        intake::Encoding::Protobuf,
        intake::DecodeLimits{}
    );
    EXPECT_TRUE(batch.has_value());
    linker.link(**batch);
    return *batch;
}

TEST(GatewayCalls, ACallIsATwiceToldToolCallOfItsSession) {
    intake::Linker linker{intake::LinkerOptions{}};
    const otlp::SpanRecord seen = span_of(refund(), 1);
    const auto first = taken(std::span(&seen, 1), linker);
    ASSERT_EQ(first->events.size(), 1u);
    const AgentEvent& event = first->events.front();
    EXPECT_EQ(event.kind, EventKind::Tool);
    EXPECT_EQ(event.tool_name, "issue_refund");
    EXPECT_EQ(event.correlation, "conv-1");
    EXPECT_EQ(event.agent_name, "refund-agent");
    EXPECT_EQ(event.workflow_name, "refunds");
    EXPECT_EQ(event.user_id, "cust-1");
    EXPECT_EQ(event.prompt_version, "v2");
    EXPECT_EQ(event.environment, "production");
    EXPECT_EQ(event.tool_args, refund().arguments);
    EXPECT_EQ(event.tool_result, refund().result);
    EXPECT_EQ(event.outcome, StepOutcome::Ok);
    EXPECT_FALSE(event.wrapper);
    EXPECT_EQ(to_hex(event.parent_span_id), "b7ad6b7169203331");

    otlp::SpanRecord own;  // The agent's own span of the same call, which ends and comes later.
    own.trace_id = seen.trace_id;
    own.span_id = seen.parent_span_id;
    own.name = "execute_tool issue_refund";
    own.started_at = start - std::chrono::milliseconds(1);
    own.ended_at = start + std::chrono::milliseconds(22);
    own.attributes = {
        {"gen_ai.operation.name", std::string("execute_tool")},
        {"gen_ai.tool.name", std::string("issue_refund")},
        {"gen_ai.conversation.id", std::string("conv-1")},
    };
    const auto second = taken(std::span(&own, 1), linker);
    ASSERT_EQ(second->events.size(), 1u);
    EXPECT_TRUE(second->events.front().wrapper) << "the same call counts once";
}

TEST(GatewayCalls, HowACallEndedIsSeen) {
    const struct {
        const char* name;
        void (*change)(gateway::SeenCall&);
        StepOutcome outcome;
    } rows[] = {
        {"it went well", [](gateway::SeenCall&) {}, StepOutcome::Ok},
        {"denied by a control",
         [](gateway::SeenCall& call) {
             call.verdict = Verdict::Deny;
             call.decided_by = "CTL-1";
             call.reason = "Tool issue_refund is closed.";
             call.http_status = 0;
         },
         StepOutcome::Denied},
        {"nobody approved it",
         [](gateway::SeenCall& call) {
             call.verdict = Verdict::Escalate;
             call.decided_by = "CTL-2";
         },
         StepOutcome::Denied},
        {"stopped while it ran",
         [](gateway::SeenCall& call) {
             call.cancelled = true;
             call.verdict = Verdict::Deny;
         },
         StepOutcome::Denied},
        {"the tool failed", [](gateway::SeenCall& call) { call.is_error = true; },
         StepOutcome::Error},
        {"the upstream failed", [](gateway::SeenCall& call) { call.http_status = 503; },
         StepOutcome::ServerError},
    };
    for (const auto& row : rows) {
        intake::Linker linker{intake::LinkerOptions{}};
        gateway::SeenCall call = refund();
        row.change(call);
        const otlp::SpanRecord span = span_of(call, 1);
        const auto batch = taken(std::span(&span, 1), linker);
        ASSERT_EQ(batch->events.size(), 1u) << row.name;
        if (call.cancelled) {
            EXPECT_NE(batch->events.front().outcome, StepOutcome::Ok) << row.name;
        } else {
            EXPECT_EQ(batch->events.front().outcome, row.outcome) << row.name;
        }
    }
}

TEST(GatewayCalls, ACallWithoutATraceIsItsSessionsOwnTelemetry) {
    for (const char* broken : {"", "00-xyz", "00-00000000000000000000000000000000-b7ad6b7169203331-01"}) {
        gateway::SeenCall call = refund();
        call.traceparent = broken;
        const otlp::SpanRecord span = span_of(call, 9);
        EXPECT_FALSE(span.trace_id.empty()) << broken;
        EXPECT_TRUE(span.parent_span_id.empty()) << broken;
        EXPECT_NE(span_of(call, 10).trace_id, span.trace_id) << broken;
    }
}

TEST(GatewayCalls, RequestsToModelsAndWorkflowsAreRecordedWhenTheyWereRefused) {
    gateway::SeenCall call = refund();
    call.kind = CallKind::Model;
    EXPECT_FALSE(is_recorded(call));
    call.verdict = Verdict::Deny;
    EXPECT_TRUE(is_recorded(call));
    call.kind = CallKind::Workflow;
    EXPECT_TRUE(is_recorded(call));
    EXPECT_EQ(span_of(call, 9).name, "invoke_workflow " + call.workflow);
    call.verdict = Verdict::Modify;
    EXPECT_FALSE(is_recorded(call)) << "a routed workflow tells of itself";
}

class KeptBatches final : public server::IntakeSink {
public:
    void accept(
        std::shared_ptr<EventBatch> batch, std::function<void(Result<void>)> done
    ) override {
        const MutexLock lock(mutex);
        events += batch->events.size();
        done(refuses ? Result<void>(fail(ErrorCode::Unavailable, "full")) : Result<void>{});
    }
    Mutex mutex;
    std::size_t events TAGOUT_GUARDED_BY(mutex) = 0;
    bool refuses = false;
};

void nobody(const ControlId&, std::uint64_t) {}

TEST(GatewayCalls, RefusalsAreCountedForWhoDecidedThem) {
    MetricRegistry metrics;
    KeptBatches kept;
    std::map<std::string, std::uint64_t> counts;
    {
        GatewayCalls calls(
            kept, metrics,
            [&](const ControlId& by, std::uint64_t count) { counts[by.text()] += count; }, 1
        );
        gateway::SeenCall call = refund();
        calls.add(call);
        call.verdict = Verdict::Deny;
        call.decided_by = "CTL-1";
        calls.add(call);
        calls.add(call);
        call.kind = CallKind::Workflow;
        call.verdict = Verdict::Modify;
        call.decided_by = "CTL-2";
        calls.add(call);
    }
    EXPECT_EQ(counts, (std::map<std::string, std::uint64_t>{{"CTL-1", 2}, {"CTL-2", 1}}));
    const MutexLock lock(kept.mutex);
    EXPECT_EQ(kept.events, 3u) << "a routed workflow is no call of a tool";
}

TEST(GatewayCalls, NothingIsLostSilently) {
    MetricRegistry metrics;
    KeptBatches kept;
    {
        GatewayCalls calls(kept, metrics, nobody, 1);
        for (int i = 0; i < 1'000; ++i) {
            calls.add(refund());
        }
    }
    {
        const MutexLock lock(kept.mutex);
        EXPECT_EQ(kept.events, 1'000u);
    }
    kept.refuses = true;
    {
        GatewayCalls calls(kept, metrics, nobody, 1);
        calls.add(refund());
    }
    EXPECT_NE(
        metrics.expose().find("tagout_gateway_calls_lost_total{reason=\"unavailable\"} 1"),
        std::string::npos
    ) << metrics.expose();
}

}  // namespace
}  // namespace tagout::app
