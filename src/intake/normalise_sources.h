// The declaration behind normalise_fields.h: every source of every field, best first.
//
// Included by normalise_fields.cc only. To teach Tagout another name for a field, add a line here
// (and the key to key_list.inc), then renew the page with UPDATE_GOLDEN=1.
#pragma once

#include "intake/normalise_fields.h"

#include <array>

namespace tagout::intake::sources {

using enum Field;

[[nodiscard]] consteval Source attribute(Field field, KeyId key, Only only = Only::Always) {
    return {field, From::Attribute, key, only, {}, {}};
}
[[nodiscard]] consteval Source milliseconds(Field field, KeyId key) {
    return {field, From::Milliseconds, key, Only::Always, {}, {}};
}
[[nodiscard]] consteval Source inside(
    Field field, KeyId key, std::string_view member, Only only = Only::Always
) {
    return {field, From::Json, key, only, member, {}};
}
[[nodiscard]] consteval Source resource(Field field, KeyId key) {
    return {field, From::Resource, key, Only::Always, {}, {}};
}
[[nodiscard]] consteval Source on_event(Field field, std::string_view event, KeyId key) {
    return {field, From::Event, key, Only::Always, event, {}};
}
[[nodiscard]] consteval Source in_name(
    Field field, std::string_view begin, std::string_view end, Only only = Only::Always
) {
    return {field, From::Name, KeyId::Unknown, only, begin, end};
}
[[nodiscard]] consteval Source whole_name(Field field, Only only) {
    return {field, From::WholeName, KeyId::Unknown, only, {}, {}};
}
[[nodiscard]] consteval Source status_message(Field field) {
    return {field, From::StatusMessage, KeyId::Unknown, Only::Always, {}, {}};
}
[[nodiscard]] consteval Source status_in_message(Field field) {
    return {field, From::StatusInMessage, KeyId::Unknown, Only::Always, {}, {}};
}

inline constexpr KeyId langfuse_usage = key("langfuse.observation.usage_details");

inline constexpr auto table = std::to_array<Source>({
    attribute(AgentName, key("gen_ai.agent.name")),
    attribute(AgentName, key("agent.name")),
    attribute(AgentName, key("agent_name")),
    attribute(AgentName, key("crewai.agent.role")),
    attribute(AgentName, key("graph.node.id"), Only::InferenceAgent),
    attribute(AgentName, key("mastra.entity.name")),
    attribute(AgentName, key("langsmith.metadata.lc_agent_name")),
    inside(AgentName, key("metadata"), "lc_agent_name"),
    attribute(AgentName, key("recipient_agent_class")),
    in_name(AgentName, "invoke_agent ", ""),
    in_name(AgentName, "", ".agent"),
    in_name(AgentName, "agent run: '", "'"),
    in_name(AgentName, "", ".run", Only::InferenceAgent),
    attribute(AgentName, key("traceloop.entity.name"), Only::Agent),
    whole_name(AgentName, Only::Agent),

    attribute(AgentId, key("gen_ai.agent.id")),
    attribute(AgentId, key("crewai.agent.id")),
    attribute(AgentId, key("agent_id")),

    attribute(AgentVersion, key("gen_ai.agent.version")),
    attribute(AgentVersion, key("traceloop.entity.version"), Only::Agent),
    attribute(AgentVersion, key("langfuse.version")),
    attribute(AgentVersion, key("ai.telemetry.metadata.agentVersion")),
    attribute(AgentVersion, key("mastra.metadata.agentVersion")),

    attribute(WorkflowName, key("gen_ai.workflow.name")),
    attribute(WorkflowName, key("workflow.name")),
    attribute(WorkflowName, key("traceloop.entity.name"), Only::Workflow),
    attribute(WorkflowName, key("langfuse.trace.name")),
    attribute(WorkflowName, key("langsmith.trace.name"), Only::Workflow),
    attribute(WorkflowName, key("crewai.crew.name")),
    attribute(WorkflowName, key("ai.telemetry.functionId")),
    in_name(WorkflowName, "invoke_workflow ", ""),
    in_name(WorkflowName, "", ".workflow"),
    attribute(WorkflowName, key("traceloop.workflow.name"), Only::NotLlmOrTool),
    whole_name(WorkflowName, Only::Workflow),

    attribute(WorkflowVersion, key("traceloop.entity.version"), Only::Workflow),
    attribute(WorkflowVersion, key("langfuse.release")),

    attribute(ToolName, key("gen_ai.tool.name")),
    attribute(ToolName, key("tool.name")),
    attribute(ToolName, key("ai.toolCall.name")),
    attribute(ToolName, key("tool_name")),
    attribute(ToolName, key("mcp.tool.name")),
    attribute(ToolName, key("traceloop.entity.name"), Only::Tool),
    in_name(ToolName, "execute_tool ", ""),
    in_name(ToolName, "tools/call ", ""),
    in_name(ToolName, "MCP send tools/call ", ""),
    in_name(ToolName, "", ".tool"),
    in_name(ToolName, "running tool: ", ""),
    whole_name(ToolName, Only::Tool),

    attribute(ToolCallId, key("gen_ai.tool.call.id")),
    attribute(ToolCallId, key("tool.id")),
    attribute(ToolCallId, key("tool_call.id")),
    attribute(ToolCallId, key("ai.toolCall.id")),
    attribute(ToolCallId, key("tool_use_id")),

    attribute(ToolType, key("gen_ai.tool.type")),

    attribute(ToolArgs, key("gen_ai.tool.call.arguments")),
    attribute(ToolArgs, key("ai.toolCall.args")),
    attribute(ToolArgs, key("gcp.vertex.agent.tool_call_args")),
    attribute(ToolArgs, key("tool_arguments")),
    inside(ToolArgs, key("traceloop.entity.input"), "arguments"),
    attribute(ToolArgs, key("traceloop.entity.input")),
    attribute(ToolArgs, key("input.value")),
    attribute(ToolArgs, key("langfuse.observation.input")),
    attribute(ToolArgs, key("tool.parameters")),
    attribute(ToolArgs, key("tool_input")),
    attribute(ToolArgs, key("tool_parameters")),
    attribute(ToolArgs, key("full_command")),
    attribute(ToolArgs, key("mcp.request.argument")),
    attribute(ToolArgs, key("mastra.tool_call.input")),
    attribute(ToolArgs, key("gen_ai.prompt")),
    on_event(ToolArgs, "gen_ai.tool.message", key("content")),

    attribute(ToolResult, key("gen_ai.tool.call.result")),
    attribute(ToolResult, key("ai.toolCall.result")),
    attribute(ToolResult, key("gcp.vertex.agent.tool_response")),
    attribute(ToolResult, key("tool_response")),
    attribute(ToolResult, key("traceloop.entity.output")),
    attribute(ToolResult, key("anthropic.tool_result.content")),
    attribute(ToolResult, key("output.value")),
    attribute(ToolResult, key("langfuse.observation.output")),
    on_event(ToolResult, "tool.output", key("output")),
    attribute(ToolResult, key("mcp.response.value")),
    on_event(ToolResult, "gen_ai.choice", key("message")),
    attribute(ToolResult, key("mastra.tool_call.output")),
    attribute(ToolResult, key("gen_ai.completion")),

    attribute(Provider, key("gen_ai.provider.name")),
    attribute(Provider, key("llm.provider")),
    attribute(Provider, key("gen_ai.system")),
    attribute(Provider, key("llm.system")),
    attribute(Provider, key("ai.model.provider")),
    inside(Provider, key("metadata"), "ls_provider"),

    attribute(ModelRequest, key("gen_ai.request.model")),
    attribute(ModelRequest, key("llm.request.model_name")),
    attribute(ModelRequest, key("ai.model.id")),
    inside(ModelRequest, key("metadata"), "ls_model_name"),
    inside(ModelRequest, key("llm.invocation_parameters"), "model"),
    attribute(ModelRequest, key("llm.model_name")),
    attribute(ModelRequest, key("langfuse.observation.model.name")),
    attribute(ModelRequest, key("embedding.model_name")),
    attribute(ModelRequest, key("model")),

    attribute(ModelResponse, key("gen_ai.response.model")),
    attribute(ModelResponse, key("llm.response.model_name")),
    attribute(ModelResponse, key("ai.response.model")),
    attribute(ModelResponse, key("llm.model_name")),
    attribute(ModelResponse, key("langfuse.observation.model.name")),

    attribute(ResponseId, key("gen_ai.response.id")),
    attribute(ResponseId, key("ai.response.id")),
    attribute(ResponseId, key("request_id")),
    inside(ResponseId, key("output.value"), "id"),

    attribute(FinishReason, key("gen_ai.response.finish_reasons")),
    attribute(FinishReason, key("gen_ai.response.finish_reason")),
    attribute(FinishReason, key("llm.finish_reason")),
    attribute(FinishReason, key("ai.response.finishReason")),
    attribute(FinishReason, key("stop_reason")),
    attribute(FinishReason, key("anthropic.message.stop_reason")),
    on_event(FinishReason, "gen_ai.choice", key("finish_reason")),

    attribute(ConversationId, key("gen_ai.conversation.id")),
    attribute(ConversationId, key("session.id")),
    attribute(ConversationId, key("langfuse.session.id")),
    attribute(ConversationId, key("langfuse.trace.session_id")),
    attribute(ConversationId, key("gcp.vertex.agent.session_id")),
    attribute(ConversationId, key("traceloop.association.properties.chat_id")),
    attribute(ConversationId, key("traceloop.association.properties.conversation_id")),
    attribute(ConversationId, key("traceloop.association.properties.thread_id")),
    attribute(ConversationId, key("traceloop.association.properties.session_id")),
    attribute(ConversationId, key("ai.telemetry.metadata.threadId")),
    attribute(ConversationId, key("ai.telemetry.metadata.sessionId")),
    inside(ConversationId, key("metadata"), "thread_id"),
    inside(ConversationId, key("metadata"), "conversation_id"),
    inside(ConversationId, key("metadata"), "session_id"),
    attribute(ConversationId, key("mastra.metadata.threadId")),
    attribute(ConversationId, key("mastra.metadata.sessionId")),
    attribute(ConversationId, key("thread.id")),
    attribute(ConversationId, key("langsmith.trace.session_id")),
    attribute(ConversationId, key("langsmith.metadata.thread_id")),
    attribute(ConversationId, key("langsmith.metadata.conversation_id")),
    attribute(ConversationId, key("langsmith.metadata.session_id")),

    attribute(SessionId, key("session.id")),
    attribute(SessionId, key("langfuse.session.id")),
    attribute(SessionId, key("traceloop.association.properties.session_id")),
    attribute(SessionId, key("ai.telemetry.metadata.sessionId")),
    attribute(SessionId, key("mastra.metadata.sessionId")),
    inside(SessionId, key("metadata"), "session_id"),
    attribute(SessionId, key("mcp.session.id")),
    attribute(SessionId, key("gen_ai.conversation.id")),

    attribute(UserId, key("user.id")),
    attribute(UserId, key("langfuse.user.id")),
    attribute(UserId, key("enduser.id")),
    attribute(UserId, key("enduser.pseudo.id")),
    attribute(UserId, key("traceloop.association.properties.user_id")),
    attribute(UserId, key("ai.telemetry.metadata.userId")),
    attribute(UserId, key("mastra.metadata.userId")),
    inside(UserId, key("metadata"), "user_id"),
    attribute(UserId, key("gen_ai.user")),
    attribute(UserId, key("llm.user")),
    attribute(UserId, key("langsmith.metadata.user_id")),

    attribute(RequestId, key("http.request.header.x-request-id")),
    attribute(RequestId, key("request.id")),
    attribute(RequestId, key("traceloop.correlation.id")),
    attribute(RequestId, key("gcp.vertex.agent.invocation_id")),
    attribute(RequestId, key("mastra.metadata.runId")),
    attribute(RequestId, key("prompt.id"), Only::NotInferencePrompt),
    attribute(RequestId, key("gen_ai.agent.call.id")),
    attribute(RequestId, key("anthropic.request.id")),
    attribute(RequestId, key("request_id")),

    attribute(Tenant, key("tagout.tenant")),
    attribute(Tenant, key("tenant.id")),
    attribute(Tenant, key("tenant.name")),
    attribute(Tenant, key("a2a.tenant")),
    attribute(Tenant, key("ai.telemetry.metadata.tenantId")),
    attribute(Tenant, key("organization.id")),
    attribute(Tenant, key("team.id")),
    resource(Tenant, key("tenant.id")),

    attribute(PromptName, key("gen_ai.prompt.name")),
    attribute(PromptName, key("langfuse.observation.prompt.name")),
    attribute(PromptName, key("langfuse.prompt.name")),
    attribute(PromptName, key("traceloop.prompt.key")),
    attribute(PromptName, key("prompt.id"), Only::InferencePrompt),
    attribute(PromptName, key("ai.telemetry.metadata.promptName")),

    attribute(PromptVersion, key("gen_ai.prompt.version")),
    attribute(PromptVersion, key("llm.prompt_template.version")),
    attribute(PromptVersion, key("langfuse.observation.prompt.version")),
    attribute(PromptVersion, key("langfuse.prompt.version")),
    attribute(PromptVersion, key("traceloop.prompt.version")),
    attribute(PromptVersion, key("traceloop.prompt.version_name")),
    attribute(PromptVersion, key("ai.telemetry.metadata.promptVersion")),
    inside(PromptVersion, key("metadata"), "prompt_version"),
    attribute(PromptVersion, key("mastra.metadata.promptVersion")),

    attribute(PolicyId, key("gen_ai.guardrail.security.policy.id")),
    attribute(PolicyId, key("policy.id")),
    attribute(PolicyId, key("tagout.policy.id")),

    attribute(PolicyVersion, key("policy.version")),
    attribute(PolicyVersion, key("tagout.policy.version")),

    attribute(Route, key("tagout.route")),
    attribute(Route, key("feature_flag.result.variant")),
    attribute(Route, key("feature_flag.variant")),

    attribute(TokensInput, key("gen_ai.usage.input_tokens")),
    attribute(TokensInput, key("gen_ai.usage.prompt_tokens")),
    attribute(TokensInput, key("llm.token_count.prompt")),
    attribute(TokensInput, key("ai.usage.inputTokens")),
    attribute(TokensInput, key("ai.usage.promptTokens")),
    attribute(TokensInput, key("llm.usage.prompt_tokens")),
    inside(TokensInput, langfuse_usage, "input"),
    inside(TokensInput, langfuse_usage, "prompt_tokens"),
    attribute(TokensInput, key("input_tokens")),

    attribute(TokensOutput, key("gen_ai.usage.output_tokens")),
    attribute(TokensOutput, key("gen_ai.usage.completion_tokens")),
    attribute(TokensOutput, key("llm.token_count.completion")),
    attribute(TokensOutput, key("ai.usage.outputTokens")),
    attribute(TokensOutput, key("ai.usage.completionTokens")),
    attribute(TokensOutput, key("llm.usage.completion_tokens")),
    inside(TokensOutput, langfuse_usage, "output"),
    inside(TokensOutput, langfuse_usage, "completion_tokens"),
    attribute(TokensOutput, key("output_tokens")),

    attribute(TokensTotal, key("gen_ai.usage.total_tokens")),
    attribute(TokensTotal, key("llm.usage.total_tokens")),
    attribute(TokensTotal, key("llm.token_count.total")),
    attribute(TokensTotal, key("ai.usage.totalTokens")),
    inside(TokensTotal, langfuse_usage, "total"),

    attribute(TokensCacheRead, key("gen_ai.usage.cache_read.input_tokens")),
    attribute(TokensCacheRead, key("gen_ai.usage.cache_read_input_tokens")),
    attribute(TokensCacheRead, key("llm.token_count.prompt_details.cache_read")),
    attribute(TokensCacheRead, key("ai.usage.cachedInputTokens")),
    attribute(TokensCacheRead, key("gen_ai.usage.details.cache_read_tokens")),
    inside(TokensCacheRead, langfuse_usage, "input_cached_tokens"),
    inside(TokensCacheRead, langfuse_usage, "cache_read_input_tokens"),
    attribute(TokensCacheRead, key("cache_read_tokens")),

    attribute(TokensCacheWrite, key("gen_ai.usage.cache_write.input_tokens")),
    attribute(TokensCacheWrite, key("gen_ai.usage.cache_creation.input_tokens")),
    attribute(TokensCacheWrite, key("gen_ai.usage.cache_creation_input_tokens")),
    attribute(TokensCacheWrite, key("gen_ai.usage.cache_write_input_tokens")),
    attribute(TokensCacheWrite, key("llm.token_count.prompt_details.cache_write")),
    attribute(TokensCacheWrite, key("gen_ai.usage.details.cache_write_tokens")),
    inside(TokensCacheWrite, langfuse_usage, "input_cache_creation"),
    attribute(TokensCacheWrite, key("cache_creation_tokens")),

    attribute(TokensReasoning, key("gen_ai.usage.reasoning.output_tokens")),
    attribute(TokensReasoning, key("gen_ai.usage.reasoning_tokens")),
    attribute(TokensReasoning, key("llm.token_count.completion_details.reasoning")),
    attribute(TokensReasoning, key("ai.usage.reasoningTokens")),
    attribute(TokensReasoning, key("gen_ai.usage.details.reasoning_tokens")),
    inside(TokensReasoning, langfuse_usage, "output_reasoning_tokens"),

    attribute(CostUsd, key("cost_usd")),
    attribute(CostUsd, key("llm.cost.total")),
    attribute(CostUsd, key("gen_ai.usage.cost")),
    attribute(CostUsd, key("gen_ai.cost.total_cost")),
    attribute(CostUsd, key("operation.cost")),
    inside(CostUsd, key("langfuse.observation.cost_details"), "total"),

    attribute(TtftSeconds, key("gen_ai.response.time_to_first_chunk")),
    attribute(TtftSeconds, key("gen_ai.client.operation.time_to_first_chunk")),
    milliseconds(TtftSeconds, key("ai.response.msToFirstChunk")),
    milliseconds(TtftSeconds, key("gen_ai.server.time_to_first_token")),
    milliseconds(TtftSeconds, key("ttft_ms")),

    attribute(ErrorType, key("error.type")),
    on_event(ErrorType, "exception", key("exception.type")),
    attribute(ErrorType, key("exception.type")),
    attribute(ErrorType, key("error_name")),

    status_message(ErrorMessage),
    attribute(ErrorMessage, key("error.message")),
    on_event(ErrorMessage, "exception", key("exception.message")),
    attribute(ErrorMessage, key("exception.message")),
    attribute(ErrorMessage, key("langfuse.observation.status_message")),
    attribute(ErrorMessage, key("error")),

    attribute(HttpStatus, key("http.response.status_code")),
    attribute(HttpStatus, key("http.status_code")),
    attribute(HttpStatus, key("status_code")),
    status_in_message(HttpStatus),

    attribute(RpcStatus, key("rpc.response.status_code")),
    attribute(RpcStatus, key("rpc.status_code")),
    attribute(RpcStatus, key("rpc.jsonrpc.error_code")),
    attribute(RpcStatus, key("rpc.grpc.status_code")),

    attribute(Attempt, key("attempt")),
    attribute(Attempt, key("http.request.resend_count")),

    attribute(GuardrailName, key("gen_ai.guardrail.component.name")),
    attribute(GuardrailName, key("gen_ai.guardrail.name")),
    attribute(GuardrailName, key("tool.name"), Only::Guardrail),
    whole_name(GuardrailName, Only::Guardrail),

    attribute(GuardrailVerdict, key("gen_ai.guardrail.verdict.type")),
    attribute(GuardrailVerdict, key("gen_ai.guardrail.triggered")),
    attribute(GuardrailVerdict, key("guardrail.triggered")),
    attribute(GuardrailVerdict, key("gen_ai.guardrail.status")),
    attribute(GuardrailVerdict, key("langfuse.observation.level"), Only::Guardrail),
    attribute(GuardrailVerdict, key("decision")),

    attribute(GuardrailAction, key("gen_ai.guardrail.action.type")),

    attribute(GuardrailRisk, key("gen_ai.guardrail.security.risk.category")),

    attribute(HandoffFrom, key("gen_ai.handoff.from_agent")),
    inside(HandoffFrom, key("input.value"), "from_agent", Only::Handoff),
    attribute(HandoffFrom, key("gen_ai.agent.handoff_parent")),
    attribute(HandoffFrom, key("graph.node.parent_id"), Only::Agent),

    attribute(HandoffTo, key("gen_ai.handoff.to_agent")),
    inside(HandoffTo, key("output.value"), "to_agent", Only::Handoff),
    in_name(HandoffTo, "handoff to ", ""),

    attribute(EvalName, key("gen_ai.evaluation.name")),

    attribute(EvalScore, key("gen_ai.evaluation.score.value")),

    attribute(EvalLabel, key("gen_ai.evaluation.score.label")),

    attribute(EvalExplanation, key("gen_ai.evaluation.explanation")),

    resource(ServiceName, key("service.name")),

    resource(ServiceVersion, key("service.version")),

    resource(Environment, key("deployment.environment.name")),
    resource(Environment, key("deployment.environment")),
    attribute(Environment, key("langfuse.environment")),
    attribute(Environment, key("deployment.environment")),
});

}  // namespace tagout::intake::sources
