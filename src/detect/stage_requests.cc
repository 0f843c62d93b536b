// What a session was asked, and whom it was handed to: the part of SessionStage behind
// intent.wrong_workflow, intent.out_of_scope and intent.handoff_loop.
#include "detect/intent/handoff_loop.h"
#include "detect/stage_state.h"

#include <array>
#include <bit>

namespace tagout::detect {

void SessionStage::State::tell_request(Session& session) {
    Trail& trail = *session.trail;
    trail.request_told = true;
    KeyPartials& rest = sums.rest();
    if (rest.requests.size() >= KeyPartials::facts_max) {
        ++rest.facts_dropped;
        return;
    }
    const NameId key = session.workflow != 0 ? session.workflow : session.actor();
    rest.requests.push_back(
        {.key = names.text(key),
         .text = trail.request,
         .place = exemplar_of(session, trail.request_place, 0, {}, names),
         .leader = leader_of(session),
         .outcome = session.told}
    );
}

void SessionStage::State::tell_words(Session& session, const StepPlace& place, std::int8_t rating) {
    KeyPartials& rest = sums.rest();
    const NameId key = session.workflow != 0 ? session.workflow : session.actor();
    if (rest.ratings.size() >= KeyPartials::facts_max) {
        ++rest.facts_dropped;
        return;
    }
    const HeardTurn turn = session.trail->own_dialogue().turn();
    rest.ratings.push_back(
        {.key = names.text(key),
         .pane = pane_of(place.at),
         .exemplar = exemplar_of(session, place, 0, rating == 0 ? turn.said : "", names),
         .features = turn_features(turn),
         .rating = rating}
    );
}

void SessionStage::State::note_rating(
    Session& session, const AgentEvent& event, const StepPlace& place, std::int8_t rating
) {
    if (!session.trail || !session.trail->dialogue) {
        return;
    }
    const TraceId& trace = event.trace_id;
    const bool replied =
        session.trail->said_trace != std::bit_cast<std::array<std::uint64_t, 2>>(trace.bytes)[0];
    if (replied && session.trail->dialogue->turn().turn > 1) {
        tell_words(session, place, rating);
    } else {
        session.trail->rating_waiting = rating;
    }
}

void SessionStage::State::note_handed_over(
    Session& session, std::string_view from, std::string_view to, const StepPlace& place,
    Output& out
) {
    const NameId giver = from.empty() ? session.actor() : names.of(from);
    Trail& trail = session.own_trail();
    auto sighting =
        note_handoff(trail, giver, to.empty() ? 0 : names.of(to), settings.intent, names);
    if (sighting) {
        sighting->place = place;
        sighting->cause = names.text(session.workflow != 0 ? session.workflow : giver);
        raise(session, std::move(*sighting), out);
    }
}

}  // namespace tagout::detect
