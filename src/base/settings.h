// A setting is declared once, beside the code that reads it, and everything else is made from that.
//
// The default is the member's initialiser in an options struct. describe(options, visit) beside the
// struct calls visit(SettingInfo, member) for each; the YAML reader, its bounds and errors, the JSON
// Schema and docs/reference/settings.md are visitors, and none of them lists settings again.
#pragma once

#include <cstddef>
#include <string_view>

namespace tagout {

/// Of a setting that is a list of texts.
inline constexpr std::size_t list_items_max = 256;

struct SettingInfo {
    std::string_view path;  ///< "detection.tool.4xx_spike.rate_min"
    /// Bounds of a number, of a duration in seconds, or of the bytes of each text in a list; both 0
    /// means unbounded.
    double min = 0;
    double max = 0;
    std::string_view unit = "";
    std::string_view help;  ///< One sentence: what it is, and what happens when it is raised.
};

}  // namespace tagout
