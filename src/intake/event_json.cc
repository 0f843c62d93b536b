#include "intake/event_json.h"

#include "intake/normalise_fields.h"
#include "intake/normalise_values.h"

namespace tagout::intake {

namespace {

constexpr std::size_t text_characters_max = 160;
constexpr std::size_t speech_characters_max = 80;

/// The first `characters_max` characters.
std::string_view first_characters(std::string_view text, std::size_t characters_max) noexcept {
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
        if (begins && ++characters > characters_max) {
            return text.substr(0, i);
        }
    }
    return text;
}

/// Writes one object, member by member.
class ObjectText {
public:
    explicit ObjectText(std::string& out) : out_(out) { out_ += '{'; }
    ObjectText(const ObjectText&) = delete;
    ObjectText& operator=(const ObjectText&) = delete;
    void close() { out_ += '}'; }

    std::string& key(std::string_view name) {
        if (!first_) {
            out_ += ", ";
        }
        first_ = false;
        append_quoted(name, out_);
        out_ += ": ";
        return out_;
    }
    void text(std::string_view name, std::string_view value) {
        append_quoted(value, key(name));
    }
    void text_if(std::string_view name, std::string_view value) {
        if (!value.empty()) {
            text(name, value);
        }
    }
    void clipped_if(std::string_view name, std::string_view value, std::size_t characters_max) {
        text_if(name, first_characters(value, characters_max));
    }
    void number(std::string_view name, double value) {
        append_number(value, WholeNumbers::AsInts, key(name));
    }
    void count(std::string_view name, std::int64_t value) { key(name) += std::to_string(value); }
    void count_if(std::string_view name, std::int64_t value) {
        if (value >= 0) {
            count(name, value);
        }
    }
    /// Null where there is none: log records say which of their numbers the sender left out.
    void count_or_null(std::string_view name, std::int64_t value) {
        key(name) += value >= 0 ? std::to_string(value) : "null";
    }
    void text_or_null(std::string_view name, std::string_view value) {
        if (value.empty()) {
            key(name) += "null";
        } else {
            text(name, value);
        }
    }

private:
    std::string& out_;
    bool first_ = true;
};

std::string_view name_of(SpanStatus status) noexcept {
    switch (status) {
        case SpanStatus::Ok:
            return "ok";
        case SpanStatus::Error:
            return "error";
        case SpanStatus::Unset:
            break;
    }
    return "unset";
}

std::string_view name_of(TokenAccounting accounting) noexcept {
    switch (accounting) {
        case TokenAccounting::Leaf:
            return "leaf";
        case TokenAccounting::Rollup:
            return "rollup";
        case TokenAccounting::Duplicate:
            return "duplicate";
        case TokenAccounting::None:
            break;
    }
    return "none";
}

/// Nothing where no guardrail spoke.
std::string_view verdict_name(Verdict verdict) noexcept {
    return verdict == Verdict::None ? std::string_view{} : name_of(verdict);
}

double milliseconds_of(const AgentEvent& event) noexcept {
    return static_cast<double>((event.ended_at - event.started_at).count()) / 1e6;
}

void write_links(const AgentEvent& event, ObjectText& object) {
    if (event.links.empty()) {
        return;
    }
    std::string& out = object.key("links");
    out += '[';
    for (std::string_view rest = event.links; !rest.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        append_quoted(rest.substr(0, comma), out);
        rest.remove_prefix(std::min(comma + 1, rest.size()));
        out += rest.empty() ? "]" : ", ";
    }
}

void write_span_error(const AgentEvent& event, ObjectText& object) {
    if (event.status == SpanStatus::Error) {
        ObjectText error(object.key("error"));
        error.text_if("type", event.error_type);
        error.clipped_if("message", event.error_message, text_characters_max);
        error.count_if("http_status", event.http_status);
        error.text_if("rpc", event.rpc_status);
        error.close();
    } else if (event.http_status > 0) {
        object.count("http_status", event.http_status);
    }
}

void write_tool(const AgentEvent& event, ObjectText& object) {
    object.text_if("tool.name", event.tool_name);
    object.text_if("tool.call_id", event.tool_call_id);
    object.text_if("tool.type", event.tool_type);
    object.clipped_if("tool.args", event.tool_args, text_characters_max);
    object.clipped_if("tool.result", event.tool_result, text_characters_max);
}

void write_usage(const AgentEvent& event, ObjectText& object) {
    object.text_if("provider", event.provider);
    object.text_if("model.request", event.model_request);
    object.text_if("model.response", event.model_response);
    object.text_if("response.id", event.response_id);
    object.text_if("finish_reason", event.finish_reason);
    if (event.tokens.accounting != TokenAccounting::None) {
        ObjectText tokens(object.key("tokens"));
        tokens.count_if("input", event.tokens.input);
        tokens.count_if("output", event.tokens.output);
        tokens.count_if("total", event.tokens.total);
        tokens.count_if("cache_read", event.tokens.cache_read);
        tokens.count_if("cache_write", event.tokens.cache_write);
        tokens.count_if("reasoning", event.tokens.reasoning);
        tokens.text("accounting", name_of(event.tokens.accounting));
        tokens.close();
    }
    if (event.cost_usd >= 0) {
        object.number("cost.usd", event.cost_usd);
    }
    if (event.ttft_s >= 0) {
        object.number("ttft_s", event.ttft_s);
    }
}

void write_evaluation(const AgentEvent& event, ObjectText& object) {
    if (event.eval_scope.empty()) {
        return;
    }
    ObjectText eval(object.key("eval"));
    eval.text("scope", event.eval_scope);
    eval.text_or_null("name", event.eval_name);
    if (event.eval_has_score) {
        eval.number("score", event.eval_score);
    } else {
        eval.key("score") += "null";
    }
    eval.text_or_null("label", event.eval_label);
    if (event.signal == Signal::Logs) {
        eval.text_or_null("explanation", event.eval_explanation);
        eval.text_or_null("response.id", event.response_id);
    } else if (event.kind == EventKind::Evaluation) {
        eval.text_or_null("annotator", event.eval_annotator);
        eval.text_or_null("target", event.eval_target);
    }
    eval.close();
}

void write_span(const AgentEvent& event, ObjectText& object) {
    object.text("name", event.name);
    object.text("trace_id", to_hex(event.trace_id));
    object.text("span_id", to_hex(event.span_id));
    if (!event.parent_span_id.empty()) {
        object.text("parent_span_id", to_hex(event.parent_span_id));
    }
    object.text("start_ns", std::to_string(unix_nanos(event.started_at)));
    append_number(milliseconds_of(event), WholeNumbers::WithPoint, object.key("duration_ms"));
    write_links(event, object);
    object.text("status", name_of(event.status));
    write_span_error(event, object);
    object.text_if("agent.name", event.agent_name);
    object.text_if("agent.id", event.agent_id);
    object.text_if("agent.version", event.agent_version);
    object.text_if("workflow.name", event.workflow_name);
    object.text_if("workflow.version", event.workflow_version);
    object.text_if("conversation.id", event.conversation_id);
    object.text_if("session.id", event.session_id);
    object.text_if("user.id", event.user_id);
    object.text_if("request.id", event.request_id);
    object.text_if("prompt.name", event.prompt_name);
    object.text_if("prompt.version", event.prompt_version);
    object.text_if("policy.id", event.policy_id);
    object.text_if("service.name", event.service_name);
    object.text_if("service.version", event.service_version);
    object.text_if("environment", event.environment);
    write_tool(event, object);
    write_usage(event, object);
    object.clipped_if("user_text", event.user_text, speech_characters_max);
    if (event.kind == EventKind::Guardrail) {
        object.text_if("guardrail.name", event.guardrail_name);
        object.text_if("guardrail.verdict", verdict_name(event.guardrail_verdict));
    }
    if (event.kind == EventKind::Handoff) {
        object.text_if("handoff.from", event.handoff_from);
        object.text_if("handoff.to", event.handoff_to);
    }
    write_evaluation(event, object);
    object.count_if("attempt", event.attempt);
}

/// The numbers of a call that a log record tells of.
void write_logged_call(const AgentEvent& event, ObjectText& object) {
    object.text_if("model.request", event.model_request);
    object.text_if("response.id", event.response_id);
    if (event.ended_at != event.started_at) {
        object.number("duration_ms", milliseconds_of(event));
    }
    object.text("status", name_of(event.status));
    if (event.tokens.accounting != TokenAccounting::None) {
        ObjectText tokens(object.key("tokens"));
        tokens.count_or_null("input", event.tokens.input);
        tokens.count_or_null("output", event.tokens.output);
        tokens.count_or_null("cache_read", event.tokens.cache_read);
        tokens.count_or_null("cache_write", event.tokens.cache_write);
        tokens.text("accounting", name_of(event.tokens.accounting));
        tokens.close();
    }
    if (event.cost_usd >= 0) {
        object.number("cost.usd", event.cost_usd);
    }
    if (event.status == SpanStatus::Error) {
        ObjectText error(object.key("error"));
        error.text_or_null("message", first_characters(event.error_message, text_characters_max));
        error.count_or_null("http_status", event.http_status);
        error.close();
        object.count_if("attempt", event.attempt);
    }
}

void write_log(const AgentEvent& event, ObjectText& object) {
    object.text("event", event.event);
    if (!event.trace_id.empty()) {
        object.text("trace_id", to_hex(event.trace_id));
    }
    if (!event.span_id.empty()) {
        object.text("span_id", to_hex(event.span_id));
    }
    object.text("time_ns", std::to_string(unix_nanos(event.ended_at)));
    object.count("severity", event.severity_number);
    object.text_if("conversation.id", event.conversation_id);
    object.text_if("session.id", event.session_id);
    object.text_if("user.id", event.user_id);
    object.text_if("request.id", event.request_id);
    object.text_if("agent.name", event.agent_name);
    object.text_if("service.name", event.service_name);
    object.text_if("environment", event.environment);
    write_evaluation(event, object);
    switch (event.kind) {
        case EventKind::Tool:
            object.text_if("tool.name", event.tool_name);
            object.text_if("tool.call_id", event.tool_call_id);
            object.clipped_if("tool.args", event.tool_args, text_characters_max);
            object.text("status", name_of(event.status));
            if (event.ended_at != event.started_at) {
                object.number("duration_ms", milliseconds_of(event));
            }
            break;
        case EventKind::Llm:
            write_logged_call(event, object);
            break;
        case EventKind::Error: {
            object.text("status", name_of(event.status));
            ObjectText error(object.key("error"));
            error.text_if("type", event.error_type);
            error.clipped_if("message", event.error_message, text_characters_max);
            error.count_if("http_status", event.http_status);
            error.close();
            break;
        }
        case EventKind::Guardrail:
            object.text_if("guardrail.name", event.guardrail_name);
            object.text_if("guardrail.verdict", verdict_name(event.guardrail_verdict));
            object.text_if("tool.name", event.tool_name);
            object.text_if("tool.call_id", event.tool_call_id);
            break;
        default:
            break;
    }
    object.text_if("flag", event.flag);
    object.text_if("variant", event.flag_variant);
    object.text_if("version", event.flag_version);
    object.clipped_if("user_text", event.user_text, speech_characters_max);
    object.clipped_if("body", event.body, speech_characters_max);
}

}  // namespace

std::string to_json_line(const AgentEvent& event) {
    std::string line;
    line.reserve(1024);
    ObjectText object(line);
    object.text("kind", tagout::name_of(event.kind));
    object.text("convention", tagout::name_of(event.convention));
    object.text("scope", event.scope);
    if (event.signal == Signal::Logs) {
        write_log(event, object);
    } else {
        write_span(event, object);
    }
    if (event.wrapper) {
        object.key("wrapper") += "true";
    }
    if (event.absorbed) {
        object.text("absorbed_by", to_hex(event.parent_span_id));
    }
    if (event.merged) {
        object.text("merged_into", to_hex(event.merged_into));
    }
    object.text("outcome", tagout::name_of(event.outcome));
    object.close();
    return line;
}

}  // namespace tagout::intake
