// intent.handoff_loop: agents hand one request back and forth and none of them keeps it. To a
// person on call: each agent thinks that the request is another one's, so the user waits for
// nobody.
//
// A round is the same agent handing the same request to the same other one again, while no tool did
// any work for anybody in between; a new word of the user begins anew. Why 3 rounds: triage may ask
// back once, a writer and a reviewer pass a text twice; a supervisor's workers use tools, and that
// begins anew too. Hand-offs are telemetry's own events, and calls of tools that are named for it
// (transfer_to_billing).
//
// Bounded: edges_max pairs of agents a session, the oldest go. Cost: a scan of those a hand-off,
// nothing else.
#pragma once

#include "detect/session.h"
#include "detect/settings.h"

#include <optional>
#include <string_view>

namespace tagout::detect {

/// Whom a tool of this name hands over to, "" if it is none for that: transfer_to_X, handoff_to_X.
[[nodiscard]] std::string_view handed_over_to(std::string_view tool) noexcept;

/// Folds in that `from` handed the request to `to`; 0 for either is nobody known, and no round.
[[nodiscard]] std::optional<Sighting> note_handoff(
    Trail& trail, NameId from, NameId to, const IntentSettings& settings, const Names& names
);
/// A tool worked, or the user spoke: whoever has the request now did not just pass it on.
inline void note_kept(Trail& trail) noexcept {
    trail.handoffs.clear();
}

}  // namespace tagout::detect
