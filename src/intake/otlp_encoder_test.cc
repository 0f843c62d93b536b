// The encoder's bytes, read back by the intake that real SDKs' bytes go through.

#include "intake/otlp_encoder.h"

#include "intake/intake.h"

#include <gtest/gtest.h>

#include <limits>

namespace tagout::otlp {
namespace {

const Instant start = *parse_rfc3339("2026-11-24T12:00:00Z");

Reporter reporter() {
    return {
        .resource =
            {
                {"service.name", std::string("refund-agent")},
                {"deployment.environment.name", std::string("production")},
            },
        .scope = "harbour.agents",
        .scope_version = "1.0",
    };
}

SpanRecord tool_span() {
    SpanRecord span;
    span.trace_id.bytes.fill(0xab);
    span.span_id.bytes.fill(0x01);
    span.parent_span_id.bytes.fill(0x02);
    span.name = "execute_tool get_order";
    span.kind = SpanKind::Internal;
    span.started_at = start;
    span.ended_at = start + std::chrono::milliseconds(17);
    span.status = SpanStatus::Error;
    span.status_message = "HTTP 404: no order";
    span.attributes = {
        {"gen_ai.operation.name", std::string("execute_tool")},
        {"gen_ai.tool.name", std::string("get_order")},
        {"gen_ai.tool.call.arguments", std::string(R"({"order_id":"ORD-1"})")},
        {"gen_ai.conversation.id", std::string("conv-1")},
        {"gen_ai.agent.name", std::string("refund-agent")},
        {"error.type", std::string("404")},
        {"http.response.status_code", std::int64_t{404}},
    };
    return span;
}

std::shared_ptr<EventBatch> decoded(const std::string& bytes, Signal signal) {
    Result<std::shared_ptr<EventBatch>> batch = intake::decode(
        PaddedBytes::copy_of(bytes), signal, intake::Encoding::Protobuf, intake::DecodeLimits{}
    );
    EXPECT_TRUE(batch.has_value()) << (batch ? "" : batch.error().message);
    return batch ? *std::move(batch) : std::make_shared<EventBatch>();
}

TEST(OtlpEncoder, AFailedToolCallIsReadAsOne) {
    const SpanRecord span = tool_span();
    const auto batch = decoded(encode_spans(reporter(), {&span, 1}), Signal::Traces);
    ASSERT_EQ(batch->events.size(), 1u);
    const AgentEvent& event = batch->events[0];
    EXPECT_EQ(batch->rejected, 0u);
    EXPECT_EQ(event.kind, EventKind::Tool);
    EXPECT_EQ(event.convention, Convention::OtelGenAi);
    EXPECT_EQ(event.trace_id, span.trace_id);
    EXPECT_EQ(event.span_id, span.span_id);
    EXPECT_EQ(event.parent_span_id, span.parent_span_id);
    EXPECT_EQ(event.started_at, span.started_at);
    EXPECT_EQ(event.ended_at, span.ended_at);
    EXPECT_EQ(event.tool_name, "get_order");
    EXPECT_EQ(event.tool_args, R"({"order_id":"ORD-1"})");
    EXPECT_EQ(event.http_status, 404);
    EXPECT_EQ(event.outcome, StepOutcome::ClientError);
    EXPECT_EQ(event.conversation_id, "conv-1");
    EXPECT_EQ(event.service_name, "refund-agent");
    EXPECT_EQ(event.environment, "production");
    EXPECT_EQ(event.scope, "harbour.agents");
}

TEST(OtlpEncoder, EveryKindOfValueComesThrough) {
    SpanRecord span = tool_span();
    span.name = "chat gpt-4o";
    span.kind = SpanKind::Client;
    span.status = SpanStatus::Unset;
    span.attributes = {
        {"gen_ai.operation.name", std::string("chat")},
        {"gen_ai.request.model", std::string("gpt-4o")},
        {"gen_ai.response.finish_reasons", std::vector<std::string>{"stop"}},
        {"gen_ai.usage.input_tokens", std::int64_t{1200}},
        {"gen_ai.usage.output_tokens", std::int64_t{30}},
        {"gen_ai.response.time_to_first_chunk", 0.25},
        {"gen_ai.request.stream", true},
        {"gen_ai.prompt.version", std::string("12")},
        {"odd", std::numeric_limits<std::int64_t>::min()},
    };
    const auto batch = decoded(encode_spans(reporter(), {&span, 1}), Signal::Traces);
    ASSERT_EQ(batch->events.size(), 1u);
    const AgentEvent& event = batch->events[0];
    EXPECT_EQ(event.kind, EventKind::Llm);
    EXPECT_EQ(event.tokens.input, 1200);
    EXPECT_EQ(event.tokens.output, 30);
    EXPECT_EQ(event.tokens.counted(), 1230);
    EXPECT_EQ(event.finish_reason, "stop");
    EXPECT_DOUBLE_EQ(event.ttft_s, 0.25);
    EXPECT_EQ(event.prompt_version, "12");
    EXPECT_EQ(event.outcome, StepOutcome::Ok);
}

TEST(OtlpEncoder, AUsersThumbIsAnEvaluation) {
    LogEvent thumb;
    thumb.trace_id.bytes.fill(0xab);
    thumb.span_id.bytes.fill(0x02);
    thumb.at = start;
    thumb.event_name = "gen_ai.evaluation.result";
    thumb.attributes = {
        {"gen_ai.conversation.id", std::string("conv-1")},
        {"gen_ai.evaluation.name", std::string("user_feedback")},
        {"gen_ai.evaluation.score.value", 0.0},
        {"gen_ai.evaluation.score.label", std::string("thumbs_down")},
    };
    const auto batch = decoded(encode_logs(reporter(), {&thumb, 1}), Signal::Logs);
    ASSERT_EQ(batch->events.size(), 1u);
    const AgentEvent& event = batch->events[0];
    EXPECT_EQ(event.kind, EventKind::Evaluation);
    EXPECT_EQ(event.eval_name, "user_feedback");
    EXPECT_TRUE(event.eval_has_score);
    EXPECT_DOUBLE_EQ(event.eval_score, 0.0);
    EXPECT_EQ(event.eval_label, "thumbs_down");
    EXPECT_EQ(event.conversation_id, "conv-1");
}

TEST(OtlpEncoder, ManySpansShareOneResource) {
    std::vector<SpanRecord> spans(200, tool_span());
    for (std::size_t i = 0; i < spans.size(); ++i) {
        spans[i].span_id.bytes[7] = static_cast<std::uint8_t>(i);
    }
    const std::string bytes = encode_spans(reporter(), spans);
    EXPECT_EQ(decoded(bytes, Signal::Traces)->events.size(), spans.size());
    EXPECT_EQ(bytes.find("service.name"), bytes.rfind("service.name"));
    EXPECT_TRUE(decoded(encode_spans(reporter(), {}), Signal::Traces)->events.empty());
}

}  // namespace
}  // namespace tagout::otlp
