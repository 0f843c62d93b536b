// The rules of decide() once more, slow and plain, for tests to compare with: every control and every
// rule is asked one after another, and the strictest answer is kept.
#pragma once

#include "contain/decide.h"
#include "contain/tables.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tagout::contain::reference {

struct Answer {
    Verdict verdict = Verdict::Allow;
    std::string by;
    std::string shadow;
    friend bool operator==(const Answer&, const Answer&) = default;
};

/// Every name under which a tool is known: as it was called, and with its server before it.
inline std::vector<std::string> tool_names(const ToolCall& call, std::string& server) {
    const std::string tool(call.tool);
    server = std::string(call.server);
    std::vector<std::string> names{tool};
    std::string own = tool;
    if (server.empty() && tool.rfind("mcp__", 0) == 0) {
        const std::string rest = tool.substr(5);
        const std::size_t gap = rest.find("__");
        if (gap != std::string::npos && gap > 0 && gap + 2 < rest.size()) {
            server = rest.substr(0, gap);
            own = rest.substr(gap + 2);
            names.push_back(own);
        }
    }
    if (!tool.empty() && !server.empty()) {
        names.push_back(server + "." + own);
    }
    return names;
}

inline bool fits(const Scope& scope, const ToolCall& call) {
    std::string server;
    std::vector<std::string> names;
    switch (scope.kind) {
        case ScopeKind::Global:
            return true;
        case ScopeKind::ToolClass:
            if (call.kind != CallKind::Tool) {
                return false;
            }
            if (scope.name == "high_risk") {
                return call.risk == ToolRisk::High;
            }
            return scope.name == name_of(call.effect) ||
                   (scope.name == "write" && call.effect == ToolEffect::Unknown);
        case ScopeKind::Tool:
            names = tool_names(call, server);
            break;
        case ScopeKind::McpServer:
            (void)tool_names(call, server);
            names = {server};
            break;
        case ScopeKind::Tenant:
            names = {std::string(call.tenant)};
            break;
        case ScopeKind::Environment:
            names = {std::string(call.environment)};
            break;
        case ScopeKind::Agent:
            names = {std::string(call.agent)};
            break;
        case ScopeKind::Workflow:
            names = {std::string(call.workflow)};
            break;
        case ScopeKind::Model:
            names = {std::string(call.model)};
            break;
        case ScopeKind::PromptVersion:
            names = {std::string(call.prompt_version)};
            break;
        case ScopeKind::Session:
            names = {std::string(call.session)};
            break;
        case ScopeKind::User:
            names = {std::string(call.user)};
            break;
    }
    for (const std::string& name : names) {
        if (!name.empty() && catalog::glob_matches(scope.name, name)) {
            return true;
        }
    }
    return false;
}

inline bool fits(const PolicyRule& rule, const ToolCall& call) {
    const CallKind about = !rule.model.empty()      ? CallKind::Model
                           : !rule.route_to.empty() ? CallKind::Workflow
                                                    : CallKind::Tool;
    if (about != call.kind) {
        return false;
    }
    const bool any_effect = about != CallKind::Tool;
    std::string server;
    bool tool = rule.tool.empty();
    for (const std::string& name : tool_names(call, server)) {
        tool = tool || catalog::glob_matches(rule.tool, name);
    }
    const auto one = [](const std::string& pattern, std::string_view name) {
        return pattern.empty() || catalog::glob_matches(pattern, name);
    };
    const bool effect = any_effect || !rule.effect || *rule.effect == call.effect ||
                        (*rule.effect == ToolEffect::Write && rule.then != Verdict::Allow &&
                         call.effect == ToolEffect::Unknown);
    return tool && effect && (!rule.risk || *rule.risk == call.risk) && one(rule.server, server) &&
           one(rule.agent, call.agent) && one(rule.workflow, call.workflow) &&
           one(rule.tenant, call.tenant) && one(rule.environment, call.environment) &&
           one(rule.model, call.model);
}

/// What one control says: a rank (less is stricter) and a verdict, or nothing.
inline std::optional<std::pair<int, Verdict>> answer_of(const Control& control, const ToolCall& call) {
    const bool tool_call = call.kind == CallKind::Tool;
    const bool may_write = call.effect != ToolEffect::Read;
    switch (control.mode) {
        case ControlMode::Stopped:
            return std::pair(0, Verdict::Deny);
        case ControlMode::Allowlist: {
            bool listed = false;
            std::string server;
            for (const std::string& name : tool_names(call, server)) {
                for (const std::string& allowed : control.allowed) {
                    listed = listed || (!name.empty() && catalog::glob_matches(allowed, name));
                }
            }
            return tool_call && !listed ? std::optional(std::pair(1, Verdict::Deny)) : std::nullopt;
        }
        case ControlMode::ReadOnly:
            return tool_call && may_write ? std::optional(std::pair(2, Verdict::Deny)) : std::nullopt;
        case ControlMode::Approvals:
            return tool_call && may_write ? std::optional(std::pair(6, Verdict::Escalate))
                                          : std::nullopt;
        case ControlMode::Route:
            return call.kind == (control.scope.kind == ScopeKind::Model ? CallKind::Model
                                                                        : CallKind::Workflow)
                       ? std::optional(std::pair(8, Verdict::Modify))
                       : std::nullopt;
        case ControlMode::Redact:
            return call.kind == CallKind::Workflow ? std::nullopt
                                                   : std::optional(std::pair(10, Verdict::Modify));
        case ControlMode::Pin:
        case ControlMode::Budget:  // decide() below asks whether it is spent.
        case ControlMode::Throttle:  // Calls by themselves have room.
        case ControlMode::Observe:
            break;
    }
    return std::nullopt;
}

/// Whether a budget has nothing left for `call`.
using IsSpent = std::function<bool(const Control& control, const ToolCall& call)>;

inline Answer decide(
    const std::vector<Control>& controls, const std::vector<Policy>& policies, const ToolCall& call,
    const IsSpent& is_spent = nullptr
) {
    Answer answer;
    int best = 100;
    for (const Control& control : controls) {
        if (!fits(control.scope, call) || (control.validating && call.journey)) {
            continue;
        }
        const Opening& opening = control.opening;
        const bool opened =
            control.validating &&
            ((!opening.tenant.empty() && opening.tenant == call.tenant) ||
             (!call.session.empty() && place_of_session(call.session) < opening.share));
        if (control.mode == ControlMode::Observe || opened) {
            answer.shadow = answer.shadow.empty() ? control.id.text() : answer.shadow;
            continue;
        }
        auto said = answer_of(control, call);
        if (control.mode == ControlMode::Budget && is_spent && is_spent(control, call)) {
            said = std::pair(5, Verdict::Deny);
        }
        if (said && said->first < best) {
            best = said->first;
            answer.verdict = said->second;
            answer.by = control.id.text();
        }
    }
    std::string shadow_rule;
    for (const Policy& policy : policies) {
        for (const PolicyRule& rule : policy.rules) {
            if (!fits(rule, call)) {
                continue;
            }
            const std::string id = "policy:" + policy.name + "@" + policy.version + "#" + rule.name;
            if (rule.shadow) {
                if (rule.then != Verdict::Allow && shadow_rule.empty()) {
                    shadow_rule = id;
                }
                continue;
            }
            const int rank = rule.then == Verdict::Deny       ? 3
                             : rule.then == Verdict::Escalate ? 7
                             : !rule.route_to.empty()         ? 9
                             : rule.then == Verdict::Modify   ? 11
                                                              : 100;
            if (rank < best) {
                best = rank;
                answer.verdict = rule.then;
                answer.by = id;
            }
            if (rule.redact.empty()) {
                break;
            }
        }
    }
    answer.shadow = answer.shadow.empty() ? shadow_rule : answer.shadow;
    return answer;
}

}  // namespace tagout::contain::reference
