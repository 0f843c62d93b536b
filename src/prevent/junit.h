// Checks as a JUnit file, which every CI system shows: a fail is a failure, an inconclusive check is
// an error, because it must not be taken for a pass. Pure.
#pragma once

#include "prevent/judgement.h"

#include <span>
#include <string>
#include <string_view>

namespace tagout::prevent {

/// XML 1.0 in UTF-8; characters that XML cannot carry become U+FFFD.
[[nodiscard]] std::string junit_xml(std::string_view suite, std::span<const Check> checks);

}  // namespace tagout::prevent
