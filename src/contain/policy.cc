#include "contain/policy.h"

#include "catalog/yaml_tree.h"
#include "contain/policy_form.h"
#include "contain/tables.h"

#include <algorithm>
#include <map>

namespace tagout::contain {

namespace {

using catalog::Mistake;
using catalog::quoted;
using catalog::YamlNode;
using catalog::YamlTree;

constexpr std::size_t mistakes_max = 200;

bool is_glob(std::string_view text) {
    return text.find_first_of("*?") != std::string_view::npos;
}

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

/// Whether every name that fits `inner` fits `outer`; false where that is not plain to see.
bool covers(std::string_view outer, std::string_view inner) {
    if (outer.empty() || outer == inner || outer == "*") {
        return true;
    }
    if (inner.empty()) {
        return false;
    }
    // A ? of `outer` must not stand for a * of `inner`, which is more than one character.
    if (is_glob(inner) && outer.find('?') != std::string_view::npos) {
        return false;
    }
    return is_glob(outer) && catalog::glob_matches(outer, inner);
}

/// Whether `later` can never decide because `earlier` takes every call that it fits.
bool covers(const PolicyRule& earlier, const PolicyRule& later) {
    const std::uint8_t taken = effects_of(earlier.effect, earlier.then);
    const std::uint8_t wanted = effects_of(later.effect, later.then);
    return !earlier.shadow && (wanted & ~taken) == 0 &&
           (!earlier.risk || earlier.risk == later.risk) && covers(earlier.tool, later.tool) &&
           covers(earlier.server, later.server) && covers(earlier.agent, later.agent) &&
           covers(earlier.workflow, later.workflow) && covers(earlier.tenant, later.tenant) &&
           covers(earlier.environment, later.environment);
}

class PolicyReader {
public:
    explicit PolicyReader(const YamlTree& tree) : tree_(tree) {}

    void read(const YamlNode& root, Policy& policy) {
        if (root.kind != YamlNode::Kind::Map) {
            add(root, "", "a policy is the key rules with a list", "Begin with a line 'rules:'");
            return;
        }
        const YamlNode* rules = nullptr;
        for_each_key(root, "", [&](const YamlNode& key, const YamlNode& value) {
            if (key.text == "rules") {
                rules = &value;
            } else {
                add(key, "", quoted(key.text) + " is no key here", "Write rules");
            }
        });
        if (rules == nullptr) {
            add(root, "", "the key rules is missing", "Add rules: with a list of rules below");
        } else if (rules->kind != YamlNode::Kind::Sequence || rules->children.empty()) {
            add(*rules, "rules", "here must be a list of rules", "Begin each with '- name: NAME'");
        } else if (rules->children.size() > policy_rules_max) {
            add(*rules, "rules",
                std::to_string(rules->children.size()) + " rules are over the limit of " +
                    std::to_string(policy_rules_max),
                "Use globs, or split the policy");
        } else {
            read_rules(*rules, policy);
        }
    }

    [[nodiscard]] std::vector<Mistake> take_mistakes() {
        catalog::sort_by_place(mistakes_);
        if (mistakes_.size() > mistakes_max) {
            const std::size_t more = mistakes_.size() - mistakes_max;
            mistakes_.resize(mistakes_max);
            mistakes_.push_back({0, 0, "", std::to_string(more) + " more mistakes", "Mend these first"});
        }
        return std::move(mistakes_);
    }

private:
    [[nodiscard]] const YamlNode& node(std::uint32_t id) const { return tree_.nodes[id]; }

    void add(const YamlNode& at, std::string path, std::string what, std::string remedy) {
        mistakes_.push_back({at.line, at.column, std::move(path), std::move(what), std::move(remedy)});
    }

    template <class Visit>
    void for_each_key(const YamlNode& map, const std::string& path, Visit visit) {
        std::map<std::string_view, int> first_line;
        for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
            const YamlNode& key = node(map.children[i]);
            if (key.kind != YamlNode::Kind::Scalar) {
                add(key, path, "this key is no text", "Write one word before the colon");
                continue;
            }
            const auto [before, fresh] = first_line.emplace(key.text, key.line);
            if (!fresh) {
                add(key, path, quoted(key.text) + " is written twice, first in line " +
                        std::to_string(before->second),
                    "Remove one of the two");
                continue;
            }
            visit(key, node(map.children[i + 1]));
        }
    }

    void read_rules(const YamlNode& rules, Policy& policy) {
        std::map<std::string, int> names;
        std::vector<const YamlNode*> places;
        for (std::size_t i = 0; i < rules.children.size(); ++i) {
            const YamlNode& at = node(rules.children[i]);
            const std::string path = "rules[" + std::to_string(i) + "]";
            if (at.kind != YamlNode::Kind::Map) {
                add(at, path, "a rule is keys with values", "Write '- name: NAME' and more keys below");
                continue;
            }
            const std::size_t before = mistakes_.size();
            PolicyRule rule = read_rule(at, path);
            if (!rule.name.empty()) {
                const auto [first, fresh] = names.emplace(rule.name, at.line);
                if (!fresh) {
                    add(at, path + ".name",
                        quoted(rule.name) + " is the name of the rule in line " +
                            std::to_string(first->second) + " already",
                        "Give each rule a name of its own");
                }
            }
            if (mistakes_.size() == before) {
                policy.rules.push_back(std::move(rule));
                places.push_back(&at);
            }
        }
        find_unreachable(policy.rules, places);
    }

    void find_unreachable(
        const std::vector<PolicyRule>& rules, const std::vector<const YamlNode*>& places
    ) {
        for (std::size_t later = 1; later < rules.size(); ++later) {
            for (std::size_t earlier = 0; earlier < later; ++earlier) {
                if (covers(rules[earlier], rules[later])) {
                    add(*places[later], "rules." + rules[later].name,
                        "this rule is never reached: rule " + quoted(rules[earlier].name) +
                            " in line " + std::to_string(places[earlier]->line) +
                            " takes every call that it is about",
                        "Put it before that rule, or remove it");
                    break;
                }
            }
        }
    }

    PolicyRule read_rule(const YamlNode& at, const std::string& path) {
        PolicyRule rule;
        const YamlNode* match = nullptr;
        std::map<std::string_view, std::string> values;
        read_keys(at, path, rule_keys, values, &match);
        rule.name = values["name"];
        rule.message = values["message"];
        rule.shadow = values["mode"] == "shadow";
        rule.then = values["effect"] == "ask"     ? Verdict::Escalate
                    : values["effect"] == "allow" ? Verdict::Allow
                                                  : Verdict::Deny;
        if (match == nullptr) {
            return rule;
        }
        if (match->kind != YamlNode::Kind::Map) {
            add(*match, path + ".match", "here must be keys with values",
                "Write such as { tool: payments.refund }");
            return rule;
        }
        std::map<std::string_view, std::string> matched;
        read_keys(*match, path + ".match", match_keys, matched, nullptr);
        rule.tool = matched["tool"];
        rule.server = matched["server"];
        rule.agent = matched["agent"];
        rule.workflow = matched["workflow"];
        rule.tenant = matched["tenant"];
        rule.environment = matched["environment"];
        rule.effect = parse_tool_effect(matched["effect"]);
        rule.risk = parse_tool_risk(matched["risk"]);
        return rule;
    }

    /// `match`: where a key of that name is put; null where there may be none.
    void read_keys(
        const YamlNode& at, const std::string& path, std::span<const PolicyKey> keys,
        std::map<std::string_view, std::string>& values, const YamlNode** match
    ) {
        std::vector<std::string_view> known;
        for (const PolicyKey& key : keys) {
            known.push_back(key.key);
        }
        if (match != nullptr) {
            known.emplace_back("match");
        }
        for_each_key(at, path, [&](const YamlNode& key, const YamlNode& value) {
            if (match != nullptr && key.text == "match") {
                *match = &value;
                return;
            }
            const auto found = std::ranges::find(keys, key.text, &PolicyKey::key);
            if (found != keys.end()) {
                values[found->key] = read_value(value, path + "." + key.text, *found);
                return;
            }
            const std::string_view near = catalog::nearest(key.text, known);
            add(key, path, quoted(key.text) + " is no key here",
                "Write " + (near.empty() ? catalog::any_of_text(known) : std::string(near)));
        });
        for (const PolicyKey& key : keys) {
            if (key.required && !values.contains(key.key)) {
                add(at, path, "the key " + std::string(key.key) + " is missing",
                    "Add " + std::string(key.key) + ": " +
                        std::string(key.help.substr(0, key.help.size() - 1)));
            }
        }
    }

    std::string read_value(const YamlNode& at, const std::string& path, const PolicyKey& key) {
        if (at.kind != YamlNode::Kind::Scalar || at.text.empty()) {
            add(at, path, "here must be one value", "Write it on the line of its key, or remove the key");
            return {};
        }
        switch (key.form) {
            case PolicyForm::Name:
                if (!is_rule_name(at.text)) {
                    add(at, path, quoted(at.text) + " is no name of a rule",
                        "Write letters, digits, '.', '_' and '-', at most " +
                            std::to_string(policy_name_bytes_max));
                    return {};
                }
                break;
            case PolicyForm::Glob:
                if (at.text.size() > scope_name_bytes_max || has_control_bytes(at.text)) {
                    add(at, path, "this is no name or glob",
                        "Write at most " + std::to_string(scope_name_bytes_max) +
                            " bytes without control characters");
                    return {};
                }
                break;
            case PolicyForm::Text:
                if (at.text.size() > policy_message_bytes_max) {
                    add(at, path, "the text is over " + std::to_string(policy_message_bytes_max) + " bytes",
                        "Shorten it: a model reads it with every refusal");
                    return {};
                }
                break;
            case PolicyForm::Choice:
                if (std::ranges::find(key.choices, at.text) == key.choices.end()) {
                    const std::string_view near = catalog::nearest(at.text, key.choices);
                    add(at, path, quoted(at.text) + " is not possible here",
                        "Write " + (near.empty() ? catalog::any_of_text(key.choices) : std::string(near)));
                    return {};
                }
                break;
        }
        return at.text;
    }

    const YamlTree& tree_;
    std::vector<Mistake> mistakes_;
};

}  // namespace

PolicyReport read_policy(std::string_view name, std::string_view version, std::string_view yaml) {
    PolicyReport report;
    YamlTree tree = catalog::read_yaml(yaml, catalog::YamlLimits{});
    if (!tree.mistakes.empty()) {
        report.mistakes = std::move(tree.mistakes);
        return report;
    }
    Policy policy{std::string(name), std::string(version), {}};
    PolicyReader reader(tree);
    reader.read(tree.nodes[tree.root], policy);
    report.mistakes = reader.take_mistakes();
    if (report.mistakes.empty()) {
        report.policy = std::move(policy);
    }
    return report;
}

Result<Policy> parse_policy(
    std::string_view name, std::string_view version, std::string_view yaml
) {
    PolicyReport report = read_policy(name, version, yaml);
    if (report.policy) {
        return std::move(*report.policy);
    }
    std::string text =
        "policy " + std::string(name) + " has " + std::to_string(report.mistakes.size()) + " mistakes:";
    for (const Mistake& mistake : report.mistakes) {
        text += "\n" + catalog::to_text(mistake, name);
    }
    return fail(ErrorCode::InvalidArgument, std::move(text));
}

}  // namespace tagout::contain
