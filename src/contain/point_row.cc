#include "contain/point_row.h"

#include <algorithm>
#include <vector>

namespace tagout::contain {

EffectTimes EffectRing::times() const {
    const std::size_t held = std::min<std::size_t>(count_, times_.size());
    std::vector<Duration> sorted(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(held));
    std::ranges::sort(sorted);
    EffectTimes times{.count = count_};
    if (!sorted.empty()) {
        // The smallest that so many are not above.
        const auto at = [&](std::size_t percent) {
            return sorted[(sorted.size() * percent + 99) / 100 - 1];
        };
        times.p50 = at(50);
        times.p99 = at(99);
        times.max = sorted.back();
    }
    return times;
}

Instant PointRow::acknowledged(std::uint64_t revision) const {
    const auto found = std::ranges::find_if(acks, [&](const Ack& ack) {
        return ack.revision >= revision;
    });
    return found == acks.end() ? status.acknowledged_at.value_or(joined_at) : found->at;
}

void PointRow::answered(std::uint64_t revision, Instant at) {
    status.revision = revision;
    status.acknowledged_at = at;
    status.error.clear();
    failures = 0;
    if (acks.size() >= acks_max) {
        acks.pop_front();  // What it covered is taken to be as late as the next: never too early.
    }
    acks.push_back({revision, at});
}

}  // namespace tagout::contain
