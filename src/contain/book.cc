#include "contain/book.h"

#include "base/assert.h"
#include "base/log.h"
#include "contain/metrics.h"

#include <algorithm>

namespace tagout::contain {

const Actor& tagout_itself() {
    static const Actor actor("tagout");
    return actor;
}

LiveControls::LiveControls(
    journal::Journal& journal, const Clock& clock, const Settings& settings, MetricRegistry& metrics
)
    : journal_(journal),
      clock_(clock),
      metrics_(metrics),
      answers_(std::make_shared<AnswerBox>(clock)),
      settings_(settings) {
    const MutexLock lock(mutex_);
    auto empty = build({}, 0);
    TAGOUT_ASSERT(empty.has_value(), "a snapshot of nothing passes no bound");
    snapshot_ = std::move(*empty);
    publisher_ = std::thread([this] { publish_loop(); });
    prober_ = std::thread([this] { probe_loop(); });
}

LiveControls::~LiveControls() {
    stop();
}

void LiveControls::stop() {
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        probe_changed_.notify_all();
        point_changed_.notify_all();
    }
    answers_->close();
    for (std::thread* const thread : {&publisher_, &prober_}) {
        if (thread->joinable()) {
            thread->join();
        }
    }
}

Result<void> LiveControls::rebuild() {
    const MutexLock lock(mutex_);
    TAGOUT_TRY(journal_.read(1, [this](const journal::JournalEntry& entry) {
        mutex_.assert_held();
        fold_.apply(entry);
        return true;
    }));
    if (fold_.unreadable() > 0) {
        log::warn("control_entries_unreadable", {{"entries", fold_.unreadable()}});
    }
    publish(TAGOUT_TRY(build(fold_.in_force(), fold_.revision())));
    for (const auto& [number, row] : fold_.rows()) {
        if (!row.view.released_at) {
            ask_for_probe(row.view.control.id);
        }
    }
    refresh_gauges();
    return {};
}

Result<std::shared_ptr<const ControlSnapshot>> LiveControls::build(
    std::span<const Control> controls, std::uint64_t revision
) const {
    return ControlSnapshot::build(controls, policies_, revision);
}

void LiveControls::publish(std::shared_ptr<const ControlSnapshot> next) {
    revision_ = next->revision();
    {
        const MutexLock lock(snapshot_mutex_);
        snapshot_ = std::move(next);
    }
    const Instant now = clock_.now();
    for (auto& [number, row] : fold_.rows()) {
        if (!row.view.released_at && !row.view.published_at) {
            row.view.published_at = now;
        }
    }
    for (PointState& state : points_) {
        state.retry_at = now;  // What failed before is no reason to keep a new snapshot back.
    }
    answers_->wake();
}

Result<BookRow*> LiveControls::commit(
    journal::EntryDraft draft, ControlChange::What what, std::shared_ptr<const ControlSnapshot> next
) {
    const std::vector<journal::JournalEntry> entries =
        TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
    BookRow* const row = fold_.apply(entries.front());
    TAGOUT_ASSERT(row != nullptr, "the book reads what it writes");
    if (next) {
        publish(std::move(next));
    }
    tell(what, *row, {draft.actor, draft.reason}, draft.reason);
    refresh_gauges();
    return row;
}

void LiveControls::tell(
    ControlChange::What what, const BookRow& row, const By& by, std::string_view reason
) {
    const std::string_view labels[] = {name_of(what)};
    metrics_.counter(control_changes_total, labels).add();
    const ControlView view = shown(row);
    changes_.push_back({what, view, by, sentence_of(what, view, reason)});
}

void LiveControls::tell_observer() {
    MutexLock lock(mutex_);
    if (telling_) {
        return;
    }
    telling_ = true;
    while (!changes_.empty()) {
        const ControlChange next = std::move(changes_.front());
        changes_.pop_front();
        const auto observer = observer_;
        lock.unlock();
        if (observer) {
            observer(next);
        }
        lock.lock();
    }
    telling_ = false;
}

void LiveControls::on_change(std::function<void(const ControlChange&)> observer) {
    const MutexLock lock(mutex_);
    observer_ = std::move(observer);
}
void LiveControls::check_release_with(ReleaseCheck check) {
    const MutexLock lock(mutex_);
    release_check_ = std::move(check);
}
void LiveControls::use(const Settings& settings) {
    const MutexLock lock(mutex_);
    settings_ = settings;
}

void LiveControls::refresh_gauges() {
    std::map<ControlMode, double> counts;
    double unproved = 0;
    for (const auto& [number, row] : fold_.rows()) {
        if (!row.view.released_at) {
            counts[row.view.control.mode] += 1;
            unproved += row.showed == ProbeShowed::Unproved ? 1 : 0;
        }
    }
    for (int i = 1; i <= static_cast<int>(ControlMode::Route); ++i) {
        const auto mode = static_cast<ControlMode>(i);
        const std::string_view labels[] = {name_of(mode)};
        metrics_.gauge(controls_in_force, labels).set(counts[mode]);
    }
    metrics_.gauge(controls_unproved).set(unproved);
    metrics_.gauge(points_behind).set(static_cast<double>(
        std::ranges::count_if(points_, [this](const PointState& state) {
            mutex_.assert_held();
            return state.status.revision < revision_;
        })
    ));
}

std::unexpected<Error> LiveControls::not_found(const ControlId& id) const {
    return fail(
        ErrorCode::NotFound,
        "there is no control '" + id.text().substr(0, 40) + "'; tagout contain list --all shows them"
    );
}

ControlView LiveControls::shown(const BookRow& row) const {
    ControlView view = row.view;
    if (view.released_at) {
        return view;
    }
    for (const PointState& state : points_) {
        PointEffect& effect = effect_of(view, state.status.name);
        if (state.status.revision < view.revision) {
            // What it said before this start does not count until it says so again.
            effect.acknowledged_at = std::nullopt;
            effect.error = state.status.error;
        }
    }
    BookRow judged{view, row.showed};
    settle(judged);
    return std::move(judged.view);
}

bool LiveControls::is_enforced(const ControlView& view) const {
    return !points_.empty() && std::ranges::all_of(points_, [&](const PointState& state) {
        return state.status.revision >= view.revision;
    });
}

Result<ControlView> LiveControls::apply(const ControlDraft& draft, const By& by) {
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        const Instant now = clock_.now();
        std::vector<Control> controls = fold_.in_force();
        TAGOUT_TRY(check_draft(draft, by, controls, now));
        Control control;
        control.id = fold_.next_id();
        control.scope = draft.scope;
        control.mode = draft.mode;
        control.allowed = draft.allowed;
        control.route_to = draft.route_to;
        control.terms = draft.terms;
        control.reason = by.reason;
        control.author = by.actor;
        control.incident = draft.incident;
        control.rule = draft.rule;
        control.since = now;
        control.review_by = draft.review_by.value_or(now + settings_.review_after);
        controls.push_back(control);
        const std::uint64_t revision = revision_ + 1;
        auto next = TAGOUT_TRY(build(controls, revision));
        BookRow* const row = TAGOUT_TRY(commit(
            {"control.applied", control.id.text(), by.actor, by.reason, now,
             applied_body(control, revision)},
            ControlChange::What::Applied,
            std::move(next)
        ));
        ask_for_probe(control.id);
        answer = shown(*row);
    }
    tell_observer();
    return answer;
}

Result<ControlView> LiveControls::renew(const ControlId& id, Instant review_by, const By& by) {
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        const BookRow* const row = fold_.find(id);
        if (row == nullptr) {
            return not_found(id);
        }
        const Instant now = clock_.now();
        TAGOUT_TRY(check_renewal(row->view, review_by, by, now));
        answer = shown(*TAGOUT_TRY(commit(
            {"control.renewed", id.text(), by.actor, by.reason, now, review_body(review_by)},
            ControlChange::What::Renewed,
            nullptr
        )));
    }
    tell_observer();
    return answer;
}

Result<ControlView> LiveControls::request_release(const ControlId& id, const By& by) {
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        const BookRow* const row = fold_.find(id);
        if (row == nullptr) {
            return not_found(id);
        }
        TAGOUT_TRY(check_release_request(row->view, by));
        std::vector<Control> controls = fold_.in_force();
        std::ranges::find(controls, id, &Control::id)->validating = true;
        const std::uint64_t revision = revision_ + 1;
        auto next = TAGOUT_TRY(build(controls, revision));
        answer = shown(*TAGOUT_TRY(commit(
            {"control.release_requested", id.text(), by.actor, by.reason, clock_.now(),
             revision_body(revision, "")},
            ControlChange::What::ReleaseRequested,
            std::move(next)
        )));
    }
    tell_observer();
    return answer;
}

Result<ControlView> LiveControls::release(
    const ControlId& id, const By& by, std::string_view without_journeys
) {
    // Journeys are asked without the lock, so the rest is judged before and after.
    ReleaseCheck check;
    const ControlView before = TAGOUT_TRY(get(id));
    TAGOUT_TRY(check_release(before, by));
    {
        const MutexLock lock(mutex_);
        check = release_check_;
    }
    if (check && before.control.mode != ControlMode::Observe) {
        TAGOUT_TRY(check(before, without_journeys));
    }
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        TAGOUT_TRY(check_release(fold_.find(id)->view, by));
        std::vector<Control> controls = fold_.in_force();
        std::erase_if(controls, [&](const Control& control) { return control.id == id; });
        const std::uint64_t revision = revision_ + 1;
        auto next = TAGOUT_TRY(build(controls, revision));
        answer = shown(*TAGOUT_TRY(commit(
            {"control.released", id.text(), by.actor, by.reason, clock_.now(),
             revision_body(revision, without_journeys)},
            ControlChange::What::Released,
            std::move(next)
        )));
        probes_.erase(id.text());
        // What it hid from probes of other controls is seen now.
        for (const auto& [number, row] : fold_.rows()) {
            const ControlId& other = row.view.control.id;
            const bool hidden = std::ranges::any_of(row.view.points, [&](const PointEffect& effect) {
                return std::ranges::any_of(effect.probes, [&](const ProbeResult& probe) {
                    return probe.decided_by == id.text();
                });
            });
            if (!row.view.released_at && hidden) {
                ask_for_probe(other);
            }
        }
    }
    tell_observer();
    return answer;
}

Result<void> LiveControls::use_policies(std::vector<Policy> policies) {
    const MutexLock lock(mutex_);
    if (policies == policies_) {
        return {};
    }
    const std::uint64_t revision = revision_ + 1;
    auto next =
        TAGOUT_TRY(ControlSnapshot::build(fold_.in_force(), policies, revision));
    const journal::EntryDraft draft{
        "control.policies", "policies",   tagout_itself(),
        "policies changed", clock_.now(), policies_body(revision, policies)};
    TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
    policies_ = std::move(policies);
    publish(std::move(next));
    refresh_gauges();
    return {};
}

void LiveControls::count_refused(const ControlId& id, std::uint64_t calls) {
    const MutexLock lock(mutex_);
    if (BookRow* const row = fold_.find(id)) {
        row->view.calls_refused += calls;
    }
}

Result<ControlView> LiveControls::get(const ControlId& id) const {
    const MutexLock lock(mutex_);
    const BookRow* const row = fold_.find(id);
    if (row == nullptr) {
        return not_found(id);
    }
    return shown(*row);
}

std::vector<ControlView> LiveControls::list(bool released) const {
    const MutexLock lock(mutex_);
    std::vector<ControlView> views;
    for (auto at = fold_.rows().rbegin(); at != fold_.rows().rend(); ++at) {
        if (released || !at->second.view.released_at) {
            views.push_back(shown(at->second));
        }
    }
    return views;
}

std::shared_ptr<const ControlSnapshot> LiveControls::snapshot() const {
    const MutexLock lock(snapshot_mutex_);
    return snapshot_;
}

std::vector<PointStatus> LiveControls::points() const {
    const MutexLock lock(mutex_);
    std::vector<PointStatus> all;
    for (const PointState& state : points_) {
        all.push_back(state.status);
    }
    return all;
}

std::unique_ptr<Controls> Controls::make(
    journal::Journal& journal, const Clock& clock, const Settings& settings, MetricRegistry& metrics
) {
    return std::make_unique<LiveControls>(journal, clock, settings, metrics);
}

}  // namespace tagout::contain
