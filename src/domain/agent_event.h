// AgentEvent: one thing an agent did or that was said of it, whatever convention brought it.
//
// intake/ makes these from OTLP and from recorded runs, later gateway/ from the calls it carries.
// Everything behind sees only this, so a new source costs no detector a line. It is a view: every
// std::string_view points into the EventBatch that owns the event, and whoever keeps a text longer
// than the batch copies it.
//
// "" means absent for a text, -1 for a number that cannot be negative. Values, meaning and order of
// sources: docs/reference/normalisation.md.
#pragma once

#include "base/clock.h"
#include "domain/vocabulary.h"

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tagout {

struct TraceId {
    std::array<std::uint8_t, 16> bytes{};
    [[nodiscard]] bool empty() const noexcept {
        const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
        return (halves[0] | halves[1]) == 0;
    }
    friend bool operator==(const TraceId&, const TraceId&) = default;
};

struct SpanId {
    std::array<std::uint8_t, 8> bytes{};
    [[nodiscard]] bool empty() const noexcept { return std::bit_cast<std::uint64_t>(bytes) == 0; }
    friend bool operator==(const SpanId&, const SpanId&) = default;
};

enum class EventKind : std::uint8_t {
    Other = 0,
    Llm = 1,
    Embedding = 2,
    Rerank = 3,
    Retrieval = 4,
    AgentAdmin = 5,
    Agent = 6,
    Workflow = 7,
    Tool = 8,
    ToolInner = 9,
    Plan = 10,
    Memory = 11,
    Step = 12,
    LlmRollup = 13,
    Handoff = 14,
    Guardrail = 15,
    Evaluation = 16,
    Mcp = 17,
    Http = 18,
    Request = 19,
    Drop = 20,
    LlmContent = 21,
    Error = 22,
    Config = 23,
    Context = 24,
    Feedback = 25,
    Log = 26,
};

enum class Convention : std::uint8_t {
    Plain = 0,
    OtelGenAi = 1,
    OpenInference = 2,
    OpenLlmetry = 3,
    VercelLegacy = 4,
    Langfuse = 5,
    Adk = 6,
    ClaudeCode = 7,
    Mastra = 8,
    LangSmith = 9,
    Mcp = 10,
    RecordedRun = 11,
};

TAGOUT_NAMED_ENUM(EventKind, parse_event_kind);
TAGOUT_NAMED_ENUM(Convention, parse_convention);

/// Where an event came from. Metric points are stored and counted, they never become AgentEvents.
enum class Signal : std::uint8_t { Traces = 1, Logs = 2, Metrics = 3 };
TAGOUT_NAMED_ENUM(Signal, parse_signal);

enum class SpanStatus : std::uint8_t { Unset = 0, Ok = 1, Error = 2 };

/// Leaf tokens are counted; the others repeat somebody else's.
enum class TokenAccounting : std::uint8_t { None = 0, Leaf = 1, Rollup = 2, Duplicate = 3 };

enum class Verdict : std::uint8_t { None = 0, Allow = 1, Deny = 2, Modify = 3, Warn = 4, Escalate = 5 };
TAGOUT_NAMED_ENUM(Verdict, parse_verdict);  // none allow deny modify warn escalate

/// Inclusive counts: input contains what came from or went into a cache, output contains reasoning.
struct Tokens {
    std::int64_t input = -1;
    std::int64_t output = -1;
    std::int64_t total = -1;
    std::int64_t cache_read = -1;
    std::int64_t cache_write = -1;
    std::int64_t reasoning = -1;
    TokenAccounting accounting = TokenAccounting::None;

    /// What this event adds to a counter: input plus output of a leaf, else 0.
    [[nodiscard]] std::int64_t counted() const noexcept {
        if (accounting != TokenAccounting::Leaf) {
            return 0;
        }
        return (input > 0 ? input : 0) + (output > 0 ? output : 0);
    }
};

struct AgentEvent {
    EventKind kind = EventKind::Other;
    Convention convention = Convention::Plain;
    Signal signal = Signal::Traces;
    SpanStatus status = SpanStatus::Unset;  ///< Error is derived from all places a failure hides in.
    StepOutcome outcome = StepOutcome::Ok;
    Verdict guardrail_verdict = Verdict::None;
    bool root = false;     ///< The outermost span of its trace, as far as has been seen.
    bool wrapper = false;  ///< Repeats a nested call of the same kind: counts nothing.
    bool merged = false;   ///< A log record that only enriched a span already seen.
    bool absorbed = false; ///< An HTTP span whose status went into its parent.

    TraceId trace_id;
    SpanId span_id;
    SpanId parent_span_id;
    SpanId merged_into;  ///< Of a merged log record: the span that it enriched.
    Instant started_at;  ///< A log record's time stands in both, less the duration that it states.
    Instant ended_at;

    /// Position in its session as the source counts it (a recorded run's turn), else unknown_step.
    static constexpr std::uint32_t unknown_step = 0xffffffff;
    std::uint32_t step = unknown_step;

    /// Conversation id, else trace id in hex; never empty once intake::Linker has seen the event.
    std::string_view correlation;
    /// On the first event that tells the conversation of a trace whose earlier events were filed
    /// under the trace id: that id, so that the two sessions can be made one.
    std::string_view formerly;

    std::string_view name;   ///< Span name.
    std::string_view event;  ///< A log record's event name.
    std::string_view scope;  ///< Instrumentation scope.
    std::string_view links;  ///< "traceid:spanid" of each span link, commas between.
    std::string_view body;   ///< A plain log record's text.
    std::int32_t severity_number = 0;

    std::string_view error_type;
    std::string_view error_message;
    std::string_view rpc_status;
    std::int32_t http_status = -1;
    std::int32_t attempt = -1;

    std::string_view service_name;
    std::string_view service_version;
    std::string_view environment;
    std::string_view tenant;
    std::string_view agent_name;
    std::string_view agent_id;
    std::string_view agent_version;
    std::string_view workflow_name;
    std::string_view workflow_version;
    std::string_view conversation_id;
    std::string_view session_id;
    std::string_view user_id;
    std::string_view request_id;
    std::string_view prompt_name;
    std::string_view prompt_version;
    std::string_view policy_id;
    std::string_view policy_version;
    std::string_view route;

    std::string_view tool_name;
    std::string_view tool_call_id;
    std::string_view tool_type;
    std::string_view tool_args;    ///< JSON where the source had JSON.
    std::string_view tool_result;  ///< Text or JSON, as it came.
    /// JSON of the tools that a model was offered, or that a server listed; names and schemas as they
    /// came, in whatever convention. On model calls, agents and MCP's tools/list.
    std::string_view tool_definitions;

    std::string_view provider;
    std::string_view model_request;
    std::string_view model_response;
    std::string_view response_id;
    std::string_view finish_reason;
    Tokens tokens;
    double cost_usd = -1;
    TokenAccounting cost_accounting = TokenAccounting::None;  ///< As tokens.accounting, of the cost.
    double ttft_s = -1;

    std::string_view system_text;  ///< System instructions, where they were captured.
    std::string_view user_text;    ///< The newest thing the user said.
    std::string_view output_text;  ///< What the model or agent answered.

    std::string_view guardrail_name;
    std::string_view guardrail_action;
    std::string_view guardrail_risk;
    std::string_view handoff_from;
    std::string_view handoff_to;

    std::string_view eval_scope;  ///< "span", "trace" or "session".
    std::string_view eval_name;
    std::string_view eval_label;
    std::string_view eval_explanation;
    std::string_view eval_annotator;
    std::string_view eval_target;  ///< "traceid:spanid" of what was judged, "" if it is the parent.
    double eval_score = 0;
    bool eval_has_score = false;

    std::string_view flag;
    std::string_view flag_variant;
    std::string_view flag_version;

    std::uint32_t item = 0;  ///< Index into EventBatch::items.

    /// What this event adds to a sum of money: the cost of a leaf, else 0.
    [[nodiscard]] double counted_cost_usd() const noexcept {
        return cost_accounting == TokenAccounting::Leaf && cost_usd > 0 ? cost_usd : 0;
    }
};

/// Lower-case hex, without separators.
[[nodiscard]] std::string to_hex(const TraceId& id);
[[nodiscard]] std::string to_hex(const SpanId& id);
[[nodiscard]] std::optional<TraceId> trace_id_of_hex(std::string_view hex) noexcept;
[[nodiscard]] std::optional<SpanId> span_id_of_hex(std::string_view hex) noexcept;

}  // namespace tagout
