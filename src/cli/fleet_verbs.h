// Verbs of the fleet of gateways: who is there, who may come, who will not come back.
#pragma once

#include "cli/verb.h"

namespace tagout::cli {

[[nodiscard]] VerbGroup fleet_verbs();

}  // namespace tagout::cli
