// Where a text stops being JSON. simdjson is fast because it does not say; this slow scanner is
// asked afterwards, for the message that goes back to the sender.
//
// RFC 8259, UTF-8, and the nesting bound. No recursion: the text is hostile. One pass.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tagout::intake::json {

struct Place {
    std::size_t byte = 0;
    std::string path;  ///< "resourceSpans[0].scopeSpans", clipped to path_bytes_max; "" at the top.
    std::string_view what;
};

inline constexpr std::size_t path_bytes_max = 200;

/// The first fault, or nothing if the text is JSON nested at most `depth_max` deep.
[[nodiscard]] std::optional<Place> find_fault(std::string_view text, std::size_t depth_max);

}  // namespace tagout::intake::json
