// Where the values of a JSON text stand in it, so that what is forwarded is never written anew: a
// gateway that parses and prints changes number precision, key order and schemas.
//
// A text is first proved to be JSON (check_json, simdjson); over what passed, these walk members
// and elements by their bytes. Pure and thread-safe. One pass over what is walked; no recursion.
#pragma once

#include "base/result.h"
#include "domain/event_batch.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tagout::gateway {

inline constexpr std::size_t json_depth_max = 512;

/// InvalidArgument unless `text` is one JSON value in UTF-8, nested json_depth_max deep at most.
[[nodiscard]] Result<void> check_json(const PaddedBytes& text);
[[nodiscard]] Result<void> check_json(std::string_view text);

/// A value as it stands in its text, without the white space around it.
using RawJson = std::string_view;

[[nodiscard]] RawJson trimmed(std::string_view json) noexcept;

enum class Walk : std::uint8_t { GoOn, Stop };

/// Each member of the object `json`, in order, duplicates too; `key` is undone of its escapes.
/// Nothing if it is no object. `json` must have passed check_json, alone or as a part.
void for_each_member(
    RawJson json, const std::function<Walk(std::string_view key, RawJson value)>& visit
);
/// Each element of the array `json`.
void for_each_element(RawJson json, const std::function<Walk(RawJson value)>& visit);

/// First member of that name; "" if there is none.
[[nodiscard]] RawJson member(RawJson json, std::string_view key);
/// The text of a JSON string; nothing if `json` is none.
[[nodiscard]] std::optional<std::string> string_of(RawJson json);

[[nodiscard]] constexpr bool is_object(RawJson json) noexcept {
    return json.starts_with('{');
}
[[nodiscard]] constexpr bool is_array(RawJson json) noexcept {
    return json.starts_with('[');
}

/// Appends `text` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
void append_string(std::string& json, std::string_view text);
[[nodiscard]] std::string quoted(std::string_view text);

/// Whether two keys are the same to a reader that does not mind case, as some JSON libraries are:
/// ASCII letters, and the two other letters that Unicode folds to ASCII.
[[nodiscard]] bool looks_like(std::string_view key, std::string_view known) noexcept;

}  // namespace tagout::gateway
