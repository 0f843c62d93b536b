// A tool that changes or sends something and that the workflow's good sessions never used:
//
//   safety.new_tool        orders stood in an earlier result, or its values came out of one and the
//                          user did not ask for it: foreign text may have chosen the tool
//   tool.unexpected_write  neither, the tool is a high-risk one and the user did not ask for it:
//   the agent chose wrongly. Steps on the way (create a folder, copy
//                          a file) are new in one of six good recorded runs, so low-risk ones pass.
//
// Cold start: before profile_sessions_min good sessions nothing is new. A tool that tagout.yaml
// lists for the agent is never new. A tool that the user asked for is new only after orders.
//
// Pure. Cost: one look-up a first use of a tool in a session.
#pragma once

#include "catalog/catalog.h"
#include "catalog/workflow_profile.h"
#include "detect/key_partials.h"
#include "detect/settings.h"

#include <optional>

namespace tagout::detect {

/// The finding that `fact` makes against `profile` (nullptr: nothing is known), all but its number
/// on boards.
[[nodiscard]] std::optional<Finding> judge_new_tool(
    const CallFact& fact, const catalog::WorkflowProfile* profile, const SafetySettings& settings,
    const catalog::Catalog& catalog
);

}  // namespace tagout::detect
