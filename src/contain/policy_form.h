// The form of a policy's YAML, declared once: reader and JSON Schema are made from these rows.
// Included by policy.cc and policy_schema.cc only.
#pragma once

#include "contain/decide.h"

#include <array>
#include <span>
#include <string_view>

namespace tagout::contain {

/// What the value of a key must look like.
enum class PolicyForm : std::uint8_t {
    Name,    ///< Letters, digits, '.', '_' and '-'.
    Glob,    ///< A name in which * and ? stand for anything and for one character.
    Text,    ///< Any text.
    Choice,  ///< One of `choices`.
};

struct PolicyKey {
    std::string_view key;
    PolicyForm form;
    bool required;
    std::string_view help;  ///< One sentence.
    std::span<const std::string_view> choices = {};
};

inline constexpr std::array<std::string_view, 3> policy_effects{"deny", "ask", "allow"};
inline constexpr std::array<std::string_view, 2> policy_modes{"enforce", "shadow"};
inline constexpr std::array<std::string_view, 4> policy_tool_effects{
    "unknown", "read", "write", "egress"};
inline constexpr std::array<std::string_view, 2> policy_risks{"low", "high"};

inline constexpr std::size_t policy_name_bytes_max = 100;
inline constexpr std::size_t policy_message_bytes_max = 2'000;

/// Keys of one rule beside `match`.
inline constexpr std::array rule_keys{
    PolicyKey{"name", PolicyForm::Name, true, "Name of the rule, unique in its policy."},
    PolicyKey{
        "effect", PolicyForm::Choice, true,
        "deny refuses the call, ask waits for a person, allow ends the search in this policy.",
        policy_effects},
    PolicyKey{"message", PolicyForm::Text, false, "What the model is told when the rule refuses."},
    PolicyKey{
        "mode", PolicyForm::Choice, false,
        "shadow only records what the rule would have done; enforce is the default.", policy_modes},
};

/// Keys of `match`; what is absent matches everything.
inline constexpr std::array match_keys{
    PolicyKey{"tool", PolicyForm::Glob, false, "Tool, as it is called or with its server before it."},
    PolicyKey{"server", PolicyForm::Glob, false, "MCP server."},
    PolicyKey{"agent", PolicyForm::Glob, false, "Agent that calls."},
    PolicyKey{"workflow", PolicyForm::Glob, false, "Workflow that the agent runs."},
    PolicyKey{"tenant", PolicyForm::Glob, false, "Tenant for whom it runs."},
    PolicyKey{"environment", PolicyForm::Glob, false, "Environment, such as production."},
    PolicyKey{
        "effect", PolicyForm::Choice, false,
        "What the tool does to the world; write covers unknown where the rule refuses.",
        policy_tool_effects},
    PolicyKey{"risk", PolicyForm::Choice, false, "Risk of the tool.", policy_risks},
};

}  // namespace tagout::contain
