// What an operator may set about detection. The initialisers are the defaults, and the only place
// where they are written; describe() adds bounds, units and the sentence shown to people. Why a
// default is what it is stands in the header of the signal that reads it.
#pragma once

#include "base/clock.h"
#include "base/settings.h"
#include "detect/safety/default_places.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tagout::detect {

struct IntentSettings {
    double corrections_usual = 0.08;
    double corrections_raised = 0.3;
    std::uint32_t corrections_min = 4;
    double correction_score = 0.7;
    std::uint32_t session_corrections = 2;
    std::uint32_t retries_min = 5;
    std::uint32_t rephrased_min = 2;
    std::uint32_t requests_min = 20;
    double misfit_margin_min = 0.5;
    double misfit_chance_max = 0.005;
    double stranger_fit_max = -0.2;
    double stranger_chance_max = 0.005;
    std::uint32_t handoff_rounds_min = 3;
};

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

struct ContextSettings {
    std::uint32_t duplicates_min = 2;
    std::uint32_t duplicates_unheard_min = 4;
    std::uint32_t duplicate_writes_min = 2;
    std::uint32_t rounds_min = 2;
    std::uint32_t circle_max = 5;
    std::uint32_t stuck_calls = 8;
};

struct SafetySettings {
    double untrusted_value_score = 0.6;
    double instruction_score = 0.6;
    std::uint32_t profile_sessions_min = 20;
    bool phrases = true;
    double escalation_score = 0.6;
    double tests_failed_max = 0;
    std::vector<std::string> places = default_places();
    std::vector<std::string> canaries;
};

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
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.rate_usual",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "The correction rate that a workflow without history is held to",
        },
        options.intent.corrections_usual
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
        options.intent.corrections_raised
    );
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.corrections_min",
            .min = 2,
            .max = 1000,
            .unit = "corrections",
            .help = "Fewer corrections in two minutes are never reported, whatever their share",
        },
        options.intent.corrections_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.score_min",
            .min = 0.3,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a user's words must correct the agent to count",
        },
        options.intent.correction_score
    );
    visit(
        SettingInfo{
            .path = "detection.intent.user_corrections.session_min",
            .min = 1,
            .max = 100,
            .unit = "corrections",
            .help = "So many corrections in a row fail a session",
        },
        options.intent.session_corrections
    );
    visit(
        SettingInfo{
            .path = "detection.intent.retries_without_convergence.tries_min",
            .min = 2,
            .max = 100,
            .unit = "tries",
            .help = "So many tries with the same tool and nothing new are reported",
        },
        options.intent.retries_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.retries_without_convergence.rephrased_min",
            .min = 1,
            .max = 100,
            .unit = "requests",
            .help = "So many times a user says the same thing in other words",
        },
        options.intent.rephrased_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.wrong_workflow.requests_min",
            .min = 4,
            .max = 192,
            .unit = "requests",
            .help = "What a workflow is asked is known from so many different good requests on",
        },
        options.intent.requests_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.wrong_workflow.margin_min",
            .min = 0,
            .max = 3,
            .unit = "score",
            .help = "By how much another workflow must fit a request better; higher is calmer",
        },
        options.intent.misfit_margin_min
    );
    visit(
        SettingInfo{
            .path = "detection.intent.wrong_workflow.chance_max",
            .min = 0.0001,
            .max = 0.2,
            .unit = "share",
            .help = "At most this share of good requests may look as misplaced; lower is calmer",
        },
        options.intent.misfit_chance_max
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
        options.intent.stranger_fit_max
    );
    visit(
        SettingInfo{
            .path = "detection.intent.out_of_scope.chance_max",
            .min = 0.0001,
            .max = 0.2,
            .unit = "share",
            .help = "At most this share of good requests may fit as badly; lower is calmer",
        },
        options.intent.stranger_chance_max
    );
    visit(
        SettingInfo{
            .path = "detection.intent.handoff_loop.rounds_min",
            .min = 2,
            .max = 100,
            .unit = "rounds",
            .help = "So often may an agent hand one request to the same other one",
        },
        options.intent.handoff_rounds_min
    );
    visit(
        SettingInfo{
            .path = "detection.tool.4xx_spike.rate_usual",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "The share of refused calls that a tool without history is held to",
        },
        options.tool.client_errors_usual
    );
    visit(
        SettingInfo{
            .path = "detection.tool.4xx_spike.rate_min",
            .min = 0.02,
            .max = 0.95,
            .unit = "share",
            .help = "A tool is never reported below this share of refused calls; higher is calmer",
        },
        options.tool.client_errors_raised
    );
    visit(
        SettingInfo{
            .path = "detection.tool.4xx_spike.errors_min",
            .min = 2,
            .max = 10000,
            .unit = "calls",
            .help = "Fewer refused calls in two minutes are never reported",
        },
        options.tool.client_errors_min
    );
    visit(
        SettingInfo{
            .path = "detection.tool.4xx_spike.sessions_min",
            .min = 1,
            .max = 1000,
            .unit = "sessions",
            .help = "So many sessions must have been refused: one confused session is no storm",
        },
        options.tool.client_error_sessions_min
    );
    visit(
        SettingInfo{
            .path = "detection.tool.unexpected_write.score_min",
            .min = 0.1,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a write must be unasked for; higher is calmer",
        },
        options.tool.unexpected_write_score
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
        options.tool.habit_sessions_min
    );
    visit(
        SettingInfo{
            .path = "detection.tool.policy_denials.rate_usual",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "The share of denied calls that an agent without history is held to",
        },
        options.tool.denials_usual
    );
    visit(
        SettingInfo{
            .path = "detection.tool.policy_denials.rate_min",
            .min = 0.02,
            .max = 0.95,
            .unit = "share",
            .help = "An agent is never reported below this share of denied calls; higher is calmer",
        },
        options.tool.denials_raised
    );
    visit(
        SettingInfo{
            .path = "detection.tool.policy_denials.denials_min",
            .min = 1,
            .max = 1000,
            .unit = "calls",
            .help = "Denied calls before a rise is reported; higher is later and surer",
        },
        options.tool.denials_min
    );
    visit(
        SettingInfo{
            .path = "detection.tool.policy_denials.sessions_min",
            .min = 1,
            .max = 1000,
            .unit = "sessions",
            .help = "Sessions that must show a denied call; one session that insists is no rise",
        },
        options.tool.denial_sessions_min
    );
    visit(
        SettingInfo{
            .path = "detection.context.duplicate_action.calls_min",
            .min = 2,
            .max = 100,
            .unit = "calls",
            .help = "So many equal calls with equal results, for one request of the user, are "
                    "reported",
        },
        options.context.duplicates_min
    );
    visit(
        SettingInfo{
            .path = "detection.context.duplicate_action.unheard_calls_min",
            .min = 2,
            .max = 100,
            .unit = "calls",
            .help = "The same where telemetry does not tell what the user says",
        },
        options.context.duplicates_unheard_min
    );
    visit(
        SettingInfo{
            .path = "detection.context.duplicate_action.writes_min",
            .min = 2,
            .max = 100,
            .unit = "calls",
            .help = "So many equal calls that change something are reported",
        },
        options.context.duplicate_writes_min
    );
    visit(
        SettingInfo{
            .path = "detection.context.circular_actions.rounds_min",
            .min = 2,
            .max = 100,
            .unit = "rounds",
            .help = "So many equal rounds of a circle of calls are reported",
        },
        options.context.rounds_min
    );
    visit(
        SettingInfo{
            .path = "detection.context.circular_actions.circle_max",
            .min = 2,
            .max = 8,
            .unit = "calls",
            .help = "Circles up to this length are looked for",
        },
        options.context.circle_max
    );
    visit(
        SettingInfo{
            .path = "detection.context.stuck_calls",
            .min = 3,
            .max = 1000,
            .unit = "calls",
            .help = "After so many calls that brought nothing new the session counts as failed",
        },
        options.context.stuck_calls
    );
    visit(
        SettingInfo{
            .path = "detection.safety.untrusted_value.score_min",
            .min = 0.1,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a call must follow foreign text; higher is calmer",
        },
        options.safety.untrusted_value_score
    );
    visit(
        SettingInfo{
            .path = "detection.safety.instruction_in_result.score_min",
            .min = 0.1,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a result must read like orders to be reported",
        },
        options.safety.instruction_score
    );
    visit(
        SettingInfo{
            .path = "detection.safety.instruction_in_result.phrases",
            .help = "Look for known wordings of orders in results; without them habits and the "
                    "origin of values judge alone",
        },
        options.safety.phrases
    );
    visit(
        SettingInfo{
            .path = "detection.safety.injection_tests.failed_share_max",
            .min = 0,
            .max = 1,
            .unit = "share",
            .help = "A suite of prompt-injection tests may fail so large a part of them",
        },
        options.safety.tests_failed_max
    );
    visit(
        SettingInfo{
            .path = "detection.safety.escalation.score_min",
            .min = 0.1,
            .max = 0.99,
            .unit = "score",
            .help = "How surely a call must reach for more power than its task needs",
        },
        options.safety.escalation_score
    );
    visit(
        SettingInfo{
            .path = "detection.safety.sensitive_endpoint.places",
            .help = "Texts in a call's arguments that name a place where agents have no business: "
                    "add your internal hosts and admin paths; a list replaces the whole default",
        },
        options.safety.places
    );
    visit(
        SettingInfo{
            .path = "detection.safety.secret_leaving.canaries",
            .help = "Planted texts that nobody has a reason to use: seen in any call, they are "
                    "reported, and never shown",
        },
        options.safety.canaries
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
        options.safety.profile_sessions_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.ratio_min",
            .min = 1.2,
            .max = 100,
            .unit = "times",
            .help = "How far above its usual tokens an agent may go; higher is calmer",
        },
        options.cost.spike_ratio
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.z_min",
            .min = 2,
            .max = 50,
            .unit = "standard errors",
            .help = "How surely the rise must be no chance; higher is calmer",
        },
        options.cost.spike_z
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
        options.cost.known_ratio
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.known_z_min",
            .min = 2,
            .max = 50,
            .unit = "standard errors",
            .help = "As z_min, once that is known; rises with the number of agents watched",
        },
        options.cost.known_z
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.tokens_min",
            .min = 0,
            .max = 1000000000,
            .unit = "tokens",
            .help = "A rise that cost less than this in half a minute is never reported",
        },
        options.cost.spike_tokens_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.calls_min",
            .min = 1,
            .max = 10000,
            .unit = "calls",
            .help = "Fewer model calls in half a minute are never judged",
        },
        options.cost.spike_calls_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.token_spike.usual_calls_min",
            .min = 5,
            .max = 100000,
            .unit = "calls",
            .help = "What is usual for an agent is known after so many model calls",
        },
        options.cost.usual_calls_min
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
        options.cost.series_score
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
        options.cost.slow_ratio
    );
    visit(
        SettingInfo{
            .path = "detection.cost.tail_latency.seconds_min",
            .min = 0.001,
            .max = 3600,
            .unit = "s",
            .help = "Calls that take less than this are never reported as slow",
        },
        options.cost.slow_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.queue_depth.depth_min",
            .min = 1,
            .max = 1000000,
            .unit = "calls",
            .help = "Fewer calls waiting or under way at once are never reported",
        },
        options.cost.queue_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.outcome_cost.ratio_min",
            .min = 1.2,
            .max = 100,
            .unit = "times",
            .help = "How far above its usual the cost of a good outcome may go; higher is calmer",
        },
        options.cost.outcome_ratio
    );
    visit(
        SettingInfo{
            .path = "detection.cost.outcome_cost.sessions_min",
            .min = 5,
            .max = 100000,
            .unit = "sessions",
            .help = "The cost of a good outcome is judged over so many ended sessions at a time",
        },
        options.cost.outcome_sessions_min
    );
    visit(
        SettingInfo{
            .path = "detection.cost.runaway_session.steps_max",
            .min = 10,
            .max = 100000,
            .unit = "steps",
            .help = "Model and tool calls that one request may take",
        },
        options.cost.steps_max
    );
    visit(
        SettingInfo{
            .path = "detection.cost.runaway_session.tokens_max",
            .min = 1000,
            .max = 1000000000,
            .unit = "tokens",
            .help = "Tokens, without cached ones, that one request may take",
        },
        options.cost.tokens_max
    );
    visit(
        SettingInfo{
            .path = "detection.cost.runaway_session.cost_max",
            .min = 0.01,
            .max = 100000,
            .unit = "USD",
            .help = "Money that one request may cost",
        },
        options.cost.cost_usd_max
    );
    visit(
        SettingInfo{
            .path = "detection.cost.timeout_rate.rate_usual",
            .min = 0.001,
            .max = 0.5,
            .unit = "share",
            .help = "The share of timeouts that a tool or model without history is held to",
        },
        options.cost.timeouts_usual
    );
    visit(
        SettingInfo{
            .path = "detection.cost.timeout_rate.rate_min",
            .min = 0.02,
            .max = 0.95,
            .unit = "share",
            .help = "A tool or model is never reported below this share of timeouts",
        },
        options.cost.timeouts_raised
    );
    visit(
        SettingInfo{
            .path = "detection.cost.timeout_rate.timeouts_min",
            .min = 2,
            .max = 10000,
            .unit = "calls",
            .help = "Fewer timeouts in two minutes are never reported",
        },
        options.cost.timeouts_min
    );
}

}  // namespace tagout::detect
