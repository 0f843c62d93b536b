#include "detect/context/repeated_actions.h"
#include "detect/cost/runaway_session.h"
#include "detect/hash.h"
#include "detect/intent/correction_words.h"
#include "detect/intent/handoff_loop.h"
#include "detect/intent/request_features.h"
#include "detect/intent/retries.h"
#include "detect/intent/verdict.h"
#include "detect/safety/injection_tests.h"
#include "detect/stage_state.h"
#include "detect/tool/argument_shape.h"
#include "intake/texts.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace tagout::detect {

namespace {

constexpr std::size_t trusted_bytes_max = 16 * 1024;
constexpr std::uint32_t errors_that_explain = 3;
constexpr double wrong_workflow_score_min = 0.85;
constexpr std::size_t refusal_bytes_max = 2'000;
constexpr std::string_view control_mark = "[Tagout CTL-";  ///< In the reason that a control gives.

bool is_model_call(EventKind kind) noexcept {
    return kind == EventKind::Llm || kind == EventKind::Embedding || kind == EventKind::Rerank;
}

bool carries_user_words(EventKind kind) noexcept {
    switch (kind) {
        case EventKind::Llm:
        case EventKind::Agent:
        case EventKind::Workflow:
        case EventKind::Step:
        case EventKind::Plan:
        case EventKind::Request:
        case EventKind::LlmContent:
        case EventKind::LlmRollup:
        case EventKind::Other:
            return true;
        default:
            return false;
    }
}

}  // namespace

void SessionStage::State::note_names(Session& session, const AgentEvent& event) {
    const auto take = [&](NameId& id, std::string_view text) {
        if (!text.empty()) {
            id = names.of(text, id);
        }
    };
    take(session.agent, event.agent_name);
    take(session.workflow, event.workflow_name);
    take(session.service, event.service_name);
    take(session.environment, event.environment);
    take(session.prompt_name, event.prompt_name);
    take(session.prompt_version, event.prompt_version);
    take(session.model, event.model_response.empty() ? event.model_request : event.model_response);
    if (!event.user_id.empty()) {
        session.user = hash_of(event.user_id) | 1;
    }
}

Turn& SessionStage::State::turn_of(Session& session, const TraceId& trace) {
    std::uint64_t key = 0;
    std::copy_n(trace.bytes.begin(), sizeof(key), reinterpret_cast<std::uint8_t*>(&key));
    for (Turn& turn : session.turns) {
        if (turn.trace == key) {
            return turn;
        }
    }
    std::swap(session.turns[0], session.turns[1]);  // the older of the two makes room
    session.turns[0] = Turn{.trace = key};
    return session.turns[0];
}

void SessionStage::State::fold(const AgentEvent& event, Instant now, Output& out) {
    ++stats.events;
    if (event.kind == EventKind::Drop || event.correlation.empty()) {
        return;
    }
    Session* found = sessions.find(event.correlation);
    if (found == nullptr) {
        while (sessions.size() >= settings.sessions_max) {
            ++stats.sessions_evicted;
            close(*sessions.idlest(), out);
        }
        found = &sessions.make(event.correlation);
        found->first_at = event.started_at;
    } else {
        sessions.make_newest(*found);
    }
    Session& session = *found;
    session.arrived_at = now;
    session.first_at = std::min(session.first_at, event.started_at);
    const Instant at = std::min(event.ended_at, now);  // no clock may run ahead of ours
    session.last_at = std::max(session.last_at, at);
    if (!event.formerly.empty() && event.formerly != event.correlation) {
        if (Session* const former = sessions.find(event.formerly)) {
            ++merges;
            absorb(session, *former, out);
        } else {
            ++merges_missed;
        }
    }
    if (session.trail && !session.trail->pending.empty()) {
        settle(session, now, at - settings.settle, out);
    }
    sums.saw(at);
    note_names(session, event);
    session.marks.log_only = event.signal == Signal::Logs &&
                             (session.marks.log_only || session.steps + session.user_turns == 0);
    const StepPlace place{
        at,
        event.trace_id,
        event.span_id,
        event.step != AgentEvent::unknown_step ? event.step : session.steps};
    note_texts(session, event, place, out);
    if (!event.tool_definitions.empty()) {
        const NameId agent = names.of(event.agent_name, session.agent);
        const bool all = event.kind != EventKind::Mcp;
        const OfferNews news =
            call_form.note_offer(session.own_trail(), agent, event.tool_definitions, all);
        if (news.new_to_session) {
            note_changed_tools(session, news, place, out);
        }
    }
    const bool counts = !event.wrapper && !event.merged && !event.absorbed;
    if (counts) {
        if (is_model_call(event.kind)) {
            note_model_call(session, event, place, out);
        } else if (event.kind == EventKind::Tool) {
            note_tool_call(session, event, place, now, out);
        } else if (event.kind == EventKind::Retrieval) {
            const std::string_view text =
                event.tool_result.empty() ? event.output_text : event.tool_result;
            note_result(session, text, names.of("retrieval"), place, out);
        } else if (event.kind == EventKind::Evaluation || event.kind == EventKind::Feedback) {
            note_judgement(session, event, place, out);
        } else if (event.kind == EventKind::Handoff) {
            const std::string_view from = event.handoff_from;
            note_handed_over(session, from, event.handoff_to, place, out);
        } else if (event.kind == EventKind::Guardrail && event.guardrail_verdict == Verdict::Deny) {
            session.marks.denied_at = std::max(session.marks.denied_at, event.ended_at);
            count_rate(SumKind::PolicyDenials, session.actor(), true, session, event, place, 0);
        }
    }
    if (event.root && event.signal == Signal::Traces) {
        note_root(session, event, place);
        judge_end(session, out);
    }
    if (session.trail && !session.trail->request_told && !session.trail->request.empty() &&
        (session.workflow != 0 || (event.root && event.signal == Signal::Traces))) {
        tell_request(session);
    }
    tell_outcome(session, out);
    if (event.root && event.signal == Signal::Traces) {
        renew_impact(session, false, out);
    }
}

void SessionStage::State::note_texts(
    Session& session, const AgentEvent& event, const StepPlace& place, Output& out
) {
    if (!event.system_text.empty()) {
        Trail& trail = session.own_trail();
        const std::uint64_t hash = hash_of(event.system_text);
        if (trail.system_text != hash) {
            trail.system_text = hash;
            change_values(trail, [&](SessionValues& values) {
                values.add_trusted(
                    event.system_text.substr(0, trusted_bytes_max),
                    TrustedOrigin::System,
                    settings.atoms_max
                );
            });
        }
    }
    if (event.user_text.empty() || !carries_user_words(event.kind)) {
        return;
    }
    Trail& trail = session.own_trail();
    const std::uint64_t hash = hash_of(event.user_text) | 1;
    const std::uint64_t trace =
        std::bit_cast<std::array<std::uint64_t, 2>>(event.trace_id.bytes)[0];
    const bool other_trace = std::exchange(trail.said_trace, trace) != trace;
    if (std::ranges::find(trail.user_texts, hash) != trail.user_texts.end()) {
        // The same words in another trace, or told as a request of their own: he said them again.
        if (event.kind == EventKind::Request || other_trace) {
            ++trail.requests;
        }
        return;
    }
    ++trail.requests;
    note_told(session, event.user_text);
    if (!trail.pending.empty() && session.user_turns > 0) {
        settle(
            session, Instant::min(), event.started_at, out
        );  // a new word ends the turn before it
    }
    std::ranges::rotate(trail.user_texts, trail.user_texts.begin() + 1);
    trail.user_texts.back() = hash;
    change_values(trail, [&](SessionValues& values) {
        values.add_trusted(
            event.user_text.substr(0, trusted_bytes_max), TrustedOrigin::User, settings.atoms_max
        );
    });
    note_user_turn(session, event.user_text, place, out);
}

void SessionStage::State::note_user_turn(
    Session& session, std::string_view text, const StepPlace& place, Output& out
) {
    Trail& trail = *session.trail;
    session.user_turns += 1;
    note_kept(trail);
    const bool about_plan = session.errors_since_user_at == Instant{};
    session.errors_since_user_at = {};
    const MessageWords words(text);
    trail.asked_repeats = trail.asked_repeats || wants_repeats(words);
    if (session.user_turns == 1) {
        trail.user_agreed = reads_as_agreement(text);  // there is nothing yet to correct
        trail.last_words.clear();
        trail.request = intake::clipped(text, request_text_bytes_max);
        trail.request_place = place;
        (void)note_request(trail, words, settings.intent);
        trail.own_dialogue().note_said(text, {});
        return;
    }
    const UserTone tone = read_tone(text, words);
    trail.own_dialogue().note_said(text, tone);
    trail.user_agreed = tone.agrees;
    const bool corrects = tone.correction >= settings.intent.correction_score;
    const bool explained = !about_plan || !is_clean(session) || session.marks.stuck;
    const NameId key = session.workflow != 0 ? session.workflow : session.actor();
    if (corrects) {
        session.corrections += 1;
        session.marks.corrections_in_a_row = static_cast<std::uint8_t>(
            std::min<unsigned>(session.marks.corrections_in_a_row + 1U, 255U)
        );
        if (!explained && key != 0) {
            sums.rest().corrections.push_back(
                {names.text(key), pane_of(place.at), exemplar_of(session, place, 0, text, names)}
            );
            note_affected(session, SumKind::Corrections, key);
        }
    } else {
        session.marks.corrections_in_a_row = 0;
        // Nearly all that ratings teach to be displeased have some sign of it, one in twelve of
        // all.
        if (key != 0 && !explained && tone.correction > 0 && trail.rating_waiting == 0) {
            tell_words(session, place, 0);
        } else if (key != 0 && about_plan) {
            sums.count(SumKind::Corrections, key, pane_of(place.at));
        }
    }
    if (const std::int8_t rating = std::exchange(trail.rating_waiting, std::int8_t{0})) {
        tell_words(session, place, rating);
    }
    const std::string& cause = names.text(key);
    if (tone.wrong_workflow >= wrong_workflow_score_min) {
        session.marks.wrong_plan = true;
        Sighting sighting{.signal = SignalId::WrongWorkflow};
        sighting.place = place;
        sighting.score = tone.wrong_workflow;
        sighting.observed = 1;
        sighting.threshold = 1;
        sighting.cause = cause;
        sighting.evidence = "the user said: \"" + std::string(text.substr(0, 200)) + "\"";
        raise(session, std::move(sighting), out);
    }
    if (corrects && !explained &&
        session.marks.corrections_in_a_row >= settings.intent.session_corrections) {
        Sighting sighting{.signal = SignalId::UserCorrections};
        sighting.place = place;
        sighting.observed = session.marks.corrections_in_a_row;
        sighting.threshold = settings.intent.session_corrections;
        sighting.score = std::min(0.95, tone.correction);
        sighting.cause = cause;
        sighting.evidence = "the user corrected it " +
                            std::to_string(session.marks.corrections_in_a_row) +
                            " times in a row, last: \"" + std::string(text.substr(0, 200)) + "\"";
        raise(session, std::move(sighting), out);
    }
    if (auto sighting = note_request(trail, words, settings.intent); sighting && about_plan) {
        sighting->place = place;
        sighting->cause = cause;
        raise(session, std::move(*sighting), out);
    }
}

void SessionStage::State::note_step_end(Session& session, const AgentEvent& event, Instant at) {
    OutcomeMarks& marks = session.marks;
    switch (event.outcome) {
        case StepOutcome::Ok:
            marks.success_at = std::max(marks.success_at, at);
            break;
        case StepOutcome::Denied:
        case StepOutcome::Blocked:
            marks.denied_at = std::max(marks.denied_at, at);
            break;
        default:
            marks.error_at = std::max(marks.error_at, at);
            session.errors_since_user_at = at;
            session.errors += 1;
    }
}

void SessionStage::State::note_rates(
    Session& session, const AgentEvent& event, const StepPlace& place, NameId key, bool tool
) {
    if (key == 0) {
        return;
    }
    const std::int64_t pane = pane_of(place.at);
    const auto count = [&](SumKind kind, bool timed, bool bad) {
        if (timed) {
            const double millis =
                std::chrono::duration<double, std::milli>(event.ended_at - event.started_at)
                    .count();
            const NameId tool_name = tool ? key : 0;
            sums.count_timed(
                kind, key, pane, std::max(millis, 0.0), session, place, tool_name, names
            );
        } else {
            sums.count(kind, key, pane);
        }
        if (!bad) {
            return;
        }
        sums.count_bad(
            kind,
            key,
            pane,
            session,
            place,
            tool ? key : 0,
            event.error_message.empty() ? event.error_type : event.error_message,
            names
        );
        note_affected(session, kind, key);
    };
    const bool timed_out = event.outcome == StepOutcome::Timeout;
    // A recorded run's times are made up, so nothing is timed that has no times.
    const bool timed =
        event.ended_at > event.started_at && event.convention != Convention::RecordedRun;
    count(tool ? SumKind::ToolTimeouts : SumKind::ModelTimeouts, timed, timed_out);
    if (tool) {
        const bool status = event.http_status >= 400 && event.http_status < 500 &&
                            event.http_status != 429 && event.http_status != 408;
        const bool refused = !timed_out && event.outcome != StepOutcome::Throttled &&
                             (event.outcome == StepOutcome::ClientError ||
                              (status && event.outcome != StepOutcome::Ok));
        note_refusals(session, event, place, key, refused);
    }
}

void SessionStage::State::count_rate(
    SumKind kind, NameId key, bool bad, Session& session, const AgentEvent& event,
    const StepPlace& place, NameId tool
) {
    if (key == 0) {
        return;
    }
    const std::int64_t pane = pane_of(place.at);
    sums.count(kind, key, pane);
    if (bad) {
        const std::string_view why =
            event.error_message.empty() ? event.error_type : event.error_message;
        sums.count_bad(kind, key, pane, session, place, tool, why, names);
        note_affected(session, kind, key);
    }
}

bool SessionStage::State::is_stopped_by_control(const AgentEvent& event) noexcept {
    return event.error_message.find(control_mark) != std::string_view::npos ||
           event.tool_result.substr(0, refusal_bytes_max).find(control_mark) !=
               std::string_view::npos;
}

void SessionStage::State::note_refusals(
    Session& session, const AgentEvent& event, const StepPlace& place, NameId tool, bool refused
) {
    count_rate(SumKind::ClientErrors, tool, refused, session, event, place, tool);
    // What our own controls stop is no news; whoever stopped it knows.
    const bool denied = event.outcome == StepOutcome::Denied && !is_stopped_by_control(event);
    count_rate(SumKind::PolicyDenials, session.actor(), denied, session, event, place, tool);
    if (refused && tool >= refusing.size()) {
        refusing.resize(names.size() + 16);
    }
    if (refused) {
        refusing[tool] = true;
    }
    // Shapes are told apart only of tools that have refused something: the others need none.
    if (tool < refusing.size() && refusing[tool] && !event.tool_args.empty()) {
        const NameId shape = names.of(argument_shape(names.text(tool), event.tool_args));
        count_rate(SumKind::ClientErrorShapes, shape, refused, session, event, place, tool);
    }
}

void SessionStage::State::note_model_call(
    Session& session, const AgentEvent& event, const StepPlace& place, Output& out
) {
    note_step_end(session, event, place.at);
    note_rates(session, event, place, session.model, false);
    const std::int64_t tokens = event.tokens.counted();
    double cost = event.counted_cost_usd();
    if (event.cost_usd < 0 && tokens > 0) {
        const std::string& model = names.text(session.model);
        cost = catalog->cost_usd(
            model,
            std::max<std::int64_t>(event.tokens.input, 0),
            std::max<std::int64_t>(event.tokens.output, 0),
            event.tokens.cache_read
        );
    }
    cost = std::max(cost, 0.0);  // below: nobody said the price
    session.steps += 1;
    session.tokens += tokens;
    session.cost_usd += cost;
    Turn& turn = turn_of(session, event.trace_id);
    turn.steps += 1;
    turn.tokens += tokens;
    turn.fresh_tokens += tokens - std::clamp<std::int64_t>(event.tokens.cache_read, 0, tokens);
    turn.cost_usd += cost;
    const std::string leader = leader_of(session);
    if (tokens > 0 && leader.empty() && session.errors < errors_that_explain) {
        sums.spend(session, place, pane_of(place.at), tokens, cost, names);
    }
    if (auto sighting = judge_budget(turn, settings.cost)) {
        session.marks.over_budget = true;
        sighting->place = place;
        raise(session, std::move(*sighting), out);
    }
    if (event.kind == EventKind::Llm && event.outcome == StepOutcome::Ok &&
        !event.output_text.empty()) {
        note_answer_words(session, event, place, out);
        if (session.trail->dialogue) {
            session.trail->dialogue->note_answer(event.output_text);
        }
        auto sighting =
            note_answer(session.own_trail(), hash_of(event.output_text), settings.intent);
        if (sighting) {
            sighting->place = place;
            sighting->cause =
                names.text(session.workflow != 0 ? session.workflow : session.actor());
            raise(session, std::move(*sighting), out);
        }
    }
}

void SessionStage::State::note_judgement(
    Session& session, const AgentEvent& event, const StepPlace& place, Output& out
) {
    if (is_suite_result(event)) {
        auto sighting = judge_suite(event, settings.safety);
        session.marks.verdict = sighting ? std::int8_t{-1} : std::int8_t{1};
        session.marks.verdict_at = event.ended_at;
        session.marks.verdict_detail = names.of(suite_evaluation);
        if (sighting) {
            sighting->place = place;
            raise(session, std::move(*sighting), out);
        }
        return;
    }
    const VerdictReading reading = read_verdict(event, settings.eval_fail_below);
    if (reading.verdict == 0) {
        return;
    }
    if (event.kind == EventKind::Feedback) {
        note_rating(session, event, place, reading.verdict);
    }
    const bool newest = event.ended_at >= session.marks.verdict_at;
    if (newest) {
        session.marks.verdict = reading.verdict;
        session.marks.verdict_at = event.ended_at;
        session.marks.verdict_detail =
            names.of(event.eval_name.empty() ? std::string_view("feedback") : event.eval_name);
    }
    if (reading.verdict > 0) {
        return;
    }
    const NameId key = session.workflow != 0 ? session.workflow : session.actor();
    const bool by_user = event.kind == EventKind::Feedback;
    if (by_user && key != 0 && is_clean(session) && session.errors_since_user_at == Instant{}) {
        session.corrections += 1;
        sums.rest().corrections.push_back(
            {names.text(key),
             pane_of(place.at),
             exemplar_of(session, place, 0, event.eval_explanation, names)}
        );
        note_affected(session, SumKind::Corrections, key);
    }
    if (!reading.about_intent) {
        return;
    }
    session.marks.wrong_plan = true;
    Sighting sighting{.signal = SignalId::WrongWorkflow};
    sighting.place = place;
    sighting.score = 0.9;
    sighting.observed = 1;
    sighting.threshold = 1;
    sighting.cause = names.text(key);
    sighting.evidence =
        "the evaluation " + std::string(event.eval_name.substr(0, 80)) + " says " +
        (event.eval_label.empty() ? "that it failed" : std::string(event.eval_label.substr(0, 80)));
    if (!event.eval_explanation.empty()) {
        sighting.evidence += ": " + std::string(event.eval_explanation.substr(0, 160));
    }
    raise(session, std::move(sighting), out);
}

void SessionStage::State::note_root(
    Session& session, const AgentEvent& event, const StepPlace& place
) {
    OutcomeMarks& marks = session.marks;
    marks.log_only = false;
    Turn& turn = turn_of(session, event.trace_id);
    if (!turn.root_seen) {
        turn.root_seen = true;
        if (turn.tokens > 0 && leader_of(session).empty() && session.errors < errors_that_explain) {
            sums.end_turn(session.actor(), pane_of(place.at), turn.tokens);
        }
    }
    if (event.ended_at < marks.root_at) {
        return;  // an older turn's root came late
    }
    marks.root_at = event.ended_at;
    marks.root_detail = 0;
    switch (event.outcome) {
        case StepOutcome::Ok:
            marks.root = event.status == SpanStatus::Error ? RootEnd::Failed : RootEnd::Ok;
            break;
        case StepOutcome::Denied:
        case StepOutcome::Blocked:
            marks.root = RootEnd::Denied;
            break;
        case StepOutcome::Cancelled:
            marks.root = RootEnd::Cancelled;
            break;
        default:
            marks.root = RootEnd::Failed;
    }
    if (marks.root == RootEnd::Failed || marks.root == RootEnd::Denied) {
        marks.root_detail = names.of(
            event.error_type.empty() ? name_of(event.outcome) : event.error_type.substr(0, 60)
        );
    }
}

void SessionStage::State::absorb(Session& into, Session& from, Output& out) {
    into.first_at = std::min(into.first_at, from.first_at);
    into.last_at = std::max(into.last_at, from.last_at);
    const auto take = [](NameId& ours, NameId theirs) { ours = ours == 0 ? theirs : ours; };
    take(into.agent, from.agent);
    take(into.workflow, from.workflow);
    take(into.service, from.service);
    take(into.environment, from.environment);
    take(into.model, from.model);
    take(into.prompt_name, from.prompt_name);
    take(into.prompt_version, from.prompt_version);
    into.steps += from.steps;
    into.tool_calls += from.tool_calls;
    into.writes += from.writes;
    into.errors += from.errors;
    into.tokens += from.tokens;
    into.cost_usd += from.cost_usd;
    into.user = into.user == 0 ? from.user : into.user;
    for (const Turn& turn : from.turns) {
        if (turn.trace != 0) {
            into.turns[1] = turn;
        }
    }
    OutcomeMarks& marks = into.marks;
    if (from.marks.root_at > marks.root_at) {
        marks.root = from.marks.root;
        marks.root_at = from.marks.root_at;
        marks.root_detail = from.marks.root_detail;
    }
    marks.error_at = std::max(marks.error_at, from.marks.error_at);
    marks.denied_at = std::max(marks.denied_at, from.marks.denied_at);
    marks.success_at = std::max(marks.success_at, from.marks.success_at);
    marks.stuck = marks.stuck || from.marks.stuck;
    marks.over_budget = marks.over_budget || from.marks.over_budget;
    if (from.trail && !into.trail) {
        into.user_turns += from.user_turns;
        into.trail = std::move(from.trail);
        into.trail->findings.clear();  // told under the old name; they stand as they are
    } else if (from.trail) {
        settle(from, Instant::max(), Instant::max(), out);
        Trail& ours = *into.trail;
        change_values(*from.trail, [&](SessionValues& values) { values.read(settings.atoms_max); });
        change_values(ours, [&](SessionValues& values) {
            values.merge(from.trail->values, settings.atoms_max);
        });
        ours.actions.insert(
            ours.actions.end(), from.trail->actions.begin(), from.trail->actions.end()
        );
        std::ranges::stable_sort(ours.actions, {}, &Action::began);
        const std::size_t room =
            Trail::offers_max - std::min(ours.offers.size(), Trail::offers_max);
        const std::size_t more = std::min(room, from.trail->offers.size());
        ours.offers.insert(
            ours.offers.end(),
            from.trail->offers.begin(),
            from.trail->offers.begin() + static_cast<std::ptrdiff_t>(more)
        );
        ours.offers_forgotten = ours.offers_forgotten || from.trail->offers_forgotten ||
                                more < from.trail->offers.size();
        value_bytes -= from.trail->values.bytes();
    }
    sessions.erase(from);
}

}  // namespace tagout::detect
