// The book of controls as it runs: a fold of the journal under one lock, and two threads.
//
// The publisher hands the newest snapshot to points that are behind and journals what they answer; it
// alone calls enforce(), so a point never gets an older snapshot after a newer one. The prober sends
// probes, which may block for seconds. book.cc has what people ask for, book_threads.cc the threads.
#pragma once

#include "base/mutex.h"
#include "contain/book_fold.h"
#include "contain/control_rules.h"

#include <deque>
#include <map>
#include <set>
#include <thread>

namespace tagout::contain {

/// Who acts when the program does.
[[nodiscard]] const Actor& tagout_itself();

/// What points answered, kept apart from the book: an answer may come after the book is gone.
class AnswerBox {
public:
    struct Answer {
        std::string point;
        std::uint64_t sent = 0;  ///< Revision that it was asked to enforce.
        Result<std::uint64_t> enforced;
        Instant at;
    };
    explicit AnswerBox(const Clock& clock) : clock_(&clock) {}

    void put(const std::string& point, std::uint64_t sent, Result<std::uint64_t> enforced) {
        const MutexLock lock(mutex_);
        if (clock_ != nullptr) {
            answers_.push_back({point, sent, std::move(enforced), clock_->now()});
            wake_ = true;
            changed_.notify_all();
        }
    }
    void wake() {
        const MutexLock lock(mutex_);
        wake_ = true;
        changed_.notify_all();
    }
    void close() {
        const MutexLock lock(mutex_);
        clock_ = nullptr;
        wake_ = true;
        changed_.notify_all();
    }
    /// Waits for an answer or for wake(); nothing once it is closed.
    [[nodiscard]] std::optional<std::vector<Answer>> take() {
        MutexLock lock(mutex_);
        while (!wake_) {
            changed_.wait(mutex_);
        }
        if (clock_ == nullptr) {
            return std::nullopt;
        }
        wake_ = false;
        return std::exchange(answers_, {});
    }

private:
    Mutex mutex_;
    Condition changed_;
    const Clock* clock_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<Answer> answers_ TAGOUT_GUARDED_BY(mutex_);
    bool wake_ TAGOUT_GUARDED_BY(mutex_) = false;
};

/// Thread-safe.
class LiveControls final : public Controls {
public:
    LiveControls(
        journal::Journal& journal, const Clock& clock, const Settings& settings,
        MetricRegistry& metrics
    );
    ~LiveControls() override;

    Result<void> rebuild() override;
    void add_point(std::shared_ptr<EnforcementPoint> point) override;
    bool wait_in_force(Duration patience) override;
    void on_change(std::function<void(const ControlChange&)> observer) override;
    void check_release_with(ReleaseCheck check) override;
    Result<void> use_policies(std::vector<Policy> policies) override;
    void use(const Settings& settings) override;
    void tick() override;
    void stop() override;
    Result<ControlView> apply(const ControlDraft& draft, const By& by) override;
    Result<ControlView> renew(const ControlId& id, Instant review_by, const By& by) override;
    Result<ControlView> request_release(const ControlId& id, const By& by) override;
    Result<ControlView> release(
        const ControlId& id, const By& by, std::string_view without_journeys
    ) override;
    Result<ControlView> probe(const ControlId& id, const By& by) override;
    void count_refused(const ControlId& id, std::uint64_t calls) override;
    [[nodiscard]] Result<ControlView> get(const ControlId& id) const override;
    [[nodiscard]] std::vector<ControlView> list(bool released) const override;
    [[nodiscard]] std::shared_ptr<const ControlSnapshot> snapshot() const override;
    [[nodiscard]] std::vector<PointStatus> points() const override;

private:
    struct PointState {
        std::shared_ptr<EnforcementPoint> point;
        PointStatus status;
        std::optional<std::uint64_t> sent;  ///< Newest revision that it was handed.
        Instant sent_at;
        bool awaited = false;  ///< It has not answered yet.
        unsigned failures = 0;
        Instant retry_at;
    };
    struct ProbeState {
        bool due = false;
        bool running = false;
        bool overdue = false;  ///< Running for longer than it may, and said so.
        unsigned failures = 0;
        Instant retry_at;
        Instant started_at;
        std::uint64_t rounds = 0;
        By asked_by;  ///< Of one that a person asked for.
    };
    struct Work {
        std::shared_ptr<EnforcementPoint> point;
        std::string name;
        std::shared_ptr<const ControlSnapshot> snapshot;
    };

    [[nodiscard]] Result<std::shared_ptr<const ControlSnapshot>> build(
        std::span<const Control> controls, std::uint64_t revision
    ) const TAGOUT_REQUIRES(mutex_);
    /// Journals one entry, folds it, publishes `next` if there is one, and tells of the change.
    Result<BookRow*> commit(
        journal::EntryDraft draft, ControlChange::What what,
        std::shared_ptr<const ControlSnapshot> next
    ) TAGOUT_REQUIRES(mutex_);
    void publish(std::shared_ptr<const ControlSnapshot> next) TAGOUT_REQUIRES(mutex_);
    void tell(ControlChange::What what, const BookRow& row, const By& by, std::string_view reason)
        TAGOUT_REQUIRES(mutex_);
    void tell_observer();
    void refresh_gauges() TAGOUT_REQUIRES(mutex_);
    /// The row as it is shown: with what the points say now.
    [[nodiscard]] ControlView shown(const BookRow& row) const TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] bool is_enforced(const ControlView& view) const TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] std::unexpected<Error> not_found(const ControlId& id) const;
    [[nodiscard]] Duration pause_after(unsigned failures) const TAGOUT_REQUIRES(mutex_);

    void publish_loop();
    void take_answer(const AnswerBox::Answer& answer) TAGOUT_REQUIRES(mutex_);
    void point_failed(PointState& state, std::string why) TAGOUT_REQUIRES(mutex_);
    void record_acknowledgements() TAGOUT_REQUIRES(mutex_);
    Result<void> record_acknowledgements_of(const PointStatus& status) TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] std::vector<Work> points_behind_now() TAGOUT_REQUIRES(mutex_);

    void probe_loop();
    [[nodiscard]] std::optional<ControlId> next_probe() TAGOUT_REQUIRES(mutex_);
    void probe_one(const ControlId& id);
    void finish_probe(const ControlId& id, std::vector<ProbedPoint> found) TAGOUT_REQUIRES(mutex_);
    void record_probe(BookRow& row, ProbeState& state, std::vector<ProbedPoint> found)
        TAGOUT_REQUIRES(mutex_);
    void ask_for_probe(const ControlId& id) TAGOUT_REQUIRES(mutex_);
    void say_what_is_overdue(Instant now) TAGOUT_REQUIRES(mutex_);
    void say_what_is_due(Instant now) TAGOUT_REQUIRES(mutex_);

    journal::Journal& journal_;
    const Clock& clock_;
    MetricRegistry& metrics_;
    const std::shared_ptr<AnswerBox> answers_;

    mutable Mutex mutex_;
    Condition probe_changed_;
    Condition point_changed_;
    Settings settings_ TAGOUT_GUARDED_BY(mutex_);
    BookFold fold_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t revision_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::vector<Policy> policies_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<PointState> points_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, ProbeState> probes_ TAGOUT_GUARDED_BY(mutex_);
    ReleaseCheck release_check_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<ControlChange> changes_ TAGOUT_GUARDED_BY(mutex_);
    std::function<void(const ControlChange&)> observer_ TAGOUT_GUARDED_BY(mutex_);
    bool telling_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool stopping_ TAGOUT_GUARDED_BY(mutex_) = false;

    mutable Mutex snapshot_mutex_;  ///< Of the pointer alone: readers never wait for a commit.
    std::shared_ptr<const ControlSnapshot> snapshot_ TAGOUT_GUARDED_BY(snapshot_mutex_);

    std::thread publisher_;
    std::thread prober_;
};

}  // namespace tagout::contain
