// The desk as it runs: a fold of the journal under one lock. desk.cc has what people ask for,
// desk_join.cc what findings do.
#pragma once

#include "base/mutex.h"
#include "incident/desk.h"
#include "incident/entry_body.h"
#include "incident/fold.h"

#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>

namespace tagout::incident {

/// What one call decides: entries in order, and what each means to an observer.
struct Plan {
    std::vector<journal::EntryDraft> drafts;
    std::vector<Change::What> whats;

    void add(
        std::string kind, const IncidentId& subject, const By& by, Instant occurred_at,
        std::string body, Change::What what = Change::What::Updated
    ) {
        drafts.push_back(journal::EntryDraft{
            std::move(kind), subject.text(), by.actor, by.reason, occurred_at, std::move(body)});
        whats.push_back(what);
    }
};

/// Who acts when a rule does.
[[nodiscard]] const Actor& tagout_itself();
/// What makes two findings, or a finding and an incident, parts of one incident.
[[nodiscard]] std::string key_of(const Incident& incident);

/// Thread-safe.
class LiveDesk final : public Desk {
public:
    LiveDesk(
        journal::Journal& journal, const Clock& clock,
        std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings
    )
        : journal_(journal), clock_(clock), catalog_(std::move(catalog)), settings_(settings) {}

    Result<void> rebuild() override;

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
                return fail(
                    ErrorCode::Conflict,
                    id.text() + " was acknowledged by " + folded.incident.acked_by
                );
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

    [[nodiscard]] std::vector<Incident> list(const Filter& filter) const override;

private:
    /// Findings on their way to one incident, existing or new.
    struct Group {
        IncidentId id;
        bool is_new = false;
        Incident draft;  ///< Of a new one.
        JoinedFindings findings;
        std::unordered_map<std::string, std::size_t> positions;  ///< Of each id in findings.joined.
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
            for (const journal::EntryDraft& draft : plan.drafts) {
                follow(IncidentId(draft.subject));
            }
            answer = fold_.find(id)->incident;
        }
        tell_observer();
        return answer;
    }

    Result<void> commit(const Plan& plan) TAGOUT_REQUIRES(mutex_) {
        if (plan.drafts.empty()) {
            return {};
        }
        const std::vector<journal::JournalEntry> entries = TAGOUT_TRY(journal_.append(plan.drafts));
        for (std::size_t i = 0; i < entries.size(); ++i) {
            Folded* const folded = fold_.apply(entries[i]);
            remember(folded);
            if (folded != nullptr) {
                changes_.push_back(Change{plan.whats[i], folded->incident, entries[i]});
            }
        }
        return {};
    }

    /// What follows from a change that already stands: a failure is told, and made good by the next
    /// call or restart.
    void follow(const IncidentId& id) TAGOUT_REQUIRES(mutex_);

    /// The newest incident of a key is the one that findings may join.
    void remember(const Folded* folded) TAGOUT_REQUIRES(mutex_) {
        if (folded != nullptr) {
            std::uint64_t& newest = newest_of_key_[key_of(folded->incident)];
            newest = std::max(newest, number_of(folded->incident.id.text()));
        }
    }

    /// Tells in order: whoever finds nobody telling tells all that waits, its own and others'.
    void tell_observer() {
        MutexLock lock(mutex_);
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
    [[nodiscard]] std::uint64_t number_for(
        const Finding& finding, IncidentKind kind, Groups& groups
    ) TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] bool joins(const Incident& incident, const Finding& finding) const
        TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] Incident draft_for(const Finding& finding, IncidentKind kind) const
        TAGOUT_REQUIRES(mutex_);
    void plan_findings(const Group& group, Plan& plan) TAGOUT_REQUIRES(mutex_);
    static void keep_whole(
        const Finding& finding, const Folded* folded, std::vector<Finding>& whole
    );
    Result<void> advance(const IncidentId& id) TAGOUT_REQUIRES(mutex_);
    void plan_grade(const Folded& folded, Plan& plan) const TAGOUT_REQUIRES(mutex_);
    void plan_declaration(const Folded& folded, Severity severity, Plan& plan) const
        TAGOUT_REQUIRES(mutex_);
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

}  // namespace tagout::incident
