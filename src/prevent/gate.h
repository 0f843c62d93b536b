// The release gate: whether a release of an agent may go out now, and why.
//
// Pure: facts in, verdict out. Each check looks at one thing and says, where it is no pass, what to
// do to get one. A fact that is not known (no telemetry, a case that was not run, a room that did not
// answer) makes its check inconclusive and never a silent pass.
//
//   open_incidents    no SEV1 or SEV2 of the agent is open
//   controls          no control made for an incident is still in force, none is unproved
//   regressions       the agent's cases pass against the candidate
//   recurrence        no failure of the agent came back since it was said to be over
//   reviews           resolved SEV1 and SEV2 have a published review
//   actions           no corrective action is overdue
//   journeys          the configured user journeys passed lately
//   last_known_good   there is a bundle to fall back to
//   detection         telemetry is coming in, so that quiet means well
#pragma once

#include "incident/incident.h"
#include "prevent/actions.h"
#include "prevent/judgement.h"
#include "prevent/recurrence.h"
#include "prevent/settings.h"

#include <optional>
#include <string>
#include <vector>

namespace tagout::prevent {

struct ControlFact {
    std::string id;
    std::string scope;
    std::string mode;
    IncidentId incident;  ///< "" for a standing one that belongs to no incident.
    bool proved = false;
    bool enforces = true;  ///< False: it only observes.
};

struct JourneyFact {
    std::string name;
    std::optional<Instant> passed_at;  ///< Unset: its newest run failed, or it never ran.
    std::string error;                 ///< Why the newest run failed; "" if it never ran.
};

struct GateFacts {
    AgentName agent;     ///< "" for every agent.
    std::string bundle;  ///< Name of the candidate, "" for what is in force.
    Instant now;
    /// The agent's real incidents of SEV1 and SEV2, whatever their state.
    std::vector<incident::Incident> incidents;
    std::optional<std::vector<ControlFact>> controls;
    std::vector<CauseRecord> recurrences;
    std::vector<Action> overdue;
    std::vector<IncidentId> reviewed;    ///< Incidents whose review is published.
    std::vector<IncidentId> with_cases;  ///< Incidents that have a regression case.
    /// Each case run against the candidate; unset: they could not be run.
    std::optional<std::vector<Check>> cases;
    std::string cases_not_run;  ///< Why not, where that is known.
    std::optional<std::vector<JourneyFact>> journeys;
    /// Name of the last-known-good bundle, "" if none; unset: not known.
    std::optional<std::string> last_known_good;
    std::optional<Instant> telemetry_at;  ///< Newest of the agent's; unset: none was ever seen.
};

struct Gate {
    Judgement verdict = Judgement::Inconclusive;
    std::string sentence;
    AgentName agent;
    std::string bundle;
    std::vector<Check> checks;
};

[[nodiscard]] Gate evaluate(const GateFacts& facts, const Settings& settings);

/// Gate of api/openapi.yaml, one line.
[[nodiscard]] std::string to_json(const Gate& gate);

}  // namespace tagout::prevent
