#include "incident/desk.h"

#include "base/log.h"
#include "incident/desk_live.h"
#include "incident/transitions.h"

#include <algorithm>

namespace tagout::incident {

namespace {

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

bool passes(const Incident& incident, const Filter& filter) {
    const bool state_fits =
        filter.states.empty()
            ? is_listed(incident.state)
            : std::ranges::find(filter.states, incident.state) != filter.states.end();
    const auto text_fits = [&] {
        return filter.text.empty() || contains(incident.id.text(), filter.text) ||
               contains(incident.title, filter.text) ||
               contains(incident.agent.text(), filter.text) ||
               contains(incident.tool.text(), filter.text) ||
               contains(incident.owner.team, filter.text);
    };
    return state_fits &&
           (!filter.failure_class || *filter.failure_class == incident.failure_class) &&
           (!filter.severity || *filter.severity == incident.severity) &&
           (!filter.kind || *filter.kind == incident.kind) && text_fits();
}

std::string names_of(const std::vector<IncidentState>& states) {
    std::string names;
    for (const IncidentState state : states) {
        names += (names.empty() ? "" : ", ") + std::string(name_of(state));
    }
    return names.empty() ? "no other state" : names;
}

}  // namespace

Result<void> LiveDesk::rebuild() {
    const MutexLock lock(mutex_);
    TAGOUT_TRY(journal_.read(1, [this](const journal::JournalEntry& entry) {
        mutex_.assert_held();
        remember(fold_.apply(entry));
        return true;
    }));
    if (fold_.unreadable() > 0) {
        log::warn("incident_entries_unreadable", {{"entries", fold_.unreadable()}});
    }
    // A crash may have come between findings and what follows from them.
    std::vector<IncidentId> ids;
    for (const auto& [number, folded] : fold_.incidents()) {
        ids.push_back(folded.incident.id);
    }
    for (const IncidentId& id : ids) {
        follow(id);
    }
    return {};
}

void LiveDesk::follow(const IncidentId& id) {
    if (const Result<void> done = advance(id); !done) {
        log::warn(
            "incident_not_advanced", {{"incident", id.text()}, {"error", done.error().message}}
        );
    }
}

std::vector<Incident> LiveDesk::list(const Filter& filter) const {
    const MutexLock lock(mutex_);
    std::vector<Incident> found;
    const auto& all = fold_.incidents();
    for (auto at = all.rbegin(); at != all.rend() && found.size() < filter.limit; ++at) {
        if (passes(at->second.incident, filter)) {
            found.push_back(at->second.incident);
        }
    }
    return found;
}

Result<void> LiveDesk::tick() {
    Result<void> done;
    {
        const MutexLock lock(mutex_);
        const Instant now = clock_.now();
        Plan plan;
        for (const auto& [number, folded] : fold_.incidents()) {
            const Incident& incident = folded.incident;
            if (incident.finding_count == 0) {
                continue;
            }
            const Duration quiet = now - incident.last_finding_at;
            const By by{tagout_itself(), ""};
            if (is_open(incident.state) && !incident.anchors.impact_ended_at &&
                quiet >= settings_.quiet_period) {
                plan.add(
                    "incident.quiet",
                    incident.id,
                    by,
                    now,
                    text_body(
                        {{"at", to_rfc3339(incident.last_finding_at)},
                         {"text",
                          "No new finding for " + to_text(settings_.quiet_period) +
                              ": the impact is taken to have ended"}}
                    )
                );
            } else if (incident.state == IncidentState::Signal && quiet >= settings_.signal_expiry) {
                plan.add(
                    "incident.state",
                    incident.id,
                    By{tagout_itself(), "incidents.signal_expiry"},
                    now,
                    state_body(
                        IncidentState::Signal,
                        IncidentState::Cancelled,
                        "A signal that no failed outcome followed"
                    ),
                    Change::What::Other
                );
            }
        }
        done = commit(plan);
    }
    tell_observer();
    return done;
}

Result<Incident> LiveDesk::declare(const DeclareDraft& draft, const By& by) {
    if (draft.title.empty() || by.reason.empty()) {
        return fail(ErrorCode::InvalidArgument, "declaring an incident needs a title and a reason");
    }
    if (draft.kind == IncidentKind::Backfilled && !draft.onset_at) {
        return fail(
            ErrorCode::InvalidArgument, "a backfilled incident needs the time of its onset"
        );
    }
    Result<Incident> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        const Instant now = clock_.now();
        if (draft.onset_at && *draft.onset_at > now) {
            return fail(ErrorCode::InvalidArgument, "the onset cannot lie in the future");
        }
        Incident incident;
        incident.id = IncidentId("INC-" + std::to_string(fold_.next_number()));
        incident.title = draft.title;
        incident.failure_class = draft.failure_class;
        incident.kind = draft.kind;
        incident.state = IncidentState::Declared;
        incident.severity = draft.severity.value_or(Severity::Sev3);
        incident.severity_reason = draft.severity ? by.reason : "nobody said more";
        incident.agent = draft.agent;
        incident.workflow = draft.workflow;
        incident.tool = draft.tool;
        // A cause of its own: findings never join what a person declared unless it is merged.
        incident.cause = "declared:" + incident.id.text();
        incident.owner = owner_for(incident);
        incident.anchors.onset_at = draft.onset_at.value_or(now);
        incident.anchors.declared_at = now;
        Plan plan;
        plan.add(
            "incident.opened",
            incident.id,
            by,
            now,
            opened_body(incident, true, draft.severity.has_value()),
            Change::What::Declared
        );
        TAGOUT_TRY(commit(plan));
        answer = fold_.find(incident.id)->incident;
    }
    tell_observer();
    return answer;
}

Result<Incident> LiveDesk::set_severity(const IncidentId& id, Severity severity, const By& by) {
    return change(id, [&](const Folded& folded, Plan& plan) -> Result<void> {
        if (by.reason.empty()) {
            return fail(ErrorCode::InvalidArgument, "a severity needs a reason");
        }
        const bool escalates =
            severity < folded.incident.severity && is_open(folded.incident.state);
        plan.add(
            "incident.severity",
            id,
            by,
            clock_.now(),
            severity_body(folded.incident.severity, severity, true),
            escalates ? Change::What::Escalated : Change::What::Updated
        );
        return {};
    });
}

Result<Incident> LiveDesk::set_anchor(
    const IncidentId& id, const std::string& anchor, Instant at, const By& by
) {
    return change(id, [&](const Folded&, Plan& plan) -> Result<void> {
        Anchors probe;
        if (anchor_named(probe, anchor) == nullptr) {
            return fail(
                ErrorCode::InvalidArgument,
                "'" + anchor + "' is no time of an incident; use one of " + anchor_names()
            );
        }
        if (by.reason.empty()) {
            return fail(ErrorCode::InvalidArgument, "correcting a time needs a reason");
        }
        if (at > clock_.now()) {
            return fail(ErrorCode::InvalidArgument, "the time lies in the future");
        }
        plan.add(
            "incident.anchor",
            id,
            by,
            clock_.now(),
            text_body({{"anchor", anchor}, {"at", to_rfc3339(at)}})
        );
        return {};
    });
}

Result<Incident> LiveDesk::merge(const IncidentId& id, const IncidentId& into, const By& by) {
    return change(id, [&](const Folded& folded, Plan& plan) -> Result<void> {
        mutex_.assert_held();
        const Folded* const target = fold_.find(into);
        if (target == nullptr) {
            return not_found(into);
        }
        if (id == into) {
            return fail(ErrorCode::InvalidArgument, "an incident cannot be merged into itself");
        }
        if (folded.incident.state == IncidentState::Merged ||
            target->incident.state == IncidentState::Merged) {
            const Incident& merged =
                folded.incident.state == IncidentState::Merged ? folded.incident : target->incident;
            return fail(
                ErrorCode::Conflict,
                merged.id.text() + " was merged into " + merged.merged_into.text() +
                    "; use that one"
            );
        }
        if (!is_open(target->incident.state)) {
            return fail(
                ErrorCode::Conflict,
                into.text() + " is " + std::string(name_of(target->incident.state)) +
                    "; merge into an open incident"
            );
        }
        const Instant now = clock_.now();
        plan.add("incident.absorbed", into, by, now, text_body({{"from", id.text()}}));
        plan.add(
            "incident.merged",
            id,
            by,
            now,
            text_body({{"into", into.text()}}),
            Change::What::Resolved
        );
        return {};
    });
}

Result<Incident> LiveDesk::move(const IncidentId& id, IncidentState to, const By& by) {
    return change(id, [&](const Folded& folded, Plan& plan) -> Result<void> {
        const IncidentState from = folded.incident.state;
        if (!may_move(from, to)) {
            return fail(
                ErrorCode::Conflict,
                id.text() + " is " + std::string(name_of(from)) + "; from there it may go to " +
                    names_of(moves_from(from))
            );
        }
        const bool step = to == IncidentState::Declared && from < IncidentState::Declared;
        if (by.reason.empty() && !step) {
            return fail(ErrorCode::InvalidArgument, "moving an incident needs a reason");
        }
        const bool over = to == IncidentState::Resolved || to == IncidentState::FalsePositive ||
                          to == IncidentState::Cancelled;
        plan.add(
            "incident.state",
            id,
            by,
            clock_.now(),
            state_body(from, to, ""),
            to == IncidentState::Declared ? Change::What::Declared
            : over && is_open(from)       ? Change::What::Resolved
                                          : Change::What::Other
        );
        return {};
    });
}

std::unique_ptr<Desk> Desk::make(
    journal::Journal& journal, const Clock& clock, std::shared_ptr<const catalog::Catalog> catalog,
    const Settings& settings
) {
    return std::make_unique<LiveDesk>(journal, clock, std::move(catalog), settings);
}

}  // namespace tagout::incident
