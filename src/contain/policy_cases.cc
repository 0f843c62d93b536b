#include "contain/policy_cases.h"

#include "contain/call_memory.h"
#include "contain/decide.h"

namespace tagout::contain {

namespace {

/// "deny by rule x" in words; `prefix` is what ids of this policy's rules begin with.
std::string rule_of(const DecidedBy* by, const std::string& prefix) {
    if (by == nullptr) {
        return "";
    }
    return by->id.starts_with(prefix) ? by->id.substr(prefix.size()) : by->id;
}

ToolCall call_of(const PolicyCase& from, const catalog::Catalog& catalog) {
    ToolCall call;
    call.kind = !from.tool.empty()    ? CallKind::Tool
                : !from.model.empty() ? CallKind::Model
                                      : CallKind::Workflow;
    call.tool = from.tool;
    call.model = from.model;
    call.server = from.server;
    call.agent = from.agent;
    call.workflow = from.workflow;
    call.session = from.session;
    call.tenant = from.tenant;
    call.environment = from.environment;
    call.user = from.user;
    call.arguments = from.args;
    call.now = from.now;
    call.marks = from.marks;
    add_facts(catalog, call);
    call.effect = from.effect.value_or(call.effect);
    call.risk = from.risk.value_or(call.risk);
    return call;
}

CaseResult judge(
    const PolicyCase& from, const Decision& decision, const std::string& prefix
) {
    const std::string by = rule_of(decision.by, prefix);
    const std::string shadow = rule_of(decision.shadow, prefix);
    const auto said = [](std::string_view verdict, const std::string& rule, const std::string& beside) {
        return std::string(verdict) + (rule.empty() ? "" : " by rule " + rule) +
               (beside.empty() ? "" : ", shadow rule " + beside);
    };
    CaseResult result{from.name, from.line, false, said(effect_word(decision), by, shadow)};
    result.passed = effect_word(decision) == from.expect &&
                    (from.rule.empty() || from.rule == by) &&
                    (from.shadow.empty() || from.shadow == shadow);
    if (!result.passed) {
        result.said += "; expected was " + said(from.expect, from.rule, from.shadow);
        if (decision.faulted) {
            result.said += "; the condition had no answer for this call";
        }
    }
    return result;
}

}  // namespace

Result<std::vector<CaseResult>> run_cases(
    const Policy& policy, const std::vector<PolicyCase>& cases, const catalog::Catalog& catalog
) {
    const std::shared_ptr<const ControlSnapshot> snapshot =
        TAGOUT_TRY(ControlSnapshot::build({}, std::span(&policy, 1), 0));
    const std::string prefix = "policy:" + policy.name + "@" + policy.version + "#";
    std::vector<CaseResult> results;
    results.reserve(cases.size());
    for (const PolicyCase& each : cases) {
        const ToolCall call = call_of(each, catalog);
        Decision decision;
        if (each.times <= 1) {
            decision = decide(*snapshot, call);
        } else {
            CallMemory memory;
            for (std::uint32_t i = 0; i < each.times; ++i) {
                decision = admit(*snapshot, call, memory);
            }
        }
        results.push_back(judge(each, decision, prefix));
    }
    return results;
}

}  // namespace tagout::contain
