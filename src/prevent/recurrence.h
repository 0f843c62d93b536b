// Recurrence: what came back after it was over, by cause, against how much the agents worked since.
//
// Two incidents of one class, agent, tool and cause are the same failure (operations reference 5.2).
// A recurrence is one that began after an earlier such incident was resolved or closed, within the
// window. A count says little: an agent that ran twice as many sessions meets its faults twice as
// often, so each row has the sessions since the last of them was over, and recurrences for each
// thousand sessions. Drills, chaos runs, signals, false, merged and cancelled incidents never count.
//
// Pure. Cost: n log n in the incidents.
#pragma once

#include "incident/incident.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tagout::prevent {

struct CauseRecord {
    FailureClass failure_class = FailureClass::Intent;
    AgentName agent;
    ToolName tool;
    std::string cause;
    std::uint64_t incidents = 0;
    std::uint64_t recurrences = 0;
    IncidentId newest;
    bool open = false;                  ///< One of them is not over.
    std::optional<Instant> last_ended;  ///< When the newest that is over ended.
    std::vector<IncidentId> recurred;   ///< The recurrences, oldest first.
    /// Sessions of the agent since last_ended; unset when that is not known.
    std::optional<std::uint64_t> sessions_since;

    /// Recurrences for each thousand sessions since; unset without exposure.
    [[nodiscard]] std::optional<double> per_thousand_sessions() const noexcept;
};

/// Sessions of an agent since a time; nothing if unknown.
using Exposure = std::function<std::optional<std::uint64_t>(const AgentName&, Instant)>;

/// Rows of causes that have an incident within `window` before `now`, those that recurred most first.
[[nodiscard]] std::vector<CauseRecord> recurrences_by_cause(
    std::span<const incident::Incident> incidents, Duration window, Instant now,
    const Exposure& exposure
);

}  // namespace tagout::prevent
