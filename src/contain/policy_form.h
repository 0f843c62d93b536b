// The form of a policy's YAML, declared once: reader and JSON Schema are made from these rows.
// Included by the policy_*.cc files only.
#pragma once

#include "contain/policy_rule.h"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace tagout::contain {

/// What the value of a key must look like.
enum class PolicyForm : std::uint8_t {
    Name,       ///< Letters, digits, '.', '_' and '-'.
    Glob,       ///< A name in which * and ? stand for anything and for one character.
    Text,       ///< Any text.
    Choice,     ///< One of `choices`.
    Words,      ///< One of `choices`, or a list of them.
    Texts,      ///< A text, or a list of them.
    Condition,  ///< CEL.
    Period,     ///< 30s, 1h30m
    Count,      ///< A whole number above zero.
    Time,       ///< 2026-11-27T22:30:00Z
    Json,       ///< Any value, as JSON would have it.
    Map,        ///< Keys of its own: `nested`.
};

struct PolicyKey {
    std::string_view key;
    PolicyForm form;
    bool required;
    std::string_view help;  ///< One sentence.
    std::span<const std::string_view> choices = {};
    const PolicyKey* nested = nullptr;
    std::size_t nested_count = 0;

    [[nodiscard]] std::span<const PolicyKey> keys() const { return {nested, nested_count}; }
};

inline constexpr std::array<std::string_view, 5> policy_effects{
    "deny", "ask", "allow", "redact", "route"};
inline constexpr std::array<std::string_view, 3> policy_wheres{"arguments", "results", "both"};
inline constexpr std::array<std::string_view, 2> policy_approvers{"operator", "user"};
inline constexpr std::array<std::string_view, 2> policy_modes{"enforce", "shadow"};
inline constexpr std::array<std::string_view, 4> policy_tool_effects{
    "unknown", "read", "write", "egress"};
inline constexpr std::array<std::string_view, 2> policy_risks{"low", "high"};
inline constexpr std::array<std::string_view, 3> policy_flows{
    "untrusted", "sensitive", "rule_of_two"};
inline constexpr std::array<std::string_view, 5> policy_limit_keys{
    "session", "agent", "user", "tenant", "tool"};
/// In the order of their bits; the first two are what `marks` can set.
inline constexpr std::array<std::string_view, 3> policy_marks{"untrusted", "sensitive", "changed"};

inline constexpr std::size_t policy_name_bytes_max = 100;
inline constexpr std::size_t policy_message_bytes_max = 2'000;
inline constexpr std::size_t policy_json_bytes_max = 64 * 1024;  ///< Of one `args`.

/// Keys of `match`; what is absent matches everything.
inline constexpr std::array match_keys{
    PolicyKey{"tool", PolicyForm::Glob, false, "Tool, as it is called or with its server before it."},
    PolicyKey{"server", PolicyForm::Glob, false, "MCP server."},
    PolicyKey{"agent", PolicyForm::Glob, false, "Agent that calls."},
    PolicyKey{"workflow", PolicyForm::Glob, false, "Workflow that the agent runs."},
    PolicyKey{"tenant", PolicyForm::Glob, false, "Tenant for whom it runs."},
    PolicyKey{"environment", PolicyForm::Glob, false, "Environment, such as production."},
    PolicyKey{
        "model", PolicyForm::Glob, false,
        "Model that is asked for; the rule is then about requests to models, and not calls of tools."},
    PolicyKey{
        "effect", PolicyForm::Choice, false,
        "What the tool does to the world; write covers unknown where the rule refuses.",
        policy_tool_effects},
    PolicyKey{"risk", PolicyForm::Choice, false, "Risk of the tool.", policy_risks},
};

inline constexpr std::array limit_keys{
    PolicyKey{"calls", PolicyForm::Count, true, "So many calls pass in any period."},
    PolicyKey{"per", PolicyForm::Period, true, "The period, from a second to a day."},
    PolicyKey{
        "key", PolicyForm::Choice, false, "Of whom calls are counted together; session is the default.",
        policy_limit_keys},
};

inline constexpr std::array rule_keys{
    PolicyKey{"name", PolicyForm::Name, true, "Name of the rule, unique in its policy."},
    PolicyKey{
        "match", PolicyForm::Map, false,
        "Calls that the rule is about; what is absent matches everything.", {}, match_keys.data(),
        match_keys.size()},
    PolicyKey{
        "when", PolicyForm::Condition, false,
        "Condition in CEL over tool, server, agent, workflow, session, tenant, environment, user, "
        "effect, risk, args, now and marks; a refusing rule also fits when it has no answer."},
    PolicyKey{
        "args", PolicyForm::Json, false,
        "JSON Schema (draft 2020-12); the rule fits calls whose arguments conform."},
    PolicyKey{
        "limit", PolicyForm::Map, false, "The rule fits the calls past so many in a period.", {},
        limit_keys.data(), limit_keys.size()},
    PolicyKey{
        "flow", PolicyForm::Choice, false,
        "What the session must have met before; rule_of_two fits the call that would complete "
        "untrusted text, sensitive data and a change.",
        policy_flows},
    PolicyKey{
        "effect", PolicyForm::Choice, true,
        "deny refuses the call, ask waits for a person, allow ends the search in this policy, redact "
        "takes out what is named and goes on to later rules, route sends requests elsewhere.",
        policy_effects},
    PolicyKey{
        "redact", PolicyForm::Texts, false,
        "Of effect redact: email, phone, card, iban, ssn, ip, secret, or re: and a pattern of RE2."},
    PolicyKey{
        "where", PolicyForm::Choice, false, "Of effect redact; both is the default.", policy_wheres},
    PolicyKey{
        "route_to", PolicyForm::Glob, false,
        "Of effect route: the workflow that takes over, or with match.model MODEL, UPSTREAM/MODEL or "
        "UPSTREAM/."},
    PolicyKey{
        "approver", PolicyForm::Choice, false,
        "Of effect ask, whose yes counts: the operator's (the default), or also the user's at the MCP "
        "client.",
        policy_approvers},
    PolicyKey{"message", PolicyForm::Text, false, "What the model is told when the rule refuses."},
    PolicyKey{
        "mode", PolicyForm::Choice, false,
        "shadow only records what the rule would have done; enforce is the default.", policy_modes},
};

inline constexpr std::array mark_keys{
    PolicyKey{
        "match", PolicyForm::Map, true, "Calls that mark their session.", {}, match_keys.data(),
        match_keys.size()},
    PolicyKey{
        "as", PolicyForm::Words, true,
        "untrusted: results may hold text of strangers; sensitive: results hold data that must not "
        "leave.",
        std::span(policy_marks).first<2>()},
};

inline constexpr std::array call_keys{
    PolicyKey{
        "tool", PolicyForm::Text, false,
        "Tool, as it is called; without it the call is a request to the model or workflow."},
    PolicyKey{"model", PolicyForm::Text, false, "Model that is asked."},
    PolicyKey{"server", PolicyForm::Text, false, "MCP server."},
    PolicyKey{"agent", PolicyForm::Text, false, "Agent that calls."},
    PolicyKey{"workflow", PolicyForm::Text, false, "Workflow that the agent runs."},
    PolicyKey{"session", PolicyForm::Text, false, "Session."},
    PolicyKey{"tenant", PolicyForm::Text, false, "Tenant."},
    PolicyKey{"environment", PolicyForm::Text, false, "Environment."},
    PolicyKey{"user", PolicyForm::Text, false, "User."},
    PolicyKey{
        "effect", PolicyForm::Choice, false, "What the tool does; without it as the catalog says.",
        policy_tool_effects},
    PolicyKey{
        "risk", PolicyForm::Choice, false, "Risk of the tool; without it as the catalog says.",
        policy_risks},
    PolicyKey{"args", PolicyForm::Json, false, "Arguments."},
    PolicyKey{"now", PolicyForm::Time, false, "Time of the call."},
    PolicyKey{"marks", PolicyForm::Words, false, "What the session has met before.", policy_marks},
};

inline constexpr std::array test_keys{
    PolicyKey{"name", PolicyForm::Text, true, "What is tested, in words."},
    PolicyKey{
        "call", PolicyForm::Map, true, "The call that is made.", {}, call_keys.data(),
        call_keys.size()},
    PolicyKey{
        "times", PolicyForm::Count, false,
        "The call is made so often, all at one time; the last one is judged."},
    PolicyKey{"expect", PolicyForm::Choice, true, "What must come of it.", policy_effects},
    PolicyKey{"rule", PolicyForm::Name, false, "The rule that must have decided."},
    PolicyKey{"shadow", PolicyForm::Name, false, "The shadow rule that must have been recorded."},
};

}  // namespace tagout::contain
