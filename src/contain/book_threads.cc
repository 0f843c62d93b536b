// The two threads of the book: what points are told and answer, and what probes find.
#include "base/log.h"
#include "contain/book.h"
#include "contain/metrics.h"

#include <algorithm>

namespace tagout::contain {

namespace {

/// Whether what a probe met is at least as strict as `mode`.
bool is_refused(const ProbeResult& probe, ControlMode mode) {
    switch (mode) {
        case ControlMode::Stopped:
        case ControlMode::ReadOnly:
        case ControlMode::Allowlist:
            return probe.verdict == Verdict::Deny;
        case ControlMode::Approvals:
            return probe.verdict == Verdict::Deny || probe.verdict == Verdict::Escalate;
        case ControlMode::Route:
        case ControlMode::Redact:
            return probe.verdict == Verdict::Deny || probe.verdict == Verdict::Modify;
        case ControlMode::Throttle:  // A probe is not counted, so it cannot be one too many.
        case ControlMode::Observe:
            break;
    }
    return true;
}

/// "" when every probe of the point was refused.
std::string what_passed(const std::vector<ProbeResult>& probes, ControlMode mode) {
    std::string text;
    for (const ProbeResult& probe : probes) {
        if (probe.reached && is_refused(probe, mode)) {
            continue;
        }
        text += (text.empty() ? "" : "; ") + probe.road +
                (probe.reached ? " answered " + std::string(name_of(probe.verdict)) +
                                     (probe.detail.empty() ? "" : " (" + probe.detail + ")")
                               : " could not be probed: " + probe.detail);
    }
    return text;
}

std::string joined_errors(const std::vector<ProbedPoint>& found) {
    std::string text;
    for (const ProbedPoint& each : found) {
        if (!each.error.empty()) {
            text += (text.empty() ? "" : "; ") + each.point + ": " + each.error;
        }
    }
    return text;
}

}  // namespace

Duration LiveControls::pause_after(unsigned failures) const {
    Duration pause = settings_.retry_pause;
    for (unsigned i = 1; i < failures && pause < settings_.retry_pause_max; ++i) {
        pause *= 2;
    }
    return std::min(pause, settings_.retry_pause_max);
}

void LiveControls::add_point(std::shared_ptr<EnforcementPoint> point) {
    PointState state;
    state.status.name = point->name();
    state.point = std::move(point);
    {
        const MutexLock lock(mutex_);
        std::erase_if(points_, [&](const PointState& each) {
            return each.status.name == state.status.name;  // The same point, started again.
        });
        state.retry_at = clock_.now();
        points_.push_back(std::move(state));
        refresh_gauges();
        point_changed_.notify_all();
    }
    answers_->wake();
}

bool LiveControls::wait_in_force(Duration patience) {
    MutexLock lock(mutex_);
    return point_changed_.wait_for(mutex_, patience, [this] {
        mutex_.assert_held();
        return stopping_ || std::ranges::all_of(points_, [this](const PointState& state) {
                   mutex_.assert_held();
                   return state.status.acknowledged_at && state.status.revision >= revision_;
               });
    }) && !stopping_;
}

void LiveControls::publish_loop() {
    while (true) {
        std::optional<std::vector<AnswerBox::Answer>> answers = answers_->take();
        if (!answers) {
            return;
        }
        std::vector<Work> work;
        {
            const MutexLock lock(mutex_);
            for (const AnswerBox::Answer& answer : *answers) {
                take_answer(answer);
            }
            record_acknowledgements();
            work = points_behind_now();
            refresh_gauges();
            point_changed_.notify_all();
            probe_changed_.notify_all();
        }
        for (const Work& each : work) {
            each.point->enforce(
                each.snapshot,
                [box = answers_, name = each.name, sent = each.snapshot->revision()](
                    Result<std::uint64_t> enforced
                ) { box->put(name, sent, std::move(enforced)); }
            );
        }
        tell_observer();
    }
}

std::vector<LiveControls::Work> LiveControls::points_behind_now() {
    std::vector<Work> work;
    const Instant now = clock_.now();
    const std::shared_ptr<const ControlSnapshot> newest = snapshot();
    for (PointState& state : points_) {
        const bool fresh = !state.sent || *state.sent < revision_;
        const bool behind = state.status.revision < revision_ || !state.status.acknowledged_at;
        if (behind && (fresh || (!state.awaited && now >= state.retry_at))) {
            state.sent = revision_;
            state.sent_at = now;
            state.awaited = true;
            work.push_back({state.point, state.status.name, newest});
        }
    }
    return work;
}

void LiveControls::take_answer(const AnswerBox::Answer& answer) {
    const auto found = std::ranges::find_if(points_, [&](const PointState& state) {
        return state.status.name == answer.point;
    });
    if (found == points_.end()) {
        return;
    }
    PointState& state = *found;
    const bool newest = answer.sent >= revision_;
    state.awaited = state.awaited && !newest;
    if (!answer.enforced) {
        if (newest) {
            point_failed(state, answer.enforced.error().message);
        }
        return;
    }
    if (*answer.enforced < answer.sent) {
        point_failed(
            state,
            "enforces revision " + std::to_string(*answer.enforced) + " and not " +
                std::to_string(answer.sent)
        );
        return;
    }
    if (*answer.enforced >= state.status.revision) {
        state.status.revision = *answer.enforced;
        state.status.acknowledged_at = answer.at;
        state.status.error.clear();
        state.failures = 0;
    }
}

void LiveControls::point_failed(PointState& state, std::string why) {
    ++state.failures;
    state.awaited = false;
    state.retry_at = clock_.now() + pause_after(state.failures);
    state.status.error = why.empty() ? "it did not say why" : std::move(why);
    const std::string_view labels[] = {state.status.name};
    metrics_.counter(point_failures_total, labels).add();
    log::warn(
        "point_behind",
        {{"point", state.status.name},
         {"revision", revision_},
         {"error", state.status.error},
         {"failures", state.failures}}
    );
}

void LiveControls::record_acknowledgements() {
    for (const PointState& state : points_) {
        if (!state.status.acknowledged_at) {
            continue;
        }
        if (const Result<void> done = record_acknowledgements_of(state.status); !done) {
            // They stay to be recorded: the next tick comes by again.
            log::warn("acknowledgements_not_recorded", {{"error", done.error().message}});
            return;
        }
    }
}

Result<void> LiveControls::record_acknowledgements_of(const PointStatus& status) {
    std::vector<journal::EntryDraft> drafts;
    std::vector<BookRow*> complete;  // Those that every point has now, for the first time.
    for (auto& [number, row] : fold_.rows()) {
        if (row.view.released_at || status.revision < row.view.revision ||
            effect_of(row.view, status.name).acknowledged_at) {
            continue;
        }
        const bool by_all = std::ranges::all_of(points_, [&](const PointState& other) {
            return other.status.name == status.name ||
                   effect_of(row.view, other.status.name).acknowledged_at;
        });
        drafts.push_back(
            {"control.acknowledged",
             row.view.control.id.text(),
             tagout_itself(),
             "",
             *status.acknowledged_at,
             acknowledged_body(status.name, row.view, status.revision, by_all)}
        );
        if (by_all && !row.view.acknowledged_at) {
            complete.push_back(&row);
        }
        if (drafts.size() == journal::Journal::batch_entries_max) {
            break;
        }
    }
    const std::vector<journal::JournalEntry> entries = TAGOUT_TRY(journal_.append(drafts));
    for (const journal::JournalEntry& entry : entries) {
        fold_.apply(entry);
    }
    for (const BookRow* const row : complete) {
        if (row->view.time_to_effect) {
            metrics_.histogram(time_to_effect_seconds)
                .observe(std::chrono::duration<double>(*row->view.time_to_effect).count());
        }
        tell(ControlChange::What::Acknowledged, *row, {tagout_itself(), ""}, "");
    }
    return {};
}

void LiveControls::ask_for_probe(const ControlId& id) {
    const BookRow* const row = fold_.find(id);
    if (row == nullptr || !can_be_proved(row->view.control.mode)) {
        return;
    }
    ProbeState& state = probes_[id.text()];
    state.due = true;
    state.retry_at = clock_.now();
    probe_changed_.notify_all();
}

std::optional<ControlId> LiveControls::next_probe() {
    const Instant now = clock_.now();
    for (auto& [id, state] : probes_) {
        const BookRow* const row = fold_.find(ControlId(id));
        if (state.due && !state.running && now >= state.retry_at && row != nullptr &&
            shown(*row).state != ControlState::Requested && is_enforced(row->view)) {
            state.due = false;
            state.running = true;
            state.overdue = false;
            state.started_at = now;
            return ControlId(id);
        }
    }
    return std::nullopt;
}

void LiveControls::probe_loop() {
    while (true) {
        std::optional<ControlId> id;
        {
            MutexLock lock(mutex_);
            while (!stopping_ && !(id = next_probe())) {
                probe_changed_.wait(mutex_);
            }
            if (stopping_) {
                return;
            }
        }
        probe_one(*id);
        tell_observer();
    }
}

void LiveControls::probe_one(const ControlId& id) {
    Control control;
    std::vector<std::shared_ptr<EnforcementPoint>> points;
    {
        const MutexLock lock(mutex_);
        control = fold_.find(id)->view.control;
        for (const PointState& state : points_) {
            points.push_back(state.point);
        }
    }
    std::vector<ProbedPoint> found;
    std::size_t probes = 0;
    for (const std::shared_ptr<EnforcementPoint>& point : points) {
        std::vector<ProbeResult> results = point->probe(control);
        probes += results.size();
        std::string passed = what_passed(results, control.mode);
        found.push_back({point->name(), std::move(results), std::move(passed)});
    }
    if (probes == 0 && !found.empty()) {
        found.front().error = "no road leads to " + to_text(control.scope) + ", so nothing was tried";
    }
    const MutexLock lock(mutex_);
    finish_probe(id, std::move(found));
    probe_changed_.notify_all();
}

void LiveControls::finish_probe(const ControlId& id, std::vector<ProbedPoint> found) {
    BookRow* const row = fold_.find(id);
    const auto at = probes_.find(id.text());
    if (row == nullptr || at == probes_.end() || row->view.released_at) {
        return;  // Released while the probe was under way.
    }
    ProbeState& state = at->second;
    state.running = false;
    record_probe(*row, state, std::move(found));
    ++state.rounds;
    refresh_gauges();
}

void LiveControls::record_probe(BookRow& row, ProbeState& state, std::vector<ProbedPoint> found) {
    const std::string why = joined_errors(found);
    const bool proved = why.empty();
    const std::string_view labels[] = {proved ? "proved" : "unproved"};
    metrics_.counter(probes_total, labels).add();
    const std::string id = row.view.control.id.text();
    if (proved) {
        state.failures = 0;
    } else {
        ++state.failures;
        state.due = true;
        state.retry_at = clock_.now() + pause_after(state.failures);
        log::warn(
            "control_unproved", {{"control", id}, {"why", why}, {"failures", state.failures}}
        );
    }
    const ProbeShowed shows = proved ? ProbeShowed::Proved : ProbeShowed::Unproved;
    const bool by_hand = !state.asked_by.actor.empty();
    if (row.showed == shows && !by_hand) {
        return;  // Journaled once; a repeat of the same says nothing new.
    }
    const bool news = row.showed != shows;
    const By by = by_hand ? state.asked_by : By{tagout_itself(), ""};
    const journal::EntryDraft draft{
        proved ? "control.proved" : "control.unproved", id,           by.actor, by.reason,
        clock_.now(),                                   probed_body(found)};
    const auto entries = journal_.append(std::span(&draft, 1));
    if (!entries) {
        state.due = true;
        state.retry_at = clock_.now() + pause_after(++state.failures);
        log::warn("probe_not_recorded", {{"control", id}, {"error", entries.error().message}});
        return;
    }
    state.asked_by = {};
    fold_.apply(entries->front());
    if (news) {
        tell(
            proved ? ControlChange::What::Proved : ControlChange::What::Unproved,
            row,
            by,
            why
        );
    }
}

Result<ControlView> LiveControls::probe(const ControlId& id, const By& by) {
    MutexLock lock(mutex_);
    const BookRow* row = fold_.find(id);
    if (row == nullptr) {
        return not_found(id);
    }
    if (row->view.released_at) {
        return fail(ErrorCode::Conflict, id.text() + " is released; there is nothing to prove");
    }
    if (!can_be_proved(row->view.control.mode)) {
        return fail(
            ErrorCode::Conflict,
            id.text() + (row->view.control.mode == ControlMode::Throttle
                             ? " throttles, and a probe is never one call too many; it counts what it refused"
                             : " observes and refuses nothing; there is nothing to prove")
        );
    }
    if (!is_enforced(row->view)) {
        return fail(
            ErrorCode::Conflict,
            points_.empty() ? std::string("no enforcement point has joined; start the gateway")
                            : id.text() + " is not enforced by every point yet; probe again when it is"
        );
    }
    ask_for_probe(id);
    ProbeState& state = probes_[id.text()];
    state.asked_by = by;
    // One that runs already may have begun before what the asker saw: then the next one counts.
    const std::uint64_t wanted = state.rounds + (state.running ? 2 : 1);
    const bool answered = probe_changed_.wait_for(mutex_, settings_.probe_timeout, [&] {
        mutex_.assert_held();
        const auto now = probes_.find(id.text());
        return stopping_ || now == probes_.end() || now->second.rounds >= wanted;
    });
    row = fold_.find(id);
    if (!answered || stopping_ || row == nullptr) {
        return fail(
            ErrorCode::Unavailable,
            "the probe of " + id.text() + " has not come back within " +
                to_text(settings_.probe_timeout) + "; look at the control again in a moment"
        );
    }
    return shown(*row);
}

void LiveControls::say_what_is_overdue(Instant now) {
    for (PointState& state : points_) {
        if (state.awaited && now - state.sent_at > settings_.point_timeout) {
            point_failed(state, "it has not answered within " + to_text(settings_.point_timeout));
        }
    }
    for (auto& [id, state] : probes_) {
        BookRow* const row = fold_.find(ControlId(id));
        if (row == nullptr || !state.running || state.overdue ||
            now - state.started_at <= settings_.probe_timeout) {
            continue;
        }
        state.overdue = true;
        std::vector<ProbedPoint> found;
        for (const PointState& point : points_) {
            found.push_back(
                {point.status.name, {},
                 "the probe has not come back within " + to_text(settings_.probe_timeout)}
            );
        }
        record_probe(*row, state, std::move(found));
    }
}

void LiveControls::say_what_is_due(Instant now) {
    std::vector<ControlId> due;
    for (const auto& [number, row] : fold_.rows()) {
        if (!row.view.released_at && !row.view.due &&
            now >= row.view.control.review_by - settings_.review_warning) {
            due.push_back(row.view.control.id);
        }
    }
    for (const ControlId& id : due) {
        const auto told = commit(
            {"control.due", id.text(), tagout_itself(), "containment.review_warning", now,
             review_body(fold_.find(id)->view.control.review_by)},
            ControlChange::What::Due,
            nullptr
        );
        if (!told) {
            log::warn("due_not_recorded", {{"control", id.text()}, {"error", told.error().message}});
        }
    }
}

void LiveControls::tick() {
    {
        const MutexLock lock(mutex_);
        const Instant now = clock_.now();
        say_what_is_overdue(now);
        say_what_is_due(now);
        refresh_gauges();
        probe_changed_.notify_all();
    }
    answers_->wake();
    tell_observer();
}

}  // namespace tagout::contain
