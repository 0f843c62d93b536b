// What speaks against a call, in words; and whether a call is an incident's at all.
#pragma once

#include "verify/ledger.h"
#include "verify/session_calls.h"

#include <span>
#include <string>
#include <vector>

namespace tagout::verify {

/// A session that a finding names; else the incident's agent (and workflow, where both are known);
/// else its workflow; else its tool. A call whose agent nobody told is taken in when its tool is the
/// incident's or the incident names none: better one row too many.
[[nodiscard]] bool is_of_incident(const incident::Incident& incident, const LedgerRow& row);

[[nodiscard]] SessionOutcome outcome_of_session(
    const incident::Incident& incident, std::string_view correlation
);

/// Findings at this step or session, values that nobody said, an outcome that agent and wire tell
/// differently. A refused call changed nothing: nothing speaks against it.
void add_call_reasons(
    const incident::Incident& incident, const SessionCall& call, std::span<const std::string> spans,
    const EventBatch& session, LedgerRow& row
);

/// Today's verdict. The incident's own containment refuses good calls and bad ones alike, so it
/// makes none suspect.
void add_today(const incident::Incident& incident, const Today& today, LedgerRow& row);

/// Calls after onset under a version that was not in force before it. `rows` are in order of time.
void add_version_reasons(const incident::Incident& incident, std::vector<LedgerRow>& rows);

}  // namespace tagout::verify
