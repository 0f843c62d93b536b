// Tests that stand in a policy's file: a call, how often it is made, and what must come of it.
//
//   tests:
//     - name: a refund by night waits
//       call: { tool: payments.refund, effect: write, now: 2026-11-27T23:00:00Z, args: { amount: 5 } }
//       expect: ask
//       rule: refunds-by-night
//
// A case is judged by its own policy alone, with no controls and nothing that came before it but what
// it says itself. Pure; thread-safe. Cost: a snapshot once, a decision a call.
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "contain/policy_rule.h"

#include <string>
#include <vector>

namespace tagout::contain {

inline constexpr std::size_t policy_cases_max = 500;
inline constexpr std::uint32_t policy_case_times_max = 100'000;

struct PolicyCase {
    std::string name;
    int line = 0;
    // The call, whose texts a ToolCall points at.
    std::string tool, model, server, agent, workflow, session, tenant, environment, user;
    std::optional<ToolEffect> effect;  ///< Unset: as the catalog says.
    std::optional<ToolRisk> risk;
    std::string args;  ///< JSON
    Instant now;
    Marks marks = 0;
    std::uint32_t times = 1;
    // What must come of it.
    std::string expect;  ///< Of policy_effects.
    std::string rule;    ///< "" for any.
    std::string shadow;  ///< "" for any.
};

struct CaseResult {
    std::string name;
    int line = 0;
    bool passed = false;
    std::string said;  ///< "denied by rule x", and what was wanted instead.
};

/// One for each case, in order. LimitExceeded when the policy itself cannot be put in force.
[[nodiscard]] Result<std::vector<CaseResult>> run_cases(
    const Policy& policy, const std::vector<PolicyCase>& cases, const catalog::Catalog& catalog
);

}  // namespace tagout::contain
