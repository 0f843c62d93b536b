// The score of the Numenta Anomaly Benchmark, standard profile, as its own scorer computes it.
//
// Lavin and Ahmad: "Evaluating real-time anomaly detection algorithms - the Numenta Anomaly
// Benchmark", ICMLA 2015. The first 15 % of a series (at most 750 points) is probation and does not
// count. Of the detections in a window the earliest counts: a sigmoid of where it stands, 1 at the
// beginning, 0 at the end. A detection outside costs 0.11, less shortly behind a window. A missed
// window costs 1. The sum over all series is put on a scale from 0 (detects nothing) to 100 (every
// window at its first point). As in the benchmark one threshold serves all series, and it is the
// one that gives the highest sum on them; score_at() gives the score of any other.
//
// Thread-compatible. Memory: a number a point that scored above zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tagout::app {

class NabScore {
public:
    /// One series: its scores, and the first and last points of its windows.
    void add(
        std::span<const double> scores, std::span<const std::pair<std::size_t, std::size_t>> windows
    );

    struct Best {
        double score = 0;
        double threshold = 0;
        std::uint64_t found = 0;
        std::uint64_t false_alarms = 0;
    };
    [[nodiscard]] Best best() const;
    [[nodiscard]] double score_at(double threshold) const;
    [[nodiscard]] std::uint64_t windows() const noexcept { return windows_; }
    [[nodiscard]] std::uint64_t points() const noexcept { return points_; }

private:
    static constexpr std::uint32_t outside = 0xffffffff;
    struct Detection {
        double score = 0;
        double weight = 0;  ///< What it adds when it is reported.
        std::uint32_t window = outside;
    };
    [[nodiscard]] double normalised(double sum) const;

    std::vector<Detection> detections_;
    std::uint64_t windows_ = 0;
    std::uint64_t points_ = 0;
};

}  // namespace tagout::app
