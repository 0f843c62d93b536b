#include "detect/tool/argument_shape.h"

#include "detect/arguments.h"

#include <algorithm>
#include <vector>

namespace tagout::detect {

namespace {

constexpr std::size_t shape_bytes_max = 160;

std::string_view type_of(const ArgumentValue& value) {
    if (value.quoted) {
        return "string";
    }
    const char first = value.text.empty() ? ' ' : value.text.front();
    if (first == 't' || first == 'f') {
        return "boolean";
    }
    return first == 'n' ? "null" : "number";
}

}  // namespace

std::string argument_shape(std::string_view tool, std::string_view arguments) {
    ArgumentLimits limits;
    limits.values_max = shape_values_max;
    limits.value_bytes_max = 8;
    std::vector<ArgumentValue> values;
    read_values(arguments, limits, values);
    std::vector<std::string> parts;
    for (const ArgumentValue& value : values) {
        parts.push_back(std::string(value.name.substr(0, 40)) + ":" + std::string(type_of(value)));
    }
    std::ranges::sort(parts);
    parts.erase(std::ranges::unique(parts).begin(), parts.end());
    std::string shape(tool);
    shape += '(';
    for (const std::string& part : parts) {
        if (shape.size() + part.size() > shape_bytes_max) {
            shape += ",...";
            break;
        }
        shape += shape.back() == '(' ? "" : ",";
        shape += part;
    }
    return shape + ")";
}

}  // namespace tagout::detect
