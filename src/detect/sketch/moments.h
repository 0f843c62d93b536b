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
#include <array>
#include <cmath>
#include <cstddef>
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
    /// Variance that chance gives the log mean of `n` numbers.
    [[nodiscard]] double noise(std::uint64_t n) const {
        return std::max(within_, 0.04) / static_cast<double>(std::max<std::uint64_t>(n, 1));
    }
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

/// How far the log mean of a window of panes usually strays from the usual one, beyond what the count
/// of its numbers explains: loads drift and come in bursts, each in its own measure. Learned `late`
/// windows behind, so that what rises now does not widen what is usual before it is judged.
class WindowSpread {
public:
    static constexpr std::size_t late = 6;
    static constexpr double memory_windows = 480;
    static constexpr double prior_windows = 20;
    static constexpr double prior_variance = 0.05;

    /// Standard errors that `off` (a difference of log means) is worth, `noise` being its own.
    [[nodiscard]] double z(double off, double noise) const {
        constexpr double rounding = 0.0004;
        return off / std::sqrt(noise + variance_ + rounding);
    }
    void learn(double off, double noise) {
        const Window due = waiting_[next_];
        waiting_[next_] = {off, noise};
        next_ = (next_ + 1) % late;
        if (waiting_count_ < late) {
            ++waiting_count_;
            return;
        }
        constexpr double outlier = 9;  // in variances: what is rarer teaches no more
        const double square = std::min(due.off * due.off, outlier * (due.noise + variance_));
        learned_ = std::min(learned_ + 1, memory_windows);
        const double more = std::max(0.0, square - due.noise);
        variance_ += (more - variance_) / (learned_ + prior_windows);
    }
    /// Forgets what waits: it belonged to an episode.
    void drop_waiting() noexcept { waiting_count_ = 0; }
    [[nodiscard]] double learned() const noexcept { return learned_; }

private:
    struct Window {
        double off = 0;
        double noise = 0;
    };
    std::array<Window, late> waiting_{};
    std::size_t next_ = 0;
    std::size_t waiting_count_ = 0;
    double variance_ = prior_variance;
    double learned_ = 0;
};

}  // namespace tagout::detect
