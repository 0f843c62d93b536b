// The verbs of step five: regressions, review, actions and gate.
#pragma once

#include "cli/verb.h"

#include <string>

namespace tagout::cli {

[[nodiscard]] VerbGroup regression_verbs();
[[nodiscard]] VerbGroup review_verbs();
[[nodiscard]] VerbGroup action_verbs();
[[nodiscard]] VerbGroup suite_verbs();

struct GateOptions {
    std::string agent;   ///< "" for every agent.
    std::string bundle;  ///< File of a candidate, or the id of one that the server knows.
    std::string junit;   ///< File to write; "" for none.
};

/// tagout gate: 0 pass, 1 fail, 2 inconclusive. A bundle in a file needs the token, as it is sent.
Result<int> ask_gate(const Common& common, const GateOptions& options, Terminal& terminal);

}  // namespace tagout::cli
