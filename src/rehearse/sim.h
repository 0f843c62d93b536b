// The simulated fleet: scripted agents, a scripted model and sample tools in one process, which talk
// to each other over real protocols on loopback and report over OTLP to a real Tagout. The demo, the
// load generator, and the target of chaos runs.
//
//   users' requests at `rate` a second -> agents (threads) -> model server, tool servers, exporters
//
// Same seed and faults: the same conversations, word for word; ids differ from run to run, so that
// Tagout takes no run for a repetition of another.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "cli/api_client.h"
#include "rehearse/fault.h"
#include "rehearse/script.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tagout::rehearse {

struct SimProgress {
    Duration elapsed{};
    std::uint64_t sessions_started = 0;
    std::uint64_t sessions_ended = 0;
    std::uint64_t sessions_failed = 0;
    std::uint64_t spans_exported = 0;
    std::string faults_on;  ///< Names of the faults that are on now, "" if none is.
};

struct SimOptions {
    std::string otlp_endpoint = "http://127.0.0.1:4318";
    std::string environment = "production";
    std::uint32_t agents = 32;                    ///< Conversations at the same time, at most.
    double rate = 4.0;                            ///< New conversations a second, over the fleet.
    std::uint64_t seed = 1;
    Duration duration = std::chrono::minutes(2);  ///< Zero: until stopped.
    double pace = 1.0;                            ///< Multiplies thinking times and latencies.
    Duration model_timeout = std::chrono::milliseconds(2'500);  ///< The agents' patience; real time.
    std::vector<Fault> faults;
    /// "http://127.0.0.1:8322": agents reach their model and tools through it, take their prompts from
    /// it and ask it which workflow takes a conversation. "" connects them directly.
    std::string gateway;
    /// First of the five ports of the sample servers and of the fleet's own (fleet_config.h), as a
    /// gateway's configuration names them; 0 takes free ones.
    std::uint16_t ports = 0;
    /// Where the fleet publishes the first version of its prompts; none publishes nothing.
    std::optional<cli::Connection> control;
    std::function<void(const SimProgress&)> on_progress;  ///< About once a second; may be empty.
};

inline constexpr std::uint32_t agents_max = 1'000;
inline constexpr double rate_max = 1'000;

struct AgentReport {
    std::string agent;
    std::uint64_t sessions = 0;
    std::uint64_t failed = 0;       ///< Ended in an error or an apology.
    std::uint64_t unsatisfied = 0;  ///< Their users did not get what they wanted.
};

struct FaultReport {
    std::string fault;
    std::string failure_class;
    std::uint64_t sessions = 0;     ///< Conversations that it could hit while it was on.
    std::uint64_t unsatisfied = 0;
    std::string example;            ///< A conversation's id, to look it up.
};

struct SimReport {
    Duration elapsed{};
    std::uint64_t sessions_started = 0;
    std::uint64_t sessions_ended = 0;
    std::uint64_t sessions_rerouted = 0;  ///< Went to the fallback workflow.
    std::uint64_t sessions_closed = 0;    ///< Met a closed workflow: nobody took them.
    std::uint64_t sessions_refused = 0;  ///< Arrived while every agent was busy and the queue full.
    std::uint64_t turns = 0;
    std::uint64_t model_calls = 0;
    std::uint64_t tool_calls = 0;
    std::uint64_t tool_errors = 0;
    std::uint64_t writes = 0;
    std::int64_t tokens = 0;
    std::uint64_t spans_exported = 0;
    std::uint64_t logs_exported = 0;
    std::uint64_t export_requests = 0;
    std::uint64_t export_retries = 0;
    std::uint64_t items_lost = 0;        ///< Telemetry that could not be delivered.
    std::string export_error;            ///< The last one, "" if there was none.
    std::array<AgentReport, agent_kinds> agents;
    std::vector<FaultReport> faults;
};

/// Runs until the duration is over or `stop` is set, lets running conversations end for a few seconds,
/// sends what is left and reports. InvalidArgument: an option out of bounds. Unavailable: a sample
/// server cannot start, or nothing answers at the OTLP endpoint at all.
[[nodiscard]] Result<SimReport> run_sim(
    const SimOptions& options, const Clock& clock, const std::atomic<bool>& stop
);

}  // namespace tagout::rehearse
