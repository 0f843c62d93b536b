#include "detect/cost/token_spike.h"

#include <algorithm>

namespace tagout::detect {

namespace {

struct Rise {
    bool certain = false;
    double ratio = 0;
    double observed = 0;
    double usual = 0;
};

Rise rise_of(
    const LogMoments& now, const UsualLogMean& usual, std::uint64_t n_min, std::uint64_t seen_min,
    const CostSettings& settings
) {
    Rise rise;
    if (now.n < n_min || usual.seen() < seen_min ||
        usual.panes() < SpendingWatch::usual_panes_min) {
        return rise;
    }
    rise.ratio = usual.ratio(now);
    rise.observed = now.mean();
    rise.usual = usual.usual_mean();
    const double z = usual.z(now);
    const bool most_rose = rise.ratio >= settings.spike_ratio && z >= settings.spike_z;
    const double mean_ratio = rise.usual > 0 ? rise.observed / rise.usual : 0;
    const bool some_rose_much = mean_ratio >= 2 * settings.spike_ratio && z >= 3;
    rise.certain = most_rose || some_rose_much;
    rise.ratio = some_rose_much ? std::max(rise.ratio, mean_ratio) : rise.ratio;
    return rise;
}

}  // namespace

void SpendingWatch::take_in(const SpendingPane& pane) {
    tokens_ += static_cast<std::int64_t>(pane.tokens);
    cost_usd_ += pane.cost_usd;
    users_.merge(pane.users);
}

bool SpendingWatch::judge(std::int64_t number, const CostSettings& settings) {
    SpendingPane now;
    for (const Closed& closed : recent_) {
        now.merge(closed.pane);
    }
    const Rise call = rise_of(
        now.per_call, usual_call_, settings.spike_calls_min, settings.usual_calls_min, settings
    );
    const Rise turn =
        rise_of(now.per_turn, usual_turn_, turns_min, settings.usual_calls_min / 3, settings);
    by_turn_ = turn.certain && (!call.certain || turn.ratio > call.ratio);
    const Rise& rise = by_turn_ || (!call.certain && turn.ratio > call.ratio) ? turn : call;
    ratio_ = rise.ratio;
    const double count = static_cast<double>(by_turn_ ? now.per_turn.n : now.per_call.n);
    const double excess = std::max(0.0, (rise.observed - rise.usual) * count);
    if (!rise.certain || excess < settings.spike_tokens_min) {
        return false;
    }
    if (!active_) {
        began_ = recent_.front().number;
        excess_ = 0;
        exemplar_ = now.exemplar;
        tokens_ = 0;
        cost_usd_ = 0;
        users_ = {};
        bool rose = false;
        for (std::size_t i = 0; i + 1 < recent_.size(); ++i) {
            const SpendingPane& pane = recent_[i].pane;
            const bool rises =
                pane.per_call.n > 0 && usual_call_.ratio(pane.per_call) >= settings.spike_ratio;
            rose = rose || rises;
            if (rose) {
                take_in(pane);
            }
        }
    }
    take_in(recent_.back().pane);
    active_ = true;
    last_spike_ = number;
    observed_tokens_ = rise.observed;
    usual_tokens_ = rise.usual;
    excess_ = std::max(excess_, static_cast<std::uint64_t>(excess));
    const auto models = now.models.top();
    model_ = models.empty() ? "" : models.front().name;
    return true;
}

bool SpendingWatch::close_panes(std::int64_t pane, const CostSettings& settings) {
    bool changed = false;
    while (!open.empty() && open.begin()->first < pane) {
        const std::int64_t number = open.begin()->first;
        recent_.push_back({number, std::move(open.begin()->second)});
        open.erase(open.begin());
        last_pane_ = number;
        while (number - recent_.front().number >= static_cast<std::int64_t>(panes_judged)) {
            if (!active_) {  // what spikes is not learned from
                usual_call_.learn(recent_.front().pane.per_call, usual_panes);
                usual_turn_.learn(recent_.front().pane.per_turn, usual_panes);
            }
            recent_.pop_front();
        }
        changed = judge(number, settings) || changed;
    }
    if (active_ && pane - last_spike_ > quiet_panes) {
        active_ = false;
        changed = true;
    }
    return changed;
}

}  // namespace tagout::detect
