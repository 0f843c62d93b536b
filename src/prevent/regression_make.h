// A regression case from an incident: its findings, and what was recorded of the sessions they name.
//
// Sessions that failed come first, then those with a finding that leads, at most case_sessions_max;
// texts are clipped and then sessions left out until the case fits case_bytes_max, which the case
// says. A call is harmful when a finding points at it and it changes or sends something, or when its
// class says that the call itself is wrong (tool, safety). Without such a call, the incident's
// signals that a replay of the recording shows again are what must not happen. Where neither is to
// be had there is nothing that could fail, and no case is made.
//
// Pure but for what it asks `replay`. Thread-safe.
#pragma once

#include "catalog/catalog.h"
#include "incident/incident.h"
#include "prevent/regression.h"

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace tagout::prevent {

/// What is stored of one session: linked events, in any order. Views must outlive the call.
struct SessionEvents {
    CorrelationId correlation;
    std::span<const AgentEvent> events;
};

struct CaseRequest {
    std::string id;
    Instant now;
    Actor by;
    std::string reason;
    std::optional<MustNot> must_not;  ///< As a person says it; unset: from the findings.
    VersionsInForce released;         ///< What releases say was in force, where telemetry tells nothing.
    /// Signals that fire when the sessions are replayed with the thresholds in force; may be empty.
    std::function<Result<std::vector<std::string>>(std::span<const RecordedSession>)> replay;
};

/// The incident's sessions in the order in which make_case would take them.
[[nodiscard]] std::vector<CorrelationId> sessions_of(const incident::Incident& incident);

/// One session as turns, not redacted. `position` tells where a span's call went: turn and call.
struct CallPosition {
    std::size_t turn = 0;
    std::size_t call = 0;
};
struct Transcript {
    RecordedSession session;
    std::vector<std::pair<std::string, CallPosition>> calls;  ///< Span id in hex, where its call is.
};
[[nodiscard]] Transcript transcript_of(const SessionEvents& session);

/// NotFound: nothing is recorded of its sessions any more. Conflict: nothing of it can be judged, or
/// what was asked for does not occur in the recording; the message says what to do.
[[nodiscard]] Result<RegressionCase> make_case(
    const incident::Incident& incident, std::span<const SessionEvents> sessions,
    const catalog::Catalog& catalog, const CaseRequest& request
);

}  // namespace tagout::prevent
