#include "prevent/regression_make.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tagout::prevent {

namespace {

using intake::RecordedCall;
using intake::RecordedTurn;
using intake::TurnRole;

/// "refund@13"; "" without a version.
std::string named_version(std::string_view name, std::string_view version) {
    return version.empty() ? std::string() : std::string(name) + "@" + std::string(version);
}

bool failed(const AgentEvent& event) {
    return event.status == SpanStatus::Error || event.outcome != StepOutcome::Ok;
}

/// Events of one session on their way to turns.
class Writer {
public:
    explicit Writer(const SessionEvents& session) {
        intake::RecordedRun& run = made_.session.run;
        run.id = session.correlation.text();
        run.source = "tagout";
    }

    void add(const AgentEvent& event) {
        learn(event);
        if (event.merged || event.absorbed || event.kind == EventKind::Drop) {
            return;
        }
        switch (event.kind) {
            case EventKind::Request:
            case EventKind::Agent:
            case EventKind::Workflow:
                say(TurnRole::User, event.user_text);
                if (!event.output_text.empty()) {
                    last_word_ = event.output_text;
                }
                return;
            case EventKind::Llm:
                if (!event.wrapper) {
                    say(TurnRole::System, event.system_text);
                    say(TurnRole::User, event.user_text);
                    answer(event.output_text);
                }
                return;
            case EventKind::Tool:
                if (!event.wrapper) {
                    call(event);
                }
                return;
            default:
                return;
        }
    }

    [[nodiscard]] Transcript finish() {
        flush();
        return std::move(made_);
    }

private:
    [[nodiscard]] std::vector<RecordedTurn>& turns() { return made_.session.run.turns; }

    void learn(const AgentEvent& event) {
        intake::RecordedRun& run = made_.session.run;
        VersionsInForce& versions = made_.session.versions;
        if (run.agent.empty()) {
            run.agent = event.agent_name;
        }
        if (run.task.empty()) {
            run.task = event.workflow_name;
        }
        if (versions.prompt.empty()) {
            versions.prompt = named_version(event.prompt_name, event.prompt_version);
        }
        if (versions.policy.empty()) {
            versions.policy = named_version(event.policy_id, event.policy_version);
        }
        if (versions.model_route.empty() && event.route.find('@') != std::string_view::npos) {
            versions.model_route = event.route;  // Without a version it cannot be told from others.
        }
    }

    /// What an outer span gave as the answer, where no model's answer said the same.
    void flush() {
        const std::string word = std::exchange(last_word_, "");
        if (!word.empty() && word != last_answer_) {
            answer(word);
        }
    }

    /// A text that is sent again with every model call is said once.
    void say(TurnRole role, std::string_view text) {
        std::string& last = role == TurnRole::System ? last_system_ : last_user_;
        if (text.empty() || text == last) {
            return;
        }
        last = text;
        flush();
        RecordedTurn turn;
        turn.role = role;
        turn.content = text;
        turns().push_back(std::move(turn));
    }

    void answer(std::string_view text) {
        RecordedTurn turn;
        turn.role = TurnRole::Assistant;
        turn.content = text;
        turns().push_back(std::move(turn));
        last_answer_ = text;
    }

    /// The turn that made a call: the newest answer with nothing but results behind it.
    [[nodiscard]] std::size_t calling_turn() {
        for (std::size_t i = turns().size(); i > 0; --i) {
            const TurnRole role = turns()[i - 1].role;
            if (role == TurnRole::Assistant) {
                return i - 1;
            }
            if (role != TurnRole::Tool) {
                break;
            }
        }
        answer("");
        return turns().size() - 1;
    }

    void call(const AgentEvent& event) {
        std::string id(event.tool_call_id);
        if (id.empty()) {
            id = "call-" + std::to_string(++calls_without_id_);
        } else if (!ids_.emplace(id, true).second) {
            return;  // The agent and an enforcement point both told of it.
        }
        const std::size_t turn = calling_turn();
        RecordedCall made{id, std::string(event.tool_name), std::string(event.tool_args)};
        turns()[turn].tool_calls.push_back(std::move(made));
        made_.calls.emplace_back(
            to_hex(event.span_id), CallPosition{turn, turns()[turn].tool_calls.size() - 1}
        );
        RecordedTurn result;
        result.role = TurnRole::Tool;
        result.name = event.tool_name;
        result.tool_call_id = id;
        result.error = failed(event);
        result.content = event.tool_result.empty() ? event.error_message : event.tool_result;
        turns().push_back(std::move(result));
    }

    Transcript made_;
    std::string last_system_;
    std::string last_user_;
    std::string last_answer_;
    std::string last_word_;
    std::map<std::string, bool> ids_;
    std::size_t calls_without_id_ = 0;
};

}  // namespace

Transcript transcript_of(const SessionEvents& session) {
    std::vector<const AgentEvent*> ordered;
    for (const AgentEvent& event : session.events) {
        ordered.push_back(&event);
    }
    // By begin: what a model asked for comes behind it, and an outer span before what is in it.
    std::ranges::stable_sort(ordered, [](const AgentEvent* a, const AgentEvent* b) {
        if (a->started_at != b->started_at) {
            return a->started_at < b->started_at;
        }
        return a->ended_at > b->ended_at;
    });
    Writer writer(session);
    for (const AgentEvent* const event : ordered) {
        writer.add(*event);
    }
    return writer.finish();
}

}  // namespace tagout::prevent
