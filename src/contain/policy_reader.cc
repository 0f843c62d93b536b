#include "contain/policy_reader.h"

#include "catalog/value_text.h"
#include "contain/redactor.h"
#include "contain/yaml_json.h"

#include <algorithm>

namespace tagout::contain {

namespace {

using catalog::Mistake;
using catalog::quoted;
using catalog::YamlNode;

constexpr std::size_t mistakes_max = 200;

bool has_control_bytes(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

bool is_rule_name(std::string_view text) {
    return !text.empty() && text.size() <= policy_name_bytes_max &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
           });
}

/// What is wrong with a value of that form; nothing when it is good.
std::optional<catalog::Problem> problem_of(PolicyForm form, const std::string& text) {
    switch (form) {
        case PolicyForm::Name:
            if (!is_rule_name(text)) {
                return catalog::Problem{
                    quoted(text) + " is no name of a rule",
                    "Write letters, digits, '.', '_' and '-', at most " +
                        std::to_string(policy_name_bytes_max)};
            }
            break;
        case PolicyForm::Glob:
            if (text.size() > scope_name_bytes_max || has_control_bytes(text)) {
                return catalog::Problem{
                    "this is no name or glob", "Write at most " + std::to_string(scope_name_bytes_max) +
                                                   " bytes without control characters"};
            }
            break;
        case PolicyForm::Text:
            if (text.size() > policy_message_bytes_max) {
                return catalog::Problem{
                    "the text is over " + std::to_string(policy_message_bytes_max) + " bytes",
                    "Shorten it: a model reads it with every refusal"};
            }
            break;
        case PolicyForm::Period: {
            Duration period{};
            return catalog::read_value(text, catalog::Bounds{1, 86'400, ""}, period);
        }
        case PolicyForm::Count: {
            std::uint32_t count = 0;
            return catalog::read_value(text, catalog::Bounds{1, RuleLimit::calls_max, ""}, count);
        }
        case PolicyForm::Time:
            if (!parse_rfc3339(text)) {
                return catalog::Problem{
                    quoted(text) + " is no time", "Write such as 2026-11-27T22:30:00Z"};
            }
            break;
        case PolicyForm::Choice:
        case PolicyForm::Words:
        case PolicyForm::Texts:
        case PolicyForm::Condition:
        case PolicyForm::Json:
        case PolicyForm::Map:
            break;
    }
    return std::nullopt;
}

}  // namespace

void PolicyReader::wrong(
    const YamlNode& at, std::string path, std::string what, std::string remedy
) {
    mistakes_.push_back({at.line, at.column, std::move(path), std::move(what), std::move(remedy)});
}

void PolicyReader::remark(
    const YamlNode& at, std::string path, std::string what, std::string remedy
) {
    remarks_.push_back({at.line, at.column, std::move(path), std::move(what), std::move(remedy)});
}

std::vector<Mistake> PolicyReader::take_mistakes() {
    catalog::sort_by_place(mistakes_);
    if (mistakes_.size() > mistakes_max) {
        const std::size_t more = mistakes_.size() - mistakes_max;
        mistakes_.resize(mistakes_max);
        mistakes_.push_back({0, 0, "", std::to_string(more) + " more mistakes", "Mend these first"});
    }
    return std::move(mistakes_);
}

std::vector<Mistake> PolicyReader::take_remarks() {
    catalog::sort_by_place(remarks_);
    remarks_.resize(std::min(remarks_.size(), mistakes_max));
    return std::move(remarks_);
}

PolicyValues PolicyReader::read_keys(
    const YamlNode& at, const std::string& path, std::span<const PolicyKey> keys
) {
    PolicyValues values;
    std::vector<std::string_view> known;
    for (const PolicyKey& key : keys) {
        known.push_back(key.key);
    }
    for_each_key(at, path, [&](const YamlNode& key, const YamlNode& value) {
        const auto found = std::ranges::find(keys, key.text, &PolicyKey::key);
        if (found != keys.end()) {
            values.at[found->key] = &value;
            read_value(value, path + "." + key.text, *found, values);
            return;
        }
        const std::string_view near = catalog::nearest(key.text, known);
        wrong(
            key, path, quoted(key.text) + " is no key here",
            "Write " + (near.empty() ? catalog::any_of_text(known) : std::string(near))
        );
    });
    for (const PolicyKey& key : keys) {
        if (key.required && !values.has(key.key)) {
            wrong(
                at, path, "the key " + std::string(key.key) + " is missing",
                "Add " + std::string(key.key) + ": " +
                    std::string(key.help.substr(0, key.help.size() - 1))
            );
        }
    }
    return values;
}

void PolicyReader::read_value(
    const YamlNode& at, const std::string& path, const PolicyKey& key, PolicyValues& values
) {
    if (key.form == PolicyForm::Map) {
        if (at.kind != YamlNode::Kind::Map) {
            const std::string first(key.keys().front().key);
            return wrong(
                at, path, "here must be keys with values", "Write such as { " + first + ": ... }"
            );
        }
        values.nested[key.key] = read_keys(at, path, key.keys());
        return;
    }
    if (key.form == PolicyForm::Json) {
        auto json = json_of(tree_, at, policy_json_bytes_max);
        if (!json) {
            return wrong(*json.error().at, path, json.error().what, json.error().remedy);
        }
        values.texts[key.key] = *std::move(json);
        return;
    }
    if (key.form == PolicyForm::Words) {
        return read_words(at, path, key, values);
    }
    if (key.form == PolicyForm::Texts) {
        return read_texts(at, path, key, values);
    }
    read_text(at, path, key, values);
}

void PolicyReader::read_text(
    const YamlNode& at, const std::string& path, const PolicyKey& key, PolicyValues& values
) {
    if (at.kind != YamlNode::Kind::Scalar || at.text.empty()) {
        return wrong(
            at, path, "here must be one value", "Write it on the line of its key, or remove the key"
        );
    }
    if (key.form == PolicyForm::Choice && !is_choice(at, path, key)) {
        return;
    }
    if (auto problem = problem_of(key.form, at.text)) {
        return wrong(at, path, std::move(problem->what), std::move(problem->remedy));
    }
    values.texts[key.key] = at.text;
}

/// One word, or a list of them.
std::vector<const YamlNode*> PolicyReader::items_of(const YamlNode& at) const {
    if (at.kind != YamlNode::Kind::Sequence) {
        return {&at};
    }
    std::vector<const YamlNode*> items;
    for (const std::uint32_t child : at.children) {
        items.push_back(&node(child));
    }
    return items;
}

void PolicyReader::read_words(
    const YamlNode& at, const std::string& path, const PolicyKey& key, PolicyValues& values
) {
    const std::vector<const YamlNode*> items = items_of(at);
    for (const YamlNode* const item : items) {
        if (item->kind != YamlNode::Kind::Scalar) {
            wrong(*item, path, "here must be a word", "Write " + catalog::any_of_text(key.choices));
        } else if (is_choice(*item, path, key)) {
            values.words[key.key].push_back(item->text);
        }
    }
}

void PolicyReader::read_texts(
    const YamlNode& at, const std::string& path, const PolicyKey& key, PolicyValues& values
) {
    const std::vector<const YamlNode*> items = items_of(at);
    if (items.empty() || items.size() > redact_kinds_max) {
        return wrong(
            at, path, "here must be a text or a list of them",
            "Write 1 to " + std::to_string(redact_kinds_max)
        );
    }
    for (const YamlNode* const item : items) {
        if (item->kind != YamlNode::Kind::Scalar || item->text.empty() ||
            item->text.size() > policy_message_bytes_max) {
            wrong(*item, path, "here must be a text", "Write such as email, or 're:CUST-[0-9]+'");
        } else {
            values.words[key.key].push_back(item->text);
        }
    }
}

bool PolicyReader::is_choice(
    const YamlNode& at, const std::string& path, const PolicyKey& key
) {
    if (std::ranges::find(key.choices, at.text) != key.choices.end()) {
        return true;
    }
    const std::string_view near = catalog::nearest(at.text, key.choices);
    wrong(
        at, path, quoted(at.text) + " is not possible here",
        "Write " + (near.empty() ? catalog::any_of_text(key.choices) : std::string(near))
    );
    return false;
}

}  // namespace tagout::contain
