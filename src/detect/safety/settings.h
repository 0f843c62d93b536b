// What an operator may set about class safety: agents that obey whom they must not. Why a default
// is what it is stands in the header of the signal that reads it. Rows of detect/settings.h.
#pragma once

#include "base/settings.h"
#include "detect/safety/default_places.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tagout::detect {

struct SafetySettings {
    double untrusted_value_score = 0.6;
    double instruction_score = 0.6;
    std::uint32_t profile_sessions_min = 20;
    double tool_chance_max = 0.2;
    double chance_max = 0.1;
    std::uint32_t singles_max = 4;
    double sequence_chance_max = 0.06;
    bool phrases = true;
    double escalation_score = 0.6;
    double tests_failed_max = 0;
    std::vector<std::string> places = default_places();
    std::vector<std::string> canaries;
};

template <class Options, class Visitor>
void describe_safety(Options& options, Visitor& visit) {
    visit(
        SettingInfo{
            .path = "detection.safety.untrusted_value.score_min",
            .min = 0.1,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a call must follow foreign text; higher is calmer",
        },
        options.untrusted_value_score
    );
    visit(
        SettingInfo{
            .path = "detection.safety.untrusted_value.chance_max",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "A value that a tool's result named is news in its argument if good sessions "
                    "make a new one there less likely than this; lower is calmer",
        },
        options.chance_max
    );
    visit(
        SettingInfo{
            .path = "detection.safety.untrusted_value.singles_max",
            .min = 0,
            .max = 40,
            .unit = "values",
            .help = "An argument of which more values than these were seen in one good session "
                    "only takes new ones as it likes",
        },
        options.singles_max
    );
    visit(
        SettingInfo{
            .path = "detection.safety.unusual_sequence.chance_max",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "An order of calls is news if good sessions show a new one less likely than "
                    "this; lower is calmer",
        },
        options.sequence_chance_max
    );
    visit(
        SettingInfo{
            .path = "detection.safety.instruction_in_result.score_min",
            .min = 0.1,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a result must read like orders to be reported",
        },
        options.instruction_score
    );
    visit(
        SettingInfo{
            .path = "detection.safety.instruction_in_result.phrases",
            .help = "Look for known wordings of orders in results; without them habits and the "
                    "origin of values judge alone",
        },
        options.phrases
    );
    visit(
        SettingInfo{
            .path = "detection.safety.injection_tests.failed_share_max",
            .min = 0,
            .max = 1,
            .unit = "share",
            .help = "A suite of prompt-injection tests may fail so large a part of them",
        },
        options.tests_failed_max
    );
    visit(
        SettingInfo{
            .path = "detection.safety.escalation.score_min",
            .min = 0.1,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a call must reach for more power than its task needs",
        },
        options.escalation_score
    );
    visit(
        SettingInfo{
            .path = "detection.safety.sensitive_endpoint.places",
            .min = 3,
            .max = 200,
            .unit = "bytes",
            .help = "Texts in a call's arguments that name a place where agents have no business: "
                    "add your internal hosts and admin paths; a list replaces the whole default",
        },
        options.places
    );
    visit(
        SettingInfo{
            .path = "detection.safety.secret_leaving.canaries",
            .min = 3,
            .max = 200,
            .unit = "bytes",
            .help = "Planted texts that nobody has a reason to use: seen in any call, they are "
                    "reported, and never shown",
        },
        options.canaries
    );
    visit(
        SettingInfo{
            .path = "detection.safety.new_tool.chance_max",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "A tool that no good session used, called with a value of a tool's result, is "
                    "news if good sessions use a new one less likely than this; lower is calmer",
        },
        options.tool_chance_max
    );
    visit(
        SettingInfo{
            .path = "detection.safety.new_tool.sessions_min",
            .min = 2,
            .max = 10000,
            .unit = "sessions",
            .help =
                "A workflow's habit is known after so many good sessions; before, no tool is new",
        },
        options.profile_sessions_min
    );
}

}  // namespace tagout::detect
