#include "detect/arguments.h"
#include "detect/context/stale_read.h"
#include "detect/safety/escalation.h"
#include "detect/stage_state.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr std::size_t result_bytes_max = 32 * 1024;
constexpr double request_score_min = 0.25;  ///< A text that asks somebody for something.
constexpr double sure_without_habit = 0.74;  ///< A value out of the very result that gives orders.

bool changes_something(const catalog::ToolFacts& facts) noexcept {
    return facts.effect == ToolEffect::Write || facts.effect == ToolEffect::Egress;
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
    const bool writes = changes_something(facts);
    const bool worked = event.outcome == StepOutcome::Ok;
    note_step_end(session, event, place.at);
    note_rates(session, event, place, tool, true);
    session.steps += 1;
    session.tool_calls += 1;
    session.writes += writes && worked ? 1 : 0;
    turn_of(session, event.trace_id).steps += 1;

    Trail& trail = session.own_trail();
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
            .values = {}};
        ArgumentLimits limits;
        limits.values_max = Trail::pending_values_max;
        read_values(event.tool_args, limits, call.values);
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
    if (captured) {
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

void SessionStage::State::note_guarded(
    Session& session, const AgentEvent& event, NameId tool, const catalog::ToolFacts& facts,
    const StepPlace& place, Output& out
) {
    const std::string_view arguments = event.tool_args;
    const std::vector<GuardedMatch>& matches = guarded.scan(arguments);
    if (matches.empty()) {
        return;
    }
    Trail& trail = session.own_trail();
    change_values(trail, [&](SessionValues& values) { values.read(settings.atoms_max); });
    const ValueIndex& index = trail.values.index();
    const bool sends =
        facts.effect == ToolEffect::Egress || arguments.find("http") != std::string_view::npos ||
        arguments.find("www.") != std::string_view::npos ||
        (facts.effect != ToolEffect::Read && arguments.find('@') != std::string_view::npos);
    std::vector<Sighting> seen;
    for (const GuardedMatch& match : matches) {
        const std::string_view text = arguments.substr(match.from, match.to - match.from);
        bool named = true;  // by the user or the system, all of it
        for_each_atom(text, [&](const Atom& atom) {
            named = named && (atom.text.size() < 3 ||
                              index.sight_of(atom, place.at).origin == ValueOrigin::Trusted);
        });
        const bool place_found = match.kind == GuardedKind::Place;
        if ((match.kind != GuardedKind::Canary && named) ||
            (match.kind == GuardedKind::Secret && !sends)) {
            continue;
        }
        Sighting sighting{
            .signal = place_found ? SignalId::SensitiveEndpoint : SignalId::SecretLeaving};
        sighting.place = place;
        sighting.tool = tool;
        sighting.score = match.kind == GuardedKind::Canary ? 0.97 : place_found ? 0.8 : 0.85;
        sighting.observed = sighting.score;
        sighting.threshold = 0.6;
        sighting.write_completed = event.outcome == StepOutcome::Ok && changes_something(facts);
        const std::string name(match.name);
        sighting.cause = place_found ? name : names.text(tool);
        sighting.evidence =
            place_found
                ? names.text(tool) + " was called with " + name + "; the user never named it" +
                      (event.outcome == StepOutcome::Ok ? "" : ", and the call failed")
                : names.text(tool) + " was called with " + name + " of " +
                      std::to_string(match.to - match.from) + " bytes, from byte " +
                      std::to_string(match.from) + " of its arguments";
        seen.push_back(std::move(sighting));
    }
    for (Sighting& sighting : seen) {  // raise() scans, too, and matches would be gone
        raise(session, std::move(sighting), out);
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
        weak = std::move(sighting);
        sighting.reset();
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
    tell_outcome(session, out);
}

void SessionStage::State::note_values(
    Session& session, const PendingCall& call, const CallEvidence& evidence, bool explained,
    const std::optional<Sighting>& weak
) {
    Trail& trail = *session.trail;
    const ValueIndex& index = trail.values.index();
    call_values.clear();
    collect_values(index, call, call_values);
    std::vector<ForeignValue> foreign;
    for (const CallValue& value : call_values) {
        const ArgumentValue& argument = call.values[value.argument];
        const bool known = std::ranges::any_of(trail.value_uses, [&](const ValueUse& use) {
            return use.hash == value.hash && use.tool == call.tool && use.argument == argument.name;
        });
        if (!known && trail.value_uses.size() < Trail::value_uses_max) {
            trail.value_uses.push_back({call.tool, value.sight.origin, value.hash, argument.name});
        }
        if (value.sight.origin == ValueOrigin::Result && foreign.size() < CallFact::foreign_max) {
            const ResultSource& source = index.sources()[value.sight.source];
            foreign.push_back(
                {argument.name,
                 guarded.redact(argument.text).substr(0, ForeignValue::shown_bytes_max),
                 value.hash,
                 names.text(source.tool),
                 source.step}
            );
        }
    }
    if ((!call.debut && !weak && foreign.empty()) ||
        sums.rest().calls.size() >= KeyPartials::facts_max) {
        return;
    }
    CallFact fact;
    fact.debut = call.debut;
    fact.asked = evidence.asked || evidence.confirmed || !evidence.texts_known;
    fact.orders = evidence.orders_before;
    fact.foreign = !foreign.empty() || evidence.from_results > 0;
    fact.high_risk = evidence.high_risk;
    fact.explained = explained;
    fact.foreign_values = std::move(foreign);
    if (weak) {
        fact.weak_score = weak->score;
        fact.weak_evidence = guarded.redact(weak->evidence);
    }
    for (const NameId tool : trail.tools) {
        if (!call.debut || tool == call.tool || fact.before.size() >= CallFact::before_max) {
            break;
        }
        fact.before.push_back(names.text(tool));
    }
    fact.draft = draft_of(session, call, evidence);
    sums.rest().calls.push_back(std::move(fact));
}

Finding SessionStage::State::draft_of(
    const Session& session, const PendingCall& call, const CallEvidence& evidence
) const {
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
    // Orders in one result may lead to many tools: the result is the one cause of them all.
    draft.cause = names.text(evidence.orders_before ? evidence.orders_tool : call.tool);
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
