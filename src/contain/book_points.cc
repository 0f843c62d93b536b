// What points are told and answer, whether they are there at all, and what of it is journaled.
#include "base/log.h"
#include "contain/book.h"
#include "contain/metrics.h"

#include <algorithm>

namespace tagout::contain {

Duration LiveControls::pause_after(unsigned failures) const {
    Duration pause = settings_.retry_pause;
    for (unsigned i = 1; i < failures && pause < settings_.retry_pause_max; ++i) {
        pause *= 2;
    }
    return std::min(pause, settings_.retry_pause_max);
}

PointRow* LiveControls::point_named(const std::string& name) {
    const auto found = std::ranges::find_if(points_, [&](const PointRow& state) {
        return state.status.name == name;
    });
    return found == points_.end() ? nullptr : &*found;
}

void LiveControls::add_point(std::shared_ptr<EnforcementPoint> point) {
    PointRow fresh;
    fresh.status.name = point->name();
    fresh.point = std::move(point);
    {
        const MutexLock lock(mutex_);
        fresh.retry_at = clock_.now();
        fresh.joined_at = fresh.retry_at;
        const std::string name = fresh.status.name;
        if (PointRow* const known = point_named(name)) {
            // It came back: what it proved, another life of it proved.
            fresh.effects = known->effects;
            fresh.alarmed = known->alarmed;
            *known = std::move(fresh);
            for (auto& [number, row] : fold_.rows()) {
                if (!row.view.released_at) {
                    PointEffect& effect = effect_of(row.view, name);
                    effect.proved_at = std::nullopt;
                    effect.error.clear();
                    effect.probes.clear();
                    ask_for_probe(row.view.control.id, name);
                }
            }
        } else {
            points_.push_back(std::move(fresh));
            for (const auto& [number, row] : fold_.rows()) {
                if (!row.view.released_at) {
                    ask_for_probe(row.view.control.id, name);
                }
            }
        }
        refresh_gauges();
        point_changed_.notify_all();
    }
    answers_->wake();
    probed_->wake();
}

Result<void> LiveControls::remove_point(const std::string& name) {
    {
        const MutexLock lock(mutex_);
        if (std::erase_if(points_, [&](const PointRow& each) {
                return each.status.name == name;
            }) == 0) {
            return fail(ErrorCode::NotFound, "there is no enforcement point '" + name + "'");
        }
        refresh_gauges();
        point_changed_.notify_all();
    }
    answers_->wake();
    return {};
}

bool LiveControls::wait_in_force(Duration patience) {
    MutexLock lock(mutex_);
    return point_changed_.wait_for(mutex_, patience, [this] {
        mutex_.assert_held();
        return stopping_ || std::ranges::all_of(points_, [this](const PointRow& state) {
                   mutex_.assert_held();
                   return !state.point->is_connected() || state.enforces(revision_);
               });
    }) && !stopping_;
}

void LiveControls::publish_loop() {
    while (true) {
        std::optional<std::vector<PointAnswer>> answers = answers_->take();
        if (!answers) {
            return;
        }
        std::vector<Work> work;
        {
            const MutexLock lock(mutex_);
            for (const PointAnswer& answer : *answers) {
                take_answer(answer);
            }
            record_acknowledgements(std::exchange(partly_due_, false));
            work = points_behind_now();
            refresh_gauges();
            point_changed_.notify_all();
        }
        probed_->wake();
        for (const Work& each : work) {
            each.point->put_in_force(
                each.published,
                [box = answers_, clock = &clock_, name = each.name,
                 sent = each.published.snapshot->revision()](Result<std::uint64_t> enforced) {
                    box->put({name, sent, std::move(enforced), clock->now()});
                }
            );
        }
        tell_observer();
    }
}

std::vector<LiveControls::Work> LiveControls::points_behind_now() {
    std::vector<Work> work;
    const Instant now = clock_.now();
    const Published newest = published();
    for (PointRow& state : points_) {
        if (!state.point->is_connected()) {
            continue;  // It asks by itself when it is back.
        }
        const bool fresh = !state.sent || *state.sent < revision_;
        if (!state.enforces(revision_) && (fresh || (!state.awaited && now >= state.retry_at))) {
            state.sent = revision_;
            state.sent_at = now;
            state.awaited = true;
            work.push_back({state.point, state.status.name, newest});
        }
    }
    return work;
}

void LiveControls::take_answer(const PointAnswer& answer) {
    PointRow* const state = point_named(answer.point);
    if (state == nullptr) {
        return;
    }
    const bool newest = answer.sent >= revision_;
    state->awaited = state->awaited && !newest;
    if (!answer.enforced) {
        if (newest) {
            point_failed(*state, answer.enforced.error().message);
        }
        return;
    }
    if (*answer.enforced < answer.sent) {
        point_failed(
            *state,
            "enforces revision " + std::to_string(*answer.enforced) + " and not " +
                std::to_string(answer.sent)
        );
        return;
    }
    if (*answer.enforced >= state->status.revision) {
        if (!std::exchange(state->heard, true)) {
            partly_due_ = true;  // It came: what it has is told at once.
        }
        state->answered(*answer.enforced, answer.at);
    }
}

void LiveControls::point_failed(PointRow& state, std::string why) {
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

void LiveControls::record_acknowledgements(bool partly) {
    std::map<std::uint64_t, AckNews> news;
    note_complete(news);
    if (partly) {
        note_partial(news);
    }
    if (const Result<void> done = journal_acknowledgements(std::move(news)); !done) {
        // They stay to be recorded: the next tick comes by again.
        log::warn("acknowledgements_not_recorded", {{"error", done.error().message}});
        return;
    }
    if (partly) {
        for (PointRow& state : points_) {
            if (state.status.acknowledged_at) {
                state.record_all();
            }
        }
    }
}

void LiveControls::note_complete(std::map<std::uint64_t, AckNews>& news) {
    std::optional<std::uint64_t> lowest;  // Every connected point is as far as this.
    for (const PointRow& state : points_) {
        if (state.point->is_connected()) {
            const std::uint64_t at = state.status.acknowledged_at ? state.status.revision : 0;
            lowest = std::min(lowest.value_or(at), at);
        }
    }
    for (const std::uint64_t number : waiting_) {
        BookRow& row = fold_.rows().at(number);
        if (!lowest || row.view.revision > *lowest) {
            continue;
        }
        AckNews& one = news[number];
        one.row = &row;
        one.by_all = true;
        for (const PointRow& state : points_) {
            const PointEffect* const effect = find_effect(row.view, state.status.name);
            if (state.enforces(row.view.revision) &&
                (effect == nullptr || !effect->acknowledged_at)) {
                one.points.push_back(
                    {state.status.name, state.acknowledged(row.view.revision)}
                );
            }
        }
    }
}

void LiveControls::note_partial(std::map<std::uint64_t, AckNews>& news) {
    for (const PointRow& state : points_) {
        if (!state.status.acknowledged_at || state.status.revision <= state.recorded) {
            continue;
        }
        const auto note = [&](std::uint64_t number, BookRow& row) {
            const PointEffect* const effect = find_effect(row.view, state.status.name);
            if (row.view.released_at || !state.enforces(row.view.revision) ||
                (effect != nullptr && effect->acknowledged_at)) {
                return;
            }
            AckNews& one = news[number];
            one.row = &row;
            const bool noted = std::ranges::any_of(one.points, [&](const AckedPoint& each) {
                return each.point == state.status.name;
            });
            if (!noted) {
                one.points.push_back({state.status.name, state.acknowledged(row.view.revision)});
            }
        };
        // The newer a control, the higher its number and its revision, but for those that were put back.
        for (auto at = fold_.rows().rbegin(); at != fold_.rows().rend(); ++at) {
            if (at->second.view.revision <= state.recorded) {
                break;
            }
            note(at->first, at->second);
        }
        for (const std::uint64_t number : waiting_) {
            note(number, fold_.rows().at(number));
        }
    }
}

Result<void> LiveControls::journal_acknowledgements(std::map<std::uint64_t, AckNews> news) {
    std::vector<journal::EntryDraft> drafts;
    for (const auto& [number, one] : news) {
        // Complete when the last one had it, also if others that never had it went away since.
        Instant newest = one.row->view.requested_at;
        for (const AckedPoint& each : one.points) {
            newest = std::max(newest, each.at);
        }
        for (const PointEffect& each : one.row->view.points) {
            newest = std::max(newest, each.acknowledged_at.value_or(newest));
        }
        drafts.push_back(
            {"control.acknowledged", one.row->view.control.id.text(), tagout_itself(), "", newest,
             acknowledged_body(one.points, one.row->view, one.by_all)}
        );
    }
    for (std::size_t at = 0; at < drafts.size(); at += journal::Journal::batch_entries_max) {
        const std::size_t count =
            std::min(drafts.size() - at, std::size_t{journal::Journal::batch_entries_max});
        const auto entries =
            TAGOUT_TRY(journal_.append(std::span(drafts).subspan(at, count)));
        for (const journal::JournalEntry& entry : entries) {
            fold_.apply(entry);
        }
    }
    for (const auto& [number, one] : news) {
        const ControlView& view = one.row->view;
        for (const AckedPoint& each : one.points) {
            PointRow* const state = point_named(each.point);
            if (state != nullptr && view.requested_at >= state->joined_at) {
                const Duration took = each.at - view.requested_at;
                state->effects.add(took);
                const std::string_view labels[] = {each.point};
                metrics_.histogram(point_time_to_effect_seconds, labels)
                    .observe(std::chrono::duration<double>(took).count());
            }
        }
        if (one.by_all) {
            waiting_.erase(number);
            if (view.time_to_effect) {
                metrics_.histogram(time_to_effect_seconds)
                    .observe(std::chrono::duration<double>(*view.time_to_effect).count());
            }
            tell(ControlChange::What::Acknowledged, *one.row, {tagout_itself(), ""}, "");
        }
    }
    return {};
}

std::vector<PointStatus> LiveControls::points() const {
    const MutexLock lock(mutex_);
    std::vector<PointStatus> all;
    for (const PointRow& state : points_) {
        PointStatus status = state.status;
        status.contact = state.point->contact();
        status.effect = state.effects.times();
        if (!status.contact.connected) {
            status.error = status.contact.away;
        } else if (status.error.empty()) {
            status.error = status.contact.error;
        }
        all.push_back(std::move(status));
    }
    std::ranges::sort(all, {}, &PointStatus::name);
    return all;
}

void LiveControls::look_at_points(Instant now) {
    for (PointRow& state : points_) {
        if (state.awaited && now - state.sent_at > settings_.point_timeout) {
            point_failed(state, "it has not answered within " + to_text(settings_.point_timeout));
        }
        alarm(state, now);
    }
}

void LiveControls::alarm(PointRow& state, Instant now) {
    const bool connected = state.point->is_connected();
    const bool enforces = state.enforces(revision_);
    const bool well = connected && enforces;
    // One that was never heard since this start gets the time to come.
    const bool late = now - state.joined_at > settings_.point_timeout;
    const bool failing = !connected ? late : !enforces && !state.status.error.empty();
    if (state.alarmed ? !well : !failing) {
        return;
    }
    const std::string revision = "revision " + std::to_string(revision_);
    PointChange change{state.status.name, failing, "", now};
    change.sentence =
        well ? change.point + " enforces " + revision + " again"
             : change.point + " did not acknowledge " + revision + ": " +
                   (connected ? state.status.error : state.point->contact().away);
    const journal::EntryDraft draft{
        well ? "point.well" : "point.failing", change.point, tagout_itself(), change.sentence, now,
        revision_body(revision_, "")};
    if (const auto written = journal_.append(std::span(&draft, 1)); !written) {
        log::warn(
            "point_change_not_recorded",
            {{"point", change.point}, {"error", written.error().message}}
        );
        return;  // The next tick tries again.
    }
    state.alarmed = !well;
    log::write(
        well ? log::Level::Info : log::Level::Error, well ? "point_well" : "point_failing",
        {{"point", change.point}, {"why", change.sentence}}
    );
    point_changes_.push_back(std::move(change));
}

void LiveControls::show_point_metrics(Instant now) {
    for (const PointRow& state : points_) {
        const PointContact contact = state.point->contact();
        const std::string_view labels[] = {state.status.name};
        const auto show = [&](const MetricInfo& info, double value) {
            metrics_.gauge(info, labels).set(value);
        };
        show(point_connected, contact.connected ? 1 : 0);
        show(point_revision, static_cast<double>(state.status.revision));
        show(point_rules, static_cast<double>(contact.rules));
        show(point_calls_denied, static_cast<double>(contact.calls_denied));
        show(point_records_dropped, static_cast<double>(contact.records_dropped));
        const Instant heard = contact.remote ? contact.last_contact.value_or(state.joined_at) : now;
        show(point_silent_seconds, std::chrono::duration<double>(now - heard).count());
    }
}

void LiveControls::contact_changed() {
    {
        const MutexLock lock(mutex_);
        look_at_points(clock_.now());
        refresh_gauges();
        point_changed_.notify_all();
    }
    answers_->wake();
    probed_->wake();
    tell_observer();
}

void LiveControls::say_what_is_due(Instant now) {
    struct Found {
        ControlId id;
        Instant review_by;
        bool passed = false;
    };
    std::vector<Found> found;
    for (const auto& [number, row] : fold_.rows()) {
        const Instant date = row.view.control.review_by;
        // Who was away while it came near is told that it passed, and not first that it will.
        // A date nearer than the warning is warned of halfway, not at once.
        const Duration warning =
            std::min(settings_.review_warning, (date - row.view.review_set_at) / 2);
        const Review state = now >= date             ? Review::Passed
                             : now >= date - warning ? Review::Near
                                                     : Review::Ahead;
        if (!row.view.released_at && state > row.view.review) {
            found.push_back({row.view.control.id, date, state == Review::Passed});
        }
    }
    for (const auto& [id, review_by, passed] : found) {
        const auto told = commit(
            {passed ? "control.overdue" : "control.due", id.text(), tagout_itself(),
             passed ? "its review date passed" : "containment.review_warning", now,
             review_body(review_by)},
            passed ? ControlChange::What::Overdue : ControlChange::What::Due,
            std::nullopt
        );
        if (passed) {
            log::warn("control_overdue", {{"control", id.text()}, {"review_by", to_rfc3339(review_by)}});
        }
        if (!told) {
            log::warn("due_not_recorded", {{"control", id.text()}, {"error", told.error().message}});
        }
    }
}

void LiveControls::tick() {
    {
        const MutexLock lock(mutex_);
        const Instant now = clock_.now();
        look_at_points(now);
        end_overdue_rounds(now);
        say_what_is_due(now);
        show_point_metrics(now);
        refresh_gauges();
        partly_due_ = true;
    }
    answers_->wake();
    probed_->wake();
    tell_observer();
}

}  // namespace tagout::contain
