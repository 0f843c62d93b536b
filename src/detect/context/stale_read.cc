#include "detect/context/stale_read.h"

#include "detect/atoms.h"
#include "detect/context/repeated_actions.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr double stale_score = 0.8;
constexpr std::size_t atoms_of_value_max = 4;

bool is_worth_comparing(const Atom& atom) noexcept {
    return atom.digits ? atom.text.size() >= 3 : atom.text.size() >= 4;
}

std::uint32_t short_hash(std::uint64_t atom) noexcept {
    return static_cast<std::uint32_t>(atom >> 20);
}

/// The reading that told a value first, if `revision` replaced it.
bool is_replaced(
    const Revision& revision, const ResultSource& source, const Trail& trail
) noexcept {
    if (source.tool != revision.tool || source.step > revision.old_step) {
        return false;
    }
    return std::ranges::any_of(trail.actions, [&](const Action& action) {
        return action.step == source.step && action.tool == source.tool &&
               action.near == revision.near;
    });
}

}  // namespace

const Action* older_reading(const std::vector<Action>& actions, const Action& newest) noexcept {
    if (newest.writes || !newest.worked || newest.withheld || newest.empty) {
        return nullptr;
    }
    const Action* older = nullptr;
    for (const Action& action : actions) {
        if (&action != &newest && action.worked && !action.withheld &&
            action.ended <= newest.began && asks_the_same(action, newest)) {
            older = &action;
        }
    }
    return older != nullptr && older->result != newest.result ? older : nullptr;
}

void note_reading(
    Recollection& memory, const std::vector<Action>& actions, const Action& newest,
    std::string_view result, const ValueIndex& values
) {
    const Action* const older = older_reading(actions, newest);
    if (older == nullptr) {
        return;
    }
    std::erase_if(memory.revisions, [&](const Revision& known) {
        return known.tool == older->tool && known.near == older->near;
    });
    if (memory.revisions.size() >= Recollection::revisions_max) {
        memory.revisions.erase(memory.revisions.begin());
    }
    Revision& revision = memory.revisions.emplace_back();
    revision.tool = older->tool;
    revision.near = older->near;
    revision.old_step = older->step;
    revision.new_step = newest.step;
    revision.whole = newest.result_bytes * 4 >= older->result_bytes * 3 &&
                     newest.result_bytes * 3 <= older->result_bytes * 4;
    std::size_t known = 0;
    std::size_t all = 0;
    for_each_atom(result, [&](const Atom& atom) {
        if (!is_worth_comparing(atom)) {
            return;
        }
        ++all;
        known += values.has(atom_hash(atom.text, atom.head, 0)) ? 1 : 0;
        if (revision.atoms.size() >= Revision::atoms_max) {
            revision.whole = false;
            return;
        }
        revision.atoms.push_back(short_hash(atom_hash(atom.text, atom.head, 0)));
    });
    revision.whole = revision.whole && known * 10 >= all * 7;
    std::ranges::sort(revision.atoms);
    revision.atoms.erase(std::ranges::unique(revision.atoms).begin(), revision.atoms.end());
}

std::optional<Sighting> judge_stale(
    const Recollection& memory, const Trail& trail, const PendingCall& call, const Names& names
) {
    const ValueIndex& values = trail.values.index();
    if (!call.writes || memory.revisions.empty() || values.full()) {
        return std::nullopt;
    }
    std::optional<Sighting> found;
    for (const ArgumentValue& value : call.values) {
        std::size_t atoms = 0;
        for_each_atom(value.text, [&](const Atom& atom) {
            if (found || ++atoms > atoms_of_value_max || !is_worth_comparing(atom)) {
                return;
            }
            const std::uint64_t hash = atom_hash(atom.text, atom.head, 0);
            const ResultSource* const source = values.only_source(hash);
            if (source == nullptr || source->ended_at > call.began) {
                return;
            }
            for (const Revision& revision : memory.revisions) {
                if (!revision.whole || !is_replaced(revision, *source, trail) ||
                    std::ranges::binary_search(revision.atoms, short_hash(hash))) {
                    continue;
                }
                Sighting sighting{.signal = SignalId::StaleRead};
                sighting.place = call.place;
                sighting.tool = call.tool;
                sighting.score = stale_score;
                sighting.observed = stale_score;
                sighting.write_completed = call.worked;
                sighting.cause = names.text(call.tool);
                sighting.evidence = names.text(call.tool) + " was called with \"" +
                                    value.text.substr(0, 80) + "\", read from " +
                                    names.text(revision.tool) + " at step " +
                                    std::to_string(source->step) + "; read again at step " +
                                    std::to_string(revision.new_step) + " it was there no more";
                found = std::move(sighting);
                return;
            }
        });
    }
    return found;
}

}  // namespace tagout::detect
