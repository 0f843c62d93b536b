// The desk of versions: what agents were told to be, which of it is in force, and the way back.
//
// Publishing, moving labels and rolling back are checked (freeze, names, limits, whether the content
// still reads) before anything moves; then journal, memory, observer, in that order. A rollback is a
// forward move of the production label to an earlier version, journaled as one batch with who, why,
// from and to. What an agent runs is a bundle, made as labels move; it becomes known good by what
// sessions under it showed.
//
// Thread-safe. Changes commit (milliseconds) and wait for one another; reads never wait for a commit,
// so fetch() may be called on event loops.
#pragma once

#include "base/metrics.h"
#include "catalog/catalog.h"
#include "catalog/version.h"
#include "incident/desk.h"
#include "journal/journal.h"
#include "recover/bundle_book.h"
#include "recover/diff.h"
#include "recover/freeze.h"
#include "recover/settings.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::recover {

using By = incident::By;

/// What every change of versions may say about freezes.
struct Passage {
    IncidentId incident;    ///< Whose change it is.
    std::string emergency;  ///< Why it cannot wait.
};

struct PublishDraft {
    catalog::VersionKey key;
    std::string content;
    std::string message;
    AgentName agent;
    WorkflowName workflow;
    std::string label = {};  ///< Pointed at it in the same batch; "" for none.
    Passage passage = {};
};

struct LabelDraft {
    catalog::VersionKey key;
    std::string label;
    std::string to;         ///< Number ("3", "v3"), hash or label.
    std::string from = {};  ///< What it must point at now; "" for whatever.
    Passage passage = {};
};

struct RollbackDraft {
    catalog::VersionKey key;
    std::string to = {};    ///< "": chosen, see Target.
    std::string from = {};
    Passage passage = {};
};

struct BundleRollbackDraft {
    AgentName agent;
    std::string to = {};    ///< A bundle's id; "" takes the last known good.
    std::string from = {};  ///< The bundle that must be in force now; "" for whatever.
    Passage passage = {};
};

/// How a rollback's target was chosen.
enum class Target : std::uint8_t { Named = 1, LastKnownGood = 2, Previous = 3 };
[[nodiscard]] std::string_view name_of(Target target) noexcept;

struct LabelMoved {
    catalog::VersionKey key;
    std::string label;
    std::uint32_t from = 0;  ///< 0: it stood nowhere.
    std::uint32_t to = 0;
    std::string hash;
};

struct RollbackDone {
    std::vector<LabelMoved> moves;
    Target target = Target::Named;
    AgentName agent;
    std::string bundle;  ///< In force now, "" when the versions belong to no agent.
    bool whole_bundle = false;
    IncidentId incident;
    std::string sentence;
};

struct BundleView {
    BundleRecord record;
    bool in_force = false;
    bool last_known_good = false;
    std::string sentence;  ///< Why it is good, or what is missing.
};

/// A bundle with what its versions say, and the production versions that bind every agent.
struct BundleContents {
    BundleView bundle;
    std::vector<catalog::Version> versions;
    std::vector<catalog::Version> shared;
};

struct DiffView {
    catalog::VersionKey key;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    Diff diff;
};

/// What an agent gets: JSON and a quoted hash as ETag.
struct Fetched {
    std::string body;
    std::string etag;
};

/// One session that ended, as the pipeline saw it; told once a session. It speaks for what ran when
/// it began: agents take their versions then.
struct SessionEnd {
    AgentName agent;
    std::string prompt_version;  ///< NAME@VERSION as telemetry says, "" when it does not.
    SessionOutcome outcome = SessionOutcome::Unknown;
    Instant began_at;
};

/// What changed, for timelines, policies in force and the incident's state. Sent after the change is
/// durable, in order, without a lock held.
struct ReleaseChange {
    enum class What : std::uint8_t {
        Published,
        Labelled,
        BundleInForce,
        BundleGood,
        BundleBlocked,
        RolledBack,
    };
    What what = What::Published;
    std::optional<catalog::VersionKey> key;  ///< Of Published and Labelled.
    std::string label;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    AgentName agent;
    std::string bundle;
    IncidentId incident;                    ///< "" for none.
    std::optional<RollbackDone> rollback;   ///< Of RolledBack; its label moves were told before.
    By by;
    std::string sentence;  ///< For a timeline.
};

/// Whether the journeys that prove an agent's tools passed since `since`; an Error says which did not.
using JourneysPassed = std::function<Result<void>(const std::vector<std::string>& tools, Instant since)>;
/// Whether a policy reads; an Error names line and remedy.
using CheckPolicy = std::function<Result<void>(std::string_view name, std::string_view yaml)>;

struct ReleaseParts {
    journal::Journal& journal;
    const Clock& clock;
    const incident::Desk& incidents;  ///< For freezes, and for who blocks a bundle.
    MetricRegistry& metrics;
    CheckPolicy check_policy;
    JourneysPassed journeys_passed;
};

class Releases {
public:
    virtual ~Releases() = default;
    static std::unique_ptr<Releases> make(
        const ReleaseParts& parts, std::shared_ptr<const catalog::Catalog> catalog,
        const Settings& settings
    );

    /// Folds the journal and finishes what a crash cut short. Once, after the incident desk's.
    virtual Result<void> rebuild() = 0;
    virtual void on_change(std::function<void(const ReleaseChange&)> observer) = 0;
    /// A reload: an agent whose tools changed gets a new bundle.
    virtual void use(std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings) = 0;

    /// The version, and whether it was new. Conflict: frozen, or the name is another agent's.
    /// LimitExceeded: too large, too many. InvalidArgument: name, content that does not read.
    virtual Result<catalog::Version> publish(const PublishDraft& draft, const By& by) = 0;
    /// Conflict: frozen, or `from` is not what it points at.
    virtual Result<catalog::Version> label(const LabelDraft& draft, const By& by) = 0;
    /// NotFound: no such version (names those that exist), or nothing to go back to. Conflict: frozen,
    /// never in use, or there already. InvalidArgument: the target's content no longer reads.
    virtual Result<RollbackDone> rollback(const RollbackDraft& draft, const By& by) = 0;
    virtual Result<RollbackDone> rollback_bundle(
        const BundleRollbackDraft& draft, const By& by
    ) = 0;
    /// Names what the agent runs now. NotFound: nothing of the agent is in production.
    virtual Result<BundleView> make_bundle(const AgentName& agent, const By& by) = 0;

    /// Evidence for the bundle in force. Memory only; tick() journals the sums.
    virtual void session_ended(const SessionEnd& session) = 0;
    /// Who stands against a bundle: the one that was in force when the incident began.
    virtual Result<void> incident_changed(const incident::Incident& incident) = 0;
    /// About once a second: sums of evidence, bundles that became good.
    virtual Result<void> tick() = 0;

    /// Without contents; newest first. `name` "" is all. `total` gets how many there are.
    [[nodiscard]] virtual std::vector<catalog::Version> list(
        std::optional<catalog::VersionFamily> family, std::string_view name, std::size_t limit,
        std::size_t& total
    ) const = 0;
    /// By hash, or a beginning of it that only one has.
    [[nodiscard]] virtual Result<catalog::Version> by_hash(std::string_view hash) const = 0;
    /// By number, hash or label.
    [[nodiscard]] virtual Result<catalog::Version> get(
        const catalog::VersionKey& key, std::string_view which
    ) const = 0;
    [[nodiscard]] virtual Result<Fetched> fetch(
        const catalog::VersionKey& key, std::string_view label
    ) const = 0;
    [[nodiscard]] virtual Result<DiffView> diff(
        const catalog::VersionKey& key, std::string_view from, std::string_view to
    ) const = 0;
    /// Newest first; of every agent when `agent` is "".
    [[nodiscard]] virtual std::vector<BundleView> bundles(const AgentName& agent) const = 0;
    /// `id` "": the one in force.
    [[nodiscard]] virtual Result<BundleContents> bundle(
        const AgentName& agent, std::string_view id
    ) const = 0;
    /// Every policy's version that production points at, with content, in order of name.
    [[nodiscard]] virtual std::vector<catalog::Version> policies_in_force() const = 0;
    [[nodiscard]] virtual std::vector<Freeze> freezes() const = 0;
};

}  // namespace tagout::recover
