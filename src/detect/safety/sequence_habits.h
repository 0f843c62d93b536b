// safety.unusual_sequence: calls that are each allowed, in an order that no good session had.
//
// Judged is the first use of a tool that changes or sends something and that carries a value which
// only a tool's result named: a read of foreign text, then a send, say, where the workflow sends
// first. Both tools must be old acquaintances (used_sessions_min good sessions each), and new
// orders before this tool rare: of n good sessions with it, f showed a pair that no other did, and
// (f + 1/2) / (n + 1) is the chance of a new one, at most chance_max of this signal, 0.06.
//
// Pure. Cost: a look-up a tool before, and a walk through the profile's pairs where one is new.
#pragma once

#include "catalog/workflow_profile.h"
#include "detect/key_partials.h"
#include "detect/settings.h"

#include <optional>
#include <string>
#include <string_view>

namespace tagout::detect {

/// Key of the profile facet: "read_inbox > send_money".
[[nodiscard]] std::string pair_key(std::string_view before, std::string_view after);

[[nodiscard]] std::optional<Finding> judge_sequence(
    const CallFact& fact, const catalog::WorkflowProfile* profile, const SafetySettings& settings
);

}  // namespace tagout::detect
