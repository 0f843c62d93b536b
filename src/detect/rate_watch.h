// One key's rate of bad events over time: is it raised, since when, by how much, and what came of
// the sessions that it hit.
//
// Thread-compatible. A pane (settings.pane of event time) is judged once, when the watermark has
// passed it. What is usual is learned from calm panes only, so a slow burn does not become the new
// normal. Memory: about 600 B a key. Cost: some 20 ns a pane.
#pragma once

#include "detect/key_partials.h"
#include "detect/sketch/rate_cusum.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tagout::detect {

struct RateBounds {
    double usual = 0.05;   ///< Prior.
    double raised = 0.25;  ///< Never reported below.
    std::uint64_t bad_min = 5;
    std::uint64_t sessions_min = 1;
};

/// An episode of a raised rate, from its first bad pane to its end.
struct RateEpisode {
    std::int64_t began = 0;
    std::uint64_t total = 0;
    std::uint64_t bad = 0;
    DistinctCount sessions;
    SpaceSaving<8> agents;
    Exemplar exemplar;
    std::int64_t last_bad = 0;
    double threshold = 0;
};

class RateWatch {
public:
    static constexpr double limit = 10;            ///< exp(-10): see sketch/rate_cusum.h
    static constexpr double usual_weight = 40;     ///< Imagined events at the prior rate.
    static constexpr double usual_memory = 2'000;  ///< Events that matter for what is usual.
    static constexpr std::int64_t quiet_panes =
        24;  ///< Without a bad one so long, an episode is over.

    std::map<std::int64_t, RatePane> open;  ///< Panes that the watermark has not passed.

    /// Judges the open panes before `pane`; true if an episode began, grew or ended.
    bool close_panes(std::int64_t pane, const RateBounds& bounds);

    [[nodiscard]] bool active() const noexcept { return active_; }
    [[nodiscard]] const RateEpisode& episode() const noexcept { return episode_; }
    [[nodiscard]] double usual(const RateBounds& bounds) const {
        return usual_.rate(bounds.usual, usual_weight);
    }
    /// Of the newest pane judged.
    [[nodiscard]] double newest_rate() const noexcept { return newest_rate_; }
    [[nodiscard]] double threshold(const RateBounds& bounds) const;
    [[nodiscard]] std::int64_t last_pane() const noexcept { return last_pane_; }

    AffectedDelta affected;  ///< Of the episode, and of what led to it.

private:
    void judge(std::int64_t number, const RatePane& pane, const RateBounds& bounds);

    RateCusum cusum_;
    UsualRate usual_;
    RateEpisode episode_;  ///< Since the sum left zero, whether or not it is active.
    bool active_ = false;
    double newest_rate_ = 0;
    std::int64_t last_pane_ = 0;
};

}  // namespace tagout::detect
