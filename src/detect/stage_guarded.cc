#include "detect/atoms.h"
#include "detect/stage_state.h"

#include <utility>

namespace tagout::detect {

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
        sighting.write_completed = event.outcome == StepOutcome::Ok && facts.changes_something();
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

void SessionStage::State::note_changed_tools(
    Session& session, const OfferNews& news, const StepPlace& place, Output& out
) {
    auto sighting =
        changed_tools.judge(session.own_trail(), news, call_form.lists(), orders, settings.safety);
    if (sighting) {
        sighting->place = place;
        sighting->tool = names.of(sighting->cause);
        raise(session, std::move(*sighting), out);
    }
}

}  // namespace tagout::detect
