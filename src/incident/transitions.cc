#include "incident/transitions.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tagout::incident {

namespace {

using State = IncidentState;

constexpr std::array spine{
    State::Signal,
    State::Triage,
    State::Declared,
    State::Contained,
    State::Recovering,
    State::Verifying,
    State::Resolved,
    State::Review,
    State::Closed,
};

struct NamedAnchor {
    std::string_view name;
    std::optional<Instant> Anchors::*anchor;
};

constexpr std::array<NamedAnchor, 15> anchor_table{{
    {"onset", &Anchors::onset_at},
    {"signal", &Anchors::signal_at},
    {"triage", &Anchors::triage_at},
    {"declared", &Anchors::declared_at},
    {"paged", &Anchors::paged_at},
    {"acked", &Anchors::acked_at},
    {"contain_requested", &Anchors::contain_requested_at},
    {"contained", &Anchors::contained_at},
    {"recovery_started", &Anchors::recovery_started_at},
    {"recovered", &Anchors::recovered_at},
    {"verified", &Anchors::verified_at},
    {"impact_ended", &Anchors::impact_ended_at},
    {"resolved", &Anchors::resolved_at},
    {"review_published", &Anchors::review_published_at},
    {"closed", &Anchors::closed_at},
}};

}  // namespace

std::vector<State> moves_from(State state) {
    std::vector<State> moves;
    const auto at = std::ranges::find(spine, state);
    if (at != spine.end() && state < State::Resolved) {
        // Forward to any later step up to resolved; review and closed come after it.
        for (auto next = at + 1; next != spine.end() && *next <= State::Resolved; ++next) {
            if (*next != State::Triage || state == State::Signal) {
                moves.push_back(*next);
            }
        }
        moves.push_back(State::FalsePositive);
        moves.push_back(State::Cancelled);
        return moves;
    }
    switch (state) {
        case State::Resolved:
            return {State::Review, State::Closed, State::Declared};
        case State::Review:
            return {State::Closed, State::Declared};
        case State::Closed:
        case State::FalsePositive:
        case State::Cancelled:
            return {State::Declared};
        default:
            return {};
    }
}

bool may_move(State from, State to) {
    const std::vector<State> moves = moves_from(from);
    return std::ranges::find(moves, to) != moves.end();
}

bool is_open(State state) noexcept {
    return state >= State::Triage && state < State::Resolved;
}

bool is_listed(State state) noexcept {
    return state >= State::Triage && state <= State::Closed;
}

void set_anchor_of(Anchors& anchors, State state, Instant at) {
    const auto set = [at](std::optional<Instant>& anchor) {
        if (!anchor) {
            anchor = at;
        }
    };
    switch (state) {
        case State::Signal:
            set(anchors.signal_at);
            break;
        case State::Triage:
            set(anchors.triage_at);
            break;
        case State::Declared:
            set(anchors.declared_at);
            break;
        case State::Contained:
            set(anchors.contained_at);
            break;
        case State::Recovering:
            set(anchors.recovery_started_at);
            break;
        case State::Verifying:
            set(anchors.recovered_at);
            break;
        case State::Resolved:
            set(anchors.resolved_at);
            set(anchors.impact_ended_at);
            break;
        case State::Review:
            break;
        case State::Closed:
            set(anchors.closed_at);
            break;
        case State::FalsePositive:
        case State::Merged:
        case State::Cancelled:
            break;
    }
}

std::optional<Instant>* anchor_named(Anchors& anchors, std::string_view name) {
    const auto found = std::ranges::find(anchor_table, name, &NamedAnchor::name);
    return found == anchor_table.end() ? nullptr : &(anchors.*(found->anchor));
}

std::string anchor_names() {
    std::string names;
    for (const NamedAnchor& each : anchor_table) {
        names += (names.empty() ? "" : ", ") + std::string(each.name);
    }
    return names;
}

}  // namespace tagout::incident
