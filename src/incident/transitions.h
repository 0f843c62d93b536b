// Which states an incident may go to, and what that sets.
//
// The spine is signal, triage, declared, contained, recovering, verifying, resolved, review,
// closed; a step may be passed over going forward, because not every incident needs containment or
// recovery. Side exits: false_positive and cancelled while it is open, merged by its own command. A
// person may reopen what is resolved, in review, closed or called false: it goes back to declared.
#pragma once

#include "incident/incident.h"

#include <optional>
#include <vector>

namespace tagout::incident {

[[nodiscard]] std::vector<IncidentState> moves_from(IncidentState state);
[[nodiscard]] bool may_move(IncidentState from, IncidentState to);

/// Still somebody's work: neither resolved nor past it, nor left by a side exit.
[[nodiscard]] bool is_open(IncidentState state) noexcept;
/// Shown in lists without a filter.
[[nodiscard]] bool is_listed(IncidentState state) noexcept;

/// Sets the anchor that reaching `state` means, unless it is set already.
void set_anchor_of(Anchors& anchors, IncidentState state, Instant at);
/// The anchor called `name` ("onset"), nullptr if there is none.
[[nodiscard]] std::optional<Instant>* anchor_named(Anchors& anchors, std::string_view name);
/// "onset, signal, ..." for messages.
[[nodiscard]] std::string anchor_names();

}  // namespace tagout::incident
