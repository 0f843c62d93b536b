// A rule that would have met an incident, proposed from what is known of it: tool and cause, the
// arguments of the steps that its findings point at, and where their values came from.
//
//   the cause speaks of foreign text   -> flow: untrusted, with the tools that were read before marked
//   calls that run away                -> limit, above what other sessions did
//   arguments that stand apart         -> when, by what no other call of the tool had
//   none of these                      -> the tool for that agent waits for a person
//
// It is a draft for a person: in shadow mode, and it says why. Pure. Cost: linear in the calls.
#pragma once

#include "incident/incident.h"
#include "verify/past_calls.h"

#include <string>
#include <vector>

namespace tagout::app {

struct PolicySuggestion {
    std::string yaml;               ///< A whole policy, as `tagout policy check` takes it.
    std::vector<std::string> why;   ///< A sentence for each part of it.
    std::vector<std::string> calls; ///< Of the incident, that the rule was made from: "tool ARGUMENTS".
};

/// InvalidArgument when the incident names no tool and no call of its sessions is in `past`.
[[nodiscard]] Result<PolicySuggestion> suggest_policy(
    const incident::Incident& incident, const verify::PastCalls& past
);

}  // namespace tagout::app
