// What an operator may set about class intent: wrong plans for valid requests. Why a default is
// what it is stands in the header of the signal that reads it. Rows of detect/settings.h.
#pragma once

#include "base/settings.h"

#include <cstdint>

namespace tagout::detect {

struct IntentSettings {
    double corrections_usual = 0.08;
    double corrections_raised = 0.3;
    std::uint32_t corrections_min = 4;
    double correction_score = 0.7;
    std::uint32_t session_corrections = 2;
    double rated_chance_max = 0.01;
    std::uint32_t retries_min = 5;
    std::uint32_t rephrased_min = 2;
    std::uint32_t requests_min = 20;
    double misfit_margin_min = 0.5;
    double misfit_chance_max = 0.005;
    double stranger_fit_max = -0.2;
    double stranger_chance_max = 0.005;
    std::uint32_t handoff_rounds_min = 3;
};

template <class Options, class Visitor>
void describe_intent(Options& options, Visitor& visit) {
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.rate_usual",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "The correction rate that a workflow without history is held to",
        },
        options.corrections_usual
    );
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.rate_min",
            .min = 0.02,
            .max = 0.95,
            .unit = "share",
            .help = "A workflow is never reported below this share of corrected answers; higher is "
                    "calmer",
        },
        options.corrections_raised
    );
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.corrections_min",
            .min = 2,
            .max = 1000,
            .unit = "corrections",
            .help = "Fewer corrections in two minutes are never reported, whatever their share",
        },
        options.corrections_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.score_min",
            .min = 0.3,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a user's words must correct the agent to count",
        },
        options.correction_score
    );
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.session_min",
            .min = 1,
            .max = 100,
            .unit = "corrections",
            .help = "So many corrections in a row fail a session",
        },
        options.session_corrections
    );
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.rated_chance_max",
            .min = 0,
            .max = 0.2,
            .unit = "share",
            .help = "Words count as a correction too if at most this share of contented users' "
                    "rated words read as displeased; lower is calmer, 0 never",
        },
        options.rated_chance_max
    );
    visit(
        SettingInfo{
            .path = "detection.intent.retries_without_convergence.tries_min",
            .min = 2,
            .max = 100,
            .unit = "tries",
            .help = "So many tries with the same tool and nothing new are reported",
        },
        options.retries_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.retries_without_convergence.rephrased_min",
            .min = 1,
            .max = 100,
            .unit = "requests",
            .help = "So many times a user says the same thing in other words",
        },
        options.rephrased_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.wrong_workflow.requests_min",
            .min = 4,
            .max = 192,
            .unit = "requests",
            .help = "What a workflow is asked is known from so many different good requests on",
        },
        options.requests_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.wrong_workflow.margin_min",
            .min = 0,
            .max = 3,
            .unit = "score",
            .help = "By how much another workflow must fit a request better; higher is calmer",
        },
        options.misfit_margin_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.wrong_workflow.chance_max",
            .min = 0.0001,
            .max = 0.2,
            .unit = "share",
            .help = "At most this share of good requests may look as misplaced; lower is calmer",
        },
        options.misfit_chance_max
    );
    visit(
        SettingInfo{
            .path = "detection.intent.out_of_scope.fit_max",
            .min = -2,
            .max = 1,
            .unit = "score",
            .help = "A workflow that fits better than this makes a request no stranger; lower is "
                    "calmer",
        },
        options.stranger_fit_max
    );
    visit(
        SettingInfo{
            .path = "detection.intent.out_of_scope.chance_max",
            .min = 0.0001,
            .max = 0.2,
            .unit = "share",
            .help = "At most this share of good requests may fit as badly; lower is calmer",
        },
        options.stranger_chance_max
    );
    visit(
        SettingInfo{
            .path = "detection.intent.handoff_loop.rounds_min",
            .min = 2,
            .max = 100,
            .unit = "rounds",
            .help = "So often may an agent hand one request to the same other one",
        },
        options.handoff_rounds_min
    );
}

}  // namespace tagout::detect
