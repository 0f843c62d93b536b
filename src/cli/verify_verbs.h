// Verbs of the verify step that are one call of the API: ledger, evidence export, evidence key.
#pragma once

#include "cli/verb.h"

namespace tagout::cli {

[[nodiscard]] VerbGroup ledger_verbs();
[[nodiscard]] VerbGroup evidence_verbs();

}  // namespace tagout::cli
