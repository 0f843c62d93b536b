// Whether numbers that come in counts (tokens of calls, durations) lie above what is usual for
// them.
//
// Judged is the mean of logarithms over the newest panes against usual mean and spread
// (sketch/moments.h), so a busy hour is no rise and few numbers weigh little. Two rules. Early,
// after a few panes: at least `early_ratio` times the usual, at `early_z` standard errors. Known,
// once spread_windows_min windows told how far these numbers stray by themselves: `known_ratio`
// times, at `known_z` of that spread. What is judged a rise must not be learned: the caller says
// so.
//
// Thread-compatible value. Memory: 0.4 kB. Cost: some 100 ns a judgement.
#pragma once

#include "detect/sketch/moments.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace tagout::detect {

struct LevelBounds {
    std::uint64_t numbers_min = 1;  ///< In a window.
    std::uint64_t usual_min = 1;    ///< Learned before.
    double early_ratio = 3;
    double early_z = 5;
    double known_ratio = 1.5;
    double known_z = 3.5;
};

struct LevelRise {
    bool certain = false;
    double ratio = 0;
    double threshold = 0;  ///< Of the ratio.
    double observed = 0;   ///< Plain means.
    double usual = 0;
    std::uint64_t count = 0;  ///< Numbers in the window.
};

class LevelWatch {
public:
    static constexpr double usual_panes = 240;
    static constexpr std::uint64_t usual_panes_min = 4;
    static constexpr double spread_windows_min = 12;
    static constexpr std::size_t windows_max = 2;

    /// `windows`: sums over fewer and over all of the newest panes. `learns`: nothing is going on.
    [[nodiscard]] LevelRise judge(
        const std::array<LogMoments, windows_max>& windows, const LevelBounds& bounds, bool learns
    ) {
        LevelRise rise;
        if (mean_.seen() < bounds.usual_min || mean_.panes() < usual_panes_min) {
            return rise;
        }
        const auto take = [&](const LogMoments& now, double ratio, double threshold) {
            if (!rise.certain || ratio > rise.ratio) {
                rise = {true, ratio, threshold, now.mean(), mean_.usual_mean(), now.n};
            }
        };
        const LogMoments& all = windows.back();
        if (all.n >= bounds.numbers_min) {
            const double ratio = mean_.ratio(all);
            const double z = mean_.z(all);
            const double means = mean_.usual_mean() > 0 ? all.mean() / mean_.usual_mean() : 0;
            rise = {false, ratio, bounds.early_ratio, all.mean(), mean_.usual_mean(), all.n};
            if (ratio >= bounds.early_ratio && z >= bounds.early_z) {
                take(all, ratio, bounds.early_ratio);
            }
            if (means >= 2 * bounds.early_ratio && z >= 3) {  // some rose much
                take(all, std::max(ratio, means), bounds.early_ratio);
            }
        }
        for (std::size_t i = 0; i < windows.size(); ++i) {
            const LogMoments& now = windows[i];
            if (now.n < bounds.numbers_min) {
                continue;
            }
            WindowSpread& spread = spreads_[i];
            const double ratio = mean_.ratio(now);
            const double off = std::log(ratio);
            const double noise = mean_.noise(now.n);
            if (spread.learned() >= spread_windows_min && ratio >= bounds.known_ratio &&
                spread.z(off, noise) >= bounds.known_z) {
                take(now, ratio, bounds.known_ratio);
            }
            if (learns) {
                spread.learn(off, noise);
            }
        }
        return rise;
    }
    /// A pane that left the windows, and was part of no rise.
    void learn(const LogMoments& pane) { mean_.learn(pane, usual_panes); }
    /// A rise is over: what waits to be learned belonged to it.
    void drop_waiting() noexcept {
        for (WindowSpread& spread : spreads_) {
            spread.drop_waiting();
        }
    }
    [[nodiscard]] const UsualLogMean& usual() const noexcept { return mean_; }

private:
    UsualLogMean mean_;
    std::array<WindowSpread, windows_max> spreads_;
};

/// Of n normal numbers the largest lies near sqrt(2 ln n): so much more is chance when `watched`
/// keys are judged at once, and a hundred of them raise no more false alarms than one.
[[nodiscard]] inline double z_for(double z, std::size_t watched) {
    return std::sqrt(z * z + 2 * std::log(static_cast<double>(std::max<std::size_t>(watched, 1))));
}

}  // namespace tagout::detect
