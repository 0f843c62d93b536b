#include "app/pipeline.h"

#include "app/metrics.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/mutex.h"
#include "detect/cost/queue_points.h"
#include "intake/queue_metrics.h"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

namespace tagout::app {

namespace {

using Partials = std::unique_ptr<detect::KeyPartials, void (*)(detect::KeyPartials*)>;

std::size_t shard_of(std::string_view correlation, std::size_t shards) noexcept {
    return shards == 1 ? 0 : XXH3_64bits(correlation.data(), correlation.size()) % shards;
}

double seconds_between(Instant from, Instant to) {
    return std::chrono::duration<double>(to - from).count();
}

struct Arrival {
    std::shared_ptr<const EventBatch> batch;
    Instant at;
};

struct Update {
    detect::Settings detection;
    std::shared_ptr<const catalog::Catalog> catalog;
};

detect::StageStats sum(detect::StageStats a, const detect::StageStats& b) {
    a.events += b.events;
    a.late_events += b.late_events;
    a.repeated_calls += b.repeated_calls;
    a.sessions_live += b.sessions_live;
    a.sessions_evicted += b.sessions_evicted;
    a.keys_live += b.keys_live;
    a.keys_refused += b.keys_refused;
    a.bytes += b.bytes;
    return a;
}

bool is_empty(const detect::Output& output) {
    return output.findings.empty() && output.sessions.empty();
}

/// Calls `visit` with each run of neighbouring events that belong to shard `index`.
template <class Visit>
void for_each_run(const EventBatch& batch, std::size_t index, std::size_t shards, Visit&& visit) {
    const std::span<const AgentEvent> events(batch.events);
    if (shards == 1) {
        visit(events);
        return;
    }
    std::size_t begin = 0;
    while (begin < events.size()) {
        if (shard_of(events[begin].correlation, shards) != index) {
            ++begin;
            continue;
        }
        std::size_t end = begin + 1;
        while (end < events.size() && shard_of(events[end].correlation, shards) == index) {
            ++end;
        }
        visit(events.subspan(begin, end - begin));
        begin = end;
    }
}

}  // namespace

struct Pipeline::State {
    /// One detection thread with what it owns; the queue in front of it is the only shared part.
    struct Shard {
        Shard(const detect::Settings& settings, std::shared_ptr<const catalog::Catalog> catalog)
            : stage(settings, std::move(catalog)) {}

        detect::SessionStage stage;  ///< Confined to `thread` once it runs.
        Instant ticked_at;           ///< Likewise.

        mutable Mutex mutex;
        Condition changed;
        std::deque<Arrival> queue TAGOUT_GUARDED_BY(mutex);
        std::shared_ptr<const Update> update TAGOUT_GUARDED_BY(mutex);
        bool stopping TAGOUT_GUARDED_BY(mutex) = false;
        std::size_t in_hand TAGOUT_GUARDED_BY(mutex) = 0;  ///< Taken from the queue, not done.
        detect::StageStats stats TAGOUT_GUARDED_BY(mutex);
        std::thread thread;
    };

    State(
        const PipelineParts& pipeline_parts, const PipelineSettings& pipeline_settings,
        const detect::Settings& detection, const std::shared_ptr<const catalog::Catalog>& catalog
    )
        : parts(pipeline_parts),
          settings(pipeline_settings),
          linker(intake::LinkerOptions{}),
          keys(detection, catalog) {
        pane_nanos.store(detection.pane.count(), std::memory_order_relaxed);
        const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
        const std::size_t count = settings.shards > 0 ? settings.shards : std::max(1U, cores / 2);
        for (std::size_t i = 0; i < count; ++i) {
            shards.push_back(std::make_unique<Shard>(detection, catalog));
        }
        for (const Signal signal : {Signal::Traces, Signal::Logs, Signal::Metrics}) {
            const std::string_view labels[] = {name_of(signal)};
            items[static_cast<std::size_t>(signal)] = &parts.metrics.counter(items_total, labels);
            rejected[static_cast<std::size_t>(signal)] =
                &parts.metrics.counter(items_rejected_total, labels);
        }
        for (std::size_t kind = 0; kind < events.size(); ++kind) {
            const std::string_view labels[] = {name_of(static_cast<EventKind>(kind))};
            events[kind] = &parts.metrics.counter(events_total, labels);
        }
    }

    void run_shard(std::size_t index);
    void run_keys();
    void give_partials(Partials partials);
    /// Takes one turn of a shard's work; the queue's lock is not held.
    void work(std::size_t index, std::span<const Arrival> arrivals, const Update* update);
    [[nodiscard]] bool has_room() const;
    void count_accepted(const EventBatch& batch);
    /// Metrics that measure queues go to the key stage without a detour; other metrics are evidence.
    void judge_depths(const EventBatch& batch, Instant now);
    void shed(const EventBatch& batch, std::string_view reason);

    const PipelineParts parts;
    const PipelineSettings settings;
    std::vector<std::unique_ptr<Shard>> shards;
    std::array<Counter*, 4> items{};
    std::array<Counter*, 4> rejected{};
    std::array<Counter*, 27> events{};
    std::atomic<bool> accepting{false};
    std::atomic<std::uint64_t> accepted_items{0};
    std::atomic<std::int64_t> last_received_nanos{0};
    std::atomic<std::int64_t> pane_nanos{0};

    mutable Mutex link_mutex;
    intake::Linker linker TAGOUT_GUARDED_BY(link_mutex);

    mutable Mutex key_mutex;
    Condition key_changed;
    std::vector<Partials> key_queue TAGOUT_GUARDED_BY(key_mutex);
    std::shared_ptr<const Update> key_update TAGOUT_GUARDED_BY(key_mutex);
    bool key_stopping TAGOUT_GUARDED_BY(key_mutex) = false;
    std::thread key_thread;

    mutable Mutex board_mutex;  ///< Held by the key thread while it works: boards() waits for that.
    detect::KeyStage keys TAGOUT_GUARDED_BY(board_mutex);
};

void Pipeline::State::work(
    std::size_t index, std::span<const Arrival> arrivals, const Update* update
) {
    Shard& shard = *shards[index];
    if (update != nullptr) {
        shard.stage.use(update->detection, update->catalog);
    }
    const Instant now = parts.clock.now();
    for (const Arrival& arrival : arrivals) {
        detect::Output output;
        for_each_run(*arrival.batch, index, shards.size(), [&](std::span<const AgentEvent> run) {
            shard.stage.observe(run, arrival.at, output);
            parts.findings.seen(run);
        });
        if (!is_empty(output)) {
            parts.findings.take(std::move(output), arrival.at);
        }
    }
    if (now - shard.ticked_at >= settings.tick) {
        shard.ticked_at = now;
        detect::Output output;
        shard.stage.tick(now, output);
        if (!is_empty(output)) {
            parts.findings.take(std::move(output), now);
        }
        give_partials(shard.stage.take_partials());
    }
    const detect::StageStats stats = shard.stage.stats();
    const MutexLock lock(shard.mutex);
    shard.stats = stats;
    shard.in_hand = 0;
}

void Pipeline::State::run_shard(std::size_t index) {
    Shard& shard = *shards[index];
    bool stopping = false;
    while (!stopping) {
        std::vector<Arrival> arrivals;
        std::shared_ptr<const Update> update;
        {
            const MutexLock lock(shard.mutex);
            if (shard.queue.empty() && !shard.stopping && !shard.update) {
                shard.changed.wait_for(shard.mutex, settings.tick / 2);
            }
            arrivals.assign(
                std::make_move_iterator(shard.queue.begin()),
                std::make_move_iterator(shard.queue.end())
            );
            shard.queue.clear();
            shard.in_hand = arrivals.size();
            update = std::move(shard.update);
            shard.update.reset();
            stopping = shard.stopping && arrivals.empty();
        }
        work(index, arrivals, update.get());
    }
    give_partials(shard.stage.take_partials());
}

void Pipeline::State::give_partials(Partials partials) {
    if (!partials) {
        return;
    }
    const MutexLock lock(key_mutex);
    key_queue.push_back(std::move(partials));
    key_changed.notify_one();
}

void Pipeline::State::run_keys() {
    bool stopping = false;
    while (!stopping) {
        std::vector<Partials> queue;
        std::shared_ptr<const Update> update;
        {
            const MutexLock lock(key_mutex);
            if (key_queue.empty() && !key_stopping && !key_update) {
                key_changed.wait_for(key_mutex, settings.tick);
            }
            queue.swap(key_queue);
            update = std::move(key_update);
            key_update.reset();
            stopping = key_stopping && queue.empty();
        }
        detect::Output output;
        const Instant now = parts.clock.now();
        {
            const MutexLock lock(board_mutex);
            if (update) {
                keys.use(update->detection, update->catalog);
            }
            for (Partials& partials : queue) {
                keys.merge(std::move(*partials));
            }
            keys.evaluate(now, output);
        }
        if (!is_empty(output)) {
            parts.findings.take(std::move(output), now);
        }
    }
}

bool Pipeline::State::has_room() const {
    return std::ranges::all_of(shards, [&](const std::unique_ptr<Shard>& shard) {
        const MutexLock lock(shard->mutex);
        return shard->queue.size() + shard->in_hand < settings.queue_batches_max;
    });
}

void Pipeline::State::shed(const EventBatch& batch, std::string_view reason) {
    const std::string_view labels[] = {reason};
    parts.metrics.counter(items_shed_total, labels).add(batch.items.size());
    log::warn("intake_shed", {{"reason", reason}, {"items", batch.items.size()}});
}

void Pipeline::State::count_accepted(const EventBatch& batch) {
    if (!batch.items.empty()) {
        items[static_cast<std::size_t>(batch.items.front().signal)]->add(batch.items.size());
    }
    std::array<std::uint32_t, 27> kinds{};
    for (const AgentEvent& event : batch.events) {
        ++kinds[static_cast<std::size_t>(event.kind)];
    }
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        if (kinds[kind] > 0) {
            events[kind]->add(kinds[kind]);
        }
    }
}

void Pipeline::State::judge_depths(const EventBatch& batch, Instant now) {
    const std::vector<intake::QueueDepth> depths = intake::queue_depths(batch);
    if (depths.empty()) {
        return;
    }
    Partials partials(new detect::KeyPartials, [](detect::KeyPartials* given) { delete given; });
    for (const intake::QueueDepth& depth : depths) {
        detect::add_depth(
            *partials, depth.metric, depth.service, depth.depth, depth.at, now,
            Duration(pane_nanos.load(std::memory_order_relaxed))
        );
    }
    give_partials(std::move(partials));
}

Pipeline::Pipeline(
    const PipelineParts& parts, const PipelineSettings& settings, const detect::Settings& detection,
    std::shared_ptr<const catalog::Catalog> catalog
)
    : state_(std::make_unique<State>(parts, settings, detection, catalog)) {}

Pipeline::~Pipeline() {
    stop();
}

void Pipeline::start() {
    State& state = *state_;
    for (std::size_t i = 0; i < state.shards.size(); ++i) {
        state.shards[i]->thread = std::thread([&state, i] { state.run_shard(i); });
    }
    state.key_thread = std::thread([&state] { state.run_keys(); });
    state.accepting.store(true);
}

void Pipeline::stop() {
    State& state = *state_;
    state.accepting.store(false);
    for (const auto& shard : state.shards) {
        if (shard->thread.joinable()) {
            {
                const MutexLock lock(shard->mutex);
                shard->stopping = true;
                shard->changed.notify_one();
            }
            shard->thread.join();
        }
    }
    if (state.key_thread.joinable()) {
        {
            const MutexLock lock(state.key_mutex);
            state.key_stopping = true;
            state.key_changed.notify_one();
        }
        state.key_thread.join();
    }
}

void Pipeline::accept(std::shared_ptr<EventBatch> batch, std::function<void(Result<void>)> done) {
    State& state = *state_;
    const Instant now = state.parts.clock.now();
    if (batch->rejected > 0 && !batch->items.empty()) {
        state.rejected[static_cast<std::size_t>(batch->items.front().signal)]->add(batch->rejected);
    }
    if (!state.accepting.load()) {
        state.shed(*batch, "stopping");
        done(fail(ErrorCode::Unavailable, "the server is stopping; send again to its successor"));
        return;
    }
    if (!state.has_room()) {
        state.shed(*batch, "queue_full");
        done(fail(ErrorCode::LimitExceeded, "detection is behind; send again in a second"));
        return;
    }
    if (batch->items.empty()) {
        done({});
        return;
    }
    {
        const MutexLock lock(state.link_mutex);
        state.linker.link(*batch);
    }
    const std::shared_ptr<const EventBatch> linked = std::move(batch);
    Histogram& durable = state.parts.metrics.histogram(durable_seconds);
    const Clock& clock = state.parts.clock;
    Result<void> queued =
        state.parts.evidence.append(linked, [done, &durable, &clock, now](Result<void> stored) {
            durable.observe(seconds_between(now, clock.now()));
            done(std::move(stored));
        });
    if (!queued) {
        state.shed(*linked, "evidence_full");
        done(std::move(queued));
        return;
    }
    state.accepted_items.fetch_add(linked->items.size(), std::memory_order_relaxed);
    state.last_received_nanos.store(unix_nanos(now), std::memory_order_relaxed);
    state.count_accepted(*linked);
    if (linked->events.empty()) {
        state.judge_depths(*linked, now);
        return;
    }
    for (const auto& shard : state.shards) {
        const MutexLock lock(shard->mutex);
        shard->queue.push_back(Arrival{linked, now});
        shard->changed.notify_one();
    }
}

Result<std::uint64_t> Pipeline::catch_up() {
    State& state = *state_;
    TAGOUT_ASSERT(!state.accepting.load(), "evidence is read again before the threads run");
    constexpr std::size_t batch_items_max = 512;
    std::uint64_t fed = 0;
    std::uint64_t unreadable = 0;
    std::deque<journal::EvidenceItem>
        kept;  // a deque keeps addresses: the batch's views point here
    const auto feed = [&] {
        auto batch = std::make_shared<EventBatch>();
        for (const journal::EvidenceItem& item : kept) {
            const RawItem raw = journal::raw_of(item);
            if (intake::decode_item(raw, intake::DecodeLimits{}, *batch)) {
                ++fed;
            } else {
                ++unreadable;
            }
        }
        if (!kept.empty()) {
            {
                const MutexLock lock(state.link_mutex);
                state.linker.link(*batch);
            }
            const Instant at = kept.back().at;
            for (std::size_t i = 0; i < state.shards.size(); ++i) {
                const Arrival arrival{batch, at};
                state.shards[i]->ticked_at = at;
                state.work(i, std::span(&arrival, 1), nullptr);
                detect::Output output;
                state.shards[i]->stage.tick(at, output);
                state.parts.findings.take(std::move(output), at);
                Partials partials = state.shards[i]->stage.take_partials();
                const MutexLock lock(state.board_mutex);
                state.keys.merge(std::move(*partials));
                detect::Output rates;
                state.keys.evaluate(at, rates);
                state.parts.findings.take(std::move(rates), at);
            }
        }
        kept.clear();
    };
    const Instant now = state.parts.clock.now();
    TAGOUT_TRY(state.parts.evidence.scan(
        now - state.settings.catch_up,
        now,
        [&](const journal::EvidenceItem& item) {
            if (item.signal != Signal::Metrics) {
                kept.push_back(item);
            }
            if (kept.size() >= batch_items_max) {
                feed();
            }
            return true;
        }
    ));
    feed();
    for (const auto& shard : state.shards) {
        shard->ticked_at = now;
    }
    if (unreadable > 0) {
        log::warn("catch_up_unreadable", {{"items", unreadable}});
    }
    return fed;
}

void Pipeline::use(
    const detect::Settings& detection, std::shared_ptr<const catalog::Catalog> catalog
) {
    state_->pane_nanos.store(detection.pane.count(), std::memory_order_relaxed);
    const auto update = std::make_shared<const Update>(Update{detection, std::move(catalog)});
    for (const auto& shard : state_->shards) {
        const MutexLock lock(shard->mutex);
        shard->update = update;
        shard->changed.notify_one();
    }
    const MutexLock lock(state_->key_mutex);
    state_->key_update = update;
    state_->key_changed.notify_one();
}

std::vector<detect::ClassBoard> Pipeline::boards() const {
    const MutexLock lock(state_->board_mutex);
    return state_->keys.boards();
}

void Pipeline::adopt_profile(
    const std::string& workflow, catalog::WorkflowProfile profile, Instant since
) {
    const MutexLock lock(state_->board_mutex);
    state_->keys.adopt_profile(workflow, std::move(profile), since);
}

void Pipeline::hold_learning(std::vector<detect::LearningHold> holds) {
    const MutexLock lock(state_->board_mutex);
    state_->keys.hold_learning(std::move(holds));
}

std::vector<detect::LearnedProfile> Pipeline::take_changed_profiles() {
    const MutexLock lock(state_->board_mutex);
    return state_->keys.take_changed_profiles();
}

std::vector<detect::ProfileBrief> Pipeline::profile_briefs(std::size_t limit) const {
    const MutexLock lock(state_->board_mutex);
    return state_->keys.profile_briefs(limit);
}

PipelineStats Pipeline::stats() const {
    PipelineStats stats;
    for (const auto& shard : state_->shards) {
        const MutexLock lock(shard->mutex);
        stats.sessions = sum(stats.sessions, shard->stats);
        stats.queued_batches += shard->queue.size() + shard->in_hand;
    }
    {
        const MutexLock lock(state_->link_mutex);
        stats.linker = state_->linker.stats();
    }
    {
        const MutexLock lock(state_->board_mutex);
        stats.keys = state_->keys.stats();
    }
    stats.items = state_->accepted_items.load(std::memory_order_relaxed);
    stats.last_received_at = instant_of_nanos(
        static_cast<std::uint64_t>(state_->last_received_nanos.load(std::memory_order_relaxed))
    );
    return stats;
}

}  // namespace tagout::app
