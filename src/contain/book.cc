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
    journal::Journal& journal, const Clock& clock, const Settings& settings, MetricRegistry& metrics,
    std::string prefix
)
    : journal_(journal),
      clock_(clock),
      metrics_(metrics),
      answers_(std::make_shared<AnswerBox<PointAnswer>>()),
      probed_(std::make_shared<AnswerBox<ProbeAnswer>>()),
      settings_(settings),
      fold_(std::move(prefix)) {
    const MutexLock lock(mutex_);
    auto empty = build({}, 0);
    TAGOUT_ASSERT(empty.has_value(), "a snapshot of nothing passes no bound");
    {
        const MutexLock snapshot_lock(snapshot_mutex_);
        published_ = std::move(*empty);
    }
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
    probed_->close();
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
    for (const auto& [number, row] : fold_.rows()) {
        if (!row.view.released_at) {
            ask_for_probe(row.view.control.id);
            if (!row.view.acknowledged_at) {
                waiting_.insert(number);
            }
        }
    }
    publish(TAGOUT_TRY(build(fold_.in_force(), fold_.revision())));
    refresh_gauges();
    return {};
}

Result<Published> LiveControls::build(std::vector<Control> controls, std::uint64_t revision) const {
    Published published;
    published.snapshot = TAGOUT_TRY(ControlSnapshot::build(controls, *policies_, revision, snapshot().get()));
    published.controls = std::make_shared<const std::vector<Control>>(std::move(controls));
    published.policies = policies_;
    return published;
}

void LiveControls::publish(Published next) {
    revision_ = next.snapshot->revision();
    {
        const MutexLock lock(snapshot_mutex_);
        published_ = std::move(next);
    }
    const Instant now = clock_.now();
    for (const std::uint64_t number : waiting_) {
        BookRow& row = fold_.rows().at(number);
        if (!row.view.published_at) {
            row.view.published_at = now;
        }
    }
    for (PointRow& state : points_) {
        state.retry_at = now;  // What failed before is no reason to keep a new snapshot back.
    }
    answers_->wake();
}

Result<BookRow*> LiveControls::commit(
    journal::EntryDraft draft, ControlChange::What what, std::optional<Published> next
) {
    const std::vector<journal::JournalEntry> entries =
        TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
    BookRow* const row = fold_.apply(entries.front());
    TAGOUT_ASSERT(row != nullptr, "the book reads what it writes");
    const std::uint64_t number = fold_.number_of(row->view.control.id.text()).value_or(0);
    if (row->view.released_at) {
        waiting_.erase(number);
    } else if (!row->view.acknowledged_at) {
        waiting_.insert(number);
    }
    if (next) {
        publish(std::move(*next));
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
    while (!changes_.empty() || !point_changes_.empty()) {
        if (!changes_.empty()) {
            const ControlChange next = std::move(changes_.front());
            changes_.pop_front();
            const auto observer = observer_;
            lock.unlock();
            if (observer) {
                observer(next);
            }
        } else {
            const PointChange next = std::move(point_changes_.front());
            point_changes_.pop_front();
            const auto observer = point_observer_;
            lock.unlock();
            if (observer) {
                observer(next);
            }
        }
        lock.lock();
    }
    telling_ = false;
}

void LiveControls::on_change(std::function<void(const ControlChange&)> observer) {
    const MutexLock lock(mutex_);
    observer_ = std::move(observer);
}
void LiveControls::on_point(std::function<void(const PointChange&)> observer) {
    const MutexLock lock(mutex_);
    point_observer_ = std::move(observer);
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
    std::array<double, 16> counts{};
    double unproved = 0;
    double overdue = 0;
    for (const auto& [number, row] : fold_.rows()) {
        if (!row.view.released_at) {
            counts[static_cast<std::size_t>(row.view.control.mode)] += 1;
            unproved += row.showed == ProbeShowed::Unproved ? 1 : 0;
            overdue += row.view.review == Review::Passed ? 1 : 0;
        }
    }
    for (std::size_t i = 1; i <= static_cast<std::size_t>(control_mode_last); ++i) {
        const std::string_view labels[] = {name_of(static_cast<ControlMode>(i))};
        metrics_.gauge(controls_in_force, labels).set(counts[i]);
    }
    metrics_.gauge(controls_unproved).set(unproved);
    metrics_.gauge(controls_overdue).set(overdue);
    metrics_.gauge(points_behind).set(static_cast<double>(
        std::ranges::count_if(points_, [this](const PointRow& state) {
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

ControlState LiveControls::state_now(const BookRow& row) const {
    if (row.view.released_at) {
        return ControlState::Released;
    }
    bool any = false;
    bool proved = true;
    bool failed = false;
    for (const PointRow& state : points_) {
        if (!state.point->is_connected()) {
            continue;
        }
        const PointEffect* const effect = find_effect(row.view, state.status.name);
        // What it said before this start does not count until it says so again.
        if (effect == nullptr || !effect->acknowledged_at || !state.enforces(row.view.revision)) {
            return ControlState::Requested;
        }
        any = true;
        proved = proved && effect->proved_at && effect->error.empty();
        failed = failed || !effect->error.empty();
    }
    return !any     ? ControlState::Requested
           : failed ? ControlState::Unproved
           : proved ? ControlState::Proved
                    : ControlState::Acknowledged;
}

ControlView LiveControls::shown(const BookRow& row, Detail detail) const {
    if (row.view.released_at || points_.empty()) {
        ControlView view = row.view;
        view.tally.of = view.points.size();
        for (const PointEffect& effect : view.points) {
            view.tally.reached += effect.acknowledged_at ? 1 : 0;
            view.tally.proved += effect.proved_at ? 1 : 0;
        }
        return view;
    }
    ControlView view = row.view;
    view.state = state_now(row);
    view.points.clear();
    view.tally = {.of = points_.size()};
    const bool every = detail == Detail::Whole || points_.size() <= shown_points_max;
    for (const PointRow& state : points_) {
        const PointEffect* const known = find_effect(row.view, state.status.name);
        const bool connected = state.point->is_connected();
        const bool reached =
            known != nullptr && known->acknowledged_at && state.enforces(row.view.revision);
        const bool proved = reached && known->proved_at && known->error.empty();
        view.tally.reached += reached ? 1 : 0;
        view.tally.proved += proved ? 1 : 0;
        view.tally.away += connected ? 0 : 1;
        const bool fine = connected && reached && (proved || known->error.empty());
        if (!every && (fine || view.points.size() >= shown_points_max)) {
            continue;
        }
        PointEffect& effect = effect_of(view, state.status.name);
        if (known != nullptr) {
            effect = *known;
        }
        effect.connected = connected;
        if (!reached) {
            effect.acknowledged_at = std::nullopt;
            effect.error = state.status.error;
        }
        if (!connected) {
            effect.error = state.point->contact().away;
        }
    }
    return view;
}

bool LiveControls::is_enforced(const ControlView& view) const {
    bool any = false;
    for (const PointRow& state : points_) {
        if (state.point->is_connected()) {
            if (!state.enforces(view.revision)) {
                return false;
            }
            any = true;
        }
    }
    return any;
}

Result<BookRow*> LiveControls::put_in_force(
    Control control, const By& by, std::string_view origin
) {
    const Instant now = clock_.now();
    control.id = fold_.next_id();
    control.reason = by.reason;
    control.author = by.actor;
    std::vector<Control> controls = fold_.in_force();
    controls.push_back(control);
    const std::uint64_t revision = revision_ + 1;
    Published next = TAGOUT_TRY(build(std::move(controls), revision));
    BookRow* const row = TAGOUT_TRY(commit(
        {"control.applied", control.id.text(), by.actor, by.reason, now,
         applied_body(control, revision, origin)},
        ControlChange::What::Applied,
        std::move(next)
    ));
    ask_for_probe(control.id);
    return row;
}

Result<ControlView> LiveControls::apply(const ControlDraft& draft, const By& by) {
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        const Instant now = clock_.now();
        TAGOUT_TRY(check_draft(draft, by, fold_.in_force(), now));
        Control control;
        control.scope = draft.scope;
        control.mode = draft.mode;
        control.allowed = draft.allowed;
        control.route_to = draft.route_to;
        control.terms = draft.terms;
        control.incident = draft.incident;
        control.rule = draft.rule;
        control.since = now;
        control.review_by = draft.review_by.value_or(now + settings_.review_after);
        answer = shown(*TAGOUT_TRY(put_in_force(std::move(control), by, "")));
    }
    tell_observer();
    return answer;
}

Result<ControlView> LiveControls::adopt(const Adoption& adoption) {
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        if (const BookRow* const known = fold_.find_origin(adoption.origin)) {
            return shown(*known);
        }
        const By by{adoption.control.author, adoption.control.reason};
        const std::vector<Control> controls = fold_.in_force();
        const auto same = std::ranges::find_if(controls, [&](const Control& each) {
            return each.scope == adoption.control.scope && each.mode == adoption.control.mode;
        });
        if (same != controls.end()) {
            // Who did it there, and why, stands in the record of the one that is in force.
            answer = shown(*TAGOUT_TRY(commit(
                {"control.adopted", same->id.text(), by.actor, by.reason, clock_.now(),
                 adopted_body(adoption.origin, adoption.control)},
                ControlChange::What::Adopted,
                std::nullopt
            )));
        } else {
            answer = shown(*TAGOUT_TRY(put_in_force(adoption.control, by, adoption.origin)));
        }
    }
    tell_observer();
    return answer;
}

Result<ControlView> LiveControls::hand_over(const ControlId& id, const By& by) {
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        const BookRow* const row = fold_.find(id);
        if (row == nullptr) {
            return not_found(id);
        }
        if (row->view.released_at) {
            return shown(*row);
        }
        std::vector<Control> controls = fold_.in_force();
        std::erase_if(controls, [&](const Control& control) { return control.id == id; });
        const std::uint64_t revision = revision_ + 1;
        Published next = TAGOUT_TRY(build(std::move(controls), revision));
        answer = shown(*TAGOUT_TRY(commit(
            {"control.handed_over", id.text(), by.actor, by.reason, clock_.now(),
             revision_body(revision, "")},
            ControlChange::What::HandedOver,
            std::move(next)
        )));
        probes_.erase(id.text());
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
            std::nullopt
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
        Published next = TAGOUT_TRY(build(std::move(controls), revision));
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

Result<void> LiveControls::may_release(
    const ControlId& id, const By& by, std::string_view without_journeys, const Opening* opening
) {
    // Journeys are asked without the lock, so the rest is judged before and after.
    ReleaseCheck check;
    const ControlView before = TAGOUT_TRY(get(id));
    TAGOUT_TRY(check_release(before, by));
    if (opening != nullptr) {
        TAGOUT_TRY(check_opening(before, *opening));
    }
    {
        const MutexLock lock(mutex_);
        check = release_check_;
    }
    if (check && before.control.mode != ControlMode::Observe) {
        TAGOUT_TRY(check(before, without_journeys));
    }
    return {};
}

Result<ControlView> LiveControls::release(
    const ControlId& id, const By& by, std::string_view without_journeys
) {
    TAGOUT_TRY(may_release(id, by, without_journeys, nullptr));
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        TAGOUT_TRY(check_release(fold_.find(id)->view, by));
        std::vector<Control> controls = fold_.in_force();
        std::erase_if(controls, [&](const Control& control) { return control.id == id; });
        const std::uint64_t revision = revision_ + 1;
        Published next = TAGOUT_TRY(build(std::move(controls), revision));
        answer = shown(*TAGOUT_TRY(commit(
            {"control.released", id.text(), by.actor, by.reason, clock_.now(),
             revision_body(revision, without_journeys)},
            ControlChange::What::Released,
            std::move(next)
        )));
        probes_.erase(id.text());
        probe_again_what_hid_behind(id);
    }
    tell_observer();
    return answer;
}

void LiveControls::probe_again_what_hid_behind(const ControlId& id) {
    for (const auto& [number, row] : fold_.rows()) {
        if (!row.view.released_at && row.decided_by.contains(id.text())) {
            ask_for_probe(row.view.control.id);
        }
    }
}

Result<void> LiveControls::use_policies(std::vector<Policy> policies) {
    const MutexLock lock(mutex_);
    if (policies == *policies_) {
        return {};
    }
    const std::uint64_t revision = revision_ + 1;
    Published next;
    std::vector<Control> controls = fold_.in_force();
    next.snapshot = TAGOUT_TRY(ControlSnapshot::build(controls, policies, revision, snapshot().get()));
    next.controls = std::make_shared<const std::vector<Control>>(std::move(controls));
    next.policies = std::make_shared<const std::vector<Policy>>(std::move(policies));
    const journal::EntryDraft draft{
        "control.policies", "policies",   tagout_itself(),
        "policies changed", clock_.now(), policies_body(revision, *next.policies)};
    TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
    policies_ = next.policies;
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
            views.push_back(shown(at->second, Detail::List));
        }
    }
    return views;
}

std::shared_ptr<const ControlSnapshot> LiveControls::snapshot() const {
    const MutexLock lock(snapshot_mutex_);
    return published_.snapshot;
}

Published LiveControls::published() const {
    const MutexLock lock(snapshot_mutex_);
    return published_;
}

std::unique_ptr<Controls> Controls::make(
    journal::Journal& journal, const Clock& clock, const Settings& settings,
    MetricRegistry& metrics, std::string prefix
) {
    return std::make_unique<LiveControls>(journal, clock, settings, metrics, std::move(prefix));
}

}  // namespace tagout::contain
