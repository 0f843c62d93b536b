// Log records: OpenTelemetry's events, and Claude Code's, which tell whole calls without a span.
#include "intake/normalise.h"
#include "intake/normalise_fields.h"
#include "intake/normalise_kind.h"
#include "intake/normalise_messages.h"
#include "intake/normalise_outcome.h"
#include "intake/normalise_texts.h"
#include "intake/normalise_values.h"

namespace tagout::intake {

namespace {

struct LogContext {
    const LogView& log;
    const AttributeIndex& attributes;
    EventBatch& batch;
};

/// Records that tell of a finished call are written at its end and say how long it took.
void take_duration(const LogContext& context, AgentEvent& out) {
    const std::int64_t milliseconds = count_of(context.attributes[key("duration_ms")]);
    constexpr std::int64_t day = 86'400'000;
    if (milliseconds > 0 && milliseconds <= day) {
        const Duration duration = std::chrono::milliseconds(milliseconds);
        if (out.ended_at.time_since_epoch() > duration) {
            out.started_at = out.ended_at - duration;
        }
    }
}

void fill_call(const LogContext& context, AgentEvent& out) {
    take_duration(context, out);
    Tokens& tokens = out.tokens;
    tokens.total = -1;
    tokens.reasoning = -1;
    if (tokens.input >= 0) {
        static constexpr std::int64_t count_max = std::int64_t{1} << 40;
        const auto present = [](std::int64_t count) -> std::int64_t {
            return count > 0 ? std::min(count, count_max) : 0;
        };
        tokens.input =
            present(tokens.input) + present(tokens.cache_read) + present(tokens.cache_write);
        tokens.output = std::min(tokens.output, count_max);
        tokens.accounting = TokenAccounting::Leaf;
    } else {
        tokens = {};
    }
    if (out.cost_usd >= 0) {
        out.cost_accounting = TokenAccounting::Leaf;
    }
    if (out.event == "api_error") {
        out.status = SpanStatus::Error;
        out.error_message = text_of(context.attributes[key("error")], context.batch);
        const std::int64_t status = count_of(context.attributes[key("status_code")]);
        out.http_status = status > 0 && status < 1000 ? static_cast<std::int32_t>(status) : -1;
    } else {
        out.status = SpanStatus::Ok;
        out.attempt = -1;
        out.http_status = -1;
    }
}

void fill_tool(const LogContext& context, AgentEvent& out) {
    take_duration(context, out);
    const AnyValue& success = context.attributes[key("success")];
    const bool succeeded = success.text() == "true"
        || (success.type() == ValueType::Bool && success.boolean());
    out.status = succeeded ? SpanStatus::Ok : SpanStatus::Error;
    out.error_message = succeeded
        ? std::string_view{}
        : text_of(context.attributes[key("error")], context.batch);
}

void fill_guardrail(const LogContext& context, AgentEvent& out) {
    if (out.event == "tool_decision") {
        out.guardrail_name = "permission";
        out.tool_name = text_of(context.attributes[key("tool_name")], context.batch);
        out.tool_call_id = text_of(context.attributes[key("tool_use_id")], context.batch);
    } else if (out.event == "hook_execution_complete") {
        if (count_of(context.attributes[key("num_blocking")]) > 0) {
            out.guardrail_verdict = Verdict::Deny;
        }
    }
}

/// Bodies of the older message events are lists of one message's parts: {content}, {message: {...}}.
void fill_content(const LogContext& context, AgentEvent& out) {
    EventBatch& batch = context.batch;
    fill_texts({context.attributes, {}, EventKind::Llm, out.convention, false}, batch, out);
    if (out.event == "assistant_response") {
        out.output_text = text_of(context.attributes[key("response")], batch);
        return;
    }
    if (context.log.body.type() != ValueType::KvList) {
        return;
    }
    std::string scratch;
    const JsonView body = container_of(context.log.body, scratch);
    if (out.event == "gen_ai.choice") {
        out.output_text = batch.keep(text_of_content(
            member(member(body, "message"), "content"), batch
        ));
        return;
    }
    const std::string_view text = batch.keep(text_of_content(member(body, "content"), batch));
    if (out.event == "gen_ai.user.message") {
        out.user_text = text;
    } else if (out.event == "gen_ai.assistant.message") {
        out.output_text = text;
    } else if (out.event == "gen_ai.system.message") {
        out.system_text = text;
    } else if (out.event == "gen_ai.tool.message") {
        out.tool_result = text;
        out.tool_call_id = batch.keep(text_of(member(body, "id"), batch));
    }
}

void fill_flag(const LogContext& context, AgentEvent& out) {
    const AttributeIndex& attributes = context.attributes;
    const KeyId variant = attributes.has(key("feature_flag.result.variant"))
        ? key("feature_flag.result.variant")
        : key("feature_flag.variant");
    out.flag = text_of(attributes[key("feature_flag.key")], context.batch);
    out.flag_variant = text_of(attributes[variant], context.batch);
    out.flag_version = text_of(attributes[key("feature_flag.version")], context.batch);
}

}  // namespace

void normalise_log(
    const LogView& log, const ScopeView& scope, const ResourceView& resource, EventBatch& batch,
    AgentEvent& out
) {
    const AttributeIndex attributes(log.attributes);
    const LogContext context{log, attributes, batch};
    out.signal = Signal::Logs;
    out.convention = log.body.text().starts_with("claude_code.")
        ? Convention::ClaudeCode
        : convention_of(attributes, scope.name);
    out.event = event_name_of(log, attributes);
    out.kind = kind_of_log(out.event, out.convention);
    out.trace_id = log.trace_id;
    out.span_id = log.span_id;
    out.ended_at =
        instant_of_nanos(log.unix_nanos == 0 ? log.observed_unix_nanos : log.unix_nanos);
    out.started_at = out.ended_at;
    out.scope = scope.name;
    out.severity_number = log.severity_number;

    const bool failed = out.kind == EventKind::Error
        || (out.kind == EventKind::Llm && out.event == "api_error");
    fill_fields(
        {
            .kind = out.kind,
            .convention = out.convention,
            .failed = failed,
            .name = {},
            .status_message = {},
            .quoted_message = {},
            .attributes = log.attributes,
            .resource = resource.attributes,
            .events = {},
        },
        batch, out
    );
    switch (out.kind) {
        case EventKind::Llm:
            fill_call(context, out);
            break;
        case EventKind::Tool:
            fill_tool(context, out);
            break;
        case EventKind::Guardrail:
            fill_guardrail(context, out);
            break;
        case EventKind::LlmContent:
            fill_content(context, out);
            break;
        case EventKind::Config:
            fill_flag(context, out);
            break;
        case EventKind::Evaluation:
            out.eval_scope = "span";
            // The table gives answers to calls only; here the id says which answer was judged.
            out.response_id = text_of(attributes[key("gen_ai.response.id")], batch);
            break;
        case EventKind::Error:
            out.status = SpanStatus::Error;
            break;
        case EventKind::Request:
            out.user_text = text_of(attributes[key("prompt")], batch);
            break;
        case EventKind::Log:
            out.body = text_of(log.body, batch);
            break;
        default:
            break;
    }
    out.outcome = outcome_of(out);
}

}  // namespace tagout::intake
