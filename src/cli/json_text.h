// JSON from the API made fit to read: indented JSON, YAML, and single fields for tables.
#pragma once

#include "base/result.h"
#include "cli/terminal.h"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace tagout::cli {

[[nodiscard]] Result<boost::json::value> parse_answer(std::string_view text);
[[nodiscard]] std::string to_indented(const boost::json::value& value);
/// Block style; strings are quoted where plain YAML would read them as something else.
[[nodiscard]] std::string to_yaml(const boost::json::value& value);
/// `value` in the asked form; Table falls back to YAML for one object.
[[nodiscard]] std::string rendered(const boost::json::value& value, Format format);

/// Text of a field by dotted path ("owner.team"): "" if absent, whole numbers and booleans as
/// JSON, fractions with six digits.
[[nodiscard]] std::string field(const boost::json::value& value, std::string_view path);
/// A member that is a list; an empty one if there is none.
[[nodiscard]] const boost::json::array& array_at(
    const boost::json::value& value, std::string_view name
);
/// The present, as the API writes times: what short_time() compares with.
[[nodiscard]] std::string now_text();
/// "2026-11-24T03:39:27.123Z" as "03:39:27" if it is of the same day as `now`, else "11-24 03:39".
[[nodiscard]] std::string short_time(std::string_view rfc3339, std::string_view now);

}  // namespace tagout::cli
