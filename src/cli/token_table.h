// Tokens of agents and of gateways, as people read them.
#pragma once

#include "cli/verb.h"

namespace tagout::cli {

/// The member "tokens" of `answer`; `when_none` where there are none.
void render_token_table(
    const boost::json::value& answer, std::string_view when_none, Terminal& terminal
);

}  // namespace tagout::cli
