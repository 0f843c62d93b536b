#include "contain/policy.h"
#include "contain/policy_form.h"
#include "contain/redactor.h"

#include <boost/json.hpp>

namespace tagout::contain {

namespace {

namespace json = boost::json;

json::object schema_of(std::span<const PolicyKey> keys);

json::object text_schema(std::size_t bytes_max) {
    return {{"type", "string"}, {"minLength", 1}, {"maxLength", bytes_max}};
}

json::array choices_of(const PolicyKey& key) {
    json::array choices;
    for (const std::string_view choice : key.choices) {
        choices.emplace_back(choice);
    }
    return choices;
}

json::object form_of(const PolicyKey& key) {
    switch (key.form) {
        case PolicyForm::Name:
            return {{"type", "string"}, {"pattern", "^[A-Za-z0-9._-]+$"},
                    {"maxLength", policy_name_bytes_max}};
        case PolicyForm::Glob:
            return text_schema(scope_name_bytes_max);
        case PolicyForm::Text:
            return text_schema(policy_message_bytes_max);
        case PolicyForm::Condition:
            return {{"type", json::array{"string", "boolean"}}, {"maxLength", cel::text_bytes_max}};
        case PolicyForm::Period:
            return {{"type", "string"}, {"pattern", "^([0-9]+(d|h|m|s))+$"}};
        case PolicyForm::Count:
            return {{"type", "integer"}, {"minimum", 1}, {"maximum", RuleLimit::calls_max}};
        case PolicyForm::Time:
            return {{"type", "string"}, {"format", "date-time"}};
        case PolicyForm::Json:
            return {};
        case PolicyForm::Choice:
            return {{"enum", choices_of(key)}};
        case PolicyForm::Words: {
            const json::object one{{"enum", choices_of(key)}};
            const json::object many{{"type", "array"}, {"items", one}};
            return {{"anyOf", json::array{one, many}}};
        }
        case PolicyForm::Texts: {
            const json::object one = text_schema(policy_message_bytes_max);
            const json::object many{
                {"type", "array"}, {"minItems", 1}, {"maxItems", redact_kinds_max}, {"items", one}};
            return {{"anyOf", json::array{one, many}}};
        }
        case PolicyForm::Map:
            return schema_of(key.keys());
    }
    return {};
}

json::object schema_of(const PolicyKey& key) {
    json::object schema = form_of(key);
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

json::object list_of(std::span<const PolicyKey> keys, std::size_t max, std::string_view help) {
    return {
        {"type", "array"},
        {"minItems", 1},
        {"maxItems", max},
        {"items", schema_of(keys)},
        {"description", help}};
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

std::string form_text(const PolicyKey& key) {
    switch (key.form) {
        case PolicyForm::Name:
            return "name";
        case PolicyForm::Glob:
            return "name or glob";
        case PolicyForm::Text:
            return "text";
        case PolicyForm::Condition:
            return "condition ([CEL](cel.md))";
        case PolicyForm::Period:
            return "period";
        case PolicyForm::Count:
            return "whole number";
        case PolicyForm::Time:
            return "time";
        case PolicyForm::Json:
            return "any value";
        case PolicyForm::Texts:
            return "text; one or a list";
        case PolicyForm::Map:
            return "keys, below";
        case PolicyForm::Choice:
        case PolicyForm::Words:
            break;
    }
    std::string text;
    for (const std::string_view choice : key.choices) {
        text += (text.empty() ? "`" : ", `") + std::string(choice) + "`";
    }
    return key.form == PolicyForm::Words ? text + "; one or a list" : text;
}

void add_table(std::string_view title, std::span<const PolicyKey> keys, std::string& page) {
    page += "\n## " + std::string(title) + "\n\n| Key | Value | |\n| --- | --- | --- |\n";
    for (const PolicyKey& key : keys) {
        page += "| `" + std::string(key.key) + "`" + (key.required ? " (required)" : "") + " | " +
                form_text(key) + " | " + std::string(key.help) + " |\n";
    }
}

}  // namespace

std::string policy_schema() {
    const json::object schema{
        {"$schema", "https://json-schema.org/draft/2020-12/schema"},
        {"title", "A policy of Tagout"},
        {"description",
         "Generated from src/contain/policy_form.h. `tagout policy check` finds what no schema can: "
         "conditions that do not compile, names that stand twice, rules that are never reached or "
         "contradict one another. `tagout policy test` runs the tests."},
        {"type", "object"},
        {"properties",
         json::object{
             {"rules",
              list_of(
                  rule_keys, policy_rules_max,
                  "Tried in order; the first one that fits a call decides for this policy."
              )},
             {"marks",
              list_of(mark_keys, policy_marks_max, "What calls of these tools show to their session.")},
             {"tests", list_of(test_keys, policy_cases_max, "Calls, and what must come of them.")}}},
        {"required", json::array{"rules"}},
        {"additionalProperties", false}};
    std::string out;
    print(schema, 0, out);
    return out + "\n";
}

std::string policy_page() {
    std::string page =
        "<!-- Generated by `./dev docs` from src/contain/policy_form.h; a test compares. -->\n"
        "# Policies\n\n"
        "A policy is YAML with `rules` (tried in order; the first that fits a call decides), `marks` (what\n"
        "results show to their session) and `tests`. An example with all of it:\n"
        "[docs/guide/policy.example.yaml](../guide/policy.example.yaml).\n\n"
        "A rule fits when everything that it asks holds: `match`, `flow`, `when`, `args`, and last\n"
        "`limit`. A condition or form that has no answer for a call (a missing argument that was not\n"
        "tested with `has`, arguments that are no JSON object or hold a key twice) fails closed: a rule\n"
        "that refuses, redacts or routes fits, an exception does not. Limits and marks are kept by each\n"
        "gateway for itself.\n\n"
        "Rules are about calls of tools. One that names `match.model` is about requests to models, one of\n"
        "effect `route` without a model about requests to the workflow that it names. `redact` and `route`\n"
        "mean what they mean as controls: a redacted stream is refused, what is routed is moved once.\n";
    add_table("A rule", rule_keys, page);
    add_table("`match`", match_keys, page);
    add_table("`limit`", limit_keys, page);
    add_table("A row of `marks`", mark_keys, page);
    add_table("A row of `tests`", test_keys, page);
    add_table("`call` of a test", call_keys, page);
    return page;
}

}  // namespace tagout::contain
