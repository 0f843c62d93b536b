// Story: sessions told in a few words, as the events that telemetry would make of them. For tests
// and benchmarks of this room only.
//
// Thread-compatible. Owns the texts that its events view, so it must outlive them.
#pragma once

#include "domain/agent_event.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

class Story {
public:
    explicit Story(Instant start = Instant(std::chrono::seconds(1'700'000'000))) : now_(start) {}

    /// Later events belong to this session; each `turn` of it is a trace.
    Story& session(
        std::string_view correlation, std::string_view agent, std::string_view workflow
    ) {
        correlation_ = keep(correlation);
        agent_ = keep(agent);
        workflow_ = keep(workflow);
        user_ = {};
        turn();
        return *this;
    }
    Story& turn() {
        ++traces_;
        trace_ = {};
        for (std::size_t i = 0; i < 8; ++i) {
            trace_.bytes[i] = static_cast<std::uint8_t>(traces_ >> (8 * i));
        }
        trace_.bytes[15] = 1;
        turn_began_ = now_;
        return *this;
    }
    Story& wait(Duration duration) {
        now_ += duration;
        return *this;
    }
    /// Who the later events are for; "" is nobody known.
    Story& by(std::string_view user_id) {
        user_id_ = keep(user_id);
        return *this;
    }
    Story& user(std::string_view text) {
        user_ = keep(text);
        return *this;
    }
    AgentEvent& model(std::int64_t tokens = 500, std::string_view answer = "") {
        AgentEvent& event = next(EventKind::Llm, std::chrono::milliseconds(400));
        event.user_text = user_;
        event.model_request = "gpt-x";
        event.output_text = keep(answer);
        event.tokens.input = tokens * 4 / 5;
        event.tokens.output = tokens - tokens * 4 / 5;
        event.tokens.accounting = TokenAccounting::Leaf;
        return event;
    }
    AgentEvent& tool(std::string_view name, std::string_view args, std::string_view result) {
        AgentEvent& event = next(EventKind::Tool, std::chrono::milliseconds(100));
        event.tool_name = keep(name);
        event.tool_args = keep(args);
        event.tool_result = keep(result);
        return event;
    }
    AgentEvent& fail(AgentEvent& event, StepOutcome outcome, int http_status = -1) {
        event.status = SpanStatus::Error;
        event.outcome = outcome;
        event.http_status = http_status;
        event.error_type = keep(name_of(outcome));
        return event;
    }
    AgentEvent& end(StepOutcome outcome = StepOutcome::Ok) {
        AgentEvent& event = next(EventKind::Agent, std::chrono::milliseconds(5));
        event.root = true;
        event.parent_span_id = {};
        event.started_at = turn_began_;
        event.user_text = user_;
        event.outcome = outcome;
        event.status = outcome == StepOutcome::Ok ? SpanStatus::Ok : SpanStatus::Error;
        return event;
    }
    AgentEvent& judge(std::string_view name, double score, std::string_view label = "") {
        AgentEvent& event = next(EventKind::Evaluation, std::chrono::milliseconds(1));
        event.eval_name = keep(name);
        event.eval_label = keep(label);
        event.eval_score = score;
        event.eval_has_score = label.empty();
        event.eval_scope = "trace";
        return event;
    }

    [[nodiscard]] std::string_view keep(std::string_view text) {
        return text.empty() ? std::string_view() : std::string_view(texts_.emplace_back(text));
    }
    [[nodiscard]] Instant now() const noexcept { return now_; }
    std::vector<AgentEvent> events;

private:
    AgentEvent& next(EventKind kind, Duration takes) {
        AgentEvent event;
        event.kind = kind;
        event.convention = Convention::OtelGenAi;
        event.status = SpanStatus::Ok;
        event.trace_id = trace_;
        ++spans_;
        for (std::size_t i = 0; i < 8; ++i) {
            event.span_id.bytes[i] = static_cast<std::uint8_t>(spans_ >> (8 * i));
        }
        event.parent_span_id.bytes[7] = 9;
        event.started_at = now_;
        now_ += takes;
        event.ended_at = now_;
        event.correlation = correlation_;
        event.agent_name = agent_;
        event.workflow_name = workflow_;
        event.user_id = user_id_;
        event.service_name = "shop";
        event.environment = "test";
        return events.emplace_back(event);
    }

    std::deque<std::string> texts_;
    std::string_view correlation_;
    std::string_view agent_;
    std::string_view workflow_;
    std::string_view user_;
    std::string_view user_id_;
    TraceId trace_;
    Instant now_;
    Instant turn_began_;
    std::uint64_t traces_ = 0;
    std::uint64_t spans_ = 0;
};

}  // namespace tagout::detect
