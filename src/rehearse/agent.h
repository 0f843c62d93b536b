// One simulated agent: takes a user's request, asks the model over HTTP, calls tools over MCP, and
// answers; every step of it is reported as OpenTelemetry GenAI spans (telemetry reference 1.1-1.3).
//
//   invoke_workflow NAME          one user turn, the root; ERROR when the task failed
//     invoke_agent NAME           the agent's loop; carries the rolled-up tokens
//       chat MODEL                one model call, one span for each attempt
//       execute_tool TOOL         one tool call
//   gen_ai.evaluation.result      the user's thumb, where one was given (a log record)
//
// Spans say what happened and nothing else: outcome, status and tokens come from the answers.
#pragma once

#include "base/clock.h"
#include "rehearse/exporter.h"
#include "rehearse/script.h"
#include "rehearse/shop.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace tagout::rehearse {

struct AgentSetup {
    std::string name;  ///< Of this instance, for the servers' logs.
    std::string model_url;
    std::array<std::string, 3> tool_urls;  ///< By ToolServerKind.
    std::string gateway;  ///< Serves prompts by label; "" for the built-in ones.
    double pace = 1.0;                     ///< Multiplies the users' thinking times.
    Duration model_timeout = std::chrono::seconds(2);
    std::uint32_t steps_max = 14;          ///< Model calls in one turn.
    std::int64_t tokens_max = 450'000;     ///< In one conversation.
};

struct SessionResult {
    bool failed = false;     ///< The last turn ended in an error or an apology.
    bool satisfied = false;  ///< The user got what they wanted and nothing else was changed.
    std::uint64_t turns = 0;
    std::uint64_t model_calls = 0;
    std::uint64_t tool_calls = 0;
    std::uint64_t tool_errors = 0;
    std::uint64_t writes = 0;
    std::int64_t tokens = 0;
    std::string error;  ///< error.type of the last failed turn.
};

/// Thread-compatible: one agent, one conversation at a time.
class Agent {
public:
    /// `exporter` for each kind, because each kind is a service of its own.
    Agent(
        const AgentSetup& setup, std::array<Exporter*, agent_kinds> exporters, Shop& shop,
        const Clock& clock
    );
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    /// Plays one conversation to its end, or until `stop`. The world is in the shop already.
    SessionResult run(const Script& script, const std::atomic<bool>& stop);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Resource and scope of one agent kind's service.
[[nodiscard]] otlp::Reporter reporter_of(AgentKind kind, const std::string& environment);

}  // namespace tagout::rehearse
