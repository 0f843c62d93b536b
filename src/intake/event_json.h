// One AgentEvent as one line of JSON: what `tagout events` prints, so that a person sees what
// Tagout sees.
//
// Keys, their order and what is left out are those of the recorded expectations that the golden
// tests compare with; docs/reference/normalisation.md explains them. Texts are clipped to 160
// characters, what was said and logged to 80. A spelling for people and tests: evidence is kept as
// the sender's bytes, never as this.
#pragma once

#include "domain/agent_event.h"

#include <string>

namespace tagout::intake {

/// Without the line's end. The texts are the event's; they are valid UTF-8 once decode() made it.
[[nodiscard]] std::string to_json_line(const AgentEvent& event);

}  // namespace tagout::intake
