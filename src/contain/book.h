// The book of controls as it runs: a fold of the journal under one lock, and two threads.
//
// The publisher hands the newest snapshot to points that are behind and journals what they answer; it
// alone calls enforce(), so a point never gets an older snapshot after a newer one. The prober sends
// probes to all points at once, and judges a round when they answered or its time is over. book.cc has
// what people ask for, book_points.cc and book_probes.cc the threads.
#pragma once

#include "base/mutex.h"
#include "contain/answer_box.h"
#include "contain/book_fold.h"
#include "contain/control_rules.h"
#include "contain/point_row.h"

#include <deque>
#include <map>
#include <set>
#include <thread>

namespace tagout::contain {

/// Who acts when the program does.
[[nodiscard]] const Actor& tagout_itself();

/// What a point answered to being handed a snapshot.
struct PointAnswer {
    std::string point;
    std::uint64_t sent = 0;  ///< Revision that it was asked to enforce.
    Result<std::uint64_t> enforced;
    Instant at;
};

/// What the probes of one point of one round found.
struct ProbeAnswer {
    std::uint64_t round = 0;
    std::size_t place = 0;
    std::vector<ProbeResult> probes;
};

/// Thread-safe.
class LiveControls final : public Controls {
public:
    LiveControls(
        journal::Journal& journal, const Clock& clock, const Settings& settings,
        MetricRegistry& metrics, std::string prefix
    );
    ~LiveControls() override;

    Result<void> rebuild() override;
    void add_point(std::shared_ptr<EnforcementPoint> point) override;
    Result<void> remove_point(const std::string& name) override;
    void contact_changed() override;
    void on_point(std::function<void(const PointChange&)> observer) override;
    bool wait_in_force(Duration patience) override;
    void on_change(std::function<void(const ControlChange&)> observer) override;
    void check_release_with(ReleaseCheck check) override;
    Result<void> use_policies(std::vector<Policy> policies) override;
    void use(const Settings& settings) override;
    void tick() override;
    void stop() override;
    Result<ControlView> apply(const ControlDraft& draft, const By& by) override;
    Result<ControlView> adopt(const Adoption& adoption) override;
    Result<ControlView> hand_over(const ControlId& id, const By& by) override;
    Result<ControlView> renew(const ControlId& id, Instant review_by, const By& by) override;
    Result<ControlView> request_release(const ControlId& id, const By& by) override;
    Result<ControlView> release(
        const ControlId& id, const By& by, std::string_view without_journeys
    ) override;
    Result<ControlView> open_stage(
        const ControlId& id, const Opening& opening, const By& by, std::string_view without_journeys
    ) override;
    Result<ControlView> put_back(const ControlId& id, const By& by, bool to_shadow) override;
    Result<ControlView> probe(const ControlId& id, const By& by) override;
    void count_refused(const ControlId& id, std::uint64_t calls) override;
    [[nodiscard]] Result<ControlView> get(const ControlId& id) const override;
    [[nodiscard]] std::vector<ControlView> list(bool released) const override;
    [[nodiscard]] std::shared_ptr<const ControlSnapshot> snapshot() const override;
    [[nodiscard]] Published published() const override;
    [[nodiscard]] std::vector<PointStatus> points() const override;

private:
    static constexpr std::size_t rounds_max = 64;        ///< Of probes, under way at once.
    static constexpr std::size_t shown_points_max = 8;   ///< Of one control in a list.

    struct ProbeState {
        bool due = false;
        bool running = false;
        std::set<std::string> only;  ///< Points that have to be probed; empty for all.
        unsigned failures = 0;
        Instant retry_at;
        std::uint64_t rounds = 0;
        By asked_by;  ///< Of one that a person asked for.
    };
    struct ProbeRound {
        ControlId id;
        ControlMode mode = ControlMode::Stopped;
        std::string scope;
        std::vector<ProbedPoint> found;
        std::vector<bool> answered;
        std::size_t waiting = 0;
        Instant started_at;
    };
    /// Probes to be sent, without a lock held.
    struct ProbeStart {
        std::uint64_t round = 0;
        Control control;
        std::vector<std::shared_ptr<EnforcementPoint>> points;
    };
    struct Work {
        std::shared_ptr<EnforcementPoint> point;
        std::string name;
        Published published;
    };
    /// One control's acknowledgements that are to be journaled.
    struct AckNews {
        BookRow* row = nullptr;
        std::vector<AckedPoint> points;
        bool by_all = false;
    };

    [[nodiscard]] Result<Published> build(std::vector<Control> controls, std::uint64_t revision) const
        TAGOUT_REQUIRES(mutex_);
    /// Journals one entry, folds it, publishes `next` if there is one, and tells of the change.
    Result<BookRow*> commit(
        journal::EntryDraft draft, ControlChange::What what, std::optional<Published> next
    ) TAGOUT_REQUIRES(mutex_);
    void publish(Published next) TAGOUT_REQUIRES(mutex_);
    /// Applies `control`, which has everything but its id.
    Result<BookRow*> put_in_force(Control control, const By& by, std::string_view origin)
        TAGOUT_REQUIRES(mutex_);
    /// Judges a release, or a stage of one, as far as people and journeys go.
    Result<void> may_release(
        const ControlId& id, const By& by, std::string_view without_journeys, const Opening* opening
    );
    Result<BookRow*> move_stage(
        const ControlId& id, const Opening& to, const By& by, ControlChange::What what,
        std::string_view without_journeys
    ) TAGOUT_REQUIRES(mutex_);
    void probe_again_what_hid_behind(const ControlId& id) TAGOUT_REQUIRES(mutex_);
    void tell(ControlChange::What what, const BookRow& row, const By& by, std::string_view reason)
        TAGOUT_REQUIRES(mutex_);
    void tell_observer();
    void refresh_gauges() TAGOUT_REQUIRES(mutex_);
    /// The row as it is shown: with what the points say now.
    enum class Detail : bool { List, Whole };
    [[nodiscard]] ControlView shown(const BookRow& row, Detail detail = Detail::Whole) const
        TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] ControlState state_now(const BookRow& row) const TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] bool is_enforced(const ControlView& view) const TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] std::unexpected<Error> not_found(const ControlId& id) const;
    [[nodiscard]] Duration pause_after(unsigned failures) const TAGOUT_REQUIRES(mutex_);

    void publish_loop();
    [[nodiscard]] PointRow* point_named(const std::string& name) TAGOUT_REQUIRES(mutex_);
    void take_answer(const PointAnswer& answer) TAGOUT_REQUIRES(mutex_);
    void point_failed(PointRow& state, std::string why) TAGOUT_REQUIRES(mutex_);
    /// Controls that every connected point has now; with `partly` also those that some have.
    void record_acknowledgements(bool partly) TAGOUT_REQUIRES(mutex_);
    void note_complete(std::map<std::uint64_t, AckNews>& news) TAGOUT_REQUIRES(mutex_);
    void note_partial(std::map<std::uint64_t, AckNews>& news) TAGOUT_REQUIRES(mutex_);
    Result<void> journal_acknowledgements(std::map<std::uint64_t, AckNews> news)
        TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] std::vector<Work> points_behind_now() TAGOUT_REQUIRES(mutex_);
    void look_at_points(Instant now) TAGOUT_REQUIRES(mutex_);
    void alarm(PointRow& state, Instant now) TAGOUT_REQUIRES(mutex_);
    void show_point_metrics(Instant now) TAGOUT_REQUIRES(mutex_);

    void probe_loop();
    [[nodiscard]] bool may_probe(const ControlId& id, const ProbeState& state, Instant now) const
        TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] std::vector<ProbeStart> rounds_to_start() TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] ProbeStart start_round(const ControlId& id, ProbeState& state)
        TAGOUT_REQUIRES(mutex_);
    void take_probe_answer(ProbeAnswer answer) TAGOUT_REQUIRES(mutex_);
    void end_overdue_rounds(Instant now) TAGOUT_REQUIRES(mutex_);
    void finish_round(ProbeRound round) TAGOUT_REQUIRES(mutex_);
    void record_probe(BookRow& row, ProbeState& state, std::vector<ProbedPoint> found)
        TAGOUT_REQUIRES(mutex_);
    void ask_for_probe(const ControlId& id, const std::string& point = {}) TAGOUT_REQUIRES(mutex_);
    void say_what_is_due(Instant now) TAGOUT_REQUIRES(mutex_);

    journal::Journal& journal_;
    const Clock& clock_;
    MetricRegistry& metrics_;
    const std::shared_ptr<AnswerBox<PointAnswer>> answers_;
    const std::shared_ptr<AnswerBox<ProbeAnswer>> probed_;

    mutable Mutex mutex_;
    Condition probe_changed_;
    Condition point_changed_;
    Settings settings_ TAGOUT_GUARDED_BY(mutex_);
    BookFold fold_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t revision_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::shared_ptr<const std::vector<Policy>> policies_ TAGOUT_GUARDED_BY(mutex_) =
        std::make_shared<const std::vector<Policy>>();
    std::vector<PointRow> points_ TAGOUT_GUARDED_BY(mutex_);
    std::set<std::uint64_t> waiting_ TAGOUT_GUARDED_BY(mutex_);  ///< In force, not yet at all points.
    bool partly_due_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::map<std::string, ProbeState> probes_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::uint64_t, ProbeRound> rounds_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t last_round_ TAGOUT_GUARDED_BY(mutex_) = 0;
    ReleaseCheck release_check_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<ControlChange> changes_ TAGOUT_GUARDED_BY(mutex_);
    std::function<void(const ControlChange&)> observer_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<PointChange> point_changes_ TAGOUT_GUARDED_BY(mutex_);
    std::function<void(const PointChange&)> point_observer_ TAGOUT_GUARDED_BY(mutex_);
    bool telling_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool stopping_ TAGOUT_GUARDED_BY(mutex_) = false;

    mutable Mutex snapshot_mutex_;  ///< Of the pointer alone: readers never wait for a commit.
    Published published_ TAGOUT_GUARDED_BY(snapshot_mutex_);

    std::thread publisher_;
    std::thread prober_;
};

}  // namespace tagout::contain
