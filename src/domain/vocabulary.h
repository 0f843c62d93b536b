// The nouns that every room shares, as values: nothing here reads a clock, a disk or a lock.
//
// Each word stands in docs/GLOSSARY.md and means one thing. Enumerator values are stored and sent:
// append, never renumber. name_of() is what people, files and the wire see; parse_x() reads it back.
#pragma once

#include "base/named.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tagout {

using CorrelationId = Named<struct CorrelationIdTag>;  ///< Conversation id, else trace id in hex.
using IncidentId = Named<struct IncidentIdTag>;        ///< "INC-1", "INC-2", ...
using AgentName = Named<struct AgentNameTag>;
using ToolName = Named<struct ToolNameTag>;
using WorkflowName = Named<struct WorkflowNameTag>;
using Actor = Named<struct ActorTag>;  ///< Who did it: "person:ann", "tagout", "token:ci".

enum class FailureClass : std::uint8_t { Intent = 1, Tool = 2, Context = 3, Safety = 4, Cost = 5 };

enum class Severity : std::uint8_t { Sev1 = 1, Sev2 = 2, Sev3 = 3 };

/// What a tool does to the world.
enum class ToolEffect : std::uint8_t { Unknown = 0, Read = 1, Write = 2, Egress = 3 };

enum class ToolRisk : std::uint8_t { Low = 1, High = 2 };

/// OWASP AISVS 9.2.3: how a side effect can be taken back.
enum class Reversibility : std::uint8_t {
    Unknown = 0,
    ReadOnly = 1,
    Reversible = 2,
    ExternallyReversible = 3,
    Irreversible = 4,
};

/// How one session ended for its user. An incident is opened by failed ones.
enum class SessionOutcome : std::uint8_t {
    Unknown = 0,
    Succeeded = 1,
    Failed = 2,
    Abandoned = 3,
    Denied = 4,
};

/// How one step ended, derived from status, error and HTTP status (reference: docs/reference).
enum class StepOutcome : std::uint8_t {
    Ok = 0,
    Error = 1,
    ClientError = 2,
    ServerError = 3,
    Throttled = 4,
    Timeout = 5,
    Cancelled = 6,
    Denied = 7,
    Blocked = 8,
};

enum class IncidentState : std::uint8_t {
    Signal = 1,  ///< Findings without a failed outcome yet: shown, counted, nobody is told.
    Triage = 2,  ///< Failed outcomes that a signal explains: an incident, not yet confirmed.
    Declared = 3,
    Contained = 4,
    Recovering = 5,
    Verifying = 6,
    Resolved = 7,
    Review = 8,
    Closed = 9,
    FalsePositive = 10,
    Merged = 11,
    Cancelled = 12,
};

enum class IncidentKind : std::uint8_t { Real = 1, Drill = 2, Chaos = 3, Backfilled = 4 };

/// One row of an enum's name table; the tables in vocabulary.cc are the only place a name is written.
template <class E>
struct EnumName {
    E value;
    std::string_view name;
};

#define TAGOUT_NAMED_ENUM(Type, parse)                                          \
    [[nodiscard]] std::string_view name_of(Type value) noexcept;                \
    [[nodiscard]] std::optional<Type> parse(std::string_view name) noexcept

TAGOUT_NAMED_ENUM(FailureClass, parse_failure_class);      // intent tool context safety cost
TAGOUT_NAMED_ENUM(Severity, parse_severity);               // SEV1 SEV2 SEV3
TAGOUT_NAMED_ENUM(ToolEffect, parse_tool_effect);          // unknown read write egress
TAGOUT_NAMED_ENUM(ToolRisk, parse_tool_risk);              // low high
TAGOUT_NAMED_ENUM(Reversibility, parse_reversibility);     // unknown read_only reversible ...
TAGOUT_NAMED_ENUM(SessionOutcome, parse_session_outcome);  // unknown succeeded failed ...
TAGOUT_NAMED_ENUM(StepOutcome, parse_step_outcome);        // ok error client_error ...
TAGOUT_NAMED_ENUM(IncidentState, parse_incident_state);    // signal triage declared ...
TAGOUT_NAMED_ENUM(IncidentKind, parse_incident_kind);      // real drill chaos backfilled

inline constexpr std::array<FailureClass, 5> failure_classes{
    FailureClass::Intent,
    FailureClass::Tool,
    FailureClass::Context,
    FailureClass::Safety,
    FailureClass::Cost,
};

}  // namespace tagout
