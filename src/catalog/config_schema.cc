#include "catalog/config_schema.h"

#include "catalog/config_describe.h"

#include <boost/json.hpp>

#include <type_traits>

namespace tagout::catalog {

namespace {

namespace json = boost::json;

constexpr std::string_view number_pattern =
    "^[+-]?[0-9][0-9_]*(\\.[0-9]+)?([eE][+-]?[0-9]+)?( ?(%|[kMGT]i?B?|B))?$";
constexpr std::string_view duration_pattern = "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d))+$";

template <class T>
struct Inner {
    using Type = T;
};
template <class T>
struct Inner<std::optional<T>> {
    using Type = T;
};
template <class T>
struct Item {};
template <class T>
struct Item<std::vector<T>> {
    using Type = T;
};

json::array array_of(const auto& texts) {
    json::array out;
    for (const auto& text : texts) {
        out.emplace_back(std::string_view(text));
    }
    return out;
}

void add_format(json::object& schema, Format format) {
    switch (format) {
        case Format::Text:
            return;
        case Format::Name:
            schema["minLength"] = 1;
            schema["maxLength"] = 256;
            return;
        case Format::Glob:
            schema["minLength"] = 1;
            schema["maxLength"] = 256;
            schema["pattern"] = R"(^[^\[\]{}^$|()\\]+$)";
            return;
        case Format::OwnerMatch:
            schema["pattern"] = R"(^(\*|(tool|agent|workflow|service):[^\[\]{}^$|()\\]+)$)";
            return;
        case Format::Url:
            schema["pattern"] = R"(^https?://[^/?#@\s]+([/?#]\S*)?$)";
            return;
        case Format::EnvName:
            schema["pattern"] = "^[A-Za-z_][A-Za-z0-9_]*$";
            return;
        case Format::FilePath:
            schema["minLength"] = 1;
            return;
    }
}

json::object number_schema(bool whole, double min, double max) {
    json::object number{{"type", whole ? "integer" : "number"}};
    if (min != 0 || max != 0) {
        number["minimum"] = min;
        number["maximum"] = max;
    }
    json::object text{{"type", "string"}, {"pattern", number_pattern}};
    return {{"anyOf", json::array{std::move(number), std::move(text)}}};
}

template <class T>
json::object value_schema(const FieldInfo& info) {
    if constexpr (requires { typename Item<T>::Type; }) {
        return {{"type", "array"}, {"items", value_schema<typename Item<T>::Type>(info)}};
    } else if constexpr (std::is_same_v<T, bool>) {
        return {{"type", "boolean"}};
    } else if constexpr (std::is_enum_v<T>) {
        return {{"enum", array_of(choices_of<T>())}};
    } else if constexpr (std::is_arithmetic_v<T>) {
        return number_schema(std::is_integral_v<T>, info.min, info.max);
    } else {
        if (!info.choices.empty()) {
            return {{"enum", array_of(info.choices)}};
        }
        json::object schema{{"type", "string"}};
        add_format(schema, info.format);
        return schema;
    }
}

/// Of one text of a list.
json::object text_schema(const SettingDeclared& setting) {
    json::object text{{"type", "string"}};
    if (setting.max > 0) {
        text["minLength"] = static_cast<std::int64_t>(setting.min);
        text["maxLength"] = static_cast<std::int64_t>(setting.max);
    }
    return text;
}

json::object setting_schema(const SettingDeclared& setting) {
    json::object schema;
    switch (setting.type) {
        case ValueType::Boolean:
            schema["type"] = "boolean";
            break;
        case ValueType::Integer:
            schema = number_schema(true, setting.min, setting.max);
            break;
        case ValueType::Number:
            schema = number_schema(false, setting.min, setting.max);
            break;
        case ValueType::Duration:
            schema = {{"type", "string"}, {"pattern", duration_pattern}};
            break;
        case ValueType::Choice:
            schema["enum"] = array_of(setting.choices);
            break;
        case ValueType::List:
            schema = {{"type", "array"}, {"items", text_schema(setting)}, {"maxItems", list_items_max}};
            break;
        case ValueType::Text:
            schema["type"] = json::array{"string", "number", "boolean"};
            break;
    }
    schema["description"] =
        setting.help + (setting.unit.empty() ? "" : " In " + setting.unit + ".");
    schema["default"] = setting.value;
    return schema;
}

json::object closed_map() {
    // A section without content is an empty one.
    return {
        {"type", json::array{"object", "null"}},
        {"properties", json::object{}},
        {"additionalProperties", false}};
}

/// Puts the setting at the keys of its path below `root`, whose own name is the path's first part.
void place_setting(json::object& root, const SettingDeclared& setting, std::string_view below) {
    json::object* at = &root;
    while (true) {
        const std::size_t dot = below.find('.');
        const std::string_view key = below.substr(0, dot);
        json::object& properties = (*at)["properties"].as_object();
        if (dot == std::string_view::npos) {
            properties[key] = setting_schema(setting);
            return;
        }
        if (!properties.contains(key)) {
            properties[key] = closed_map();
        }
        at = &properties[key].as_object();
        if (!at->contains("properties")) {
            return;  // Another setting has this path's beginning as its whole path.
        }
        below.remove_prefix(dot + 1);
    }
}

/// The visitor of config_describe.h that makes one map's schema.
class MapSchema {
public:
    explicit MapSchema(std::span<const SettingDeclared> settings) : settings_(settings) {}

    template <class T>
    void field(std::string_view key, T&, const FieldInfo& info) {
        add(key, value_schema<typename Inner<T>::Type>(info), info);
    }
    template <class T>
    void named(std::string_view key, std::vector<T>&, const FieldInfo& info) {
        json::object names;
        add_format(names, info.format);
        add(key,
            {{"type", json::array{"object", "null"}},
             {"propertyNames", std::move(names)},
             {"additionalProperties", of<T>(json::array{"object", "null"})}},
            info);
    }
    template <class T>
    void list(std::string_view key, std::vector<T>&, const FieldInfo& info) {
        json::value type = "array";
        if (info.presence == Presence::Optional) {
            type = json::array{"array", "null"};
        }
        add(key, {{"type", std::move(type)}, {"items", of<T>("object")}}, info);
    }
    template <class Inside>
    void group(std::string_view key, const FieldInfo& info, Inside&& inside) {
        MapSchema below(settings_);
        inside(below);
        add(key, std::move(below).finish(json::array{"object", "null"}), info);
    }
    void settings(std::string_view key, std::vector<SettingText>&, const FieldInfo& info) {
        json::object subtree = closed_map();
        const std::string prefix = std::string(key) + ".";
        for (const SettingDeclared& setting : settings_) {
            if (setting.path.starts_with(prefix)) {
                place_setting(
                    subtree, setting, std::string_view(setting.path).substr(prefix.size())
                );
            }
        }
        if (subtree["properties"].as_object().empty()) {
            subtree = {{"type", json::array{"object", "null"}}};
        }
        add(key, std::move(subtree), info);
    }

    [[nodiscard]] json::object finish(json::value type) && {
        const bool needs_content = !required_.empty();
        json::object schema;
        schema["type"] = needs_content ? json::value("object") : std::move(type);
        schema["properties"] = std::move(properties_);
        if (needs_content) {
            schema["required"] = std::move(required_);
        }
        schema["additionalProperties"] = false;
        return schema;
    }

private:
    template <class T>
    [[nodiscard]] json::object of(json::value type) const {
        T example;
        MapSchema below(settings_);
        describe(example, below);
        return std::move(below).finish(std::move(type));
    }

    void add(std::string_view key, json::object schema, const FieldInfo& info) {
        std::string help(info.help);
        if (!info.unit.empty()) {
            help += " In " + std::string(info.unit) + ".";
        }
        schema["description"] = help;
        properties_[key] = std::move(schema);
        if (info.presence == Presence::Required) {
            required_.emplace_back(key);
        }
    }

    std::span<const SettingDeclared> settings_;
    json::object properties_;
    json::array required_;
};

bool is_flat(const json::value& value) {
    if (const auto* array = value.if_array()) {
        for (const json::value& item : *array) {
            if (item.is_structured()) {
                return false;
            }
        }
        return true;
    }
    return !value.is_structured() || (value.is_object() && value.as_object().empty());
}

std::string scalar_text(const json::value& value) {
    return value.is_double() ? number_text(value.as_double()) : json::serialize(value);
}

/// Two blanks a level; what holds no structure stands on one line.
void print(const json::value& value, std::size_t depth, std::string& out) {
    const std::string indent((depth + 1) * 2, ' ');
    const std::string close = "\n" + std::string(depth * 2, ' ');
    if (is_flat(value)) {
        if (const auto* array = value.if_array()) {
            out += "[";
            for (std::size_t i = 0; i < array->size(); ++i) {
                out += (i == 0 ? "" : ", ") + scalar_text((*array)[i]);
            }
            out += "]";
        } else {
            out += scalar_text(value);
        }
    } else if (const auto* array = value.if_array()) {
        out += "[";
        for (std::size_t i = 0; i < array->size(); ++i) {
            out += (i == 0 ? "\n" : ",\n") + indent;
            print((*array)[i], depth + 1, out);
        }
        out += close + "]";
    } else {
        out += "{";
        bool first = true;
        for (const auto& [key, member] : value.as_object()) {
            out += (first ? "\n" : ",\n") + indent + json::serialize(json::string(key)) + ": ";
            print(member, depth + 1, out);
            first = false;
        }
        out += close + "}";
    }
}

}  // namespace

std::string config_schema(std::span<const SettingDeclared> settings) {
    Contents example;
    MapSchema root(settings);
    describe(example, root);
    json::object schema{
        {"$schema", "https://json-schema.org/draft/2020-12/schema"},
        {"title", "tagout.yaml"},
        {"description",
         "Generated from src/catalog/config_describe.h. `tagout check` finds what no schema can: "
         "references, contradictions and secrets."}};
    for (auto& [key, value] : std::move(root).finish(json::array{"object", "null"})) {
        schema[key] = std::move(value);
    }
    std::string out;
    print(schema, 0, out);
    return out + "\n";
}

}  // namespace tagout::catalog
