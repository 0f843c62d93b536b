#include "intake/normalise_fields.h"
#include "intake/normalise_outcome.h"
#include "intake/recorded_run.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>
#include <xxhash.h>

namespace tagout::intake {

namespace {

constexpr Duration between_turns = std::chrono::seconds(1);
constexpr std::size_t no_event = static_cast<std::size_t>(-1);

/// Ids that are the same whenever the run is replayed.
TraceId trace_id_of(std::string_view id) noexcept {
    const XXH128_hash_t hash = XXH3_128bits(id.data(), id.size());
    TraceId trace;
    std::memcpy(trace.bytes.data(), &hash.low64, 8);
    std::memcpy(trace.bytes.data() + 8, &hash.high64, 8);
    return trace;
}

SpanId span_id_of(const TraceId& trace, std::uint64_t number) noexcept {
    const std::uint64_t hash = XXH3_64bits_withSeed(trace.bytes.data(), 16, number + 1) | 1U;
    SpanId span;
    std::memcpy(span.bytes.data(), &hash, sizeof hash);
    return span;
}

/// One call of append_events.
class RunEvents {
public:
    RunEvents(const RecordedRun& run, Instant start, EventBatch& batch)
        : run_(run), start_(start), batch_(batch), first_(batch.events.size()) {
        common_.convention = Convention::RecordedRun;
        common_.trace_id = trace_id_of(run.id);
        common_.parent_span_id = span_id_of(common_.trace_id, 0);
        common_.conversation_id = batch.keep(run.id);
        common_.correlation = common_.conversation_id;
        common_.service_name = batch.keep(run.source);
        common_.agent_name = batch.keep(run.agent);
        common_.workflow_name = batch.keep(run.task);
        tools_ = batch.keep(run.tools);
    }

    void run() {
        for (std::size_t i = 0; i < run_.turns.size(); ++i) {
            const RecordedTurn& turn = run_.turns[i];
            switch (turn.role) {
                case TurnRole::System:
                    common_system_ = batch_.keep(turn.content);
                    break;
                case TurnRole::User:
                    add_request(turn, i);
                    break;
                case TurnRole::Assistant:
                    add_answer(turn, i);
                    break;
                case TurnRole::Tool:
                    add_result(turn, i);
                    break;
            }
        }
        add_root();
        sort_by_end();
    }

private:
    [[nodiscard]] Instant time_of(std::size_t turn) const {
        return start_ + between_turns * static_cast<std::int64_t>(turn);
    }

    AgentEvent& add(EventKind kind, std::size_t turn) {
        AgentEvent& event = batch_.events.emplace_back(common_);
        event.kind = kind;
        event.span_id = span_id_of(event.trace_id, batch_.events.size() - first_);
        event.started_at = time_of(turn);
        event.ended_at = event.started_at;
        event.step = static_cast<std::uint32_t>(turn);
        return event;
    }

    void add_request(const RecordedTurn& turn, std::size_t index) {
        AgentEvent& event = add(EventKind::Request, index);
        event.name = "user turn";
        event.user_text = batch_.keep(turn.content);
    }

    void add_answer(const RecordedTurn& turn, std::size_t index) {
        AgentEvent& event = add(EventKind::Llm, index);
        event.name = "assistant turn";
        event.model_request = event.agent_name;
        event.agent_id = batch_.keep(turn.name);
        event.finish_reason = turn.tool_calls.empty() ? "stop" : "tool_calls";
        event.output_text = batch_.keep(turn.content);
        event.system_text = common_system_;
        event.tool_definitions = tools_;
        output_text_ = event.output_text.empty() ? output_text_ : event.output_text;
        const std::string_view speaker = event.agent_id;
        for (const RecordedCall& call : turn.tool_calls) {
            AgentEvent& made = add(EventKind::Tool, index);
            made.name = batch_.keep(call.name);
            made.tool_name = made.name;
            made.agent_id = speaker;
            made.tool_call_id = batch_.keep(call.id);
            made.tool_args = batch_.keep(call.arguments);
            unanswered_.push_back(batch_.events.size() - 1);
        }
    }

    /// The call that the turn answers, taken from those without an answer.
    [[nodiscard]] std::size_t take_call(const RecordedTurn& turn) {
        auto found = unanswered_.begin();
        if (!turn.tool_call_id.empty()) {
            found = std::ranges::find_if(unanswered_, [&](std::size_t call) {
                return batch_.events[call].tool_call_id == turn.tool_call_id;
            });
        }
        if (found == unanswered_.end() && !unanswered_.empty()) {
            found = unanswered_.begin();  // an id that no call has
        }
        if (found == unanswered_.end()) {
            return no_event;
        }
        const std::size_t call = *found;
        unanswered_.erase(found);
        return call;
    }

    void add_result(const RecordedTurn& turn, std::size_t index) {
        const std::size_t call = take_call(turn);
        AgentEvent& event = call == no_event ? add(EventKind::Tool, index) : batch_.events[call];
        if (call == no_event) {
            event.name = batch_.keep(turn.name);
            event.tool_name = event.name;
            event.tool_call_id = batch_.keep(turn.tool_call_id);
        }
        event.ended_at = time_of(index);
        event.tool_result = batch_.keep(turn.content);
        if (turn.error) {
            event.status = SpanStatus::Error;
            event.error_message = event.tool_result;
            event.http_status = quoted_http_status(event.tool_result);
        }
        event.outcome = outcome_of(event);
    }

    void add_root() {
        AgentEvent& root = add(EventKind::Workflow, 0);
        root.span_id = root.parent_span_id;
        root.parent_span_id = {};
        root.root = true;
        root.name = root.workflow_name;
        root.ended_at = time_of(run_.turns.size());
        root.step = run_.turns.empty() ? AgentEvent::unknown_step
                                       : static_cast<std::uint32_t>(run_.turns.size() - 1);
        root.output_text = output_text_;
    }

    /// Of events that end together, the earlier told comes first.
    void sort_by_end() {
        const std::vector<AgentEvent> told(
            batch_.events.begin() + static_cast<std::ptrdiff_t>(first_), batch_.events.end()
        );
        std::vector<std::size_t> order(told.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::sort(order, {}, [&told](std::size_t i) {
            return std::pair(told[i].ended_at, i);
        });
        for (std::size_t i = 0; i < told.size(); ++i) {
            batch_.events[first_ + i] = told[order[i]];
        }
    }

    const RecordedRun& run_;
    Instant start_;
    EventBatch& batch_;
    std::size_t first_;
    AgentEvent common_;  ///< What all events of the run have.
    std::string_view common_system_;
    std::string_view tools_;
    std::string_view output_text_;
    std::vector<std::size_t> unanswered_;  ///< Calls' events, oldest first.
};

}  // namespace

void append_events(const RecordedRun& run, Instant start, EventBatch& batch) {
    if (run.kind == RecordKind::Run) {
        RunEvents(run, start, batch).run();
    }
}

}  // namespace tagout::intake
