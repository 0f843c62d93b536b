// Verbs about policies that ask a server: back-tests and suggestions.
#pragma once

#include "cli/verb.h"

namespace tagout::cli {

[[nodiscard]] VerbGroup policy_verbs();

/// A Backtest of the API as tables: what would have been refused by tool and agent, and examples.
void render_backtest(const boost::json::value& answer, Terminal& terminal);

}  // namespace tagout::cli
