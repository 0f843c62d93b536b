#include "detect/cost/token_spike.h"

#include <algorithm>

namespace tagout::detect {

LogMoments SpendingWatch::newest(Moments kind, std::size_t panes) const {
    LogMoments sum;
    const std::int64_t first = recent_.back().number - static_cast<std::int64_t>(panes) + 1;
    for (const Closed& closed : recent_) {
        if (closed.number >= first) {
            sum.merge(closed.pane.*kind);
        }
    }
    return sum;
}

void SpendingWatch::take_in(const SpendingPane& pane) {
    tokens_ += static_cast<std::int64_t>(pane.tokens);
    cost_usd_ += pane.cost_usd;
    users_.merge(pane.users);
}

void SpendingWatch::end() {
    active_ = false;
    call_.drop_waiting();
    turn_.drop_waiting();
}

bool SpendingWatch::judge(std::int64_t number, const CostSettings& settings, std::size_t agents) {
    const auto judge_kind = [&](LevelWatch& level, Moments kind, std::uint64_t numbers_min,
                                std::uint64_t usual_min) {
        const LevelBounds bounds{
            numbers_min,
            usual_min,
            settings.spike_ratio,
            settings.spike_z,
            settings.known_ratio,
            z_for(settings.known_z, agents)};
        return level.judge(
            {newest(kind, panes_first), newest(kind, panes_judged)}, bounds, !active_
        );
    };
    const LevelRise call = judge_kind(
        call_, &SpendingPane::per_call, settings.spike_calls_min, settings.usual_calls_min
    );
    const LevelRise turn =
        judge_kind(turn_, &SpendingPane::per_turn, turns_min, settings.usual_calls_min / 3);
    by_turn_ = turn.certain && (!call.certain || turn.ratio > call.ratio);
    const LevelRise& rise = by_turn_ || (!call.certain && turn.ratio > call.ratio) ? turn : call;
    ratio_ = rise.ratio;
    threshold_ = rise.threshold;
    const double excess =
        std::max(0.0, (rise.observed - rise.usual) * static_cast<double>(rise.count));
    if (!rise.certain || excess < settings.spike_tokens_min) {
        return false;
    }
    SpendingPane now;
    for (const Closed& closed : recent_) {
        now.merge(closed.pane);
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
                pane.per_call.n > 0 && call_.usual().ratio(pane.per_call) >= rise.threshold;
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

bool SpendingWatch::close_panes(
    std::int64_t pane, const CostSettings& settings, std::size_t agents
) {
    bool changed = false;
    while (!open.empty() && open.begin()->first < pane) {
        const std::int64_t number = open.begin()->first;
        recent_.push_back({number, std::move(open.begin()->second)});
        open.erase(open.begin());
        last_pane_ = number;
        while (number - recent_.front().number >= static_cast<std::int64_t>(panes_judged)) {
            if (!active_) {  // what spikes is not learned from
                call_.learn(recent_.front().pane.per_call);
                turn_.learn(recent_.front().pane.per_turn);
            }
            recent_.pop_front();
        }
        changed = judge(number, settings, agents) || changed;
    }
    if (active_ && pane - last_spike_ > quiet_panes) {
        end();
        changed = true;
    }
    return changed;
}

}  // namespace tagout::detect
