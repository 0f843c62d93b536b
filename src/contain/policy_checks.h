// What can be said of a policy's rules without a call. Internal to contain/.
#pragma once

#include "catalog/catalog.h"
#include "contain/policy_reader.h"

#include <vector>

namespace tagout::contain {

/// What redact and route need, what belongs to another effect, and what a request to a model or workflow
/// does not have: all mistakes. `values` are those that the rule was read from.
void check_terms(
    const PolicyValues& values, const PolicyRule& rule, const catalog::YamlNode& at, PolicyReader& reader
);

/// Rules that are never reached, contradict an earlier one or can never fit are mistakes; what is
/// probably not meant so is a remark. `places`: of each rule, in order. `known`: may be null.
void check_rules(
    const Policy& policy, const std::vector<const catalog::YamlNode*>& places,
    const catalog::Catalog* known, PolicyReader& reader
);

}  // namespace tagout::contain
