// A tool that changes or sends something and that the workflow's good sessions never used:
//
//   safety.new_tool        foreign text may have chosen the tool: orders stood in an earlier
//                          result; or the call carries a value that only a result named, unless the
//                          user asked for such a tool and named a value of the call, too
//   tool.unexpected_write  neither, the tool is a high-risk one and the user did not ask for it:
//                          the agent chose wrongly. Steps on the way (create a folder, copy a file)
//                          are new in one of six good recorded runs, so low-risk ones pass.
//
// Without orders a new tool is news only where new tools are rare. Of n good sessions f used a tool
// that no other did, so the next one uses a new one with a chance of about (f + 1/2) / (n + 1)
// (Good and Turing's estimate): at most tool_chance_max, 0.2.
//
// Cold start: before profile_sessions_min good sessions nothing is new. A tool that tagout.yaml
// lists for the agent is never new. A tool that the user asked for, and whose values nobody else
// named, is new only after orders.
//
// Pure. Cost: one look-up a first use of a tool in a session; of a new one a walk through the
// profile's tools.
#pragma once

#include "catalog/catalog.h"
#include "catalog/workflow_profile.h"
#include "detect/key_partials.h"
#include "detect/settings.h"

#include <optional>

namespace tagout::detect {

/// The chance that a good session uses a tool that none used before.
[[nodiscard]] double chance_of_new_tool(const catalog::WorkflowProfile& profile);

/// The finding that `fact` makes against `profile` (nullptr: nothing is known), all but its number
/// on boards.
[[nodiscard]] std::optional<Finding> judge_new_tool(
    const CallFact& fact, const catalog::WorkflowProfile* profile, const SafetySettings& settings,
    const catalog::Catalog& catalog
);

}  // namespace tagout::detect
