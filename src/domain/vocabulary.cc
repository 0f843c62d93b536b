#include "domain/vocabulary.h"

#include "domain/named_enum.h"

namespace tagout {

namespace {

constexpr std::array failure_class_names{
    EnumName{FailureClass::Intent, "intent"},
    EnumName{FailureClass::Tool, "tool"},
    EnumName{FailureClass::Context, "context"},
    EnumName{FailureClass::Safety, "safety"},
    EnumName{FailureClass::Cost, "cost"},
};

constexpr std::array severity_names{
    EnumName{Severity::Sev1, "SEV1"},
    EnumName{Severity::Sev2, "SEV2"},
    EnumName{Severity::Sev3, "SEV3"},
};

constexpr std::array tool_effect_names{
    EnumName{ToolEffect::Unknown, "unknown"},
    EnumName{ToolEffect::Read, "read"},
    EnumName{ToolEffect::Write, "write"},
    EnumName{ToolEffect::Egress, "egress"},
};

constexpr std::array tool_risk_names{
    EnumName{ToolRisk::Low, "low"},
    EnumName{ToolRisk::High, "high"},
};

constexpr std::array reversibility_names{
    EnumName{Reversibility::Unknown, "unknown"},
    EnumName{Reversibility::ReadOnly, "read_only"},
    EnumName{Reversibility::Reversible, "reversible"},
    EnumName{Reversibility::ExternallyReversible, "externally_reversible"},
    EnumName{Reversibility::Irreversible, "irreversible"},
};

constexpr std::array session_outcome_names{
    EnumName{SessionOutcome::Unknown, "unknown"},
    EnumName{SessionOutcome::Succeeded, "succeeded"},
    EnumName{SessionOutcome::Failed, "failed"},
    EnumName{SessionOutcome::Abandoned, "abandoned"},
    EnumName{SessionOutcome::Denied, "denied"},
};

constexpr std::array step_outcome_names{
    EnumName{StepOutcome::Ok, "ok"},
    EnumName{StepOutcome::Error, "error"},
    EnumName{StepOutcome::ClientError, "client_error"},
    EnumName{StepOutcome::ServerError, "server_error"},
    EnumName{StepOutcome::Throttled, "throttled"},
    EnumName{StepOutcome::Timeout, "timeout"},
    EnumName{StepOutcome::Cancelled, "cancelled"},
    EnumName{StepOutcome::Denied, "denied"},
    EnumName{StepOutcome::Blocked, "blocked"},
};

constexpr std::array incident_state_names{
    EnumName{IncidentState::Signal, "signal"},
    EnumName{IncidentState::Triage, "triage"},
    EnumName{IncidentState::Declared, "declared"},
    EnumName{IncidentState::Contained, "contained"},
    EnumName{IncidentState::Recovering, "recovering"},
    EnumName{IncidentState::Verifying, "verifying"},
    EnumName{IncidentState::Resolved, "resolved"},
    EnumName{IncidentState::Review, "review"},
    EnumName{IncidentState::Closed, "closed"},
    EnumName{IncidentState::FalsePositive, "false_positive"},
    EnumName{IncidentState::Merged, "merged"},
    EnumName{IncidentState::Cancelled, "cancelled"},
};

constexpr std::array incident_kind_names{
    EnumName{IncidentKind::Real, "real"},
    EnumName{IncidentKind::Drill, "drill"},
    EnumName{IncidentKind::Chaos, "chaos"},
    EnumName{IncidentKind::Backfilled, "backfilled"},
};

}  // namespace

TAGOUT_DEFINE_NAMED_ENUM(FailureClass, parse_failure_class, failure_class_names)
TAGOUT_DEFINE_NAMED_ENUM(Severity, parse_severity, severity_names)
TAGOUT_DEFINE_NAMED_ENUM(ToolEffect, parse_tool_effect, tool_effect_names)
TAGOUT_DEFINE_NAMED_ENUM(ToolRisk, parse_tool_risk, tool_risk_names)
TAGOUT_DEFINE_NAMED_ENUM(Reversibility, parse_reversibility, reversibility_names)
TAGOUT_DEFINE_NAMED_ENUM(SessionOutcome, parse_session_outcome, session_outcome_names)
TAGOUT_DEFINE_NAMED_ENUM(StepOutcome, parse_step_outcome, step_outcome_names)
TAGOUT_DEFINE_NAMED_ENUM(IncidentState, parse_incident_state, incident_state_names)
TAGOUT_DEFINE_NAMED_ENUM(IncidentKind, parse_incident_kind, incident_kind_names)

}  // namespace tagout
