#include "contain/policy.h"
#include "contain/policy_form.h"

#include <boost/json.hpp>

namespace tagout::contain {

namespace {

namespace json = boost::json;

json::object schema_of(const PolicyKey& key) {
    json::object schema;
    switch (key.form) {
        case PolicyForm::Name:
            schema = {{"type", "string"}, {"pattern", "^[A-Za-z0-9._-]+$"},
                      {"maxLength", policy_name_bytes_max}};
            break;
        case PolicyForm::Glob:
            schema = {{"type", "string"}, {"minLength", 1}, {"maxLength", scope_name_bytes_max}};
            break;
        case PolicyForm::Text:
            schema = {{"type", "string"}, {"minLength", 1}, {"maxLength", policy_message_bytes_max}};
            break;
        case PolicyForm::Choice: {
            json::array choices;
            for (const std::string_view choice : key.choices) {
                choices.emplace_back(choice);
            }
            schema["enum"] = std::move(choices);
            break;
        }
    }
    schema["description"] = key.help;
    return schema;
}

json::object schema_of(std::span<const PolicyKey> keys) {
    json::object properties;
    json::array required;
    for (const PolicyKey& key : keys) {
        properties[key.key] = schema_of(key);
        if (key.required) {
            required.emplace_back(key.key);
        }
    }
    json::object schema{
        {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (!required.empty()) {
        schema["required"] = std::move(required);
    }
    return schema;
}

/// Two blanks a level; lists of plain values stand on one line.
void print(const json::value& value, std::size_t depth, std::string& out) {
    if (!value.is_object()) {
        out += json::serialize(value);
        return;
    }
    const std::string indent((depth + 1) * 2, ' ');
    out += "{";
    bool first = true;
    for (const auto& [key, member] : value.as_object()) {
        out += (first ? "\n" : ",\n") + indent + json::serialize(json::string(key)) + ": ";
        print(member, depth + 1, out);
        first = false;
    }
    out += "\n" + std::string(depth * 2, ' ') + "}";
}

}  // namespace

std::string policy_schema() {
    json::object rule = schema_of(rule_keys);
    json::object match = schema_of(match_keys);
    match["description"] = "Calls that the rule is about; what is absent matches everything.";
    rule["properties"].as_object()["match"] = std::move(match);
    const json::object schema{
        {"$schema", "https://json-schema.org/draft/2020-12/schema"},
        {"title", "A policy of Tagout"},
        {"description",
         "Generated from src/contain/policy_form.h. `tagout policy check` finds what no schema can: "
         "names that stand twice and rules that are never reached."},
        {"type", "object"},
        {"properties",
         json::object{
             {"rules",
              json::object{
                  {"type", "array"},
                  {"minItems", 1},
                  {"maxItems", policy_rules_max},
                  {"items", std::move(rule)},
                  {"description",
                   "Tried in order; the first one that matches a call decides for this policy."}}}}},
        {"required", json::array{"rules"}},
        {"additionalProperties", false}};
    std::string out;
    print(schema, 0, out);
    return out + "\n";
}

}  // namespace tagout::contain
