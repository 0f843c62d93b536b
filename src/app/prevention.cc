#include "app/prevention.h"

#include "app/recorded.h"
#include "base/log.h"
#include "incident/transitions.h"

#include <algorithm>

namespace tagout::app {

namespace {

constexpr std::size_t session_items_max = 5'000;

}  // namespace

Prevention::Prevention(PreventionParts parts) : parts_(std::move(parts)) {
    actions_ = prevent::Actions::make(parts_.journal, parts_.clock, [this](const IncidentId& id) {
        return parts_.desk.get(id).has_value();
    });
    reviews_ = prevent::Reviews::make(prevent::ReviewParts{
        parts_.journal,
        parts_.clock,
        [this](const IncidentId& id) { return parts_.desk.get(id); },
        [this](const IncidentId& id) { return has_evidence(id); },
        [this](const IncidentId& id) { return actions_->list(id); }});
    regressions_ = prevent::RegressionBook::make(prevent::BookParts{
        parts_.journal,
        parts_.clock,
        [this](const IncidentId& id) { return parts_.desk.get(id); },
        [this](const CorrelationId& correlation) {
            return recorded_session(parts_.evidence, correlation, session_items_max);
        },
        [this] { return parts_.gate.configured()->catalog; },
        [this](std::span<const prevent::RecordedSession> sessions)
            -> Result<std::vector<std::string>> {
            const std::shared_ptr<const Configured> configured = parts_.gate.configured();
            return signals_of(sessions, configured->detection, configured->catalog);
        },
        parts_.released});
}

Result<void> Prevention::rebuild() {
    TAGOUT_TRY(actions_->rebuild());
    TAGOUT_TRY(reviews_->rebuild());
    TAGOUT_TRY(regressions_->rebuild());
    actions_->on_change([this](const prevent::ActionChange& change) { tell(change); });
    reviews_->on_change([this](const prevent::ReviewChange& change) { tell(change); });
    regressions_->on_change([this](const prevent::RegressionCase& made, const incident::By& by) {
        record(
            made.incident,
            "regression.line",
            "Made " + made.id + " of " + std::to_string(made.sessions.size()) + " recorded sessions",
            by
        );
    });
    // A review that was published just before a kill may not have moved its incident yet.
    for (const prevent::Review& review : reviews_->list()) {
        if (review.state == prevent::ReviewState::Published) {
            tell(prevent::ReviewChange{review, {review.published_by, "the review is published"}});
        }
    }
    return {};
}

void Prevention::tick() {
    if (const Result<void> told = actions_->tick(); !told) {
        log::warn("actions_tick_failed", {{"error", told.error().message}});
    }
}

server::PreventDesks Prevention::desks() {
    return server::PreventDesks{
        regressions_.get(),
        reviews_.get(),
        actions_.get(),
        [this](const server::GateQuestion& question) {
            return judge_gate(parts_.gate, *regressions_, *reviews_, *actions_, question);
        },
        &parts_.clock};
}

void Prevention::record(
    const IncidentId& incident, const char* kind, const std::string& text, const incident::By& by
) {
    const Result<incident::Incident> recorded = parts_.desk.record(incident, kind, text, by);
    if (!recorded) {
        log::warn(
            "timeline_refused",
            {{"incident", incident.text()}, {"error", recorded.error().message}}
        );
    }
}

void Prevention::tell(const prevent::ActionChange& change) {
    const prevent::Action& action = change.action;
    const std::string what = action.id + " (" + action.title + ", " + action.owner + ")";
    switch (change.what) {
        case prevent::ActionChange::What::Added:
            record(
                action.incident,
                "action.line",
                "Action " + what + " due " + to_rfc3339(action.due).substr(0, 10),
                change.by
            );
            return;
        case prevent::ActionChange::What::Closed:
            record(
                action.incident, "action.line", "Closed " + what + ": " + action.evidence, change.by
            );
            return;
        case prevent::ActionChange::What::Overdue:
            log::warn(
                "action_overdue", {{"action", action.id}, {"incident", action.incident.text()}}
            );
            record(action.incident, "action.line", what + " is overdue", change.by);
            if (parts_.overdue) {
                parts_.overdue(action);
            }
            return;
    }
}

void Prevention::tell(const prevent::ReviewChange& change) {
    const IncidentId& id = change.review.incident;
    if (change.review.state != prevent::ReviewState::Published) {
        return;
    }
    const Result<incident::Incident> incident = parts_.desk.get(id);
    // Once: an incident that was opened again since then goes its own way.
    if (!incident || incident->anchors.review_published_at ||
        !incident::may_move(incident->state, IncidentState::Review)) {
        return;
    }
    const Result<incident::Incident> moved = parts_.desk.move(
        id,
        IncidentState::Review,
        incident::By{
            change.by.actor, change.by.reason.empty() ? "its review is published" : change.by.reason}
    );
    if (!moved) {
        log::warn("review_move_failed", {{"incident", id.text()}, {"error", moved.error().message}});
    }
}

/// A trace is pinned while its incident is not closed; an exported pack stands in the journal.
bool Prevention::has_evidence(const IncidentId& id) const {
    const Result<incident::Incident> incident = parts_.desk.get(id);
    if (!incident) {
        return false;
    }
    const bool pinned = std::ranges::any_of(incident->findings, [&](const Finding& finding) {
        if (finding.correlation.empty()) {
            return false;
        }
        const auto found = parts_.evidence.find(finding.correlation.text(), 1);
        return found && !found->empty();
    });
    if (pinned) {
        return true;
    }
    bool exported = false;
    const Result<void> read = parts_.journal.read(1, [&](const journal::JournalEntry& entry) {
        exported = entry.draft.kind == "evidence.exported" && entry.draft.subject == id.text();
        return !exported;
    });
    return read && exported;
}

}  // namespace tagout::app
