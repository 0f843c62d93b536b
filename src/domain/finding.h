// Finding: one signal's claim that a session, or a rate of many, shows a failure class, with its
// numbers and with the exact step that shows it.
//
// A finding has an identity: the same signal about the same correlation (or the same key, for a
// rate) while it lasts is the same finding, sent again when its outcome or its count changes. So
// joining is idempotent, and replaying stored telemetry after a crash opens nothing twice.
#pragma once

#include "base/clock.h"
#include "base/distinct_count.h"
#include "domain/vocabulary.h"

#include <cstdint>
#include <string>

namespace tagout {

struct Finding {
    /// 16 hex digits of a hash over signal, correlation or key, and the first step's identity.
    std::string id;
    FailureClass failure_class = FailureClass::Intent;
    std::string signal;  ///< Its name in settings, metrics and output, such as "tool.4xx_spike".
    bool rate = false;   ///< About a key over time and not about one session.

    CorrelationId correlation;  ///< The session it is about; for a rate, one that shows it.
    std::string trace_id;       ///< Hex, of the step pointed at.
    std::string span_id;
    std::uint32_t step = 0;     ///< 0-based position of that step in its session, as replay prints it.

    AgentName agent;
    WorkflowName workflow;
    ToolName tool;
    std::string model;
    std::string service;
    std::string environment;
    std::string prompt_version;
    /// What went wrong, apart from to whom: findings of one class, agent and cause are one incident.
    std::string cause;

    Instant seen_at;       ///< Event time of the step, or the end of the rate's window.
    double score = 0;      ///< 0 to 1, comparable across signals: how sure.
    double observed = 0;   ///< The signal's own number ...
    double threshold = 0;  ///< ... and the bound that it passed, both in `unit`.
    std::string unit;
    std::string evidence;  ///< One sentence that quotes what was seen, clipped to 400 bytes.

    SessionOutcome outcome = SessionOutcome::Unknown;  ///< Of the session; for a rate, of its sessions.
    std::string outcome_reason;                        ///< Why that outcome, in words.
    std::string explained_by;  ///< Id of the leading finding of its session; "" if it leads itself.
    bool write_completed = false;  ///< A side effect happened: for safety a failed outcome by itself.
    std::uint64_t sessions = 1;    ///< How many sessions the finding stands for (1, or a rate's count).
    DistinctCount users;           ///< Of those sessions, by hash of the user id; empty: none was named.
    std::int64_t tokens = 0;       ///< That those sessions took, as far as is known ...
    double cost_usd = 0;           ///< ... and their money; only grow, like `users`.
};

}  // namespace tagout
