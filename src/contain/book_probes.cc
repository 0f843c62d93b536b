// What probes are sent, what they found, and what of it is journaled.
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
        case ControlMode::Pin:
        case ControlMode::Budget:
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

void LiveControls::ask_for_probe(const ControlId& id, const std::string& point) {
    const BookRow* const row = fold_.find(id);
    if (row == nullptr || !can_be_proved(row->view.control.mode)) {
        return;
    }
    ProbeState& state = probes_[id.text()];
    if (point.empty()) {
        state.only.clear();
    } else if (!state.due || !state.only.empty()) {
        state.only.insert(point);
    }
    state.due = true;
    state.retry_at = clock_.now();
    probed_->wake();
}

bool LiveControls::may_probe(const ControlId& id, const ProbeState& state, Instant now) const {
    if (!state.due || state.running || now < state.retry_at) {
        return false;
    }
    const BookRow* const row = fold_.find(id);
    return row != nullptr && state_now(*row) != ControlState::Requested;
}

std::vector<LiveControls::ProbeStart> LiveControls::rounds_to_start() {
    std::vector<ProbeStart> starts;
    const Instant now = clock_.now();
    for (auto& [id, state] : probes_) {
        if (rounds_.size() >= rounds_max) {
            break;
        }
        if (may_probe(ControlId(id), state, now)) {
            ProbeStart start = start_round(ControlId(id), state);
            if (!start.points.empty()) {
                starts.push_back(std::move(start));
            }
        }
    }
    return starts;
}

LiveControls::ProbeStart LiveControls::start_round(const ControlId& id, ProbeState& state) {
    const Control& control = fold_.find(id)->view.control;
    ProbeStart start{++last_round_, control, {}};
    ProbeRound round{id, control.mode, to_text(control.scope), {}, {}, 0, clock_.now()};
    for (const PointRow& each : points_) {
        if (each.point->is_connected() &&
            (state.only.empty() || state.only.contains(each.status.name))) {
            start.points.push_back(each.point);
        }
    }
    // Those that answer later are asked first.
    std::ranges::stable_partition(start.points, [](const auto& point) {
        return point->contact().remote;
    });
    for (const auto& point : start.points) {
        round.found.push_back({point->name(), {}, ""});
    }
    state.due = false;
    state.only.clear();
    if (!start.points.empty()) {
        state.running = true;
        round.waiting = start.points.size();
        round.answered.resize(start.points.size());
        rounds_.emplace(start.round, std::move(round));
    }
    return start;
}

void LiveControls::probe_loop() {
    while (true) {
        std::optional<std::vector<ProbeAnswer>> answers = probed_->take();
        if (!answers) {
            return;
        }
        std::vector<ProbeStart> starts;
        {
            const MutexLock lock(mutex_);
            for (ProbeAnswer& answer : *answers) {
                take_probe_answer(std::move(answer));
            }
            starts = rounds_to_start();
            point_changed_.notify_all();
            probe_changed_.notify_all();
        }
        for (const ProbeStart& start : starts) {
            for (std::size_t place = 0; place < start.points.size(); ++place) {
                start.points[place]->start_probe(
                    start.control,
                    [box = probed_, round = start.round, place](std::vector<ProbeResult> probes) {
                        box->put({round, place, std::move(probes)});
                    }
                );
            }
        }
        tell_observer();
    }
}

void LiveControls::take_probe_answer(ProbeAnswer answer) {
    const auto at = rounds_.find(answer.round);
    if (at == rounds_.end() || answer.place >= at->second.found.size() ||
        at->second.answered[answer.place]) {
        return;  // Too late, and said so.
    }
    ProbeRound& round = at->second;
    ProbedPoint& found = round.found[answer.place];
    found.error = what_passed(answer.probes, round.mode);
    found.probes = std::move(answer.probes);
    round.answered[answer.place] = true;
    if (--round.waiting == 0) {
        ProbeRound done = std::move(round);
        rounds_.erase(at);
        finish_round(std::move(done));
    }
}

void LiveControls::end_overdue_rounds(Instant now) {
    for (auto at = rounds_.begin(); at != rounds_.end();) {
        if (now - at->second.started_at <= settings_.probe_timeout) {
            ++at;
            continue;
        }
        ProbeRound round = std::move(at->second);
        at = rounds_.erase(at);
        std::vector<ProbedPoint> heard;
        for (std::size_t place = 0; place < round.found.size(); ++place) {
            ProbedPoint& found = round.found[place];
            const PointRow* const state = point_named(found.point);
            if (round.answered[place]) {
                heard.push_back(std::move(found));
            } else if (state != nullptr && state->point->is_connected()) {
                found.error = "the probe has not come back within " +
                              to_text(settings_.probe_timeout);
                heard.push_back(std::move(found));
            }  // Of one that went meanwhile nothing is claimed, either way.
        }
        round.found = std::move(heard);
        finish_round(std::move(round));
    }
    probe_changed_.notify_all();
}

void LiveControls::finish_round(ProbeRound round) {
    BookRow* const row = fold_.find(round.id);
    const auto at = probes_.find(round.id.text());
    if (row == nullptr || at == probes_.end() || row->view.released_at) {
        return;  // Released while the probe was under way.
    }
    ProbeState& state = at->second;
    state.running = false;
    ++state.rounds;
    const bool tried = std::ranges::any_of(round.found, [](const ProbedPoint& each) {
        return !each.probes.empty() || !each.error.empty();
    });
    if (!tried && !round.found.empty()) {
        round.found.front().error = "no road leads to " + round.scope + ", so nothing was tried";
    }
    for (const ProbedPoint& each : round.found) {
        for (const ProbeResult& probe : each.probes) {
            row->decided_by.insert(probe.decided_by);
        }
    }
    row->decided_by.erase(round.id.text());
    row->decided_by.erase("");
    if (!round.found.empty()) {
        record_probe(*row, state, std::move(round.found));
    }
    refresh_gauges();
}

/// Whether what was found differs from what is known of those points.
static bool says_something_new(const ControlView& view, const std::vector<ProbedPoint>& found) {
    return std::ranges::any_of(found, [&](const ProbedPoint& each) {
        const PointEffect* const known = find_effect(view, each.point);
        return known == nullptr || known->error.empty() != each.error.empty() ||
               (each.error.empty() && !known->proved_at);
    });
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
        for (const ProbedPoint& each : found) {
            if (!each.error.empty()) {
                state.only.insert(each.point);
            }
        }
        log::warn(
            "control_unproved", {{"control", id}, {"why", why}, {"failures", state.failures}}
        );
    }
    const bool by_hand = !state.asked_by.actor.empty();
    if (!by_hand && !says_something_new(row.view, found)) {
        return;  // Journaled once; a repeat of the same says nothing new.
    }
    const By by = by_hand ? state.asked_by : By{tagout_itself(), ""};
    const journal::EntryDraft draft{
        proved ? "control.proved" : "control.unproved", id,           by.actor, by.reason,
        clock_.now(),                                   probed_body(found)};
    const auto entries = journal_.append(std::span(&draft, 1));
    if (!entries) {
        state.due = true;
        state.only.clear();
        state.retry_at = clock_.now() + pause_after(++state.failures);
        log::warn("probe_not_recorded", {{"control", id}, {"error", entries.error().message}});
        return;
    }
    state.asked_by = {};
    const ProbeShowed before = row.showed;
    fold_.apply(entries->front());
    if (row.showed != before) {
        tell(
            row.showed == ProbeShowed::Proved ? ControlChange::What::Proved
                                              : ControlChange::What::Unproved,
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
        const ControlMode mode = row->view.control.mode;
        return fail(
            ErrorCode::Conflict,
            id.text() +
                (mode == ControlMode::Throttle || mode == ControlMode::Budget
                     ? " counts, and a probe is never one call too many; it counts what it refused"
                 : mode == ControlMode::Observe
                     ? " observes and refuses nothing; there is nothing to prove"
                     : " refuses nothing; there is nothing to prove")
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

}  // namespace tagout::contain
