#include "incident/desk_live.h"
#include "incident/grade.h"
#include "incident/transitions.h"

#include <algorithm>

namespace tagout::incident {

namespace {

/// What makes two findings parts of one incident.
std::string key_of(
    FailureClass failure_class, std::string_view agent, std::string_view cause, IncidentKind kind
) {
    std::string key(name_of(failure_class));
    key += '\n';
    key += agent;
    key += '\n';
    key += cause;
    key += '\n';
    key += name_of(kind);
    return key;
}

JoinedFinding joined_of(const Finding& finding) {
    return {
        finding.id,
        {finding.correlation.text(),
         finding.outcome,
         finding.rate,
         finding.write_completed,
         !finding.explained_by.empty(),
         finding.sessions,
         finding.users,
         finding.tokens,
         finding.cost_usd}};
}

bool differs(const KnownFinding& a, const KnownFinding& b) {
    return a.outcome != b.outcome || a.write_completed != b.write_completed ||
           a.sessions != b.sessions || a.supports != b.supports || a.tokens != b.tokens ||
           a.cost_usd != b.cost_usd || a.users != b.users;
}

}  // namespace

const Actor& tagout_itself() {
    static const Actor actor("tagout");
    return actor;
}

std::string key_of(const Incident& incident) {
    return key_of(incident.failure_class, incident.agent.text(), incident.cause, incident.kind);
}

Owner LiveDesk::owner_for(const Incident& incident) const {
    const catalog::OwnerRule* const rule = catalog_->owner_of(
        incident.tool.text(), incident.agent.text(), incident.workflow.text(), incident.service
    );
    return rule == nullptr ? Owner{} : Owner{rule->team, rule->contact, rule->channel, rule->match};
}

Incident LiveDesk::draft_for(const Finding& finding, IncidentKind kind) const {
    Incident draft;
    draft.failure_class = finding.failure_class;
    draft.kind = kind;
    draft.state = IncidentState::Signal;
    draft.cause = finding.cause;
    draft.agent = finding.agent;
    draft.workflow = finding.workflow;
    draft.tool = finding.tool;
    draft.service = finding.service;
    draft.environment = finding.environment;
    draft.owner = owner_for(draft);
    draft.anchors.onset_at = finding.seen_at;
    draft.anchors.signal_at = clock_.now();
    draft.severity_reason = "no failed session yet";
    return draft;
}

/// Open ones take what comes within the join window. One that is over takes only what belongs to
/// the time before: its own late findings, or, if it was called false or nothing, more of the same.
bool LiveDesk::joins(const Incident& incident, const Finding& finding) const {
    const bool in_window = finding.seen_at - incident.last_finding_at <= settings_.join_window;
    switch (incident.state) {
        case IncidentState::Resolved:
        case IncidentState::Review:
        case IncidentState::Closed:
            return incident.anchors.resolved_at && finding.seen_at <= *incident.anchors.resolved_at;
        default:
            return in_window || finding.seen_at <= incident.last_finding_at;
    }
}

std::uint64_t LiveDesk::number_for(const Finding& finding, IncidentKind kind, Groups& groups) {
    if (const Folded* const holder = fold_.holder_of(finding.id); holder != nullptr) {
        return number_of(holder->incident.id.text());
    }
    if (!finding.explained_by.empty()) {
        if (const Folded* const leader = fold_.holder_of(finding.explained_by); leader != nullptr) {
            return number_of(leader->incident.id.text());
        }
        for (const auto& [number, group] : groups) {
            if (group.positions.contains(finding.explained_by)) {
                return number;
            }
        }
    }
    const std::string key =
        key_of(finding.failure_class, finding.agent.text(), finding.cause, kind);
    for (const auto& [number, group] : groups) {
        if (group.is_new && key_of(group.draft) == key) {
            return number;
        }
    }
    const auto newest = newest_of_key_.find(key);
    if (newest != newest_of_key_.end()) {
        const Incident* at =
            &fold_.find(IncidentId("INC-" + std::to_string(newest->second)))->incident;
        while (at->state == IncidentState::Merged && fold_.find(at->merged_into) != nullptr) {
            at = &fold_.find(at->merged_into)->incident;
        }
        if (joins(*at, finding)) {
            return number_of(at->id.text());
        }
    }
    std::uint64_t number = fold_.next_number();
    while (groups.contains(number)) {
        ++number;
    }
    Group& group = groups[number];
    group.is_new = true;
    group.draft = draft_for(finding, kind);
    if (newest != newest_of_key_.end()) {
        const Folded* const earlier =
            fold_.find(IncidentId("INC-" + std::to_string(newest->second)));
        if (earlier->incident.state >= IncidentState::Resolved &&
            earlier->incident.state <= IncidentState::Closed) {
            group.draft.recurrence_of = earlier->incident.id;
        }
    }
    return number;
}

void LiveDesk::sort_in(const Finding& finding, IncidentKind kind, Groups& groups) {
    const std::uint64_t number = number_for(finding, kind, groups);
    Group& group = groups[number];
    group.id = IncidentId("INC-" + std::to_string(number));
    const Folded* const folded = fold_.find(group.id);
    JoinedFinding joined = joined_of(finding);
    if (folded != nullptr) {
        const auto known = folded->known.find(finding.id);
        if (known != folded->known.end() && !differs(known->second, joined.known)) {
            return;
        }
    }
    JoinedFindings& into = group.findings;
    // The last word on a finding within one call is the one that counts.
    const auto [position, fresh] = group.positions.emplace(finding.id, into.joined.size());
    if (fresh) {
        into.joined.push_back(std::move(joined));
    } else {
        into.joined[position->second] = std::move(joined);
    }
    if (std::ranges::find(into.signals, finding.signal) == into.signals.end()) {
        into.signals.push_back(finding.signal);
    }
    into.last_at = std::max(into.last_at, finding.seen_at);
    if (finding.explained_by.empty() && (!into.onset_at || finding.seen_at < *into.onset_at)) {
        into.onset_at = finding.seen_at;
    }
    keep_whole(finding, folded, into.whole);
}

/// The first 100 of an incident travel whole, and those again when more is known of them.
void LiveDesk::keep_whole(
    const Finding& finding, const Folded* folded, std::vector<Finding>& whole
) {
    const auto same = std::ranges::find(whole, finding.id, &Finding::id);
    if (same != whole.end()) {
        *same = finding;
        return;
    }
    const std::size_t kept = folded == nullptr ? 0 : folded->incident.findings.size();
    const bool is_kept = folded != nullptr &&
                         std::ranges::find(folded->incident.findings, finding.id, &Finding::id) !=
                             folded->incident.findings.end();
    if (is_kept || kept + whole.size() < findings_kept_max) {
        whole.push_back(finding);
    }
}

void LiveDesk::plan_findings(const Group& group, Plan& plan) {
    const By by{tagout_itself(), ""};
    const Instant now = clock_.now();
    if (group.is_new) {
        plan.add(
            "incident.opened",
            group.id,
            by,
            now,
            opened_body(group.draft, false, false),
            Change::What::Other
        );
    }
    if (!group.findings.joined.empty()) {
        plan.add(
            "incident.findings", group.id, by, group.findings.last_at, findings_body(group.findings)
        );
    }
}

void LiveDesk::plan_declaration(const Folded& folded, Severity severity, Plan& plan) const {
    const bool wanted = severity == Severity::Sev1   ? settings_.auto_declare_sev1
                        : severity == Severity::Sev2 ? settings_.auto_declare_sev2
                                                     : settings_.auto_declare_sev3;
    if (!wanted) {
        return;
    }
    const std::string reason = "incidents.auto_declare for " + std::string(name_of(severity));
    plan.add(
        "incident.state",
        folded.incident.id,
        By{tagout_itself(), reason},
        clock_.now(),
        state_body(
            IncidentState::Triage,
            IncidentState::Declared,
            "Declared by the rule for " + std::string(name_of(severity))
        ),
        Change::What::Declared
    );
}

/// Severity rises by rule until a person has set it; after that a rise is only proposed.
void LiveDesk::plan_grade(const Folded& folded, Plan& plan) const {
    const Grade graded = grade(folded.incident, *catalog_);
    if (graded.severity >= folded.incident.severity) {
        return;
    }
    const By by{tagout_itself(), graded.reason};
    if (folded.severity_by_person) {
        const std::string proposal =
            "The rules would make it " + std::string(name_of(graded.severity)) + " now";
        if (folded.proposed != graded.severity) {
            plan.add(
                "incident.proposal",
                folded.incident.id,
                by,
                clock_.now(),
                proposal_body(graded.severity, proposal),
                Change::What::Other
            );
        }
        return;
    }
    // Before it is an incident its grade is no escalation of anything.
    const bool escalates = is_open(folded.incident.state);
    plan.add(
        "incident.severity",
        folded.incident.id,
        by,
        clock_.now(),
        severity_body(folded.incident.severity, graded.severity, false),
        escalates ? Change::What::Escalated : Change::What::Updated
    );
}

/// What follows from what is known: from signal to triage, graded, and declared where a rule says
/// so. Reckoned from the fold alone, so that whatever stopped it before, a full disk or a crash, it
/// goes on when it is called again; called twice it decides nothing more.
Result<void> LiveDesk::advance(const IncidentId& id) {
    const Folded* folded = fold_.find(id);
    if (folded == nullptr || folded->incident.state > IncidentState::Verifying) {
        return {};
    }
    const bool signal = folded->incident.state == IncidentState::Signal;
    const FailureClass failure_class = folded->incident.failure_class;
    const bool enough = folded->tally.opens_alone(failure_class) ||
                        folded->incident.impact.failed_sessions >= settings_.failed_sessions_min;
    if (signal && !(folded->tally.opens(failure_class) && enough)) {
        return {};
    }
    Plan plan;
    plan_grade(*folded, plan);
    TAGOUT_TRY(commit(plan));
    folded = fold_.find(id);
    Plan next;
    if (signal) {
        next.add(
            "incident.state",
            id,
            By{tagout_itself(), "failed outcomes that a signal explains"},
            clock_.now(),
            state_body(IncidentState::Signal, IncidentState::Triage, ""),
            Change::What::Opened
        );
    }
    if (signal || folded->incident.state == IncidentState::Triage) {
        plan_declaration(*folded, folded->incident.severity, next);
    }
    return commit(next);
}

Result<void> LiveDesk::join(std::span<const Finding> findings, IncidentKind kind) {
    Result<void> done;
    {
        const MutexLock lock(mutex_);
        Groups groups;
        // Leaders before what they explain, so that a supporting finding finds its leader's
        // incident.
        for (const bool leaders : {true, false}) {
            for (const Finding& finding : findings) {
                if (finding.explained_by.empty() == leaders) {
                    sort_in(finding, kind, groups);
                }
            }
        }
        Plan plan;
        for (const auto& [number, group] : groups) {
            plan_findings(group, plan);
        }
        done = commit(plan);
        // Those without news as well: an earlier call may have failed after its findings stood.
        for (auto at = groups.begin(); done && at != groups.end(); ++at) {
            done = advance(at->second.id);
        }
    }
    tell_observer();
    return done;
}

}  // namespace tagout::incident
