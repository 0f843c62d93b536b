// Decisions of policies alone, for regression cases: contain's decide() over a snapshot that holds
// the policies of a configuration and no controls, which are of the day and no part of it.
#pragma once

#include "app/candidate.h"

namespace tagout::app {

/// InvalidArgument names the policy and its mistakes.
[[nodiscard]] CompilePolicies compile_policies();

}  // namespace tagout::app
