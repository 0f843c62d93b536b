#include "detect/cost/runaway_session.h"

#include <algorithm>
#include <string>

namespace tagout::detect {

namespace {

std::string money(double usd) {
    const auto cents = static_cast<std::int64_t>(usd * 100 + 0.5);
    const std::int64_t rest = cents % 100;
    return std::to_string(cents / 100) + "." + (rest < 10 ? "0" : "") + std::to_string(rest) +
           " USD";
}

}  // namespace

std::optional<Sighting> judge_budget(const Turn& turn, const CostSettings& settings) {
    const double steps = static_cast<double>(turn.steps) / settings.steps_max;
    const double tokens = static_cast<double>(turn.fresh_tokens) / settings.tokens_max;
    const double cost = turn.cost_usd / settings.cost_usd_max;
    const double used = std::max({steps, tokens, cost});
    if (used <= 1) {
        return std::nullopt;
    }
    Sighting sighting{.signal = SignalId::RunawaySession};
    sighting.observed = used;
    sighting.threshold = 1;
    sighting.score = std::min(0.95, 0.6 + 0.1 * used);
    sighting.cause = "spending";
    if (tokens == used) {
        sighting.evidence = "one request took " + std::to_string(turn.fresh_tokens) +
                            " tokens of " + std::to_string(settings.tokens_max);
    } else if (steps == used) {
        sighting.evidence = "one request took " + std::to_string(turn.steps) + " steps of " +
                            std::to_string(settings.steps_max);
    } else {
        sighting.evidence =
            "one request cost " + money(turn.cost_usd) + " of " + money(settings.cost_usd_max);
    }
    return sighting;
}

}  // namespace tagout::detect
