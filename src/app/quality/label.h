// Members of a record's labels, for scorers; what is absent reads as nothing.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace tagout::app {

[[nodiscard]] inline std::string label_text(
    const boost::json::object& labels, std::string_view name
) {
    const boost::json::value* const value = labels.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

[[nodiscard]] inline bool label_flag(const boost::json::object& labels, std::string_view name) {
    const boost::json::value* const value = labels.if_contains(name);
    return value != nullptr && value->is_bool() && value->as_bool();
}

/// labels.raw, empty when there is none.
[[nodiscard]] inline const boost::json::object& raw_labels(const boost::json::object& labels) {
    static const boost::json::object none;
    const boost::json::value* const value = labels.if_contains("raw");
    return value != nullptr && value->is_object() ? value->as_object() : none;
}

[[nodiscard]] inline bool label_is_empty_list(
    const boost::json::object& labels, std::string_view name
) {
    const boost::json::value* const value = labels.if_contains(name);
    return value == nullptr || !value->is_array() || value->as_array().empty();
}

}  // namespace tagout::app
