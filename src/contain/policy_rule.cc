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

}  // namespace tagout::contain
