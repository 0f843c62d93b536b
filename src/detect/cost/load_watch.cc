#include "detect/cost/load_watch.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr double millis = 1e-3;
constexpr double tail_share = 0.95;

std::uint64_t count_above(const DdSketch& sketch, double limit) {
    DdSketch one;
    one.add(limit);
    const std::int32_t bucket = one.buckets().begin()->first;
    std::uint64_t count = 0;
    for (auto at = sketch.buckets().upper_bound(bucket); at != sketch.buckets().end(); ++at) {
        count += at->second;
    }
    return count;
}

}  // namespace

LevelRise LoadWatch::judge(
    LevelWatch& level, const Bounds& bounds, LogMoments (*of)(const Closed&), bool learns
) const {
    LogMoments first;
    LogMoments all;
    const std::int64_t first_pane =
        recent_.back().number - static_cast<std::int64_t>(panes_first) + 1;
    for (const Closed& closed : recent_) {
        const LogMoments moments = of(closed);
        all.merge(moments);
        if (closed.number >= first_pane) {
            first.merge(moments);
        }
    }
    return level.judge({first, all}, bounds, learns);
}

LevelRise LoadWatch::judge_tail(const CostSettings& settings) const {
    LevelRise rise;
    DdSketch usual = usual_old_;
    usual.merge(usual_new_);
    DdSketch now;
    for (const Closed& closed : recent_) {
        now.merge(closed.pane.millis);
    }
    if (usual.count() < tail_usual_min || now.count() < tail_calls_min) {
        return rise;
    }
    const double usual_tail = usual.quantile(tail_share);
    const double limit = usual_tail * settings.slow_ratio;
    const std::uint64_t slow = count_above(now, limit);
    rise.observed = now.quantile(tail_share);
    rise.usual = usual_tail;
    rise.ratio = usual_tail > 0 ? rise.observed / usual_tail : 0;
    rise.threshold = settings.slow_ratio;
    rise.count = now.count();
    rise.certain = limit > 0 && slow >= 5 && slow * 5 >= now.count();
    return rise;
}

void LoadWatch::renew(
    LoadEpisode& episode, std::int64_t number, const LevelRise& rise, double unit
) {
    if (!episode.active) {
        episode = LoadEpisode{};
        episode.active = true;
        episode.began = recent_.front().number;
        double worst = -1;
        for (const Closed& closed : recent_) {
            episode.agents.merge(closed.pane.agents);
            if (closed.pane.worst > worst) {
                worst = closed.pane.worst;
                episode.exemplar = closed.pane.exemplar;
            }
        }
    } else {
        episode.agents.merge(recent_.back().pane.agents);
    }
    episode.last = number;
    episode.ratio = rise.ratio;
    episode.threshold = rise.threshold;
    episode.observed = rise.observed * unit;
    episode.usual = rise.usual * unit;
}

void LoadWatch::judge_calls(std::int64_t number, const CostSettings& settings, std::size_t keys) {
    const bool learns = !active();
    LevelBounds bounds{
        settings.spike_calls_min,
        settings.usual_calls_min,
        std::max(settings.spike_ratio, settings.slow_ratio),
        settings.spike_z,
        settings.slow_ratio,
        z_for(settings.known_z, keys)};
    LevelRise slow = judge(
        durations_, bounds, [](const Closed& closed) { return closed.pane.durations; }, learns
    );
    slow_ratio_ = slow.ratio;
    const bool longer = slow.ratio >= settings.known_ratio;
    if (!slow.certain || slow.observed * millis < settings.slow_min) {
        const LevelRise tail = judge_tail(settings);
        slow_ratio_ = std::max(slow_ratio_, tail.ratio);
        slow = tail;
    }
    if (slow.certain && slow.observed * millis >= settings.slow_min) {
        renew(slow_, number, slow, millis);
    }
    bounds.numbers_min = panes_first;
    bounds.usual_min = panes_judged;
    const LevelRise queue = judge(
        under_way_, bounds, [](const Closed& closed) { return closed.under_way; }, learns
    );
    queue_ratio_ = queue.ratio;
    if (queue.certain && longer && queue.observed * millis >= settings.queue_min) {
        renew(queue_, number, queue, millis);
    }
}

void LoadWatch::judge_depth(std::int64_t number, const CostSettings& settings, std::size_t keys) {
    const LevelBounds bounds{
        1,
        panes_judged,
        settings.spike_ratio,
        settings.spike_z,
        settings.slow_ratio,
        z_for(settings.known_z, keys)};
    const LevelRise queue = judge(
        depths_, bounds, [](const Closed& closed) { return closed.pane.depths; }, !active()
    );
    queue_ratio_ = queue.ratio;
    if (queue.certain && queue.observed - 1 >= settings.queue_min) {
        renew(queue_, number, queue, 1);
    }
}

void LoadWatch::learn(const Closed& closed) {
    durations_.learn(closed.pane.durations);
    under_way_.learn(closed.under_way);
    depths_.learn(closed.pane.depths);
    usual_new_.merge(closed.pane.millis);
    if (usual_new_.count() >= generation_calls) {
        usual_old_ = std::move(usual_new_);
        usual_new_ = {};
    }
}

void LoadWatch::close_panes(
    std::int64_t pane, double pane_seconds, const CostSettings& settings, std::size_t keys
) {
    while (!open.empty() && open.begin()->first < pane) {
        const std::int64_t number = open.begin()->first;
        Closed closed{.number = number, .pane = std::move(open.begin()->second), .under_way = {}};
        open.erase(open.begin());
        last_pane_ = number;
        const bool calls = closed.pane.durations.n > 0;
        if (calls) {
            closed.under_way.add(closed.pane.durations.sum / pane_seconds);
        }
        recent_.push_back(std::move(closed));
        while (number - recent_.front().number >= static_cast<std::int64_t>(panes_judged)) {
            if (!active()) {  // what is raised is not learned from
                learn(recent_.front());
            }
            recent_.pop_front();
        }
        if (calls) {
            judge_calls(number, settings, keys);
        } else {
            judge_depth(number, settings, keys);
        }
    }
    bool ended = false;
    for (LoadEpisode* const episode : {&slow_, &queue_}) {
        if (episode->active && pane - episode->last > quiet_panes) {
            episode->active = false;
            ended = true;
        }
    }
    if (ended && !active()) {
        durations_.drop_waiting();
        under_way_.drop_waiting();
        depths_.drop_waiting();
    }
}

}  // namespace tagout::detect
