#include "contain/policy_rule.h"

#include "domain/named_enum.h"

namespace tagout::contain {

namespace {

constexpr std::array flow_names{
    EnumName{Flow::Any, "any"},
    EnumName{Flow::Untrusted, "untrusted"},
    EnumName{Flow::Sensitive, "sensitive"},
    EnumName{Flow::RuleOfTwo, "rule_of_two"},
};

}  // namespace

TAGOUT_DEFINE_NAMED_ENUM(Flow, parse_flow, flow_names)

CallKind kind_of(const PolicyRule& rule) noexcept {
    return !rule.model.empty()      ? CallKind::Model
           : !rule.route_to.empty() ? CallKind::Workflow
                                    : CallKind::Tool;
}

namespace {

std::string_view word_of(Verdict verdict, bool routes) noexcept {
    return verdict == Verdict::Deny       ? "deny"
           : verdict == Verdict::Escalate ? "ask"
           : verdict == Verdict::Modify   ? (routes ? "route" : "redact")
                                          : "allow";
}

}  // namespace

std::string_view effect_word(const PolicyRule& rule) noexcept {
    return word_of(rule.then, !rule.route_to.empty());
}

std::string_view effect_word(const Decision& decision) noexcept {
    return word_of(decision.verdict, decision.by != nullptr && !decision.by->route_to.empty());
}

}  // namespace tagout::contain
