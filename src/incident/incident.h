// Incident: findings joined by class, agent and cause, graded and owned, from signal to closed.
//
// A value. It is never stored as such: it is the fold of its journal entries, and Desk keeps the
// folded form. Times follow the runbook's formulas: each anchor is set once by what happened and
// may be corrected by a person, both with their entry in the timeline.
#pragma once

#include "base/clock.h"
#include "domain/finding.h"
#include "domain/vocabulary.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tagout::incident {

struct Owner {
    std::string team;  ///< "" is unowned, and said so wherever an owner is shown.
    std::string contact;
    std::string channel;  ///< Name of a notice channel in the configuration.
    std::string rule;     ///< The glob of the ownership map that matched.
};

/// Anchors of every duration that is ever reported; unset until it happened.
struct Anchors {
    std::optional<Instant> onset_at;
    std::optional<Instant> signal_at;
    std::optional<Instant> triage_at;
    std::optional<Instant> declared_at;
    std::optional<Instant> paged_at;
    std::optional<Instant> acked_at;
    std::optional<Instant> contain_requested_at;
    std::optional<Instant> contained_at;
    std::optional<Instant> recovery_started_at;
    std::optional<Instant> recovered_at;
    std::optional<Instant> verified_at;
    std::optional<Instant> impact_ended_at;
    std::optional<Instant> resolved_at;
    std::optional<Instant> review_published_at;
    std::optional<Instant> closed_at;
};

struct Impact {
    std::uint64_t sessions = 0;  ///< Sessions that a finding names.
    std::uint64_t failed_sessions = 0;
    std::uint64_t users = 0;
    std::uint64_t writes = 0;  ///< Side effects that a finding says happened.
    std::int64_t tokens = 0;
    double cost_usd = 0;
};

struct TimelineEntry {
    std::uint64_t sequence = 0;  ///< Of its journal entry.
    Instant occurred_at;
    Instant recorded_at;
    std::string kind;    ///< The journal entry's kind.
    std::string source;  ///< signal, state, person, notice, containment, change, verification.
    Actor actor;
    std::string text;  ///< One sentence.
    std::string reason;
    std::string evidence;  ///< "finding:ID", "trace:ID", or "".
};

struct Incident {
    IncidentId id;
    std::uint64_t revision = 0;  ///< Sequence of the last journal entry folded in.
    std::string title;           ///< What is happening to whom, in plain words.
    FailureClass failure_class = FailureClass::Intent;
    IncidentKind kind = IncidentKind::Real;
    IncidentState state = IncidentState::Signal;
    Severity severity = Severity::Sev3;
    std::string severity_reason;  ///< The impact rule that chose it, or who set it and why.
    std::string cause;
    AgentName agent;
    WorkflowName workflow;
    ToolName tool;
    std::string service;
    std::string environment;
    Owner owner;
    std::string assignee;
    std::string acked_by;
    IncidentId merged_into;
    IncidentId recurrence_of;
    Anchors anchors;
    Impact impact;
    std::vector<std::string> signals;  ///< Distinct signal names, in order of first sight.
    std::vector<Finding> findings;     ///< The first 100; `finding_count` says how many there are.
    std::uint64_t finding_count = 0;
    Instant last_finding_at;
    std::vector<TimelineEntry> timeline;  ///< In order of recorded time; at most 10,000.
};

}  // namespace tagout::incident
