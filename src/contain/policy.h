// Policies as people write them: YAML of family `policy`, read and checked whole.
//
//   rules:
//     - name: refunds-by-night
//       match: { tool: payments.refund, environment: production }
//       when: args.amount > 100 && now.getHours('Europe/Berlin') >= 22
//       effect: ask
//       message: High refunds are made by day. Say so and offer to come back.
//     - name: no-mail-after-web-pages
//       match: { effect: egress }
//       flow: untrusted
//       effect: deny
//     - name: at-most-twenty
//       match: { tool: "mail.*" }
//       limit: { calls: 20, per: 1h, key: session }
//       effect: deny
//   marks:
//     - match: { tool: "web.*" }
//       as: untrusted
//   tests: ...                                         (policy_cases.h)
//
// Every mistake is found in one pass, each with its line and what to write instead: unknown keys,
// names that stand twice, conditions that do not compile or never change, rules that can never be
// reached or contradict an earlier one, tests of rules that are not there. With a catalog, tools that
// it does not know are remarked upon. The keys are declared once (policy_form.h); reader and JSON
// Schema are made from them.
//
// Untrusted input: any bytes give a policy or mistakes, within the bounds of catalog::YamlLimits and
// policy_rules_max. Pure but for the time zones that conditions name (cel/time.h); thread-safe. Cost:
// rules squared for finding the unreachable ones, about a hundred milliseconds at the bound; done
// when a version is published, never on the way of a call.
#pragma once

#include "catalog/mistake.h"
#include "contain/decide.h"
#include "contain/policy_cases.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

struct PolicyReport {
    std::optional<Policy> policy;  ///< Only when there is no mistake.
    std::vector<PolicyCase> cases;
    std::vector<catalog::Mistake> mistakes;
    /// What may be meant so and probably is not: the policy is good all the same.
    std::vector<catalog::Mistake> remarks;
};

/// `known`: to remark upon tools that it does not have; null for none.
[[nodiscard]] PolicyReport read_policy(
    std::string_view name, std::string_view version, std::string_view yaml,
    const catalog::Catalog* known = nullptr
);

/// The same as a Result: InvalidArgument with every mistake a line.
[[nodiscard]] Result<Policy> parse_policy(
    std::string_view name, std::string_view version, std::string_view yaml
);

/// The JSON Schema of a policy (draft 2020-12), pretty-printed: api/policy.schema.json.
[[nodiscard]] std::string policy_schema();

/// docs/reference/policy.md, from the same rows.
[[nodiscard]] std::string policy_page();

/// Rules of one policy that are looked at for being unreachable; a longer one is refused.
inline constexpr std::size_t policy_rules_max = 2'000;
inline constexpr std::size_t policy_marks_max = 200;

}  // namespace tagout::contain
