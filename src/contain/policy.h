// Policies as people write them: YAML of family `policy`, read and checked whole.
//
//   rules:
//     - name: no-refunds-at-night
//       match: { tool: payments.refund, environment: production }
//       effect: deny
//       message: Refunds are made by day. Say so and offer to come back.
//       mode: enforce
//
// Every mistake is found in one pass, each with its line and what to write instead: unknown keys,
// names that stand twice, rules that can never be reached because an earlier one covers them. The
// keys are declared once (policy_form.h); reader and JSON Schema are made from them.
//
// Untrusted input: any bytes give a policy or mistakes, within the bounds of catalog::YamlLimits and
// policy_rules_max. Pure; thread-safe. Cost: rules squared for finding the unreachable ones, about a
// hundred milliseconds at the bound; done when a version is published, never on the way of a call.
#pragma once

#include "catalog/mistake.h"
#include "contain/decide.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

struct PolicyReport {
    std::optional<Policy> policy;  ///< Only when there is no mistake.
    std::vector<catalog::Mistake> mistakes;
};

[[nodiscard]] PolicyReport read_policy(
    std::string_view name, std::string_view version, std::string_view yaml
);

/// The same as a Result: InvalidArgument with every mistake a line.
[[nodiscard]] Result<Policy> parse_policy(
    std::string_view name, std::string_view version, std::string_view yaml
);

/// The JSON Schema of a policy (draft 2020-12), pretty-printed: api/policy.schema.json.
[[nodiscard]] std::string policy_schema();

/// Rules of one policy that are looked at for being unreachable; a longer one is refused.
inline constexpr std::size_t policy_rules_max = 2'000;

}  // namespace tagout::contain
