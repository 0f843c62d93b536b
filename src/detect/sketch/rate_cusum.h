// A change of a rate, found by a cumulative sum of log likelihood ratios: count-aware by nature.
//
// Every bad event speaks for the raised rate, every good one against it, each with the weight that
// the two rates give it; the sum never falls below zero and an alarm is raised at `limit`. With a
// usual rate of 5 % against 25 % five bad events of five reach 8; five of a hundred never do. The
// chance of a false alarm from any one starting point is at most exp(-limit).
// Source: Page, "Continuous inspection schemes", Biometrika 1954; Lorden, Ann. Math. Stat. 1971.
//
// The usual rate is learned with a Beta prior, so a key without history is held to the prior.
// Thread-compatible values; cost a few ns a pane.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tagout::detect {

class RateCusum {
public:
    void add(std::uint64_t bad, std::uint64_t total, double usual, double raised, double limit) {
        usual = std::clamp(usual, 1e-4, 0.9);
        raised = std::clamp(raised, usual * 1.01, 0.999);
        const auto good = static_cast<double>(total - std::min(bad, total));
        sum_ += static_cast<double>(bad) * std::log(raised / usual) +
                good * std::log((1 - raised) / (1 - usual));
        sum_ = std::clamp(
            sum_, 0.0, 2 * limit
        );  // the cap bounds how long an alarm outlives its cause
    }
    void reset() noexcept { sum_ = 0; }
    [[nodiscard]] double sum() const noexcept { return sum_; }

private:
    double sum_ = 0;
};

class UsualRate {
public:
    void learn(std::uint64_t bad, std::uint64_t total, double memory) {
        total_ += static_cast<double>(total);
        bad_ += static_cast<double>(bad);
        if (total_ > memory) {
            bad_ *= memory / total_;
            total_ = memory;
        }
    }
    /// The rate expected of the next event, with `weight` imagined events at the `prior` rate.
    [[nodiscard]] double rate(double prior, double weight) const {
        return (bad_ + prior * weight) / (total_ + weight);
    }
    [[nodiscard]] double seen() const noexcept { return total_; }

private:
    double bad_ = 0;
    double total_ = 0;
};

}  // namespace tagout::detect
