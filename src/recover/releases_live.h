// The desk of versions as it runs: internal to the room, split over releases*.cc.
//
// `changing_` is held by whoever changes something, commit included; `mutex_` guards what is read and
// is never held over a commit or a call into another room. Whoever holds both took changing_ first.
#pragma once

#include "base/mutex.h"
#include "recover/release_fold.h"
#include "recover/releases.h"

#include <boost/json/object.hpp>

#include <deque>
#include <map>
#include <set>

namespace tagout::recover {

/// Entries of one batch and what the observer will be told of them.
struct ReleasePlan {
    std::vector<journal::EntryDraft> drafts;
    std::vector<ReleaseChange> changes;
};

class LiveReleases final : public Releases {
public:
    LiveReleases(
        const ReleaseParts& parts, std::shared_ptr<const catalog::Catalog> catalog,
        const Settings& settings
    );

    Result<void> rebuild() override;
    void on_change(std::function<void(const ReleaseChange&)> observer) override;
    void use(std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings) override;

    Result<catalog::Version> publish(const PublishDraft& draft, const By& by) override;
    Result<catalog::Version> label(const LabelDraft& draft, const By& by) override;
    Result<RollbackDone> rollback(const RollbackDraft& draft, const By& by) override;
    Result<RollbackDone> rollback_bundle(const BundleRollbackDraft& draft, const By& by) override;
    Result<BundleView> make_bundle(const AgentName& agent, const By& by) override;

    void session_ended(const SessionEnd& session) override;
    Result<void> incident_changed(const incident::Incident& incident) override;
    Result<void> tick() override;

    std::vector<catalog::Version> list(
        std::optional<catalog::VersionFamily> family, std::string_view name, std::size_t limit,
        std::size_t& total
    ) const override;
    Result<catalog::Version> by_hash(std::string_view hash) const override;
    Result<catalog::Version> get(const catalog::VersionKey& key, std::string_view which)
        const override;
    Result<Fetched> fetch(const catalog::VersionKey& key, std::string_view label) const override;
    Result<DiffView> diff(
        const catalog::VersionKey& key, std::string_view from, std::string_view to
    ) const override;
    std::vector<BundleView> bundles(const AgentName& agent) const override;
    Result<BundleContents> bundle(const AgentName& agent, std::string_view id) const override;
    std::vector<catalog::Version> policies_in_force() const override;
    std::vector<Freeze> freezes() const override;

private:
    /// Stands before changing_ is taken: tells the observer when that is free again.
    class Telling {
    public:
        explicit Telling(LiveReleases& desk) : desk_(desk) {}
        ~Telling() { desk_.tell_observer(); }
        Telling(const Telling&) = delete;
        Telling& operator=(const Telling&) = delete;

    private:
        LiveReleases& desk_;
    };

    Result<catalog::Version> publish_held(const PublishDraft& draft, const By& by)
        TAGOUT_REQUIRES(changing_);
    Result<catalog::Version> label_held(const LabelDraft& draft, const By& by)
        TAGOUT_REQUIRES(changing_);
    Result<RollbackDone> rollback_held(const RollbackDraft& draft, const By& by)
        TAGOUT_REQUIRES(changing_);
    Result<RollbackDone> rollback_bundle_held(const BundleRollbackDraft& draft, const By& by)
        TAGOUT_REQUIRES(changing_);

    /// Line, number and content of what `which` names.
    struct Found {
        AgentName agent;
        WorkflowName workflow;
        catalog::Version version;
        std::uint32_t holder = 0;  ///< Of the label that is about to move.
        std::uint32_t previous = 0;
        bool was_labelled = false;
    };
    [[nodiscard]] Result<std::uint32_t> resolve(
        const catalog::VersionKey& key, const Line& line, std::string_view which
    ) const TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] Result<const Line*> line_of(const catalog::VersionKey& key) const
        TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] Result<Found> found(
        const catalog::VersionKey& key, std::string_view which, std::string_view label
    ) const;
    [[nodiscard]] Result<std::pair<std::uint32_t, Target>> target_of(
        const RollbackDraft& draft, const Line& line
    ) const TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] Result<void> check_content(
        const catalog::VersionKey& key, std::string_view content
    ) const;
    [[nodiscard]] Result<void> check_limits(const PublishDraft& draft) const;
    /// What the freeze says, with Conflict when it holds. `subject` names the change for the log.
    [[nodiscard]] Result<FreezeVerdict> pass_freeze(
        const AgentName& agent, const WorkflowName& workflow, const Passage& passage
    ) const;
    [[nodiscard]] std::vector<incident::Incident> open_incidents() const;
    [[nodiscard]] Result<void> check_incident(const IncidentId& incident) const;

    void plan_label(
        ReleasePlan& plan, const LabelMoved& move, const AgentName& agent, const Passage& passage,
        const By& by, bool rollback
    ) const;
    void plan_rollback(
        ReleasePlan& plan, const RollbackDone& done, const Passage& passage, const By& by
    ) const;
    Result<void> commit(ReleasePlan plan) TAGOUT_REQUIRES(changing_);
    /// Journals the bundle that `agent` runs now, if it is not the one that stands in force.
    Result<void> settle(const AgentName& agent, const By& by) TAGOUT_REQUIRES(changing_);
    [[nodiscard]] Instant set_since(const AgentName& agent, const BundleRecord* standing) const
        TAGOUT_REQUIRES(mutex_);
    void settle_or_tell(const AgentName& agent, const By& by) TAGOUT_REQUIRES(changing_);
    Result<void> settle_all() TAGOUT_REQUIRES(changing_);
    [[nodiscard]] std::vector<std::string> tools_of(const AgentName& agent) const
        TAGOUT_REQUIRES(mutex_);

    Result<void> journal_evidence() TAGOUT_REQUIRES(changing_);
    Result<void> find_good_ones() TAGOUT_REQUIRES(changing_);
    [[nodiscard]] std::vector<BundleRecord> candidates() const;
    [[nodiscard]] BundleView view_of(const BundleRecord& record) const TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] OutcomeTally evidence_of(const BundleRecord& record) const
        TAGOUT_REQUIRES(mutex_);
    /// "" when there is evidence enough, else what is missing.
    [[nodiscard]] std::string missing(const BundleRecord& record, Instant now) const
        TAGOUT_REQUIRES(mutex_);

    void tell_observer();
    void count(const MetricInfo& info, std::string_view label) const;

    const ReleaseParts parts_;

    Mutex changing_;

    mutable Mutex mutex_;
    std::shared_ptr<const catalog::Catalog> catalog_ TAGOUT_GUARDED_BY(mutex_);
    Settings settings_ TAGOUT_GUARDED_BY(mutex_);
    ReleaseFold fold_ TAGOUT_GUARDED_BY(mutex_);
    /// Seen and not journaled yet, by agent and bundle.
    std::map<std::pair<AgentName, std::string>, OutcomeTally> seen_ TAGOUT_GUARDED_BY(mutex_);
    Instant evidence_at_ TAGOUT_GUARDED_BY(mutex_);
    std::set<AgentName> unsettled_ TAGOUT_GUARDED_BY(mutex_);
    std::function<void(const ReleaseChange&)> observer_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<ReleaseChange> changes_ TAGOUT_GUARDED_BY(mutex_);
    bool telling_ TAGOUT_GUARDED_BY(mutex_) = false;
};

/// "v3"
[[nodiscard]] std::string version_text(std::uint32_t number);
/// 3 for "3" and "v3", 0 for what is no number.
[[nodiscard]] std::uint32_t version_number(std::string_view text) noexcept;

}  // namespace tagout::recover
