#include "detect/arguments.h"
#include "detect/context/stale_read.h"
#include "detect/intent/handoff_loop.h"
#include "detect/safety/escalation.h"
#include "detect/stage_state.h"
#include "detect/tool/written_values.h"
#include "intake/texts.h"

#include <algorithm>
#include <utility>

namespace tagout::detect {

namespace {

constexpr std::size_t result_bytes_max = 32 * 1024;
constexpr double sure_without_habit = 0.74;  ///< A value out of the very result that gives orders.
constexpr double request_score_min = 0.25;   ///< A text that asks somebody for something.

std::string argument_name(std::string_view tool, std::string_view argument) {
    std::string name(tool.substr(0, 40));
    name += '.';
    name += argument.substr(0, 24);
    return name;
}

/// What the session will teach its workflow's profile, known before its end is told.
void note_habit(Trail& trail, NameId argument, std::string_view value) {
    const WrittenValue written{argument, hash_of(value)};
    if (argument != 0 && is_habit_id(value) && trail.written.size() < Trail::written_max &&
        std::ranges::find(trail.written, written) == trail.written.end()) {
        trail.written.push_back(written);
    }
}

}  // namespace

const catalog::ToolFacts& SessionStage::State::facts_of(NameId tool) {
    if (tool >= tool_facts.size()) {
        tool_facts.resize(names.size() + 16);
    }
    std::optional<catalog::ToolFacts>& facts = tool_facts[tool];
    if (!facts) {
        facts = catalog->tool(names.text(tool));
    }
    return *facts;
}

void SessionStage::State::note_tool_call(
    Session& session, const AgentEvent& event, const StepPlace& place, Instant now, Output& out
) {
    if (is_second_telling(session, event)) {
        ++stats.repeated_calls;
        return;
    }
    const NameId tool = names.of(event.tool_name.empty() ? event.name : event.tool_name);
    const catalog::ToolFacts facts = facts_of(tool);
    const bool writes = facts.changes_something();
    const bool worked = event.outcome == StepOutcome::Ok;
    note_step_end(session, event, place.at);
    note_rates(session, event, place, tool, true);
    session.steps += 1;
    session.tool_calls += 1;
    session.writes += writes && worked ? 1 : 0;
    turn_of(session, event.trace_id).steps += 1;

    Trail& trail = session.own_trail();
    if (!trail.offers.empty()) {
        auto form = call_form.judge(
            trail,
            {.agent = event.agent_name.empty() ? 0 : names.of(event.agent_name, session.agent),
             .tool = names.text(tool),
             .arguments = event.tool_args,
             .worked = worked,
             .writes = writes,
             .tool_id = tool}
        );
        if (form) {
            form->place = place;
            raise(session, std::move(*form), out);
        }
    }
    if (const std::string_view receiver = handed_over_to(event.tool_name); !receiver.empty()) {
        note_handed_over(session, event.agent_name, receiver, place, out);
    } else if (worked) {
        note_kept(trail);
    }
    const bool captured = !event.tool_args.empty() || !event.tool_result.empty();
    const bool answered_before = trail.calls_answered;
    trail.calls_answered = trail.calls_answered || worked;
    trail.results_seen = trail.results_seen || !event.tool_result.empty();
    const bool debut = std::ranges::find(trail.tools, tool) == trail.tools.end();
    if (debut && trail.tools.size() < Trail::tools_max) {
        trail.tools.push_back(tool);
    }
    // What a tool does may be unknown, and a read may send something out in its URL.
    const bool may_send = facts.effect == ToolEffect::Unknown ||
                          event.tool_args.find("http") != std::string_view::npos ||
                          event.tool_args.find("www.") != std::string_view::npos;
    if ((writes || may_send) && trail.pending.size() < Trail::pending_max) {
        PendingCall call{
            .place = place,
            .began = event.started_at,
            .due = now + settings.settle,
            .tool = tool,
            .writes = writes,
            .worked = worked,
            .confirmed = trail.user_agreed,
            .debut = debut && writes,
            .blind = answered_before && !trail.results_seen,
            .reads = facts.effect == ToolEffect::Read,
            .values = {},
            .arguments = {}};
        ArgumentLimits limits;
        limits.values_max = Trail::pending_values_max;
        read_values(event.tool_args, limits, call.values);
        for (ArgumentValue& value : call.values) {
            call.arguments.push_back(names.of(argument_name(names.text(tool), value.name)));
            if (writes && worked) {
                note_habit(trail, call.arguments.back(), value.text);
            }
            value.name = {};  // a view into the batch, which goes
        }
        trail.pending.push_back(std::move(call));
        due.emplace_back(now + settings.settle, session.key);
    }
    if (event.outcome == StepOutcome::Denied || event.outcome == StepOutcome::Blocked ||
        event.http_status == 401 || event.http_status == 403) {
        note_denial(trail.ladder, tool, place);
    }
    if (!event.tool_args.empty()) {
        note_guarded(session, event, tool, facts, place, out);
    }
    // An agent that is refused tries again: that is our own doing, and no sign of a lost context.
    if (captured && !is_stopped_by_control(event)) {
        note_action(session, event, tool, place, out);
    }
    if (!event.tool_result.empty()) {
        note_result(session, event.tool_result, tool, place, out);
    }
    // The place in a recorded run is its order: nothing can still be on its way.
    if (event.step != AgentEvent::unknown_step && !trail.pending.empty()) {
        settle(session, Instant::max(), Instant::max(), out);
    }
}

void SessionStage::State::note_result(
    Session& session, std::string_view text, NameId tool, const StepPlace& place, Output& out
) {
    if (text.empty()) {
        return;
    }
    text = text.substr(0, result_bytes_max);
    regions.clear();
    const InstructionText::Reading reading =
        settings.safety.phrases ? orders.scan(text, regions) : InstructionText::Reading{};
    const bool found = reading.score >= settings.safety.instruction_score;
    const bool asks = reading.score >= request_score_min;
    for (TextRegion& region : regions) {
        region.orders = found;
    }
    Trail& trail = session.own_trail();
    const std::span<const TextRegion> marked =
        asks ? std::span<const TextRegion>(regions) : std::span<const TextRegion>();
    change_values(trail, [&](SessionValues& values) {
        values.add_result(text, {place.at, tool, place.step, found}, marked, settings.atoms_max);
    });
    if (value_bytes > settings.values_bytes_max) {
        forget_values();
    }
    if (!found) {
        return;
    }
    const std::size_t from = reading.at > 140 ? reading.at - 140 : 0;
    Sighting sighting{.signal = SignalId::InstructionInResult};
    sighting.place = place;
    sighting.tool = tool;
    sighting.score = reading.score;
    sighting.observed = reading.score;
    sighting.threshold = settings.safety.instruction_score;
    // Apart from what obeys them: these may stand there for ever and hurt nobody.
    sighting.cause = "orders in " + names.text(tool);
    sighting.evidence = "the result of " + names.text(tool) + " gives the agent " +
                        (reading.hidden ? "hidden orders: \"" : "orders: \"") +
                        std::string(text.substr(from, 220)) + "\"";
    raise(session, std::move(sighting), out);
}

void SessionStage::State::settle(Session& session, Instant now, Instant until, Output& out) {
    Trail& trail = *session.trail;
    for (std::size_t i = 0; i < trail.pending.size();) {
        if (trail.pending[i].due > now && trail.pending[i].place.at > until) {
            ++i;
            continue;
        }
        const PendingCall call = std::move(trail.pending[i]);
        trail.pending.erase(trail.pending.begin() + static_cast<std::ptrdiff_t>(i));
        judge_call(session, call, out);
    }
}

void SessionStage::State::judge_call(Session& session, const PendingCall& call, Output& out) {
    Trail& trail = *session.trail;
    const catalog::ToolFacts facts = facts_of(call.tool);
    change_values(trail, [&](SessionValues& values) { values.read(settings.atoms_max); });
    if (trail.memory) {
        if (auto stale = judge_stale(*trail.memory, trail, call, names)) {
            raise(session, std::move(*stale), out);
        }
    }
    const CallEvidence evidence = examine_call(trail, call, facts, names);
    auto sighting = judge_untrusted(evidence, call, settings.safety, names);
    if (!sighting) {
        sighting = judge_unexpected(evidence, call, settings.tool, names);
    }
    // Without orders that the call obeys to the letter, only the workflow's habits can tell.
    std::optional<Sighting> weak;
    if (sighting && sighting->signal == SignalId::UntrustedValue &&
        sighting->score < sure_without_habit) {
        weak = std::exchange(sighting, std::nullopt);
    }
    auto climbed = judge_escalation(trail.ladder, evidence, call, settings.safety, names);
    const bool explained = sighting.has_value();
    if (sighting) {
        if (sighting->signal == SignalId::UnexpectedWrite && call.worked) {
            session.marks.harm = true;
            session.marks.harm_detail = call.tool;
        }
        raise(session, std::move(*sighting), out);
    }
    if (climbed) {
        raise(session, std::move(*climbed), out);
    }
    note_values(session, call, evidence, explained, weak);
    if (call.writes && call.worked && !call.arguments.empty()) {
        note_written(session, call, evidence);
    }
    tell_outcome(session, out);
}

Finding SessionStage::State::draft_of(const Session& session, const PendingCall& call) const {
    Finding draft;
    const NameId habit = session.workflow != 0 ? session.workflow : session.actor();
    draft.correlation = CorrelationId(session.correlation);
    draft.trace_id = to_hex(call.place.trace_id);
    draft.span_id = to_hex(call.place.span_id);
    draft.step = call.place.step;
    draft.agent = AgentName(names.text(session.actor()));
    draft.workflow = WorkflowName(names.text(habit));
    draft.tool = ToolName(names.text(call.tool));
    draft.model = names.text(session.model);
    draft.service = names.text(session.service);
    draft.environment = names.text(session.environment);
    draft.prompt_version = names.text(session.prompt_version);
    draft.seen_at = call.place.at;
    draft.explained_by = leader_of(session);
    draft.write_completed = call.worked && call.writes;
    draft.outcome = session.told;
    if (session.user != 0) {
        draft.users.add(session.user);
    }
    draft.tokens = session.tokens;
    draft.cost_usd = session.cost_usd;
    return draft;
}

void SessionStage::State::note_written(
    Session& session, const PendingCall& call, const CallEvidence& evidence
) {
    const Trail& trail = *session.trail;
    WriteFact fact;
    for (std::size_t i = 0; i < call.values.size() && i < call.arguments.size(); ++i) {
        const std::string& text = call.values[i].text;
        if (!is_habit_id(text) || call.arguments[i] == 0) {
            continue;
        }
        if ((evidence.not_trusted >> i & 1U) != 0 && fact.values.size() < WriteFact::values_max) {
            fact.values.push_back(
                {names.text(call.arguments[i]),
                 hash_of(text),
                 std::string(intake::clipped(text, 80))}
            );
        }
    }
    const bool told = std::ranges::any_of(trail.findings, [](const LiveFinding& live) {
        return live.signal == SignalId::UnexpectedWrite;
    });
    if (!fact.values.empty() && !told && sums.rest().writes.size() < KeyPartials::facts_max) {
        fact.draft = draft_of(session, call);
        sums.rest().writes.push_back(std::move(fact));
    }
}

void SessionStage::State::settle_due(Instant now, Output& out) {
    while (!due.empty() && due.front().first <= now) {
        const std::uint64_t key = due.front().second;
        due.pop_front();
        Session* const session = sessions.find_key(key);
        if (session != nullptr && session->trail && !session->trail->pending.empty()) {
            settle(*session, now, Instant::min(), out);
        }
    }
}

void SessionStage::State::forget_values() {
    const std::uint64_t aim = settings.values_bytes_max / 8 * 7;
    for (Session* session = sessions.idlest(); session != nullptr && value_bytes > aim;
         session = sessions.newer(*session)) {
        if (session->trail && session->trail->values.bytes() > 0) {
            change_values(*session->trail, [](SessionValues& values) { values.drop(); });
            ++values_forgotten;
        }
    }
}

}  // namespace tagout::detect
