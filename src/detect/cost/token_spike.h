// cost.token_spike: an agent needs far more tokens for a model call, or for a whole request, than
// it usually does. To a person on call: something makes this agent spend; every minute costs.
//
// A busy hour is no spike: not the volume is judged but the tokens of each call and of each request,
// as the mean of their logarithms, against the mean and spread that are usual for the agent
// (sketch/level_watch.h). Two rules. Early, after a few panes: it must have at least tripled over the
// newest panes_judged panes, at 5 standard errors. Once it is known how far half a minute of this very
// agent's traffic strays by itself (spread_windows_min windows): by half over a quarter or half a
// minute, at 3.5 standard errors and more the more agents are watched, so that a hundred of them raise
// no more false alarms than one. Chat-like load doubles within a minute only when something happened;
// bursty load has a spread of its own and needs more. Either way the rise must be dear (tokens above
// the usual ones). Without enough history nothing is usual and nothing fires; cost.runaway_session
// holds then. A spike is a failed outcome by itself: it is spending that no plan foresaw. Sessions
// that another finding explains are not counted.
//
// Thread-compatible. Memory: panes_judged panes a key, about 2 kB each. Cost: some 100 ns a pane.
#pragma once

#include "detect/key_partials.h"
#include "detect/settings.h"
#include "detect/sketch/level_watch.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

namespace tagout::detect {

class SpendingWatch {
public:
    static constexpr std::size_t panes_judged = 6;
    static constexpr std::uint64_t turns_min = 3;
    static constexpr std::int64_t quiet_panes = 24;
    static constexpr std::size_t panes_first = 3;  ///< The shorter window that is judged too.

    std::map<std::int64_t, SpendingPane> open;

    /// Judges the open panes before `pane`; true if a spike began, grew or ended. `agents`: how many
    /// are watched.
    bool close_panes(std::int64_t pane, const CostSettings& settings, std::size_t agents = 1);

    [[nodiscard]] bool active() const noexcept { return active_; }
    [[nodiscard]] std::int64_t began() const noexcept { return began_; }
    [[nodiscard]] double ratio() const noexcept { return ratio_; }  ///< Of the newest judgement.
    [[nodiscard]] double threshold() const noexcept { return threshold_; }  ///< That `ratio` passed.
    [[nodiscard]] bool by_turn() const noexcept { return by_turn_; }
    [[nodiscard]] double observed_tokens() const noexcept { return observed_tokens_; }
    [[nodiscard]] double usual_tokens() const noexcept { return usual_tokens_; }
    [[nodiscard]] std::uint64_t excess_tokens() const noexcept {
        return excess_;
    }  ///< Of the episode.
    /// What the agent took and for whom while it lasted: of each pane judged a spike, and of those
    /// before the first one that rose already.
    [[nodiscard]] std::int64_t tokens() const noexcept { return tokens_; }
    [[nodiscard]] double cost_usd() const noexcept { return cost_usd_; }
    [[nodiscard]] const DistinctCount& users() const noexcept { return users_; }
    [[nodiscard]] const Exemplar& exemplar() const noexcept { return exemplar_; }
    [[nodiscard]] const std::string& model() const noexcept { return model_; }
    [[nodiscard]] std::int64_t last_pane() const noexcept { return last_pane_; }

private:
    struct Closed {
        std::int64_t number = 0;
        SpendingPane pane;
    };
    using Moments = LogMoments SpendingPane::*;
    [[nodiscard]] LogMoments newest(Moments kind, std::size_t panes) const;
    bool judge(std::int64_t number, const CostSettings& settings, std::size_t agents);
    void take_in(const SpendingPane& pane);
    void end();

    std::deque<Closed> recent_;
    LevelWatch call_;
    LevelWatch turn_;
    bool active_ = false;
    bool by_turn_ = false;
    std::int64_t began_ = 0;
    std::int64_t last_spike_ = 0;
    std::int64_t last_pane_ = 0;
    double ratio_ = 0;
    double threshold_ = 0;
    double observed_tokens_ = 0;
    double usual_tokens_ = 0;
    std::uint64_t excess_ = 0;
    std::int64_t tokens_ = 0;
    double cost_usd_ = 0;
    DistinctCount users_;
    Exemplar exemplar_;
    std::string model_;
};

}  // namespace tagout::detect
