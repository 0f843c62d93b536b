// The small texts of HTTP that every door reads: percent-encoding, query strings, header look-ups.
//
// Pure and thread-safe; any bytes are allowed in. Rules: RFC 3986 (URLs), RFC 9110 5.1 (a header's
// name has no case).
#pragma once

#include "net/http_client.h"

#include <optional>
#include <string>
#include <string_view>

namespace tagout::net {

/// ASCII only; header names and schemes have no other letters.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// First value of `name`, "" if absent.
[[nodiscard]] std::string_view find_header(const Headers& headers, std::string_view name) noexcept;

/// Whether a comma-separated header value has `token`, whatever its case ("keep-alive, Upgrade").
[[nodiscard]] bool has_token(std::string_view value, std::string_view token) noexcept;

/// A '%' without two hex digits behind it stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text);

/// The path of a request target, decoded, without query and fragment. Nothing for a target that is
/// no absolute path, or whose path decodes to a NUL byte.
[[nodiscard]] std::optional<std::string> path_of_target(std::string_view target);

/// First value of a query parameter, '+' and %XX decoded; "" if absent.
[[nodiscard]] std::string query_value(std::string_view target, std::string_view name);

}  // namespace tagout::net
