// Bodies of incident entries: written by the desk, read by the fold.
#pragma once

#include "incident/fold.h"
#include "incident/incident.h"

#include <string>

namespace tagout::incident {

[[nodiscard]] std::string opened_body(
    const Incident& incident, bool title_by_person, bool severity_by_person
);
[[nodiscard]] std::string findings_body(const JoinedFindings& findings);
[[nodiscard]] std::string state_body(IncidentState from, IncidentState to, std::string_view text);
[[nodiscard]] std::string severity_body(Severity from, Severity to, bool by_person);
/// The rules would grade it otherwise than the person who did.
[[nodiscard]] std::string proposal_body(Severity to, std::string_view text);
/// A body of text members.
[[nodiscard]] std::string text_body(
    std::initializer_list<std::pair<std::string_view, std::string_view>> members
);
/// A line of another room's on the timeline.
[[nodiscard]] std::string timeline_body(std::string_view text);

}  // namespace tagout::incident
