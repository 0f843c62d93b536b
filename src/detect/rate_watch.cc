#include "detect/rate_watch.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr double raised_times = 3;
constexpr double raised_max = 0.95;

}  // namespace

double RateWatch::threshold(const RateBounds& bounds) const {
    return std::min(raised_max, std::max(bounds.raised, raised_times * usual(bounds)));
}

void RateWatch::judge(std::int64_t number, const RatePane& pane, const RateBounds& bounds) {
    last_pane_ = number;
    newest_rate_ =
        pane.total == 0 ? 0 : static_cast<double>(pane.bad) / static_cast<double>(pane.total);
    if (!active_ && cusum_.sum() <= 0) {
        episode_ = RateEpisode{};
        episode_.began = number;
    }
    cusum_.add(pane.bad, pane.total, usual(bounds), threshold(bounds), limit);
    episode_.total += pane.total;
    episode_.bad += pane.bad;
    episode_.sessions.merge(pane.sessions);
    if (pane.bad > 0) {
        episode_.agents.merge(pane.agents);
        episode_.exemplar.merge(pane.exemplar);
        episode_.last_bad = number;
    }
    const double rate = episode_.total == 0 ? 0
                                            : static_cast<double>(episode_.bad) /
                                                  static_cast<double>(episode_.total);
    if (!active_ && cusum_.sum() >= limit && episode_.bad >= bounds.bad_min &&
        episode_.sessions.count() >= bounds.sessions_min && rate >= bounds.raised) {
        active_ = true;
        episode_.threshold = threshold(bounds);
    } else if (!active_ && cusum_.sum() < limit / 2) {
        usual_.learn(pane.bad, pane.total, usual_memory);
        if (cusum_.sum() <= 0) {
            affected = {};
        }
    }
    if (active_ && cusum_.sum() <= 0) {
        active_ = false;
        affected = {};
    }
}

bool RateWatch::close_panes(std::int64_t pane, const RateBounds& bounds) {
    bool changed = false;
    while (!open.empty() && open.begin()->first < pane) {
        const bool before = active_;
        const RatePane& closing = open.begin()->second;
        judge(open.begin()->first, closing, bounds);
        changed = changed || before != active_ || (active_ && closing.bad > 0);
        open.erase(open.begin());
    }
    if (active_ && pane - episode_.last_bad > quiet_panes) {
        active_ = false;
        cusum_.reset();
        affected = {};
        changed = true;
    }
    return changed;
}

}  // namespace tagout::detect
