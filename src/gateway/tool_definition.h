// The definition of a tool in one form, however its server wrote it down: what a pin is a hash of.
//
// Members are sorted by name, white space and escapes are the same everywhere, and what says nothing
// about the tool itself (`_meta`, `icons`) is left out. Pure; any checked JSON gives a text.
#pragma once

#include "gateway/json_scan.h"

#include <string>

namespace tagout::gateway {

/// Deeper parts are taken as they were written: each level is copied once more.
inline constexpr std::size_t canonical_depth_max = 32;

/// `tool` must have passed check_json, alone or as a part.
[[nodiscard]] std::string canonical_definition(RawJson tool);

}  // namespace tagout::gateway
