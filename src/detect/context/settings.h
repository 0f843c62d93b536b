// What an operator may set about class context: lost, stale and contradictory context. Why a
// default is what it is stands in the header of the signal that reads it. Rows of
// detect/settings.h.
#pragma once

#include "base/settings.h"

#include <cstdint>

namespace tagout::detect {

struct ContextSettings {
    std::uint32_t duplicates_min = 2;
    std::uint32_t duplicates_unheard_min = 4;
    std::uint32_t duplicate_writes_min = 2;
    std::uint32_t rounds_min = 2;
    std::uint32_t circle_max = 5;
    std::uint32_t stuck_calls = 8;
};

template <class Options, class Visitor>
void describe_context(Options& options, Visitor& visit) {
    visit(
        SettingInfo{
            .path = "detection.context.duplicate_action.calls_min",
            .min = 2,
            .max = 100,
            .unit = "calls",
            .help = "So many equal calls with equal results, for one request of the user, are "
                    "reported",
        },
        options.duplicates_min
    );
    visit(
        SettingInfo{
            .path = "detection.context.duplicate_action.unheard_calls_min",
            .min = 2,
            .max = 100,
            .unit = "calls",
            .help = "The same where telemetry does not tell what the user says",
        },
        options.duplicates_unheard_min
    );
    visit(
        SettingInfo{
            .path = "detection.context.duplicate_action.writes_min",
            .min = 2,
            .max = 100,
            .unit = "calls",
            .help = "So many equal calls that change something are reported",
        },
        options.duplicate_writes_min
    );
    visit(
        SettingInfo{
            .path = "detection.context.circular_actions.rounds_min",
            .min = 2,
            .max = 100,
            .unit = "rounds",
            .help = "So many equal rounds of a circle of calls are reported",
        },
        options.rounds_min
    );
    visit(
        SettingInfo{
            .path = "detection.context.circular_actions.circle_max",
            .min = 2,
            .max = 8,
            .unit = "calls",
            .help = "Circles up to this length are looked for",
        },
        options.circle_max
    );
    visit(
        SettingInfo{
            .path = "detection.context.stuck_calls",
            .min = 3,
            .max = 1000,
            .unit = "calls",
            .help = "After so many calls that brought nothing new the session counts as failed",
        },
        options.stuck_calls
    );
}

}  // namespace tagout::detect
