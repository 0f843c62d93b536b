#include "domain/agent_event.h"

#include "domain/named_enum.h"

#include <span>

namespace tagout {

namespace {

constexpr std::array event_kind_names{
    EnumName{EventKind::Other, "other"},
    EnumName{EventKind::Llm, "llm"},
    EnumName{EventKind::Embedding, "embedding"},
    EnumName{EventKind::Rerank, "rerank"},
    EnumName{EventKind::Retrieval, "retrieval"},
    EnumName{EventKind::AgentAdmin, "agent_admin"},
    EnumName{EventKind::Agent, "agent"},
    EnumName{EventKind::Workflow, "workflow"},
    EnumName{EventKind::Tool, "tool"},
    EnumName{EventKind::ToolInner, "tool_inner"},
    EnumName{EventKind::Plan, "plan"},
    EnumName{EventKind::Memory, "memory"},
    EnumName{EventKind::Step, "step"},
    EnumName{EventKind::LlmRollup, "llm_rollup"},
    EnumName{EventKind::Handoff, "handoff"},
    EnumName{EventKind::Guardrail, "guardrail"},
    EnumName{EventKind::Evaluation, "evaluation"},
    EnumName{EventKind::Mcp, "mcp"},
    EnumName{EventKind::Http, "http"},
    EnumName{EventKind::Request, "request"},
    EnumName{EventKind::Drop, "drop"},
    EnumName{EventKind::LlmContent, "llm_content"},
    EnumName{EventKind::Error, "error"},
    EnumName{EventKind::Config, "config"},
    EnumName{EventKind::Context, "context"},
    EnumName{EventKind::Feedback, "feedback"},
    EnumName{EventKind::Log, "log"},
};

constexpr std::array convention_names{
    EnumName{Convention::Plain, "plain"},
    EnumName{Convention::OtelGenAi, "otel_genai"},
    EnumName{Convention::OpenInference, "openinference"},
    EnumName{Convention::OpenLlmetry, "openllmetry"},
    EnumName{Convention::VercelLegacy, "vercel_legacy"},
    EnumName{Convention::Langfuse, "langfuse"},
    EnumName{Convention::Adk, "adk"},
    EnumName{Convention::ClaudeCode, "claude_code"},
    EnumName{Convention::Mastra, "mastra"},
    EnumName{Convention::LangSmith, "langsmith"},
    EnumName{Convention::Mcp, "mcp"},
    EnumName{Convention::RecordedRun, "recorded_run"},
};

constexpr std::array verdict_names{
    EnumName{Verdict::None, "none"},
    EnumName{Verdict::Allow, "allow"},
    EnumName{Verdict::Deny, "deny"},
    EnumName{Verdict::Modify, "modify"},
    EnumName{Verdict::Warn, "warn"},
    EnumName{Verdict::Escalate, "escalate"},
};

constexpr std::array signal_names{
    EnumName{Signal::Traces, "traces"},
    EnumName{Signal::Logs, "logs"},
    EnumName{Signal::Metrics, "metrics"},
};

std::string hex_of(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(bytes.size() * 2, '0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text[2 * i] = digits[bytes[i] >> 4U];
        text[2 * i + 1] = digits[bytes[i] & 15U];
    }
    return text;
}

int nibble(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

template <class Id>
std::optional<Id> id_of_hex(std::string_view hex) noexcept {
    Id id;
    if (hex.size() != id.bytes.size() * 2) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        const int high = nibble(hex[2 * i]);
        const int low = nibble(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return id;
}

}  // namespace

TAGOUT_DEFINE_NAMED_ENUM(EventKind, parse_event_kind, event_kind_names)
TAGOUT_DEFINE_NAMED_ENUM(Convention, parse_convention, convention_names)
TAGOUT_DEFINE_NAMED_ENUM(Verdict, parse_verdict, verdict_names)
TAGOUT_DEFINE_NAMED_ENUM(Signal, parse_signal, signal_names)

std::string to_hex(const TraceId& id) { return hex_of(id.bytes); }
std::string to_hex(const SpanId& id) { return hex_of(id.bytes); }

std::optional<TraceId> trace_id_of_hex(std::string_view hex) noexcept {
    return id_of_hex<TraceId>(hex);
}

std::optional<SpanId> span_id_of_hex(std::string_view hex) noexcept {
    return id_of_hex<SpanId>(hex);
}

}  // namespace tagout
