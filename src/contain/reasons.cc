#include "contain/reasons.h"

namespace tagout::contain {

namespace {

constexpr std::size_t listed_max = 10;  ///< Of the tools that a model is told of.

std::string with_big_letter(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    }
    return text;
}

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < listed_max; ++i) {
        text += (i == 0 ? "" : ", ") + names[i];
    }
    return names.size() > listed_max ? text + " and others" : text;
}

/// What is the case, and what to do instead.
std::string for_model(const Control& control) {
    const std::string subject = with_big_letter(subject_of(control.scope));
    const std::string why = " (" + control.id.text() + ": " + control.reason + "). ";
    switch (control.mode) {
        case ControlMode::Observe:
            return subject + " is being observed" + why + "Nothing is refused.";
        case ControlMode::ReadOnly:
            return "For " + subject_of(control.scope) + " only reading is allowed now" + why +
                   "Do not try to write in another way: read, and say what would have been written.";
        case ControlMode::Approvals:
            return "For " + subject_of(control.scope) + " writes wait for a person now" + why +
                   "Nobody has approved this call. Do not call again; say that it needs approval.";
        case ControlMode::Allowlist:
            return "For " + subject_of(control.scope) + " only these tools are allowed now: " +
                   listed(control.allowed) + why + "Use one of them, or say that it is not possible.";
        case ControlMode::Stopped:
            return subject + " is stopped by the people who run this system" + why +
                   "Do not call again and do not look for a way around: go on without it, or say "
                   "that this is not possible at the moment.";
        case ControlMode::Route:
            return subject + " is taken over by " +
                   (control.scope.kind == ScopeKind::Model ? "model " : "workflow ") +
                   control.route_to.text() + why;
        case ControlMode::Throttle:
            return "No more than " + std::to_string(control.terms.calls) + " calls in " +
                   tagout::to_text(control.terms.per) + " are let through for " +
                   subject_of(control.scope) +
                   (control.terms.key == LimitKey::Scope
                        ? ""
                        : ", for each " + std::string(name_of(control.terms.key))) +
                   why + "This call was not run.";
        case ControlMode::Budget:
            return "The budget of " + budget_text(control.terms) + " for " + subject_of(control.scope) +
                   (control.terms.key == LimitKey::Scope
                        ? ""
                        : ", for each " + std::string(name_of(control.terms.key))) +
                   " is spent" + why + "This call was not run. Do not call again: say what is done and "
                   "what is left.";
        case ControlMode::Pin:
            return subject + " is given " + listed(control.terms.pin) + why;
        case ControlMode::Redact:
            return "Some of what " + subject_of(control.scope) + " sends or gets is taken out" + why +
                   "Where it says [redacted], the value is withheld on purpose.";
    }
    return subject;
}

std::string for_person(const Control& control) {
    std::string text = control.id.text() + ": " + to_text(control.scope) + " is ";
    if (control.mode == ControlMode::Route) {
        text += "routed to " + control.route_to.text();
    } else if (control.mode == ControlMode::Throttle) {
        text += "throttled to " + rate_text(control.terms);
    } else if (control.mode == ControlMode::Budget) {
        text += "held to " + budget_text(control.terms);
    } else if (control.mode == ControlMode::Pin) {
        text += "given " + listed(control.terms.pin);
    } else if (control.mode == ControlMode::Redact) {
        text += "redacted of " + listed(control.terms.redact);
    } else {
        text += name_of(control.mode);
    }
    text += ", by " + control.author.text();
    if (!control.rule.empty()) {
        text += " (" + control.rule + ")";
    }
    text += " since " + to_rfc3339(control.since) + ": " + control.reason;
    return control.incident.empty() ? text : text + " [" + control.incident.text() + "]";
}

}  // namespace

std::string subject_of(const Scope& scope) {
    switch (scope.kind) {
        case ScopeKind::Global:
            return "every call";
        case ScopeKind::ToolClass:
            return scope.name == "high_risk" ? "every high-risk tool"
                                             : "every tool of class " + scope.name;
        case ScopeKind::McpServer:
            return "MCP server " + scope.name;
        case ScopeKind::PromptVersion:
            return "prompt version " + scope.name;
        case ScopeKind::Tenant:
        case ScopeKind::Environment:
        case ScopeKind::Agent:
        case ScopeKind::Workflow:
        case ScopeKind::Tool:
        case ScopeKind::Model:
        case ScopeKind::Session:
        case ScopeKind::User:
            return std::string(name_of(scope.kind)) + " " + scope.name;
    }
    return scope.name;
}

DecidedBy made_by(const Control& control) {
    DecidedBy by;
    by.id = control.id.text();
    by.reason_for_model = for_model(control);
    by.reason_for_person = for_person(control);
    by.incident = control.incident;
    by.mode = control.mode;
    by.route_to = control.route_to;
    by.user_approves = control.terms.user_approves;
    return by;
}

DecidedBy made_by(const Policy& policy, const PolicyRule& rule) {
    const std::string named = policy.name + "@" + policy.version;
    const std::string effect = rule.then == Verdict::Deny       ? "denies it"
                               : rule.then == Verdict::Escalate ? "asks a person"
                               : !rule.route_to.empty() ? "moves it to " + rule.route_to.text()
                               : rule.then == Verdict::Modify ? "takes out " + listed(rule.redact)
                                                              : "allows it";
    DecidedBy by;
    by.id = "policy:" + named + "#" + rule.name;
    by.reason_for_model =
        !rule.message.empty() ? rule.message
        : rule.then == Verdict::Modify
            ? "Rule " + rule.name + " of policy " + policy.name + " " + effect + "."
        : rule.limit
            ? "No more than " + std::to_string(rule.limit->calls) + " such calls in " +
                  tagout::to_text(rule.limit->per) + " are allowed for one " +
                  std::string(name_of(rule.limit->key)) + " (rule " + rule.name + " of policy " +
                  policy.name + "). Do not repeat the call now; go on without it."
            : "Rule " + rule.name + " of policy " + policy.name + " " + effect +
                  ". Do not call again with the same aim; say that it is not allowed.";
    by.reason_for_person = "policy " + named + ", rule " + rule.name + ", " + effect +
                           (rule.message.empty() ? "" : ": " + rule.message);
    by.route_to = rule.route_to;
    by.user_approves = rule.user_approves;
    return by;
}

DecidedBy made_by_fault(const Policy& policy, const PolicyRule& rule) {
    DecidedBy by = made_by(policy, rule);
    if (rule.then == Verdict::Modify) {
        by.reason_for_person += "; its condition had no answer for this call, so it was done to be safe";
        return by;
    }
    by.reason_for_model =
        "Rule " + rule.name + " of policy " + policy.name +
        " could not be judged on this call's arguments, so it is refused. Check names and types of the "
        "arguments against the tool's description; do not call again with the same.";
    by.reason_for_person += "; its condition had no answer for this call, so it failed closed (test "
                            "optional arguments with has())";
    return by;
}

DecidedBy made_by_long_name() {
    DecidedBy by;
    by.id = "limit:call_name_bytes_max";
    by.reason_for_model = "A name in this call is over " + std::to_string(call_name_bytes_max) +
                          " bytes. Call with the names that the tool list gives.";
    by.reason_for_person = "a name in the call is over " + std::to_string(call_name_bytes_max) +
                           " bytes; such a call is denied while any control or rule is in force";
    return by;
}

}  // namespace tagout::contain
