// What an operator may set about detection. The initialisers are the defaults, and the only place
// where they are written; describe() adds bounds, units and the sentence shown to people. What belongs
// to one failure class stands in its folder.
#pragma once

#include "base/clock.h"
#include "base/settings.h"
#include "detect/context/settings.h"
#include "detect/cost/settings.h"
#include "detect/intent/settings.h"
#include "detect/safety/settings.h"
#include "detect/tool/settings.h"

#include <cstdint>

namespace tagout::detect {

struct Settings {
    Duration session_idle = std::chrono::minutes(5);
    std::uint32_t sessions_max = 200'000;
    Duration settle = std::chrono::milliseconds(700);
    std::uint32_t atoms_max = 6'000;
    std::uint64_t values_bytes_max = 256ULL << 20;
    std::uint32_t actions_max = 64;
    std::uint32_t names_max = 100'000;
    double eval_fail_below = 0.5;
    Duration pane = std::chrono::seconds(5);
    Duration lateness = std::chrono::seconds(3);
    std::uint32_t keys_max = 20'000;
    double failed_share_min = 0.3;
    IntentSettings intent;
    ToolSettings tool;
    ContextSettings context;
    SafetySettings safety;
    CostSettings cost;
};

template <class Options, class Visitor>
requires requires(Options& options) {
    options.session_idle;
    options.intent.retries_min;
}
void describe(Options& options, Visitor&& visit) {
    visit(
        SettingInfo{
            .path = "detection.session_idle",
            .min = 1,
            .max = 86400,
            .unit = "s",
            .help = "Without events for this long, a session ended",
        },
        options.session_idle
    );
    visit(
        SettingInfo{
            .path = "detection.sessions_max",
            .min = 100,
            .max = 10000000,
            .unit = "sessions",
            .help = "Live sessions of one shard; past it the idlest is closed early",
        },
        options.sessions_max
    );
    visit(
        SettingInfo{
            .path = "detection.settle",
            .min = 0,
            .max = 60,
            .unit = "s",
            .help = "How long a call waits for texts that are still on their way before its values "
                    "are judged",
        },
        options.settle
    );
    visit(
        SettingInfo{
            .path = "detection.values.atoms_max",
            .min = 100,
            .max = 100000,
            .unit = "atoms",
            .help = "Different values remembered of one session",
        },
        options.atoms_max
    );
    visit(
        SettingInfo{
            .path = "detection.values.bytes_max",
            .min = 1048576,
            .max = 1000000000000,
            .unit = "bytes",
            .help = "Memory of one shard for the values of all its sessions; past it the idlest "
                    "forget theirs",
        },
        options.values_bytes_max
    );
    visit(
        SettingInfo{
            .path = "detection.actions_max",
            .min = 8,
            .max = 1000,
            .unit = "calls",
            .help = "Calls of one session that are compared with each other",
        },
        options.actions_max
    );
    visit(
        SettingInfo{
            .path = "detection.names_max",
            .min = 100,
            .max = 10000000,
            .unit = "names",
            .help = "Different agents, tools, workflows and models of one shard",
        },
        options.names_max
    );
    visit(
        SettingInfo{
            .path = "detection.eval_fail_below",
            .min = 0,
            .max = 1,
            .unit = "score",
            .help = "An evaluation from 0 to 1 below this fails its session",
        },
        options.eval_fail_below
    );
    visit(
        SettingInfo{
            .path = "detection.pane",
            .min = 1,
            .max = 600,
            .unit = "s",
            .help = "Rates are judged in steps of this length",
        },
        options.pane
    );
    visit(
        SettingInfo{
            .path = "detection.lateness",
            .min = 0,
            .max = 600,
            .unit = "s",
            .help = "How long a step waits for events that are late; later ones count in their "
                    "session alone",
        },
        options.lateness
    );
    visit(
        SettingInfo{
            .path = "detection.keys_max",
            .min = 10,
            .max = 1000000,
            .unit = "keys",
            .help = "Tools, agents, workflows and models whose rates are watched",
        },
        options.keys_max
    );
    visit(
        SettingInfo{
            .path = "detection.failed_share_min",
            .min = 0.01,
            .max = 1,
            .unit = "share",
            .help = "A rate is a failed outcome if this share of its sessions failed",
        },
        options.failed_share_min
    );
    describe_intent(options.intent, visit);
    describe_tool(options.tool, visit);
    describe_context(options.context, visit);
    describe_safety(options.safety, visit);
    describe_cost(options.cost, visit);
}

}  // namespace tagout::detect
