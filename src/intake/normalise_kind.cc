#include "intake/normalise_kind.h"

#include <algorithm>
#include <array>
#include <optional>

namespace tagout::intake {

namespace {

using enum EventKind;

// Tables with the commonest words first; sizes differ, so a miss costs a comparison of numbers.
constexpr std::array operations{
    KindWord{"chat", Llm},
    KindWord{"execute_tool", Tool},
    KindWord{"invoke_agent", Agent},
    KindWord{"generate_content", Llm},
    KindWord{"text_completion", Llm},
    KindWord{"completion", Llm},
    KindWord{"generate", Llm},
    KindWord{"decide", Llm},
    KindWord{"response", Llm},
    KindWord{"embeddings", Embedding},
    KindWord{"rerank", Rerank},
    KindWord{"retrieval", Retrieval},
    KindWord{"create_agent", AgentAdmin},
    KindWord{"invoke_workflow", Workflow},
    KindWord{"plan", Plan},
    KindWord{"agent_step", Step},
    KindWord{"model_step", Step},
    KindWord{"model_generation", LlmRollup},
    KindWord{"model_chunk", Drop},
    KindWord{"handoff", Handoff},
    KindWord{"agent_handoff", Handoff},
    KindWord{"run_guardrail", Guardrail},
    KindWord{"guardrail_check", Guardrail},
    KindWord{"guardrail.run", Guardrail},
    KindWord{"guard", Guardrail},
    KindWord{"fetch_response", Other},
    KindWord{"search_memory", Memory},
    KindWord{"create_memory", Memory},
    KindWord{"update_memory", Memory},
    KindWord{"upsert_memory", Memory},
    KindWord{"delete_memory", Memory},
    KindWord{"create_memory_store", Memory},
    KindWord{"delete_memory_store", Memory},
};
constexpr std::array inference_kinds{
    KindWord{"LLM", Llm},           KindWord{"TOOL", Tool},
    KindWord{"CHAIN", Step},        KindWord{"AGENT", Agent},
    KindWord{"RETRIEVER", Retrieval}, KindWord{"RERANKER", Rerank},
    KindWord{"EMBEDDING", Embedding}, KindWord{"GUARDRAIL", Guardrail},
    KindWord{"EVALUATOR", Evaluation}, KindWord{"PROMPT", Step},
};
constexpr std::array traceloop_kinds{
    KindWord{"workflow", Workflow}, KindWord{"agent", Agent},   KindWord{"task", Step},
    KindWord{"tool", Tool},         KindWord{"handoff", Handoff}, KindWord{"session", Mcp},
    KindWord{"guardrail", Guardrail},
};
constexpr std::array langfuse_types{
    KindWord{"generation", Llm},      KindWord{"tool", Tool},
    KindWord{"agent", Agent},         KindWord{"chain", Step},
    KindWord{"retriever", Retrieval}, KindWord{"embedding", Embedding},
    KindWord{"guardrail", Guardrail}, KindWord{"evaluator", Evaluation},
};
constexpr std::array claude_types{
    KindWord{"interaction", Agent},    KindWord{"llm_request", Llm},
    KindWord{"tool", Tool},            KindWord{"tool.execution", ToolInner},
    KindWord{"tool.blocked_on_user", Guardrail}, KindWord{"hook", Guardrail},
    KindWord{"subagent.spawn", Handoff},
};
constexpr std::array langsmith_kinds{
    KindWord{"llm", Llm},       KindWord{"tool", Tool},           KindWord{"retriever", Retrieval},
    KindWord{"chain", Step},    KindWord{"embedding", Embedding}, KindWord{"prompt", Step},
};
constexpr std::array request_types{
    KindWord{"chat", Llm}, KindWord{"completion", Llm}, KindWord{"embedding", Embedding},
    KindWord{"rerank", Rerank},
};
constexpr std::array mastra_types{
    KindWord{"agent_run", Agent},         KindWord{"workflow_run", Workflow},
    KindWord{"workflow_step", Step},      KindWord{"model_inference", Llm},
    KindWord{"model_generation", LlmRollup}, KindWord{"model_step", Step},
    KindWord{"model_chunk", Drop},        KindWord{"tool_call", Tool},
    KindWord{"mcp_tool_call", Tool},
};
constexpr std::array log_events{
    KindWord{"gen_ai.evaluation.result", Evaluation},
    KindWord{"gen_ai.client.inference.operation.details", LlmContent},
    KindWord{"gen_ai.client.operation.exception", Error},
    KindWord{"gen_ai.system.message", LlmContent},
    KindWord{"gen_ai.user.message", LlmContent},
    KindWord{"gen_ai.assistant.message", LlmContent},
    KindWord{"gen_ai.tool.message", LlmContent},
    KindWord{"gen_ai.choice", LlmContent},
    KindWord{"feature_flag.evaluation", Config},
    KindWord{"exception", Error},
};
constexpr std::array claude_events{
    KindWord{"user_prompt", Request},
    KindWord{"api_request", Llm},
    KindWord{"api_error", Llm},
    KindWord{"api_retries_exhausted", Error},
    KindWord{"api_refusal", Guardrail},
    KindWord{"tool_result", Tool},
    KindWord{"tool_decision", Guardrail},
    KindWord{"assistant_response", LlmContent},
    KindWord{"subagent_completed", Agent},
    KindWord{"feedback_survey", Feedback},
    KindWord{"permission_mode_changed", Config},
    KindWord{"compaction", Context},
    KindWord{"hook_execution_complete", Guardrail},
    KindWord{"mcp_server_connection", Mcp},
};

constexpr std::array tables{
    KindTable{"span.type (Claude Code)", claude_types},
    KindTable{"langfuse.observation.type", langfuse_types},
    KindTable{"openinference.span.kind", inference_kinds},
    KindTable{"gen_ai.operation.name", operations},
    KindTable{"mastra.span.type", mastra_types},
    KindTable{"traceloop.span.kind", traceloop_kinds},
    KindTable{"llm.request.type", request_types},
    KindTable{"langsmith.span.kind", langsmith_kinds},
    KindTable{"log event name", log_events},
    KindTable{"log event name (Claude Code)", claude_events},
};

std::optional<EventKind> find(std::span<const KindWord> words, std::string_view word) noexcept {
    for (const KindWord& row : words) {
        if (row.word == word) {
            return row.kind;
        }
    }
    return std::nullopt;
}

/// OpenInference's words are upper case by the specification, and not everywhere.
std::optional<EventKind> find_upper(std::string_view word) noexcept {
    std::array<char, 12> upper{};
    if (word.size() > upper.size()) {
        return std::nullopt;
    }
    std::ranges::transform(word, upper.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    return find(inference_kinds, {upper.data(), word.size()});
}

bool starts_with_any(
    std::string_view name, std::initializer_list<std::string_view> beginnings
) noexcept {
    return std::ranges::any_of(beginnings, [name](std::string_view beginning) {
        return name.starts_with(beginning);
    });
}

/// An operation of Vercel's SDK 4 to 6, and of 7 with its legacy integration.
EventKind kind_of_vercel(std::string_view operation) noexcept {
    if (operation == "ai.toolCall") {
        return Tool;
    }
    if (operation.ends_with(".doGenerate") || operation.ends_with(".doStream")) {
        return Llm;
    }
    return operation.ends_with(".doEmbed") ? Embedding : Agent;
}

/// "tools/list.mcp" and the like: lower-case letters, '_' and '/' before the ending.
bool is_mcp_name(std::string_view name) noexcept {
    if (!name.ends_with(".mcp") || name.size() == 4) {
        return false;
    }
    return std::ranges::all_of(name.substr(0, name.size() - 4), [](char c) {
        return (c >= 'a' && c <= 'z') || c == '_' || c == '/';
    });
}

std::optional<EventKind> kind_of_name(std::string_view name, Convention convention) noexcept {
    if (convention == Convention::Adk) {
        if (name == "call_llm" || name.starts_with("generate_content")) {
            return Llm;
        }
        if (name.starts_with("execute_tool")) {
            return Tool;
        }
        if (name == "invocation") {
            return Workflow;
        }
    }
    if (name.empty()) {
        return std::nullopt;
    }
    switch (name[0]) {  // most names begin with none of these letters
        case 'a':
        case 'e':
        case 'i':
        case 'm':
        case 'r':
        case 'w':
            break;
        default:
            return is_mcp_name(name) ? std::optional(Mcp) : std::nullopt;
    }
    if (starts_with_any(name, {"execute_tool ", "running tool"})) {
        return Tool;
    }
    if (name.starts_with("invoke_agent") || name == "agent run") {
        return Agent;
    }
    if (name == "execute_agent_loop_cycle" || name == "execute_event_loop_cycle"
        || starts_with_any(
            name, {"executor.process", "edge_group.process", "message.send", "workflow.build"}
        )) {
        return Step;
    }
    if (name.starts_with("workflow.run")) {
        return Workflow;
    }
    return is_mcp_name(name) ? std::optional(Mcp) : std::nullopt;
}

/// Rules 6 to 12: what is left when neither operation nor span kind is said in a common word.
EventKind kind_of_plain(
    const AttributeIndex& attributes, const SpanView& span, Convention convention
) noexcept {
    if (convention == Convention::VercelLegacy) {
        const std::string_view operation = attributes.text(key("ai.operationId"));
        const std::string_view named = operation.empty() ? span.name : operation;
        if (named.starts_with("ai.")) {
            return kind_of_vercel(named);
        }
    }
    if (attributes.has(key("mastra.span.type"))) {
        if (const auto kind = find(mastra_types, attributes.text(key("mastra.span.type")))) {
            return *kind;
        }
    }
    if (const std::string_view kind = attributes.text(key("traceloop.span.kind")); !kind.empty()) {
        return find(traceloop_kinds, kind).value_or(Step);
    }
    if (attributes.has(key("llm.request.type"))) {
        return find(request_types, attributes.text(key("llm.request.type"))).value_or(Llm);
    }
    if (attributes.has(key("langsmith.span.kind"))) {
        return find(langsmith_kinds, attributes.text(key("langsmith.span.kind"))).value_or(Step);
    }
    if (const std::string_view method = attributes.text(key("mcp.method.name")); !method.empty()) {
        return method == "tools/call" ? Tool : Mcp;
    }
    if (const auto kind = kind_of_name(span.name, convention)) {
        return *kind;
    }
    const auto says = [&attributes](KeyId id) {
        return attributes.has(id) && !attributes[id].empty()
            && !(attributes[id].is_text() && attributes.text(id).empty());
    };
    if (says(key("gen_ai.tool.name")) || says(key("gen_ai.tool.call.id"))) {
        return Tool;
    }
    if (says(key("gen_ai.request.model")) || says(key("llm.model_name"))) {
        return Llm;
    }
    if (attributes.has(key("http.request.method")) || attributes.has(key("http.method"))) {
        return span.kind == SpanKind::Server ? Request : Http;
    }
    return Other;
}

}  // namespace

Convention convention_of(const AttributeIndex& attributes, std::string_view scope) noexcept {
    if (scope.starts_with("com.anthropic.claude_code")) {
        return Convention::ClaudeCode;
    }
    if (attributes.has(key("langfuse.observation.type")) || scope == "langfuse-sdk") {
        return Convention::Langfuse;
    }
    if (attributes.has(key("openinference.span.kind"))) {
        return Convention::OpenInference;
    }
    if (attributes.has(key("mastra.span.type"))) {
        return Convention::Mastra;
    }
    if (scope == "gcp.vertex.agent") {
        return Convention::Adk;
    }
    if (scope == "ai" || attributes.has(key("ai.operationId"))) {
        return Convention::VercelLegacy;
    }
    if (attributes.has_prefix(KeyPrefix::Traceloop)) {
        return Convention::OpenLlmetry;
    }
    if (attributes.has_prefix(KeyPrefix::LangSmith)) {
        return Convention::LangSmith;
    }
    if (attributes.has(key("mcp.method.name"))) {
        return Convention::Mcp;
    }
    return attributes.has_prefix(KeyPrefix::GenAi) ? Convention::OtelGenAi : Convention::Plain;
}

EventKind kind_of_span(
    const AttributeIndex& attributes, const SpanView& span, Convention convention
) noexcept {
    if (convention == Convention::ClaudeCode) {
        return find(claude_types, attributes.text(key("span.type"))).value_or(Other);
    }
    if (convention == Convention::Langfuse) {
        if (const auto kind =
                find(langfuse_types, attributes.text(key("langfuse.observation.type")))) {
            return *kind;
        }
    }
    if (attributes.has(KeyId::Annotation)) {
        return Evaluation;
    }
    if (const std::string_view kind = attributes.text(key("openinference.span.kind"));
        !kind.empty()) {
        const EventKind found = find_upper(kind).value_or(Step);
        const bool handoff = found == Tool
            && starts_with_any(span.name, {"handoff to", "handoff_to_"});
        return handoff ? Handoff : found;
    }
    if (const std::string_view operation = attributes.text(key("gen_ai.operation.name"));
        !operation.empty()) {
        if (const auto kind = find(operations, operation)) {
            return *kind;
        }
    }
    return kind_of_plain(attributes, span, convention);
}

std::string_view event_name_of(const LogView& log, const AttributeIndex& attributes) noexcept {
    if (!log.event_name.empty()) {
        return log.event_name;
    }
    if (const std::string_view name = attributes.text(key("event.name")); !name.empty()) {
        return name;
    }
    constexpr std::string_view claude = "claude_code.";
    const std::string_view body = log.body.text();
    return body.starts_with(claude) ? body.substr(claude.size()) : std::string_view{};
}

EventKind kind_of_log(std::string_view event_name, Convention convention) noexcept {
    if (const auto kind = find(log_events, event_name)) {
        return *kind;
    }
    if (convention == Convention::ClaudeCode) {
        return find(claude_events, event_name).value_or(Log);
    }
    return Log;
}

std::span<const KindTable> kind_tables() noexcept {
    return tables;
}

}  // namespace tagout::intake
