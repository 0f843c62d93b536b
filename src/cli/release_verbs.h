// Verbs of versions, rollback, freezes and journeys.
#pragma once

#include "cli/verb.h"

namespace tagout::cli {

[[nodiscard]] VerbGroup catalog_verbs();
[[nodiscard]] VerbGroup release_verbs();  ///< Without a word before them: rollback, freezes.
[[nodiscard]] VerbGroup journey_verbs();

}  // namespace tagout::cli
