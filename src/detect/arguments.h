// A tool call's arguments: one hash that two equal calls share, and the values inside.
//
// Arguments come as JSON from models, so they may be anything: reads what is there and never fails.
// Two calls are equal if their JSON means the same: blanks and the order of keys do not matter; the
// order in arrays does. Text that is no JSON is hashed as it stands, without blanks at its ends,
// and is one value. Pure. Bounds: depth_max nested levels (what lies deeper is hashed as text and
// yields no values), values_max values. Cost: one pass, about 1 ns a byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

struct ArgumentValue {
    std::string name;       ///< The nearest key, "" in a bare text; at most name_bytes_max bytes.
    std::string text;       ///< Unescaped, at most value_bytes_max bytes.
    bool quoted = false;    ///< A JSON string; false: number, literal or bare text.
    bool target = false;  ///< By its name it says to whom or where: an address, recipient, account.
};

struct ArgumentLimits {
    std::size_t depth_max = 24;
    std::size_t values_max = 24;
    std::size_t value_bytes_max = 400;
    std::size_t name_bytes_max = 32;
};

/// The canonical hash alone.
[[nodiscard]] std::uint64_t hash_arguments(std::string_view json) noexcept;

/// What two calls in other words share. `near` is blind to case, blanks and signs in a value, to
/// whether a number is quoted and how it is written, to "http://", "https://" and "www." before an
/// address, and to members that are null or empty. Bounds: of a value normal_bytes_max bytes count.
struct ArgumentDigest {
    static constexpr std::size_t fields_max = 6;
    static constexpr std::size_t normal_bytes_max = 512;

    std::uint64_t exact = 0;  ///< What hash_arguments() gives.
    std::uint64_t near = 0;
    std::array<std::uint16_t, fields_max> fields{};  ///< Near hashes of the outermost members.
    std::uint8_t fields_count = 0;                   ///< Of them, and of those past fields_max.
};
[[nodiscard]] ArgumentDigest digest_arguments(std::string_view json) noexcept;

/// ArgumentDigest's hash of one value, 0 if nothing is left of it.
[[nodiscard]] std::uint32_t near_hash_of(std::string_view value) noexcept;

/// Appends the values in order of writing; `name`s are views into `json`.
void read_values(
    std::string_view json, const ArgumentLimits& limits, std::vector<ArgumentValue>& out
);

}  // namespace tagout::detect
