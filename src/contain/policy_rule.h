// A policy as values: rules, in the order in which they are tried, and what marks a session.
//
// Read from YAML by policy.h, tried by decide.h. Thread-safe: values.
#pragma once

#include "base/clock.h"
#include "contain/condition.h"
#include "domain/control.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tagout::contain {

/// Which calls: an empty matcher matches all; texts may be globs. Effect write covers unknown
/// effects where the rule refuses, and not where it allows.
struct CallMatch {
    std::string tool;
    std::string server;
    std::string agent;
    std::string workflow;
    std::string tenant;
    std::string environment;
    std::string model = {};  ///< With it the rule is about requests to models, and not calls of tools.
    std::optional<ToolEffect> effect;
    std::optional<ToolRisk> risk;
    friend bool operator==(const CallMatch&, const CallMatch&) = default;
};

/// The rule fits the calls past so many in any period. Calls count that the rule fits otherwise and
/// that were let through or wait for a person.
struct RuleLimit {
    static constexpr std::uint32_t calls_max = 1'000'000;
    std::uint32_t calls = 0;
    Duration per{};
    LimitKey key = LimitKey::Session;
    friend bool operator==(const RuleLimit&, const RuleLimit&) = default;
};

/// What the session must have met before. RuleOfTwo: with this call it would have met all three of
/// untrusted text, sensitive data, and a change or a message to the outside.
enum class Flow : std::uint8_t { Any = 0, Untrusted = 1, Sensitive = 2, RuleOfTwo = 3 };
TAGOUT_NAMED_ENUM(Flow, parse_flow);

/// One standing rule: it fits a call when everything that it asks holds.
struct PolicyRule : CallMatch {
    std::string name;  ///< Unique in its policy.
    /// Deny, Escalate, Allow (an exception to later rules), or Modify: redact or route.
    Verdict then = Verdict::Deny;
    std::string message;           ///< For the model.
    bool shadow = false;
    CallCondition when = {};
    ArgumentForm args = {};
    std::optional<RuleLimit> limit = {};
    Flow flow = Flow::Any;
    /// Of effect redact, as a control's: named kinds, or "re:" and a pattern. Later rules still decide.
    std::vector<std::string> redact = {};
    RedactWhere where = RedactWhere::Both;
    /// Of effect route: a workflow; of models MODEL, UPSTREAM/MODEL or UPSTREAM/.
    WorkflowName route_to = {};
    bool user_approves = false;  ///< Of Escalate: the user at the client may say yes.
    friend bool operator==(const PolicyRule&, const PolicyRule&) = default;
};
/// What a rule is about: requests to models where it names one, requests to workflows where it moves
/// those, else calls of tools.
[[nodiscard]] CallKind kind_of(const PolicyRule& rule) noexcept;
/// deny, ask, allow, redact or route, as policies are written.
[[nodiscard]] std::string_view effect_word(const PolicyRule& rule) noexcept;
/// The same of a decision that a rule or nobody made.
[[nodiscard]] std::string_view effect_word(const Decision& decision) noexcept;

/// Calls of these tools mark their session. Changed is marked by every call that may change or send.
struct MarkRule : CallMatch {
    Marks marks = 0;
    friend bool operator==(const MarkRule&, const MarkRule&) = default;
};

/// A policy version that is in force; its rules are tried in order, the first that fits decides.
struct Policy {
    std::string name;
    std::string version;  ///< "v3"
    std::vector<PolicyRule> rules;
    std::vector<MarkRule> marks = {};
    /// The YAML that it was read from, which is how other processes get it; "" when it was made by hand.
    std::string source = {};
    friend bool operator==(const Policy&, const Policy&) = default;
};

}  // namespace tagout::contain
