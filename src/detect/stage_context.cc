// The context class in the fold: actions and answers into the session, and what they amount to.
#include "detect/context/contradiction.h"
#include "detect/context/incoherent_step.h"
#include "detect/context/lost_context.h"
#include "detect/context/repeated_actions.h"
#include "detect/context/stale_read.h"
#include "detect/hash.h"
#include "detect/intent/retries.h"
#include "detect/stage_state.h"

#include <algorithm>
#include <bit>

namespace tagout::detect {

namespace {

constexpr std::size_t substantial_bytes_min = 40;
constexpr std::size_t result_bytes_max = 0x0fffffff;
constexpr std::size_t signs_bytes_max = 500;
constexpr std::size_t claims_bytes_max = 600;

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') {
        text.remove_prefix(1);
    }
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') {
        text.remove_suffix(1);
    }
    return text;
}

std::uint32_t span_hash(const SpanId& span) noexcept {
    const auto bits = std::bit_cast<std::uint64_t>(span.bytes);
    return bits == 0 ? 0 : static_cast<std::uint32_t>(combine(bits, 1)) | 1U;
}

Action action_of(const AgentEvent& event, NameId tool, std::uint32_t step) noexcept {
    const ArgumentDigest digest = digest_arguments(event.tool_args);
    const std::string_view result = trimmed(event.tool_result);
    Action action;
    action.call = static_cast<std::uint32_t>(combine(digest.exact, tool)) | 1U;
    action.near = static_cast<std::uint32_t>(combine(digest.near, tool)) | 1U;
    action.result = static_cast<std::uint32_t>(hash_of(result));
    action.span = span_hash(event.span_id);
    action.tool = tool;
    action.step = step;
    action.began = event.started_at;
    action.ended = event.ended_at;
    action.fields = digest.fields;
    action.fields_count = digest.fields_count;
    const AnswerTone tone = read_answer(result);
    action.unfinished = tone.unfinished;
    action.withheld = tone.withheld;
    action.result_bytes =
        static_cast<std::uint32_t>(std::min<std::size_t>(result.size(), result_bytes_max));
    action.substantial = result.size() >= substantial_bytes_min;
    return action;
}

}  // namespace

bool SessionStage::State::is_second_telling(
    const Session& session, const AgentEvent& event
) noexcept {
    const std::uint32_t span = span_hash(event.span_id);
    return span != 0 && session.trail &&
           std::ranges::any_of(session.trail->actions, [&](const Action& action) {
               return action.span == span && action.began == event.started_at;
           });
}

void SessionStage::State::note_action(
    Session& session, const AgentEvent& event, NameId tool, const StepPlace& place, Output& out
) {
    Trail& trail = session.own_trail();
    const catalog::ToolFacts facts = facts_of(tool);
    Action action = action_of(event, tool, place.step);
    action.request = trail.requests;
    action.worked = event.outcome == StepOutcome::Ok;
    action.writes = facts.changes_something();
    action.may_change = facts.effect != ToolEffect::Read;
    action.empty = says_nothing(event.tool_result) && !action.writes;
    std::vector<Action>& actions = trail.actions;
    if (actions.size() >= settings.actions_max) {
        actions.erase(actions.begin());
        trail.actions_forgotten = true;
    }
    auto at = actions.end();
    while (at != actions.begin() && std::prev(at)->began > action.began) {
        --at;
    }
    const Action& placed = *actions.insert(at, action);
    const auto told = [&](std::optional<Sighting> sighting, bool by_workflow = false) {
        if (sighting) {
            sighting->place = place;
            if (by_workflow || sighting->cause.empty()) {
                sighting->cause =
                    names.text(session.workflow != 0 ? session.workflow : session.actor());
            }
            raise(session, std::move(*sighting), out);
        }
    };
    Repetition repetition = find_repetition(trail, placed, settings.context, names);
    if (repetition.wasted_calls + 1 >= settings.context.stuck_calls && !session.marks.stuck) {
        session.marks.stuck = true;
        session.marks.stuck_detail = tool;
        trail.stuck_call = action.call;
    } else if (action.call == trail.stuck_call && placed.worked && repetition.wasted_calls == 0) {
        session.marks.stuck = false;  // it was waiting for this answer
        trail.stuck_call = 0;
    }
    if (const auto between = set_back(actions, placed)) {
        repetition.sighting.reset();
        Sighting sighting{.signal = SignalId::Contradiction};
        sighting.tool = tool;
        sighting.score = sighting.observed = 0.75;
        sighting.write_completed = true;
        sighting.cause = names.text(tool);
        sighting.evidence = names.text(tool) + " was set to something else at step " +
                            std::to_string(*between) + " and set back";
        told(std::move(sighting));
    }
    const bool circles =
        repetition.sighting && repetition.sighting->signal == SignalId::CircularActions;
    told(std::move(repetition.sighting));
    told(note_try(trail, placed, settings.intent, names), true);
    if (!circles) {
        told(judge_restart(actions, placed, !trail.actions_forgotten, names));
    }
    told(judge_placeholder(event.tool_args));
    if (older_reading(actions, placed) != nullptr) {
        change_values(trail, [&](SessionValues& values) { values.read(settings.atoms_max); });
        note_reading(trail.own_memory(), actions, placed, event.tool_result, trail.values.index());
    }
    if (placed.worked && placed.may_change) {
        note_write(session, event, placed, place, out);
    }
    trail.calls_worked += placed.worked ? 1 : 0;
    trail.changes_worked += placed.worked && placed.may_change ? 1 : 0;
    if (trail.memory) {
        trail.memory->plan.clear();
    }
}

void SessionStage::State::note_write(
    Session& session, const AgentEvent& event, const Action& action, const StepPlace& place,
    Output& out
) {
    if (action.unfinished) {
        return;
    }
    Trail& trail = session.own_trail();
    WriteMark mark = mark_of(names.text(action.tool), event.tool_args, event.tool_result);
    if (mark.sense == 0) {
        return;
    }
    mark.tool = action.tool;
    mark.request = action.request;
    mark.step = action.step;
    Recollection& memory = trail.own_memory();
    if (const WriteMark* const undone = undone_by(memory, mark)) {
        change_values(trail, [&](SessionValues& values) { values.read(settings.atoms_max); });
        if (!trail.values.index().user_said(verb_of(mark))) {
            Sighting sighting{.signal = SignalId::Contradiction};
            sighting.place = place;
            sighting.tool = action.tool;
            sighting.score = sighting.observed = 0.75;
            sighting.write_completed = true;
            sighting.cause = names.text(action.tool);
            sighting.evidence = names.text(action.tool) + " undoes what " +
                                names.text(undone->tool) + " did at step " +
                                std::to_string(undone->step) + ", and the user did not ask for it";
            raise(session, std::move(sighting), out);
        }
    }
    if (memory.writes.size() >= Recollection::writes_max) {
        memory.writes.erase(memory.writes.begin());
    }
    memory.writes.push_back(mark);
}

void SessionStage::State::note_told(Session& session, std::string_view text) {
    const std::uint8_t slots = slots_told(text);
    if (slots == 0 && !session.own_trail().memory) {
        return;
    }
    Trail& trail = session.own_trail();
    Recollection& memory = trail.own_memory();
    memory.plan.clear();
    for (std::size_t i = 0; i < slot_kinds; ++i) {
        if ((slots >> i & 1U) != 0 && memory.told[i] == 0) {
            memory.told[i] = std::max<std::uint16_t>(trail.requests, 1);
            memory.told_calls[i] = trail.calls_worked;
        }
    }
}

void SessionStage::State::note_answer_words(
    Session& session, const AgentEvent& event, const StepPlace& place, Output& out
) {
    Trail& trail = session.own_trail();
    Recollection& memory = trail.own_memory();
    const std::string_view whole = trimmed(event.output_text);
    // Who greets or knows nothing says little; what a long answer asks or plans stands at its end.
    const std::string_view answer =
        whole.size() > signs_bytes_max ? whole.substr(whole.size() - signs_bytes_max) : whole;
    const auto told = [&](std::optional<Sighting> sighting) {
        if (sighting) {
            sighting->place = place;
            sighting->cause =
                names.text(session.workflow != 0 ? session.workflow : session.actor());
            raise(session, std::move(*sighting), out);
        }
    };
    const Action* const newest = trail.actions.empty() ? nullptr : &trail.actions.back();
    const bool answers_call = newest != nullptr && newest->request == trail.requests &&
                              newest->step >= memory.answer_step && can_be_ignored(*newest, answer);
    const bool calls = event.finish_reason.find("tool") != std::string_view::npos;
    const bool has_past = trail.calls_worked >= lost_calls_min;
    AnswerLook look{.memory = has_past, .found = answers_call, .plans = !calls, .asks = 0};
    for (std::size_t i = 0; has_past && i < slot_kinds; ++i) {
        look.asks |= memory.told[i] != 0 ? static_cast<std::uint8_t>(1U << i) : std::uint8_t{0};
    }
    const AnswerReading reading = answer_signs.scan(answer, look);
    told(judge_lost_words(memory, reading, answer, trail.calls_worked));
    if (answers_call) {
        told(judge_ignored(reading, *newest, answer, names));
    }
    claims.clear();
    read_claims(whole.substr(0, claims_bytes_max), claims);
    for (Claim& claim : claims) {
        claim.request = trail.requests;
        claim.step = place.step;
        claim.writes = trail.changes_worked;
        claim.calls = trail.calls_worked;
        told(judge_question(memory, claim));
        if (is_about_known(memory, claim)) {
            change_values(trail, [&](SessionValues& values) { values.read(settings.atoms_max); });
            told(judge_claim(memory, claim, trail.values.index()));
        }
    }
    if (memory.claims.empty()) {
        memory.claims.reserve(Recollection::claims_usual);
    }
    for (Claim& claim : claims) {
        if (memory.claims.size() >= Recollection::claims_max) {
            memory.claims.erase(memory.claims.begin());
        }
        memory.claims.push_back(std::move(claim));
    }
    memory.answers += 1;
    memory.answer_step = place.step;
    memory.plan = calls ? std::string_view() : plan_of(reading, answer);
    memory.plan_place = place;
}

void SessionStage::State::judge_end(Session& session, Output& out) {
    if (!session.trail || !session.trail->memory) {
        return;
    }
    Recollection& memory = *session.trail->memory;
    if (auto sighting = judge_plan(memory)) {
        sighting->place = memory.plan_place;
        sighting->cause = names.text(session.workflow != 0 ? session.workflow : session.actor());
        memory.plan.clear();
        raise(session, std::move(*sighting), out);
    }
}

}  // namespace tagout::detect
