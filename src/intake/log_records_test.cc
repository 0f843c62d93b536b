#include "intake/otlp_text.h"

#include <gtest/gtest.h>

namespace tagout::intake {
namespace {

using otlp_text::Attr, otlp_text::decoded, otlp_text::event_named, otlp_text::Record;

constexpr std::string_view claude = "com.anthropic.claude_code.events";

std::shared_ptr<EventBatch> claude_record(std::string name, std::vector<Attr> attributes) {
    return decoded(
        std::vector<Record>{{
            .attributes = std::move(attributes),
            .body = "claude_code." + std::move(name),
        }},
        claude
    );
}

TEST(LogRecords, ClaudeCodesEventsHaveKindsOfTheirOwn) {
    struct Row {
        std::string name;
        EventKind kind;
    };
    const Row rows[] = {
        {"user_prompt", EventKind::Request},
        {"api_request", EventKind::Llm},
        {"api_error", EventKind::Llm},
        {"api_retries_exhausted", EventKind::Error},
        {"api_refusal", EventKind::Guardrail},
        {"tool_result", EventKind::Tool},
        {"tool_decision", EventKind::Guardrail},
        {"assistant_response", EventKind::LlmContent},
        {"subagent_completed", EventKind::Agent},
        {"feedback_survey", EventKind::Feedback},
        {"permission_mode_changed", EventKind::Config},
        {"compaction", EventKind::Context},
        {"hook_execution_complete", EventKind::Guardrail},
        {"mcp_server_connection", EventKind::Mcp},
        {"plugin_loaded", EventKind::Log},
    };
    for (const Row& row : rows) {
        const auto batch = claude_record(row.name, {{"session.id", "s-1"}});
        ASSERT_EQ(batch->events.size(), 1U) << row.name;
        EXPECT_EQ(name_of(batch->events[0].kind), name_of(row.kind)) << row.name;
        EXPECT_EQ(batch->events[0].convention, Convention::ClaudeCode);
        EXPECT_EQ(batch->events[0].event, row.name);
        EXPECT_EQ(batch->events[0].conversation_id, "s-1");
    }
    const auto other = decoded(
        std::vector<Record>{{.event = "user_prompt", .attributes = {{"prompt", "hi"}}}}, "shop.log"
    );
    EXPECT_EQ(other->events[0].kind, EventKind::Log) << "somebody else's event of that name";
}

TEST(LogRecords, AFinishedCallSaysWhatItTookAndCost) {
    const auto batch = claude_record(
        "api_request", {{"model", "m1"}, {"input_tokens", 25}, {"output_tokens", 17},
                        {"cache_read_tokens", 32}, {"cache_creation_tokens", 5},
                        {"cost_usd", 0.25}, {"duration_ms", "102"}, {"request_id", "req_1"}}
    );
    const AgentEvent& call = batch->events[0];
    EXPECT_EQ(call.tokens.input, 62) << "Claude Code counts the cache apart";
    EXPECT_EQ(call.tokens.counted(), 79);
    EXPECT_DOUBLE_EQ(call.counted_cost_usd(), 0.25);
    EXPECT_EQ(call.ended_at - call.started_at, std::chrono::milliseconds(102));
    EXPECT_EQ(call.response_id, "req_1");
    EXPECT_EQ(call.status, SpanStatus::Ok);
}

TEST(LogRecords, AFailedCallAndAFailedToolSayHow) {
    const auto error = claude_record(
        "api_error", {{"model", "m1"}, {"error", "Overloaded"}, {"status_code", "529"},
                      {"attempt", 3}}
    );
    EXPECT_EQ(error->events[0].status, SpanStatus::Error);
    EXPECT_EQ(error->events[0].http_status, 529);
    EXPECT_EQ(error->events[0].outcome, StepOutcome::ServerError);
    EXPECT_EQ(error->events[0].attempt, 3);

    const auto tool = claude_record(
        "tool_result", {{"tool_name", "Bash"}, {"tool_use_id", "t1"}, {"success", "false"},
                        {"error", "timed out"}, {"tool_input", R"({"command":"ls"})"}}
    );
    EXPECT_EQ(tool->events[0].outcome, StepOutcome::Timeout);
    EXPECT_EQ(tool->events[0].tool_args, R"({"command":"ls"})");
    const auto fine = claude_record("tool_result", {{"tool_name", "Bash"}, {"success", "true"}});
    EXPECT_EQ(fine->events[0].outcome, StepOutcome::Ok);
}

TEST(LogRecords, DecisionsAndHooksAreVerdicts) {
    const auto rejected = claude_record(
        "tool_decision", {{"decision", "reject"}, {"tool_name", "Bash"}, {"tool_use_id", "t1"}}
    );
    EXPECT_EQ(rejected->events[0].guardrail_verdict, Verdict::Deny);
    EXPECT_EQ(rejected->events[0].outcome, StepOutcome::Blocked);
    EXPECT_EQ(rejected->events[0].tool_name, "Bash");
    const auto hook = claude_record("hook_execution_complete", {{"num_blocking", 1}});
    EXPECT_EQ(hook->events[0].guardrail_verdict, Verdict::Deny);
    const auto passed = claude_record("hook_execution_complete", {{"num_blocking", 0}});
    EXPECT_EQ(passed->events[0].guardrail_verdict, Verdict::None);
}

TEST(LogRecords, OpenTelemetrysEventsTellEvaluationsFlagsErrorsAndTexts) {
    const auto batch = decoded(std::vector<Record>{
        {.event = "gen_ai.evaluation.result",
         .attributes = {{"gen_ai.evaluation.name", "thumbs"},
                        {"gen_ai.evaluation.score.value", 0},
                        {"gen_ai.evaluation.score.label", "down"},
                        {"gen_ai.response.id", "resp_1"}},
         .at = 1},
        {.event = "feature_flag.evaluation",
         .attributes = {{"feature_flag.key", "route"}, {"feature_flag.variant", "b"},
                        {"feature_flag.version", "17"}},
         .at = 2},
        {.event = "gen_ai.client.operation.exception",
         .attributes = {{"exception.type", "RateLimitError"}, {"exception.message", "429"}},
         .at = 3},
        {.event = "gen_ai.client.inference.operation.details",
         .attributes = {{"gen_ai.input.messages",
                         R"([{"role":"user","parts":[{"type":"text","content":"Hi"}]}])"},
                        {"gen_ai.output.messages",
                         R"([{"role":"assistant","parts":[{"type":"text","content":"Yo"}]}])"},
                        {"gen_ai.usage.input_tokens", 50}},
         .at = 4},
        {.event = "", .at = 5, .body = "just a line"},
    });
    const AgentEvent& evaluation = event_named(*batch, "gen_ai.evaluation.result");
    EXPECT_EQ(evaluation.kind, EventKind::Evaluation);
    EXPECT_TRUE(evaluation.eval_has_score);
    EXPECT_EQ(evaluation.eval_score, 0);
    EXPECT_EQ(evaluation.eval_label, "down");
    EXPECT_EQ(evaluation.response_id, "resp_1");
    const AgentEvent& flag = event_named(*batch, "feature_flag.evaluation");
    EXPECT_EQ(flag.flag, "route");
    EXPECT_EQ(flag.flag_variant, "b");
    EXPECT_EQ(flag.route, "b");
    const AgentEvent& error = event_named(*batch, "gen_ai.client.operation.exception");
    EXPECT_EQ(error.outcome, StepOutcome::Throttled);
    const AgentEvent& details = event_named(*batch, "gen_ai.client.inference.operation.details");
    EXPECT_EQ(details.user_text, "Hi");
    EXPECT_EQ(details.output_text, "Yo");
    EXPECT_EQ(details.tokens.counted(), 0) << "contents enrich, they never count";
    EXPECT_EQ(batch->events.back().kind, EventKind::Log);
    EXPECT_EQ(batch->events.back().body, "just a line");
}

}  // namespace
}  // namespace tagout::intake
