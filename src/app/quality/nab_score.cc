#include "app/quality/nab_score.h"

#include <algorithm>
#include <cmath>

namespace tagout::app {

namespace {

constexpr double false_alarm_cost = 0.11;
constexpr double missed_cost = 1;
constexpr double found_worth = 1;
constexpr double probation_share = 0.15;
constexpr double probation_points_max = 5'000;

/// 1 far before the end of a window, 0 at it, -1 far behind.
double worth_at(double position) {
    return position >= 3 ? -1 : 2 / (1 + std::exp(5 * position)) - 1;
}

}  // namespace

void NabScore::add(
    std::span<const double> scores, std::span<const std::pair<std::size_t, std::size_t>> windows
) {
    const auto n = static_cast<double>(scores.size());
    const auto probation = static_cast<std::size_t>(
        std::min(std::floor(probation_share * n), probation_share * probation_points_max)
    );
    const std::uint64_t first_window = windows_;
    windows_ += windows.size();
    points_ += scores.size();
    std::size_t next = 0;  // the window that the point is in or before
    for (std::size_t i = 0; i < scores.size(); ++i) {
        while (next < windows.size() && i > windows[next].second) {
            ++next;
        }
        if (i < probation || !(scores[i] > 0)) {
            continue;
        }
        Detection detection{.score = scores[i], .weight = 0, .window = outside};
        if (next < windows.size() && i >= windows[next].first) {
            const auto [first, last] = windows[next];
            const double width = static_cast<double>(last - first + 1);
            const double position = -static_cast<double>(last - i + 1) / width;
            detection.weight = worth_at(position) / worth_at(-1) * found_worth;
            detection.window = static_cast<std::uint32_t>(first_window + next);
        } else {
            double position = 3;
            if (next > 0) {
                const auto [first, last] = windows[next - 1];
                position = static_cast<double>(i - last) /
                           std::max(static_cast<double>(last - first), 1.0);
            }
            detection.weight = worth_at(position) * false_alarm_cost;
        }
        detections_.push_back(detection);
    }
}

double NabScore::normalised(double sum) const {
    const double null = -missed_cost * static_cast<double>(windows_);
    const double perfect = found_worth * static_cast<double>(windows_);
    return windows_ == 0 ? 0 : 100 * (sum - null) / (perfect - null);
}

NabScore::Best NabScore::best() const {
    std::vector<Detection> sorted = detections_;
    std::ranges::sort(sorted, std::greater<>(), &Detection::score);
    std::vector<double> windows(windows_, -missed_cost);
    double sum = -missed_cost * static_cast<double>(windows_);
    Best best{.score = normalised(sum), .threshold = HUGE_VAL};
    std::uint64_t found = 0;
    std::uint64_t false_alarms = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        const Detection& detection = sorted[i];
        if (detection.window == outside) {
            sum += detection.weight;
            ++false_alarms;
        } else {
            double& window = windows[detection.window];
            found += window == -missed_cost ? 1 : 0;
            sum += std::max(0.0, detection.weight - window);
            window = std::max(window, detection.weight);
        }
        const bool last_of_score = i + 1 == sorted.size() || sorted[i + 1].score < detection.score;
        if (last_of_score && normalised(sum) > best.score) {
            best = {normalised(sum), detection.score, found, false_alarms};
        }
    }
    return best;
}

double NabScore::score_at(double threshold) const {
    std::vector<double> windows(windows_, -missed_cost);
    double sum = 0;
    for (const Detection& detection : detections_) {
        if (detection.score < threshold) {
            continue;
        }
        if (detection.window == outside) {
            sum += detection.weight;
        } else {
            double& window = windows[detection.window];
            window = std::max(window, detection.weight);
        }
    }
    for (const double window : windows) {
        sum += window;
    }
    return normalised(sum);
}

}  // namespace tagout::app
