// The book of controls: what is in force, who closed it, whether it bit, who may open it again.
//
// Every change is journal first, then snapshot, then the points; so a restart puts in force what was
// in force before a door opens. A control goes requested -> published -> acknowledged n/N -> proved,
// each with its time; proved means that a probe through every road of every connected point was refused.
// Of a point that is not connected nothing is claimed: it is counted apart, shown red and told. A mode
// that refuses nothing by itself (observe, throttle, budget, pin) cannot be proved and stays acknowledged.
// One person may stop. Release takes two: one asks, another, who is not its author, releases; at once, or
// in stages: journeys alone (shadow), one tenant, a share of the sessions, all. Each stage takes what a
// release takes: the second person, and journeys that passed since the stage before began.
//
// Journal entries (subject: the control's id): control.applied, control.acknowledged, control.proved,
// control.unproved, control.renewed, control.release_requested, control.opened (a stage of its release),
// control.put_back (to the stage before), control.released, control.due (its
// review date is near), control.overdue (it passed), control.adopted (applied elsewhere, now here),
// control.handed_over (applied here, now elsewhere), control.policies (subject "policies") with the
// revision that first held other policies; and of points point.failing and point.well (subject: the
// point's name).
//
// Thread-safe. apply() and release() commit (milliseconds) and return when the change is durable and
// published; acknowledgements and probes follow on two threads of the book's own, so that a slow
// probe never delays a stop.
#pragma once

#include "base/metrics.h"
#include "contain/point.h"
#include "contain/settings.h"
#include "journal/journal.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tagout::contain {

struct By {
    Actor actor;
    std::string reason;
};

/// Whether a probe can show that it bites. A throttle or budget refuses nothing while there is room.
[[nodiscard]] constexpr bool can_be_proved(ControlMode mode) noexcept {
    return mode != ControlMode::Observe && mode != ControlMode::Throttle &&
           mode != ControlMode::Budget && mode != ControlMode::Pin;
}

struct ControlDraft {
    Scope scope;
    ControlMode mode = ControlMode::Stopped;
    std::vector<std::string> allowed;
    WorkflowName route_to;
    EffectTerms terms = {};
    IncidentId incident;
    std::string rule;                  ///< Of a playbook; "" for a person.
    std::optional<Instant> review_by;  ///< Unset: Settings::review_after from now.
};

/// One point's side of one control.
struct PointEffect {
    std::string point;
    std::optional<Instant> acknowledged_at;
    std::optional<Instant> proved_at;
    std::vector<ProbeResult> probes;  ///< The newest, a road each; of many points only what failed.
    std::size_t roads = 0;            ///< Probes of the newest round.
    std::string error;                ///< Why it did not acknowledge or prove; shown red.
    bool connected = true;
};

/// How many points there are for one control, and how far they are.
struct PointTally {
    std::size_t of = 0;
    std::size_t reached = 0;  ///< They acknowledged.
    std::size_t proved = 0;
    std::size_t away = 0;     ///< Not connected: of those nothing is claimed.
    friend bool operator==(const PointTally&, const PointTally&) = default;
};

enum class ControlState : std::uint8_t {
    Requested = 1,     ///< Durable, not yet at every connected point.
    Acknowledged = 2,  ///< Every connected point enforces it.
    Proved = 3,        ///< A probe was refused at every connected point.
    Unproved = 4,      ///< Enforced, but a probe passed or could not be sent: needs a person.
    Released = 5,      ///< Or handed over to another book.
};
TAGOUT_NAMED_ENUM(ControlState, parse_control_state);

/// What people were told of a control's review date; a renewal begins anew.
enum class Review : std::uint8_t {
    Ahead = 1,   ///< Nothing yet.
    Near = 2,    ///< That it is near: Settings::review_warning before.
    Passed = 3,  ///< That it passed. The control stays in force.
};
TAGOUT_NAMED_ENUM(Review, parse_review);  // ahead near passed

/// One opening of a release in stages.
struct StageRow {
    Opening opening;
    Instant at;
    By by;
};

struct ControlView {
    Control control;
    ControlState state = ControlState::Requested;
    Instant requested_at;  ///< Or when it was put back: it takes effect anew.
    std::optional<Instant> published_at;
    std::optional<Instant> acknowledged_at;  ///< Of the last point, when all had it for the first time.
    std::optional<Instant> proved_at;
    std::optional<Duration> time_to_effect;  ///< requested to acknowledged.
    std::uint64_t revision = 0;              ///< First snapshot that holds it.
    std::vector<PointEffect> points;  ///< By name. In lists of many points only those that lag.
    PointTally tally;
    std::string origin;  ///< "POINT:CTL-n" of one that was applied at a gateway's host, else "".
    Review review = Review::Ahead;
    Instant review_set_at;  ///< When its review date was given to it.
    Actor release_requested_by;  ///< "" when nobody asked.
    std::string release_reason;
    std::optional<Instant> release_requested_at;
    /// The openings that it went through, the newest last, empty in shadow: putting back takes the last.
    std::vector<StageRow> stages;
    std::optional<Instant> stage_since;  ///< When its stage began, also by being put back.
    std::string put_back;                ///< Why it was, "" unless that was the last move.
    Actor released_by;
    std::optional<Instant> released_at;
    std::uint64_t calls_refused = 0;  ///< Or changed; since this start, as the points report.
};

struct ControlChange {
    enum class What : std::uint8_t {
        Applied = 1,
        Acknowledged = 2,  ///< By every connected point.
        Proved = 3,
        Unproved = 4,
        Renewed = 5,
        ReleaseRequested = 6,
        Released = 7,
        Due = 8,         ///< Its review date is near: tell somebody. Once for each date.
        Adopted = 9,     ///< Somebody did the same at a gateway's host; told of the one in force.
        HandedOver = 10, ///< Another book has it in force now.
        Opened = 12,     ///< A stage of its release began.
        PutBack = 13,    ///< To the stage before.
        Overdue = 11,    ///< Its review date passed, and nobody renewed or released it. Once.
    };
    What what = What::Applied;
    ControlView view;      ///< After the change.
    By by;
    std::string sentence;  ///< For a timeline: "Stopped tool:payments.refund (CTL-1)"
};
[[nodiscard]] std::string_view name_of(ControlChange::What what) noexcept;
/// "tenant acme and 10 % of the sessions", "journeys alone".
[[nodiscard]] std::string text_of(const Opening& opening);

/// Time to effect of the newest stops at one point.
struct EffectTimes {
    std::uint64_t count = 0;  ///< All of them; percentiles are of the newest 256.
    Duration p50{};
    Duration p99{};
    Duration max{};
};

/// One enforcement point as it stands now.
struct PointStatus {
    std::string name;
    std::uint64_t revision = 0;  ///< Newest that it said it enforces; 0: none yet.
    std::optional<Instant> acknowledged_at;
    std::string error;  ///< Why it is behind or away; "" while it is neither.
    EffectTimes effect;
    PointContact contact;
};

/// A point went red, or is well again: somebody is to be told.
struct PointChange {
    std::string point;
    bool failing = false;
    std::string sentence;
    Instant at;
};

/// A control that was applied elsewhere while this book could not be reached.
struct Adoption {
    Control control;     ///< As it stands there: author, reason and time are kept.
    std::string origin;  ///< Unique; the same one is adopted once.
};

/// Asked before a release; an Error refuses it with reason and remedy (journeys not passed).
/// `without_journeys` is why it may be released although no journey names what it closed; "" for not.
using ReleaseCheck = std::function<Result<void>(
    const ControlView& view, std::string_view without_journeys
)>;

class Controls {
public:
    static constexpr std::size_t allowed_max = 200;  ///< Entries of one allowlist.
    static constexpr std::size_t reason_bytes_max = 2'000;

    virtual ~Controls() = default;
    /// `prefix` begins the ids that this book gives.
    static std::unique_ptr<Controls> make(
        journal::Journal& journal, const Clock& clock, const Settings& settings,
        MetricRegistry& metrics, std::string prefix = "CTL-"
    );

    /// Folds the journal. Once, before anything else. Whatever was in force is published and, as
    /// points join, acknowledged and probed again.
    virtual Result<void> rebuild() = 0;
    /// A point joins: it is handed the snapshot in force and is counted from now on.
    /// One of that name that is here already is replaced: it came back, and nothing is claimed of it
    /// until it says and proves it again.
    virtual void add_point(std::shared_ptr<EnforcementPoint> point) = 0;
    /// It will not come back: nothing waits for it any more. NotFound.
    virtual Result<void> remove_point(const std::string& name) = 0;
    /// Looks at once whether points are connected; tick() does it every second.
    virtual void contact_changed() = 0;
    /// Called as on_change() is, for points.
    virtual void on_point(std::function<void(const PointChange&)> observer) = 0;
    /// Waits until every connected point acknowledged the newest revision, or `patience` is over.
    virtual bool wait_in_force(Duration patience) = 0;
    /// Called with each change after it is durable, one at a time and in order, without any lock held;
    /// on the thread that made it or on one of the book's own, so perhaps after apply() returned.
    virtual void on_change(std::function<void(const ControlChange&)> observer) = 0;
    virtual void check_release_with(ReleaseCheck check) = 0;
    /// Policies in force changed: a new snapshot is built and published. Nothing happens when they are
    /// those that are in force.
    virtual Result<void> use_policies(std::vector<Policy> policies) = 0;
    virtual void use(const Settings& settings) = 0;
    /// Once a second: retries points that did not acknowledge, probes, review dates.
    virtual void tick() = 0;
    /// Ends the threads; points are told nothing more. The destructor does it too.
    virtual void stop() = 0;

    /// Conflict: the same scope and mode is in force already (names it). InvalidArgument: a mode that
    /// does not fit its scope, missing reason, allowlist without tools, route without a target.
    virtual Result<ControlView> apply(const ControlDraft& draft, const By& by) = 0;
    /// Takes over what was applied elsewhere; once for each origin: what was adopted before is given as
    /// it stands, in force or released since. Where the same scope and mode is in force already, that
    /// control is given.
    virtual Result<ControlView> adopt(const Adoption& adoption) = 0;
    /// Ends a control here because another book has it in force: no release, and no second person.
    virtual Result<ControlView> hand_over(const ControlId& id, const By& by) = 0;
    virtual Result<ControlView> renew(const ControlId& id, Instant review_by, const By& by) = 0;
    /// By a person who is named. Conflict: asked for already, or released.
    virtual Result<ControlView> request_release(const ControlId& id, const By& by) = 0;
    /// Unauthorized: the author, or who asked for the release, or nobody who is named. Conflict: nobody
    /// asked, or the check.
    virtual Result<ControlView> release(
        const ControlId& id, const By& by, std::string_view without_journeys = {}
    ) = 0;
    /// One stage further: `opening` lets pass whom the one before did, and more. Refused as release() is,
    /// and InvalidArgument for an opening that is not wider.
    virtual Result<ControlView> open_stage(
        const ControlId& id, const Opening& opening, const By& by,
        std::string_view without_journeys = {}
    ) = 0;
    /// Back to the stage before, or with `to_shadow` to journeys alone: closing takes one person or none.
    /// Conflict: nobody but journeys passes it.
    virtual Result<ControlView> put_back(const ControlId& id, const By& by, bool to_shadow = false) = 0;
    /// Probes now and waits for it. Conflict: not acknowledged yet. Unavailable: no answer in time.
    virtual Result<ControlView> probe(const ControlId& id, const By& by) = 0;
    /// What is in force now, with what it was made from.
    [[nodiscard]] virtual Published published() const = 0;
    /// For points: calls that `id` refused, routed or held; an unknown id is counted by nobody.
    virtual void count_refused(const ControlId& id, std::uint64_t calls) = 0;

    [[nodiscard]] virtual Result<ControlView> get(const ControlId& id) const = 0;
    /// In force, or all with `released`; newest first.
    [[nodiscard]] virtual std::vector<ControlView> list(bool released) const = 0;
    [[nodiscard]] virtual std::shared_ptr<const ControlSnapshot> snapshot() const = 0;
    [[nodiscard]] virtual std::vector<PointStatus> points() const = 0;
};

}  // namespace tagout::contain
