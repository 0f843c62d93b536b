// cost.tail_latency and cost.queue_depth: how long the calls of one tool or model take, how many of
// them are under way at once, and how deep a queue is that telemetry measures.
//
// Tail latency: the slowest calls became far slower. Either the mean of the logarithms of all
// durations rose (sketch/level_watch.h), or a fifth of the newest calls took twice what 19 of 20
// calls stayed below before. Below slow_min nobody waits, so nothing is reported. Why twice: a
// provider's latency moves by half within a day for no reason that anyone could act on.
//
// Queue depth: where a metric measures it, its values above depth_min. Else what spans tell: calls
// under way at once, by Little's law the sum of the durations that ended in a pane over its length;
// a busy hour raises that too, so it counts only while the calls themselves wait longer.
//
// Nobody is harmed by waiting alone: both are told with an unknown outcome and explain the
// timeouts, failures and complaints that follow.
//
// Thread-compatible. Memory: panes_judged panes a key, about 2 kB each, and two sketches. Cost:
// about 10 us a pane and key, on the key thread; a call adds 45 ns to its span.
#pragma once

#include "detect/key_partials.h"
#include "detect/settings.h"
#include "detect/sketch/level_watch.h"

#include <cstdint>
#include <deque>
#include <map>

namespace tagout::detect {

/// An episode of one of the signals above.
struct LoadEpisode {
    bool active = false;
    std::int64_t began = 0;
    std::int64_t last = 0;  ///< Pane that was judged raised last.
    double observed = 0;    ///< Seconds, calls under way, or depth.
    double usual = 0;
    double ratio = 0;
    double threshold = 0;
    Exemplar exemplar;
    SpaceSaving<8> agents;
};

class LoadWatch {
public:
    static constexpr std::size_t panes_judged = 6;
    static constexpr std::size_t panes_first = 3;
    static constexpr std::int64_t quiet_panes = 24;
    static constexpr std::uint64_t tail_calls_min = 20;
    static constexpr std::uint64_t tail_usual_min = 100;
    static constexpr std::uint64_t generation_calls = 5'000;  ///< Of one sketch; two are kept.

    std::map<std::int64_t, LoadPane> open;

    /// Judges the open panes before `pane`; `keys`: how many are watched.
    void close_panes(
        std::int64_t pane, double pane_seconds, const CostSettings& settings, std::size_t keys
    );

    [[nodiscard]] const LoadEpisode& slow() const noexcept { return slow_; }
    [[nodiscard]] const LoadEpisode& queue() const noexcept { return queue_; }
    [[nodiscard]] bool active() const noexcept { return slow_.active || queue_.active; }
    [[nodiscard]] std::int64_t last_pane() const noexcept { return last_pane_; }
    /// Of the newest pane, in times the usual.
    [[nodiscard]] double slow_ratio() const noexcept { return slow_ratio_; }
    [[nodiscard]] double queue_ratio() const noexcept { return queue_ratio_; }

private:
    struct Closed {
        std::int64_t number = 0;
        LoadPane pane;
        LogMoments under_way;  ///< One number: calls under way, in thousandths.
    };
    using Bounds = LevelBounds;
    [[nodiscard]] LevelRise judge(
        LevelWatch& level, const Bounds& bounds, LogMoments (*of)(const Closed&), bool learns
    ) const;
    [[nodiscard]] LevelRise judge_tail(const CostSettings& settings) const;
    void judge_calls(std::int64_t number, const CostSettings& settings, std::size_t keys);
    void judge_depth(std::int64_t number, const CostSettings& settings, std::size_t keys);
    void renew(LoadEpisode& episode, std::int64_t number, const LevelRise& rise, double unit);
    void learn(const Closed& closed);

    std::deque<Closed> recent_;
    LevelWatch durations_;  ///< Milliseconds.
    LevelWatch under_way_;
    LevelWatch depths_;  ///< One more than measured: zero has no logarithm.
    DdSketch usual_old_;
    DdSketch usual_new_;
    LoadEpisode slow_;
    LoadEpisode queue_;
    double slow_ratio_ = 0;
    double queue_ratio_ = 0;
    std::int64_t last_pane_ = 0;
};

}  // namespace tagout::detect
