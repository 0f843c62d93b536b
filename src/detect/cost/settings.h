// What an operator may set about class cost: tokens, money and time that run away. Why a default is
// what it is stands in the header of the signal that reads it. Rows of detect/settings.h.
#pragma once

#include "base/settings.h"

#include <cstdint>

namespace tagout::detect {

struct CostSettings {
    double spike_ratio = 3;
    double spike_z = 5;
    double known_ratio = 1.5;
    double known_z = 3.5;
    std::uint32_t spike_tokens_min = 20'000;
    std::uint32_t spike_calls_min = 5;
    std::uint32_t usual_calls_min = 30;
    double series_score = 8.7;
    double slow_ratio = 2;
    double slow_min = 1;
    double queue_min = 10;
    double outcome_ratio = 2;
    std::uint32_t outcome_sessions_min = 20;
    std::uint32_t steps_max = 150;
    std::uint32_t tokens_max = 400'000;
    double cost_usd_max = 10;
    double timeouts_usual = 0.03;
    double timeouts_raised = 0.2;
    std::uint32_t timeouts_min = 5;
};

template <class Options, class Visitor>
void describe_cost(Options& options, Visitor& visit) {
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.ratio_min",
            .min = 1.2,
            .max = 100,
            .unit = "times",
            .help = "How far above its usual tokens an agent may go; higher is calmer",
        },
        options.spike_ratio
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.z_min",
            .min = 2,
            .max = 50,
            .unit = "standard errors",
            .help = "How surely the rise must be no chance; higher is calmer",
        },
        options.spike_z
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.known_ratio_min",
            .min = 1.1,
            .max = 100,
            .unit = "times",
            .help = "As ratio_min, once it is known how far an agent's half minutes stray by "
                    "themselves",
        },
        options.known_ratio
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.known_z_min",
            .min = 2,
            .max = 50,
            .unit = "standard errors",
            .help = "As z_min, once that is known; rises with the number of agents watched",
        },
        options.known_z
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.tokens_min",
            .min = 0,
            .max = 1000000000,
            .unit = "tokens",
            .help = "A rise that cost less than this in half a minute is never reported",
        },
        options.spike_tokens_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.calls_min",
            .min = 1,
            .max = 10000,
            .unit = "calls",
            .help = "Fewer model calls in half a minute are never judged",
        },
        options.spike_calls_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.usual_calls_min",
            .min = 5,
            .max = 100000,
            .unit = "calls",
            .help = "What is usual for an agent is known after so many model calls",
        },
        options.usual_calls_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.series.score_min",
            .min = 2,
            .max = 100,
            .unit = "score",
            .help = "How far and how rarely a series of numbers must leave its usual course; "
                    "higher is calmer",
        },
        options.series_score
    );
    visit(
        SettingInfo{
            .path = "detection.cost.tail_latency.ratio_min",
            .min = 1.2,
            .max = 100,
            .unit = "times",
            .help = "How far above its usual a tool's or model's latency, or a queue, may go; higher "
                    "is calmer",
        },
        options.slow_ratio
    );
    visit(
        SettingInfo{
            .path = "detection.cost.tail_latency.seconds_min",
            .min = 0.001,
            .max = 3600,
            .unit = "s",
            .help = "Calls that take less than this are never reported as slow",
        },
        options.slow_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.queue_depth.depth_min",
            .min = 1,
            .max = 1000000,
            .unit = "calls",
            .help = "Fewer calls waiting or under way at once are never reported",
        },
        options.queue_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.outcome_cost.ratio_min",
            .min = 1.2,
            .max = 100,
            .unit = "times",
            .help = "How far above its usual the cost of a good outcome may go; higher is calmer",
        },
        options.outcome_ratio
    );
    visit(
        SettingInfo{
            .path = "detection.cost.outcome_cost.sessions_min",
            .min = 5,
            .max = 100000,
            .unit = "sessions",
            .help = "The cost of a good outcome is judged over so many ended sessions at a time",
        },
        options.outcome_sessions_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.runaway_session.steps_max",
            .min = 10,
            .max = 100000,
            .unit = "steps",
            .help = "Model and tool calls that one request may take",
        },
        options.steps_max
    );
    visit(
        SettingInfo{
            .path = "detection.cost.runaway_session.tokens_max",
            .min = 1000,
            .max = 1000000000,
            .unit = "tokens",
            .help = "Tokens, without cached ones, that one request may take",
        },
        options.tokens_max
    );
    visit(
        SettingInfo{
            .path = "detection.cost.runaway_session.cost_max",
            .min = 0.01,
            .max = 100000,
            .unit = "USD",
            .help = "Money that one request may cost",
        },
        options.cost_usd_max
    );
    visit(
        SettingInfo{
            .path = "detection.cost.timeout_rate.rate_usual",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "The share of timeouts that a tool or model without history is held to",
        },
        options.timeouts_usual
    );
    visit(
        SettingInfo{
            .path = "detection.cost.timeout_rate.rate_min",
            .min = 0.02,
            .max = 0.95,
            .unit = "share",
            .help = "A tool or model is never reported below this share of timeouts",
        },
        options.timeouts_raised
    );
    visit(
        SettingInfo{
            .path = "detection.cost.timeout_rate.timeouts_min",
            .min = 2,
            .max = 10000,
            .unit = "calls",
            .help = "Fewer timeouts in two minutes are never reported",
        },
        options.timeouts_min
    );
}

}  // namespace tagout::detect
