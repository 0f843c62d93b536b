// Mean and spread of logarithms, mergeable; and what is usual for them, exponentially weighted.
//
// Token counts and durations are spread over decades, so one giant would rule a plain mean; their
// logarithms are near to normal (as for file and request sizes: Downey, "The structural cause of
// file size distributions", MASCOTS 2001). Usual values follow West, "Updating mean and variance
// estimates", CACM 1979, in its exponentially weighted form: (EWMA, Roberts, Technometrics 1959).
//
// Thread-compatible values; cost a few ns.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tagout::detect {

struct LogMoments {
    std::uint64_t n = 0;
    double sum = 0;      ///< Of the numbers themselves.
    double log_sum = 0;  ///< Of their natural logarithms; numbers below 1 count as 1.
    double log_square_sum = 0;

    void add(double value) {
        const double log = std::log(std::max(value, 1.0));
        ++n;
        sum += value;
        log_sum += log;
        log_square_sum += log * log;
    }
    void merge(const LogMoments& other) {
        n += other.n;
        sum += other.sum;
        log_sum += other.log_sum;
        log_square_sum += other.log_square_sum;
    }
    [[nodiscard]] double mean() const { return n == 0 ? 0 : sum / static_cast<double>(n); }
    [[nodiscard]] double log_mean() const { return n == 0 ? 0 : log_sum / static_cast<double>(n); }
    [[nodiscard]] double log_variance() const {
        const double mean_of_logs = log_mean();
        return n == 0
                   ? 0
                   : std::max(
                         0.0, log_square_sum / static_cast<double>(n) - mean_of_logs * mean_of_logs
                     );
    }
};

/// What the log mean of a pane usually is, how much single numbers spread, how much panes differ.
class UsualLogMean {
public:
    /// `memory_panes`: about so many panes matter.
    void learn(const LogMoments& pane, double memory_panes) {
        if (pane.n == 0) {
            return;
        }
        const double weight = 1.0 / std::min(memory_panes, static_cast<double>(panes_ + 1));
        const double mean = pane.log_mean();
        if (panes_ > 0) {
            const double off = mean - mean_;
            const double noise = within_ / static_cast<double>(pane.n);
            between_ += weight * (std::max(0.0, off * off - noise) - between_);
        }
        mean_ += weight * (mean - mean_);
        within_ += weight * (pane.log_variance() + (mean - mean_) * (mean - mean_) - within_);
        plain_mean_ += weight * (pane.mean() - plain_mean_);
        ++panes_;
        seen_ += pane.n;
    }
    /// How many standard errors `pane` lies above the usual.
    [[nodiscard]] double z(const LogMoments& pane) const {
        const double variance =
            std::max(within_, 0.04) / static_cast<double>(std::max<std::uint64_t>(pane.n, 1)) +
            between_ + 0.0025;
        return (pane.log_mean() - mean_) / std::sqrt(variance);
    }
    /// Of log means: 2 is twice the usual.
    [[nodiscard]] double ratio(const LogMoments& pane) const {
        return std::exp(pane.log_mean() - mean_);
    }
    [[nodiscard]] double usual() const { return std::exp(mean_); }
    [[nodiscard]] double usual_mean() const { return plain_mean_; }
    [[nodiscard]] std::uint64_t panes() const noexcept { return panes_; }
    [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }

private:
    double mean_ = 0;
    double within_ = 0.25;
    double between_ = 0;
    double plain_mean_ = 0;
    std::uint64_t panes_ = 0;
    std::uint64_t seen_ = 0;
};

}  // namespace tagout::detect
