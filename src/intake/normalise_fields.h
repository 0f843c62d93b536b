// Where each field of an AgentEvent comes from: the one table, and the pass that applies it.
//
// Conventions name the same thing differently and SDKs mix several of them on one span, so a field
// has a list of sources; the first that is there and not empty wins. The table below is that list
// and nothing else decides: docs/reference/normalisation.md is generated from it (a test fails when
// the page is stale). Order and conditions: reference/telemetry 5.2.
//
// Cost: proportional to the attributes that are there and not to the table. Each key knows the
// rows that read it; the lowest row seen for a field stands. JSON attributes are looked into only
// if no plain source of a better row was found. A common span takes some 100 ns.
#pragma once

#include "domain/event_batch.h"
#include "intake/keys.h"
#include "intake/wire_view.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace tagout::intake {

enum class Field : std::uint8_t {
    AgentName,
    AgentId,
    AgentVersion,
    WorkflowName,
    WorkflowVersion,
    ToolName,
    ToolCallId,
    ToolType,
    ToolArgs,
    ToolResult,
    Provider,
    ModelRequest,
    ModelResponse,
    ResponseId,
    FinishReason,
    ConversationId,
    SessionId,
    UserId,
    RequestId,
    Tenant,
    PromptName,
    PromptVersion,
    PolicyId,
    PolicyVersion,
    Route,
    TokensInput,
    TokensOutput,
    TokensTotal,
    TokensCacheRead,
    TokensCacheWrite,
    TokensReasoning,
    CostUsd,
    TtftSeconds,
    ErrorType,
    ErrorMessage,
    HttpStatus,
    RpcStatus,
    Attempt,
    GuardrailName,
    GuardrailVerdict,
    GuardrailAction,
    GuardrailRisk,
    HandoffFrom,
    HandoffTo,
    EvalName,
    EvalScore,
    EvalLabel,
    EvalExplanation,
    ServiceName,
    ServiceVersion,
    Environment,
};
inline constexpr std::size_t fields_count = static_cast<std::size_t>(Field::Environment) + 1;

/// How a field keeps what it finds.
enum class FieldForm : std::uint8_t {
    Text,     ///< A text; of a list the first, a number as its digits.
    Json,     ///< A text as it came; anything else written as JSON.
    Reason,   ///< A text; of a list, or of a JSON list in a text, the first.
    Count,    ///< A whole number: int, double or numeric text.
    Number,   ///< Any number, likewise.
    Verdict,  ///< One of the words for allow, deny, modify, warn, escalate.
};

/// A set of event kinds, a bit each.
using Kinds = std::uint32_t;
[[nodiscard]] constexpr Kinds kinds(std::initializer_list<EventKind> list) noexcept {
    Kinds set = 0;
    for (const EventKind kind : list) {
        set |= Kinds{1} << static_cast<unsigned>(kind);
    }
    return set;
}
[[nodiscard]] constexpr bool has(Kinds set, EventKind kind) noexcept {
    return (set >> static_cast<unsigned>(kind) & 1U) != 0;
}

inline constexpr Kinds any_kind = ~Kinds{0};
inline constexpr Kinds tool_kinds = kinds({EventKind::Tool, EventKind::ToolInner});
inline constexpr Kinds answer_kinds =
    kinds({EventKind::Llm, EventKind::Embedding, EventKind::LlmRollup});
inline constexpr Kinds usage_kinds = answer_kinds
    | kinds({EventKind::Rerank, EventKind::Agent, EventKind::Step, EventKind::Workflow});
inline constexpr Kinds guardrail_kinds = kinds({EventKind::Guardrail});
inline constexpr Kinds handoff_kinds = kinds({EventKind::Handoff, EventKind::Agent});
inline constexpr Kinds evaluation_kinds = kinds({EventKind::Evaluation});
inline constexpr Kinds status_kinds =
    kinds({EventKind::Http, EventKind::Request, EventKind::Llm, EventKind::Tool});

struct FieldRow {
    Field field;
    std::string_view name;  ///< As the reference page and `tagout events` call it.
    FieldForm form;
    Kinds kinds;  ///< Other kinds leave the field empty.
};

// Sorted by Field.
inline constexpr std::array field_rows{
    FieldRow{Field::AgentName, "agent.name", FieldForm::Text, any_kind},
    FieldRow{Field::AgentId, "agent.id", FieldForm::Text, any_kind},
    FieldRow{Field::AgentVersion, "agent.version", FieldForm::Text, any_kind},
    FieldRow{Field::WorkflowName, "workflow.name", FieldForm::Text, any_kind},
    FieldRow{Field::WorkflowVersion, "workflow.version", FieldForm::Text, any_kind},
    FieldRow{Field::ToolName, "tool.name", FieldForm::Text, tool_kinds},
    FieldRow{Field::ToolCallId, "tool.call_id", FieldForm::Text, tool_kinds},
    FieldRow{Field::ToolType, "tool.type", FieldForm::Text, tool_kinds},
    FieldRow{Field::ToolArgs, "tool.args", FieldForm::Json, tool_kinds},
    FieldRow{Field::ToolResult, "tool.result", FieldForm::Json, tool_kinds},
    FieldRow{Field::Provider, "provider", FieldForm::Text, answer_kinds},
    FieldRow{Field::ModelRequest, "model.request", FieldForm::Text, usage_kinds},
    FieldRow{Field::ModelResponse, "model.response", FieldForm::Text, answer_kinds},
    FieldRow{Field::ResponseId, "response.id", FieldForm::Text, answer_kinds},
    FieldRow{Field::FinishReason, "finish_reason", FieldForm::Reason, answer_kinds},
    FieldRow{Field::ConversationId, "conversation.id", FieldForm::Text, any_kind},
    FieldRow{Field::SessionId, "session.id", FieldForm::Text, any_kind},
    FieldRow{Field::UserId, "user.id", FieldForm::Text, any_kind},
    FieldRow{Field::RequestId, "request.id", FieldForm::Text, any_kind},
    FieldRow{Field::Tenant, "tenant", FieldForm::Text, any_kind},
    FieldRow{Field::PromptName, "prompt.name", FieldForm::Text, any_kind},
    FieldRow{Field::PromptVersion, "prompt.version", FieldForm::Text, any_kind},
    FieldRow{Field::PolicyId, "policy.id", FieldForm::Text, any_kind},
    FieldRow{Field::PolicyVersion, "policy.version", FieldForm::Text, any_kind},
    FieldRow{Field::Route, "route", FieldForm::Text, any_kind},
    FieldRow{Field::TokensInput, "tokens.input", FieldForm::Count, usage_kinds},
    FieldRow{Field::TokensOutput, "tokens.output", FieldForm::Count, usage_kinds},
    FieldRow{Field::TokensTotal, "tokens.total", FieldForm::Count, usage_kinds},
    FieldRow{Field::TokensCacheRead, "tokens.cache_read", FieldForm::Count, usage_kinds},
    FieldRow{Field::TokensCacheWrite, "tokens.cache_write", FieldForm::Count, usage_kinds},
    FieldRow{Field::TokensReasoning, "tokens.reasoning", FieldForm::Count, usage_kinds},
    FieldRow{Field::CostUsd, "cost.usd", FieldForm::Number, usage_kinds},
    FieldRow{Field::TtftSeconds, "ttft_s", FieldForm::Number, usage_kinds},
    FieldRow{Field::ErrorType, "error.type", FieldForm::Text, any_kind},
    FieldRow{Field::ErrorMessage, "error.message", FieldForm::Text, any_kind},
    FieldRow{Field::HttpStatus, "http.status", FieldForm::Count, any_kind},
    FieldRow{Field::RpcStatus, "rpc.status", FieldForm::Text, any_kind},
    FieldRow{
        Field::Attempt, "attempt", FieldForm::Count, kinds({EventKind::Llm, EventKind::Http})
    },
    FieldRow{Field::GuardrailName, "guardrail.name", FieldForm::Text, guardrail_kinds},
    FieldRow{Field::GuardrailVerdict, "guardrail.verdict", FieldForm::Verdict, guardrail_kinds},
    FieldRow{Field::GuardrailAction, "guardrail.action", FieldForm::Text, guardrail_kinds},
    FieldRow{Field::GuardrailRisk, "guardrail.risk", FieldForm::Text, guardrail_kinds},
    FieldRow{Field::HandoffFrom, "handoff.from", FieldForm::Text, handoff_kinds},
    FieldRow{Field::HandoffTo, "handoff.to", FieldForm::Text, handoff_kinds},
    FieldRow{Field::EvalName, "eval.name", FieldForm::Text, evaluation_kinds},
    FieldRow{Field::EvalScore, "eval.score", FieldForm::Number, evaluation_kinds},
    FieldRow{Field::EvalLabel, "eval.label", FieldForm::Text, evaluation_kinds},
    FieldRow{Field::EvalExplanation, "eval.explanation", FieldForm::Text, evaluation_kinds},
    FieldRow{Field::ServiceName, "service.name", FieldForm::Text, any_kind},
    FieldRow{Field::ServiceVersion, "service.version", FieldForm::Text, any_kind},
    FieldRow{Field::Environment, "environment", FieldForm::Text, any_kind},
};
static_assert(field_rows.size() == fields_count);

enum class From : std::uint8_t {
    Attribute,
    Milliseconds,     ///< An attribute that counts milliseconds where the field counts seconds.
    Json,             ///< Member `text` of the JSON object in an attribute.
    Resource,         ///< An attribute of the resource.
    Event,            ///< Attribute of the first span event named `text` that has it.
    Name,             ///< What stands in the span's name between `text` and `end`.
    WholeName,        ///< The span's name, of OpenInference, Langfuse and OpenLLMetry spans.
    StatusMessage,    ///< The span's status message.
    StatusInMessage,  ///< An HTTP status that the message quotes.
};

/// A further condition on one source.
enum class Only : std::uint8_t {
    Always,
    Agent,     ///< Of events of that kind; so the next four.
    Workflow,
    Tool,
    Guardrail,
    Handoff,
    NotLlmOrTool,
    InferenceAgent,      ///< openinference.span.kind is AGENT.
    InferencePrompt,     ///< openinference.span.kind is PROMPT.
    NotInferencePrompt,
};

struct Source {
    Field field;
    From from;
    KeyId key = KeyId::Unknown;
    Only only = Only::Always;
    std::string_view text;
    std::string_view end;
};

/// All sources, field by field in the order of field_rows, each field's best first.
[[nodiscard]] std::span<const Source> field_sources() noexcept;

/// What decides about sources besides the attributes.
struct FieldContext {
    EventKind kind = EventKind::Other;
    Convention convention = Convention::Plain;
    bool inference_agent = false;
    bool inference_prompt = false;
    bool failed = false;  ///< Else the error fields stay empty.
    std::string_view name;
    std::string_view status_message;
    std::string_view quoted_message;  ///< Where StatusInMessage looks.
    std::span<const Attribute> attributes;
    std::span<const Attribute> resource;
    std::span<const EventView> events;
};

/// Fills the fields of `out` that `context.kind` has. Fields without a source keep their value.
void fill_fields(const FieldContext& context, EventBatch& batch, AgentEvent& out);

/// The status of `HTTP 4xx`, `status code 5xx` or a message that begins with such a number; else -1.
[[nodiscard]] std::int32_t quoted_http_status(std::string_view message) noexcept;

/// What the words and values of all conventions say; None if it is none of them.
[[nodiscard]] Verdict verdict_of(const AnyValue& value) noexcept;

}  // namespace tagout::intake
