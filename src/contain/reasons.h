// The sentences of a refusal: for the model that is refused, and for the person who looks into it.
//
// Made once, when a snapshot is built. A model is told what is closed and what to do instead, so that
// it neither calls again nor looks for a way around; a person is told who, why and since when.
#pragma once

#include "contain/decide.h"

#include <string>

namespace tagout::contain {

/// "tool payments.refund", "every tool of class write", "every call"
[[nodiscard]] std::string subject_of(const Scope& scope);

[[nodiscard]] DecidedBy made_by(const Control& control);
[[nodiscard]] DecidedBy made_by(const Policy& policy, const PolicyRule& rule);
/// Of a rule whose condition had no answer.
[[nodiscard]] DecidedBy made_by_fault(const Policy& policy, const PolicyRule& rule);
[[nodiscard]] DecidedBy made_by_long_name();

}  // namespace tagout::contain
