// Verbs of the contain step that are one call of the API: controls, and calls that wait for a person.
#pragma once

#include "cli/verb.h"

namespace tagout::cli {

[[nodiscard]] VerbGroup contain_verbs();
[[nodiscard]] VerbGroup approval_verbs();
[[nodiscard]] VerbGroup tool_verbs();

}  // namespace tagout::cli
