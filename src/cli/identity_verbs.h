// Verbs of agents' credentials: which tokens there are, who was refused.
#pragma once

#include "cli/verb.h"

namespace tagout::cli {

[[nodiscard]] VerbGroup identity_verbs();

}  // namespace tagout::cli
