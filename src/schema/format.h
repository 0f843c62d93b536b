// What `format` names, for who asks that it be checked: dates and times, addresses, UUIDs, URIs,
// pointers, patterns. A format that is not listed says nothing. Pure functions, linear in the text.
#pragma once

#include <cstdint>
#include <string_view>

namespace tagout::schema {

enum class Format : std::uint8_t {
    None = 0,
    DateTime,
    Date,
    Time,
    Duration,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Uri,
    UriReference,
    Uuid,
    JsonPointer,
    Regex,
};

/// None for a name that is not known.
[[nodiscard]] Format format_of(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(Format format) noexcept;
[[nodiscard]] bool has_format(Format format, std::string_view text);

}  // namespace tagout::schema
