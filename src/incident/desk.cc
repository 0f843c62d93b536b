#include "incident/desk.h"

#include "base/log.h"
#include "base/mutex.h"
#include "incident/entry_body.h"
#include "incident/fold.h"
#include "incident/grade.h"
#include "incident/transitions.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace tagout::incident {

namespace {

using journal::EntryDraft;
using journal::JournalEntry;

constexpr std::size_t evidence_whole_max = findings_kept_max;

const Actor& tagout_itself() {
    static const Actor actor("tagout");
    return actor;
}

/// What makes two findings parts of one incident.
std::string key_of(FailureClass failure_class, std::string_view agent, std::string_view cause, IncidentKind kind) {
    std::string key(name_of(failure_class));
    key += '\n';
    key += agent;
    key += '\n';
    key += cause;
    key += '\n';
    key += name_of(kind);
    return key;
}

std::string key_of(const Incident& incident) {
    return key_of(incident.failure_class, incident.agent.text(), incident.cause, incident.kind);
}

JoinedFinding joined_of(const Finding& finding) {
    return {
        finding.id,
        {finding.correlation.text(), finding.outcome, finding.rate, finding.write_completed,
         !finding.explained_by.empty(), finding.sessions}
    };
}

bool differs(const KnownFinding& a, const KnownFinding& b) {
    return a.outcome != b.outcome || a.write_completed != b.write_completed || a.sessions != b.sessions ||
           a.supports != b.supports;
}

/// Whether this finding by itself makes its incident more than a signal.
bool opens(const Finding& finding) {
    if (!finding.explained_by.empty()) {
        return false;
    }
    return finding.outcome == SessionOutcome::Failed ||
           (finding.failure_class == FailureClass::Safety && finding.write_completed);
}

bool needs_no_companions(const Finding& finding) {
    return finding.rate || (finding.failure_class == FailureClass::Safety && finding.write_completed);
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool passes(const Incident& incident, const Filter& filter) {
    const bool state_fits = filter.states.empty()
                                ? is_listed(incident.state)
                                : std::ranges::find(filter.states, incident.state) != filter.states.end();
    const auto text_fits = [&] {
        return filter.text.empty() || contains(incident.id.text(), filter.text) ||
               contains(incident.title, filter.text) || contains(incident.agent.text(), filter.text) ||
               contains(incident.tool.text(), filter.text) || contains(incident.owner.team, filter.text);
    };
    return state_fits && (!filter.failure_class || *filter.failure_class == incident.failure_class) &&
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

/// What one call decides: entries in order, and what each means to an observer.
struct Plan {
    std::vector<EntryDraft> drafts;
    std::vector<Change::What> whats;

    void add(
        std::string kind, const IncidentId& subject, const By& by, Instant occurred_at, std::string body,
        Change::What what = Change::What::Updated
    ) {
        drafts.push_back(
            EntryDraft{std::move(kind), subject.text(), by.actor, by.reason, occurred_at, std::move(body)}
        );
        whats.push_back(what);
    }
};

class LiveDesk final : public Desk {
public:
    LiveDesk(
        journal::Journal& journal, const Clock& clock, std::shared_ptr<const catalog::Catalog> catalog,
        const Settings& settings
    )
        : journal_(journal), clock_(clock), catalog_(std::move(catalog)), settings_(settings) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        TAGOUT_TRY(journal_.read(1, [this](const JournalEntry& entry) {
            remember(fold_.apply(entry));
            return true;
        }));
        if (fold_.unreadable() > 0) {
            log::warn("incident_entries_unreadable", {{"entries", fold_.unreadable()}});
        }
        return {};
    }

    void on_change(std::function<void(const Change&)> observer) override {
        const MutexLock lock(mutex_);
        observer_ = std::move(observer);
    }

    void use(std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings) override {
        const MutexLock lock(mutex_);
        catalog_ = std::move(catalog);
        settings_ = settings;
    }

    Result<void> join(std::span<const Finding> findings, IncidentKind kind) override;
    Result<void> tick() override;
    Result<Incident> declare(const DeclareDraft& draft, const By& by) override;
    Result<Incident> confirm(const IncidentId& id, const By& by) override {
        return move(id, IncidentState::Declared, by);
    }
    Result<Incident> ack(const IncidentId& id, const By& by) override {
        return change(id, [&](const Folded& folded, Plan& plan) -> Result<void> {
            if (folded.incident.anchors.acked_at) {
                return fail(ErrorCode::Conflict, id.text() + " was acknowledged by " + folded.incident.acked_by);
            }
            plan.add("incident.acked", id, by, clock_.now(), "{}");
            return {};
        });
    }
    Result<Incident> note(const IncidentId& id, const std::string& text, const By& by) override {
        return change(id, [&](const Folded&, Plan& plan) -> Result<void> {
            if (text.empty()) {
                return fail(ErrorCode::InvalidArgument, "a note needs a text");
            }
            plan.add("incident.note", id, by, clock_.now(), text_body({{"text", text}}));
            return {};
        });
    }
    Result<Incident> assign(const IncidentId& id, const std::string& to, const By& by) override {
        return change(id, [&](const Folded&, Plan& plan) -> Result<void> {
            if (to.empty()) {
                return fail(ErrorCode::InvalidArgument, "say to whom it is assigned");
            }
            plan.add("incident.assigned", id, by, clock_.now(), text_body({{"to", to}}));
            return {};
        });
    }
    Result<Incident> set_severity(const IncidentId& id, Severity severity, const By& by) override;
    Result<Incident> set_anchor(
        const IncidentId& id, const std::string& anchor, Instant at, const By& by
    ) override;
    Result<Incident> merge(const IncidentId& id, const IncidentId& into, const By& by) override;
    Result<Incident> move(const IncidentId& id, IncidentState to, const By& by) override;
    Result<Incident> record(
        const IncidentId& id, const std::string& kind, const std::string& text, const By& by
    ) override {
        return change(id, [&](const Folded&, Plan& plan) -> Result<void> {
            plan.add(kind, id, by, clock_.now(), timeline_body(text), Change::What::Other);
            return {};
        });
    }

    [[nodiscard]] Result<Incident> get(const IncidentId& id) const override {
        const MutexLock lock(mutex_);
        const Folded* const folded = fold_.find(id);
        if (folded == nullptr) {
            return not_found(id);
        }
        return folded->incident;
    }

    [[nodiscard]] std::vector<Incident> list(const Filter& filter) const override {
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

private:
    /// Findings on their way to one incident, existing or new.
    struct Group {
        IncidentId id;
        bool is_new = false;
        Incident draft;  ///< Of a new one.
        std::vector<JoinedFinding> joined;
        std::vector<Finding> whole;
        bool opens = false;
        bool no_companions = false;
        std::set<std::string> failed_sessions;
    };
    using Groups = std::map<std::uint64_t, Group>;

    static std::unexpected<Error> not_found(const IncidentId& id) {
        return fail(ErrorCode::NotFound, "there is no incident '" + id.text().substr(0, 40) + "'");
    }

    template <class Decide>
    Result<Incident> change(const IncidentId& id, Decide decide) {
        Result<Incident> answer = fail(ErrorCode::NotFound, "");
        {
            const MutexLock lock(mutex_);
            const Folded* const folded = fold_.find(id);
            if (folded == nullptr) {
                return not_found(id);
            }
            Plan plan;
            TAGOUT_TRY(decide(*folded, plan));
            TAGOUT_TRY(commit(plan));
            answer = fold_.find(id)->incident;
        }
        tell_observer();
        return answer;
    }

    Result<void> commit(const Plan& plan) TAGOUT_REQUIRES(mutex_) {
        if (plan.drafts.empty()) {
            return {};
        }
        const std::vector<JournalEntry> entries = TAGOUT_TRY(journal_.append(plan.drafts));
        for (std::size_t i = 0; i < entries.size(); ++i) {
            Folded* const folded = fold_.apply(entries[i]);
            remember(folded);
            if (folded != nullptr) {
                changes_.push_back(Change{plan.whats[i], folded->incident, entries[i]});
            }
        }
        return {};
    }

    /// The newest incident of a key is the one that findings may join.
    void remember(const Folded* folded) TAGOUT_REQUIRES(mutex_) {
        if (folded != nullptr) {
            std::uint64_t& newest = newest_of_key_[key_of(folded->incident)];
            newest = std::max(newest, number_of(folded->incident.id.text()));
        }
    }

    /// Tells in order: whoever finds nobody telling tells all that waits, its own and others'.
    void tell_observer() {
        std::unique_lock<Mutex> lock(mutex_);
        if (telling_) {
            return;
        }
        telling_ = true;
        while (!changes_.empty()) {
            const Change next = std::move(changes_.front());
            changes_.pop_front();
            const std::function<void(const Change&)> observer = observer_;
            lock.unlock();
            if (observer) {
                observer(next);
            }
            lock.lock();
        }
        telling_ = false;
    }

    void sort_in(const Finding& finding, IncidentKind kind, Groups& groups) TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] std::uint64_t number_for(const Finding& finding, IncidentKind kind, Groups& groups)
        TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] bool joins(const Incident& incident, const Finding& finding) const TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] Incident draft_for(const Finding& finding, IncidentKind kind) const TAGOUT_REQUIRES(mutex_);
    void plan_findings(const Group& group, Plan& plan) TAGOUT_REQUIRES(mutex_);
    Result<void> advance(const Group& group) TAGOUT_REQUIRES(mutex_);
    void plan_grade(const Folded& folded, Plan& plan) const TAGOUT_REQUIRES(mutex_);
    void plan_declaration(const Folded& folded, Severity severity, Plan& plan) const TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] Owner owner_for(const Incident& incident) const TAGOUT_REQUIRES(mutex_);

    journal::Journal& journal_;
    const Clock& clock_;

    mutable Mutex mutex_;
    std::shared_ptr<const catalog::Catalog> catalog_ TAGOUT_GUARDED_BY(mutex_);
    Settings settings_ TAGOUT_GUARDED_BY(mutex_);
    Fold fold_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, std::uint64_t> newest_of_key_ TAGOUT_GUARDED_BY(mutex_);
    std::function<void(const Change&)> observer_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<Change> changes_ TAGOUT_GUARDED_BY(mutex_);
    bool telling_ TAGOUT_GUARDED_BY(mutex_) = false;
};

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

/// Open ones take what comes within the join window. One that is over takes only what belongs to the
/// time before: its own late findings, or, if it was called false or nothing, more of the same.
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
            if (std::ranges::find(group.joined, finding.explained_by, &JoinedFinding::id) != group.joined.end()) {
                return number;
            }
        }
    }
    const std::string key = key_of(finding.failure_class, finding.agent.text(), finding.cause, kind);
    for (const auto& [number, group] : groups) {
        if (group.is_new && key_of(group.draft) == key) {
            return number;
        }
    }
    const auto newest = newest_of_key_.find(key);
    if (newest != newest_of_key_.end()) {
        const Incident* at = &fold_.find(IncidentId("INC-" + std::to_string(newest->second)))->incident;
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
        const Folded* const earlier = fold_.find(IncidentId("INC-" + std::to_string(newest->second)));
        if (earlier->incident.state >= IncidentState::Resolved && earlier->incident.state <= IncidentState::Closed) {
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
    // The last word on a finding within one call is the one that counts.
    const auto same = std::ranges::find(group.joined, finding.id, &JoinedFinding::id);
    if (same != group.joined.end()) {
        *same = std::move(joined);
    } else {
        group.joined.push_back(std::move(joined));
    }
    const auto same_whole = std::ranges::find(group.whole, finding.id, &Finding::id);
    if (same_whole != group.whole.end()) {
        *same_whole = finding;
    } else if (group.whole.size() < evidence_whole_max) {
        group.whole.push_back(finding);
    }
    group.opens = group.opens || opens(finding);
    group.no_companions = group.no_companions || (opens(finding) && needs_no_companions(finding));
}

void LiveDesk::plan_findings(const Group& group, Plan& plan) {
    const By by{tagout_itself(), ""};
    const Instant now = clock_.now();
    if (group.is_new) {
        plan.add("incident.opened", group.id, by, now, opened_body(group.draft, false), Change::What::Other);
    }
    if (!group.joined.empty()) {
        const Instant seen = group.whole.empty() ? now : group.whole.front().seen_at;
        plan.add("incident.findings", group.id, by, seen, findings_body(group.joined, group.whole));
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
        "incident.state", folded.incident.id, By{tagout_itself(), reason}, clock_.now(),
        state_body(IncidentState::Triage, IncidentState::Declared, "Declared by the rule for " + std::string(name_of(severity))),
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
        const std::string proposal = "The rules would make it " + std::string(name_of(graded.severity)) + " now";
        const bool told = std::ranges::any_of(folded.incident.timeline, [&](const TimelineEntry& entry) {
            return entry.text == proposal;
        });
        if (!told) {
            plan.add("incident.proposal", folded.incident.id, by, clock_.now(), timeline_body(proposal), Change::What::Other);
        }
        return;
    }
    // Before it is an incident its grade is no escalation of anything.
    const bool escalates = is_open(folded.incident.state);
    plan.add(
        "incident.severity", folded.incident.id, by, clock_.now(),
        severity_body(folded.incident.severity, graded.severity, false),
        escalates ? Change::What::Escalated : Change::What::Updated
    );
}

/// After its findings stand: from signal to triage, graded, and declared where a rule says so.
Result<void> LiveDesk::advance(const Group& group) {
    const Folded* folded = fold_.find(group.id);
    if (folded == nullptr || folded->incident.state > IncidentState::Verifying) {
        return {};
    }
    const bool signal = folded->incident.state == IncidentState::Signal;
    const bool enough = group.no_companions ||
                        folded->incident.impact.failed_sessions >= settings_.failed_sessions_min;
    if (signal && !(group.opens && enough)) {
        return {};
    }
    Plan plan;
    plan_grade(*folded, plan);
    TAGOUT_TRY(commit(plan));
    folded = fold_.find(group.id);
    Plan next;
    if (signal) {
        next.add(
            "incident.state", group.id, By{tagout_itself(), "failed outcomes that a signal explains"}, clock_.now(),
            state_body(IncidentState::Signal, IncidentState::Triage, ""), Change::What::Opened
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
        // Leaders before what they explain, so that a supporting finding finds its leader's incident.
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
        for (auto at = groups.begin(); done && at != groups.end(); ++at) {
            if (!at->second.joined.empty()) {
                done = advance(at->second);
            }
        }
    }
    tell_observer();
    return done;
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
            if (is_open(incident.state) && !incident.anchors.impact_ended_at && quiet >= settings_.quiet_period) {
                plan.add(
                    "incident.quiet", incident.id, by, now,
                    text_body(
                        {{"at", to_rfc3339(incident.last_finding_at)},
                         {"text", "No new finding for " + to_text(settings_.quiet_period) +
                                      ": the impact is taken to have ended"}}
                    )
                );
            } else if (incident.state == IncidentState::Signal && quiet >= settings_.signal_expiry) {
                plan.add(
                    "incident.state", incident.id, By{tagout_itself(), "incidents.signal_expiry"}, now,
                    state_body(IncidentState::Signal, IncidentState::Cancelled, "A signal that no failed outcome followed"),
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
        return fail(ErrorCode::InvalidArgument, "a backfilled incident needs the time of its onset");
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
        plan.add("incident.opened", incident.id, by, now, opened_body(incident, true), Change::What::Declared);
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
        const bool escalates = severity < folded.incident.severity && is_open(folded.incident.state);
        plan.add(
            "incident.severity", id, by, clock_.now(), severity_body(folded.incident.severity, severity, true),
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
                ErrorCode::InvalidArgument, "'" + anchor + "' is no time of an incident; use one of " + anchor_names()
            );
        }
        if (by.reason.empty()) {
            return fail(ErrorCode::InvalidArgument, "correcting a time needs a reason");
        }
        if (at > clock_.now()) {
            return fail(ErrorCode::InvalidArgument, "the time lies in the future");
        }
        plan.add(
            "incident.anchor", id, by, clock_.now(), text_body({{"anchor", anchor}, {"at", to_rfc3339(at)}})
        );
        return {};
    });
}

Result<Incident> LiveDesk::merge(const IncidentId& id, const IncidentId& into, const By& by) {
    return change(id, [&](const Folded& folded, Plan& plan) -> Result<void> {
        const Folded* const target = fold_.find(into);
        if (target == nullptr) {
            return not_found(into);
        }
        if (id == into) {
            return fail(ErrorCode::InvalidArgument, "an incident cannot be merged into itself");
        }
        if (folded.incident.state == IncidentState::Merged || target->incident.state == IncidentState::Merged) {
            const Incident& merged = folded.incident.state == IncidentState::Merged ? folded.incident : target->incident;
            return fail(
                ErrorCode::Conflict, merged.id.text() + " was merged into " + merged.merged_into.text() + "; use that one"
            );
        }
        if (!is_open(target->incident.state)) {
            return fail(
                ErrorCode::Conflict,
                into.text() + " is " + std::string(name_of(target->incident.state)) + "; merge into an open incident"
            );
        }
        const Instant now = clock_.now();
        plan.add("incident.absorbed", into, by, now, text_body({{"from", id.text()}}));
        plan.add("incident.merged", id, by, now, text_body({{"into", into.text()}}), Change::What::Resolved);
        return {};
    });
}

Result<Incident> LiveDesk::move(const IncidentId& id, IncidentState to, const By& by) {
    return change(id, [&](const Folded& folded, Plan& plan) -> Result<void> {
        const IncidentState from = folded.incident.state;
        if (!may_move(from, to)) {
            return fail(
                ErrorCode::Conflict,
                id.text() + " is " + std::string(name_of(from)) + "; from there it may go to " + names_of(moves_from(from))
            );
        }
        const bool step = to == IncidentState::Declared && from < IncidentState::Declared;
        if (by.reason.empty() && !step) {
            return fail(ErrorCode::InvalidArgument, "moving an incident needs a reason");
        }
        const bool over = to == IncidentState::Resolved || to == IncidentState::FalsePositive ||
                          to == IncidentState::Cancelled;
        plan.add(
            "incident.state", id, by, clock_.now(), state_body(from, to, ""),
            to == IncidentState::Declared ? Change::What::Declared
            : over && is_open(from)       ? Change::What::Resolved
                                          : Change::What::Other
        );
        return {};
    });
}

}  // namespace

std::unique_ptr<Desk> Desk::make(
    journal::Journal& journal, const Clock& clock, std::shared_ptr<const catalog::Catalog> catalog,
    const Settings& settings
) {
    return std::make_unique<LiveDesk>(journal, clock, std::move(catalog), settings);
}

}  // namespace tagout::incident
