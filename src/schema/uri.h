// References between schemas: RFC 3986 resolution, fragments and JSON Pointers. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::schema {

/// `reference` as seen from `base`; "" as base leaves it relative.
[[nodiscard]] std::string resolve_uri(std::string_view base, std::string_view reference);

/// The part before '#', and the part behind it with its percent-escapes undone.
[[nodiscard]] std::pair<std::string, std::string> split_fragment(std::string_view uri);

/// Tokens of a JSON Pointer that is "" or begins with '/', with ~0 and ~1 undone.
[[nodiscard]] std::vector<std::string> pointer_tokens(std::string_view pointer);

/// Appends one token to a pointer, escaped and clipped to `token_bytes_max`.
void append_token(std::string& pointer, std::string_view token);
inline constexpr std::size_t token_bytes_max = 80;

}  // namespace tagout::schema
