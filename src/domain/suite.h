// The name by which results of prompt-injection test suites are known on their way from a report to
// a finding.
#pragma once

#include <string_view>

namespace tagout {

/// Evaluations whose name is this, or begins with this and a blank, are results of such a suite.
inline constexpr std::string_view suite_evaluation = "injection_tests";

}  // namespace tagout
