// Members of JSON objects that need not be there; for this room's journal bodies and case files.
#pragma once

#include "base/clock.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tagout::prevent {

[[nodiscard]] inline std::string text_at(const boost::json::object& tree, std::string_view name) {
    const boost::json::value* const value = tree.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

[[nodiscard]] inline std::optional<Instant> time_at(
    const boost::json::object& tree, std::string_view name
) {
    const Result<Instant> at = parse_rfc3339(text_at(tree, name));
    return at ? std::optional(*at) : std::nullopt;
}

[[nodiscard]] inline const boost::json::object* object_at(
    const boost::json::object& tree, std::string_view name
) {
    const boost::json::value* const value = tree.if_contains(name);
    return value != nullptr && value->is_object() ? &value->as_object() : nullptr;
}

[[nodiscard]] inline const boost::json::array* array_at(
    const boost::json::object& tree, std::string_view name
) {
    const boost::json::value* const value = tree.if_contains(name);
    return value != nullptr && value->is_array() ? &value->as_array() : nullptr;
}

inline void put(boost::json::object& to, std::string_view name, std::string_view text) {
    if (!text.empty()) {
        to[name] = text;
    }
}

inline void put(
    boost::json::object& to, std::string_view name, const std::optional<Instant>& at
) {
    if (at) {
        to[name] = to_rfc3339(*at);
    }
}

}  // namespace tagout::prevent
