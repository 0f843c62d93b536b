// A tool call's arguments: one hash that two equal calls share, and the values inside.
//
// Arguments come as JSON from models, so they may be anything: reads what is there and never fails.
// Two calls are equal if their JSON means the same: blanks and the order of keys do not matter; the
// order in arrays does. Text that is no JSON is hashed as it stands, without blanks at its ends,
// and is one value. Pure. Bounds: depth_max nested levels (what lies deeper is hashed as text and
// yields no values), values_max values. Cost: one pass, about 1 ns a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

struct ArgumentValue {
    std::string_view name;  ///< The nearest key, "" in a bare text.
    std::string text;       ///< Unescaped, at most value_bytes_max bytes.
    bool quoted = false;    ///< A JSON string; false: number, literal or bare text.
    bool target = false;  ///< By its name it says to whom or where: an address, recipient, account.
};

struct ArgumentLimits {
    std::size_t depth_max = 24;
    std::size_t values_max = 24;
    std::size_t value_bytes_max = 400;
};

/// The canonical hash alone.
[[nodiscard]] std::uint64_t hash_arguments(std::string_view json) noexcept;

/// Appends the values in order of writing; `name`s are views into `json`.
void read_values(
    std::string_view json, const ArgumentLimits& limits, std::vector<ArgumentValue>& out
);

}  // namespace tagout::detect
