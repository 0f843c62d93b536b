// What an operator may set about class tool: misused tools. Why a default is what it is stands in
// the header of the signal that reads it. Rows of detect/settings.h.
#pragma once

#include "base/settings.h"

#include <cstdint>

namespace tagout::detect {

struct ToolSettings {
    double client_errors_usual = 0.05;
    double client_errors_raised = 0.25;
    std::uint32_t client_errors_min = 5;
    std::uint32_t client_error_sessions_min = 2;
    double unexpected_write_score = 0.6;
    std::uint32_t habit_sessions_min = 3;
    double denials_usual = 0.03;
    double denials_raised = 0.25;
    std::uint32_t denials_min = 5;
    std::uint32_t denial_sessions_min = 2;
};

template <class Options, class Visitor>
void describe_tool(Options& options, Visitor& visit) {
    visit(
        SettingInfo{
            .path = "detection.tool.4xx_spike.rate_usual",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "The share of refused calls that a tool without history is held to",
        },
        options.client_errors_usual
    );
    visit(
        SettingInfo{
            .path = "detection.tool.4xx_spike.rate_min",
            .min = 0.02,
            .max = 0.95,
            .unit = "share",
            .help = "A tool is never reported below this share of refused calls; higher is calmer",
        },
        options.client_errors_raised
    );
    visit(
        SettingInfo{
            .path = "detection.tool.4xx_spike.errors_min",
            .min = 2,
            .max = 10000,
            .unit = "calls",
            .help = "Fewer refused calls in two minutes are never reported",
        },
        options.client_errors_min
    );
    visit(
        SettingInfo{
            .path = "detection.tool.4xx_spike.sessions_min",
            .min = 1,
            .max = 1000,
            .unit = "sessions",
            .help = "So many sessions must have been refused: one confused session is no storm",
        },
        options.client_error_sessions_min
    );
    visit(
        SettingInfo{
            .path = "detection.tool.unexpected_write.score_min",
            .min = 0.1,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a write must be unasked for; higher is calmer",
        },
        options.unexpected_write_score
    );
    visit(
        SettingInfo{
            .path = "detection.tool.unexpected_write.habit_sessions_min",
            .min = 2,
            .max = 100000,
            .unit = "sessions",
            .help = "Good sessions that must all have written the same identifier before another one "
                    "is unusual; higher is later and surer",
        },
        options.habit_sessions_min
    );
    visit(
        SettingInfo{
            .path = "detection.tool.policy_denials.rate_usual",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "The share of denied calls that an agent without history is held to",
        },
        options.denials_usual
    );
    visit(
        SettingInfo{
            .path = "detection.tool.policy_denials.rate_min",
            .min = 0.02,
            .max = 0.95,
            .unit = "share",
            .help = "An agent is never reported below this share of denied calls; higher is calmer",
        },
        options.denials_raised
    );
    visit(
        SettingInfo{
            .path = "detection.tool.policy_denials.denials_min",
            .min = 1,
            .max = 1000,
            .unit = "calls",
            .help = "Denied calls before a rise is reported; higher is later and surer",
        },
        options.denials_min
    );
    visit(
        SettingInfo{
            .path = "detection.tool.policy_denials.sessions_min",
            .min = 1,
            .max = 1000,
            .unit = "sessions",
            .help = "Sessions that must show a denied call; one session that insists is no rise",
        },
        options.denial_sessions_min
    );
}

}  // namespace tagout::detect
