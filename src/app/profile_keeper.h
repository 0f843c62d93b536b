// Profiles of workflows between the engine, which learns them, and the catalog, where people see, edit
// and roll them back.
//
//   learned, changed much  -> a version, with the label production       (save, about every 10 min)
//   production moved       -> adopted by the engine                      (a person edited, rolled back)
//   start                  -> what production says is adopted            (restore)
//   incident opened, ended -> learning stops and goes on in its scope    (look_at_incidents)
//
// Stopping and going on is told on the incident's timeline, so it stands in the journal. A version that
// cannot be saved (frozen, journal away) waits and is tried again with the newest.
//
// Thread-safe. Bound: names_max workflows have versions; past it a profile lives in memory only, which
// is counted and logged once.
#pragma once

#include "base/metrics.h"
#include "base/mutex.h"
#include "detect/profiles.h"
#include "incident/desk.h"
#include "recover/releases.h"
#include "server/release_api.h"

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tagout::app {

/// The engine's side; thread-safe.
class ProfileLearner {
public:
    virtual ~ProfileLearner() = default;
    virtual void adopt_profile(
        const std::string& workflow, catalog::WorkflowProfile profile, Instant since
    ) = 0;
    virtual void hold_learning(std::vector<detect::LearningHold> holds) = 0;
    [[nodiscard]] virtual std::vector<detect::LearnedProfile> take_changed_profiles() = 0;
    [[nodiscard]] virtual std::vector<detect::ProfileBrief> profile_briefs(std::size_t limit)
        const = 0;
};

struct ProfileKeeperParts {
    const Clock& clock;
    recover::Releases& releases;
    incident::Desk& desk;
    ProfileLearner& learner;
    MetricRegistry& metrics;
};

class ProfileKeeper {
public:
    static constexpr std::size_t names_max = 500;

    ProfileKeeper(const ProfileKeeperParts& parts, Duration save_every);

    /// Adopts what production points at, and learns nothing where an incident is open. Once, before
    /// the engine sees events.
    void restore();
    void use(Duration save_every);
    /// Production points at another version of profile `name`.
    void production_moved(const std::string& name);
    /// An incident changed: its scope is looked at with the next tick.
    void incident_changed() { look_again_.store(true); }
    /// About once a second.
    void tick();
    /// Saves what changed much, now: at the end.
    void save();

    [[nodiscard]] std::vector<server::ProfileView> list(std::size_t limit) const;

private:
    void look_at_incidents();
    void tell(const IncidentId& incident, const std::string& kind, const std::string& text);
    [[nodiscard]] bool publish(const detect::LearnedProfile& learned);
    [[nodiscard]] bool adopt_version(const catalog::Version& version);

    const ProfileKeeperParts parts_;
    std::atomic<bool> look_again_{true};

    mutable Mutex mutex_;
    Duration save_every_ TAGOUT_GUARDED_BY(mutex_);
    Instant saved_at_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, catalog::WorkflowProfile> unsaved_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, std::string> own_hashes_ TAGOUT_GUARDED_BY(mutex_);  ///< By name.
    std::set<std::string> names_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, incident::Incident> holding_ TAGOUT_GUARDED_BY(mutex_);  ///< By id.
    bool told_full_ TAGOUT_GUARDED_BY(mutex_) = false;
};

}  // namespace tagout::app
