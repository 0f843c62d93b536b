#include "contain/policy_checks.h"

#include "contain/redactor.h"
#include "contain/tables.h"

#include <algorithm>
#include <memory>

namespace tagout::contain {

namespace {

using catalog::quoted;
using catalog::YamlNode;

bool is_glob(std::string_view text) {
    return text.find_first_of("*?") != std::string_view::npos;
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
    const std::uint8_t taken = effects_of(earlier);
    const std::uint8_t wanted = effects_of(later);
    if (!earlier.redact.empty()) {
        return false;  // Later rules still decide.
    }
    const bool asks_no_more =
        (earlier.when.text.empty() || earlier.when == later.when) &&
        (earlier.args.text.empty() || earlier.args == later.args) &&
        (!earlier.limit || earlier.limit == later.limit) &&
        (earlier.flow == Flow::Any || earlier.flow == later.flow);
    // Without an answer a refusing rule fits and an exception does not.
    const bool same_on_faults = earlier.then != Verdict::Allow ||
                                (earlier.when.text.empty() && earlier.args.text.empty()) ||
                                later.then == Verdict::Allow;
    return !earlier.shadow && asks_no_more && same_on_faults && (wanted & ~taken) == 0 &&
           (!earlier.risk || earlier.risk == later.risk) && covers(earlier.tool, later.tool) &&
           covers(earlier.server, later.server) && covers(earlier.agent, later.agent) &&
           covers(earlier.workflow, later.workflow) && covers(earlier.tenant, later.tenant) &&
           covers(earlier.environment, later.environment) && covers(earlier.model, later.model);
}

std::string said_by(const PolicyRule& rule) {
    return std::string(effect_word(rule)) +
           (rule.route_to.empty() ? "" : " to " + rule.route_to.text());
}

bool same_calls(const PolicyRule& left, const PolicyRule& right) {
    return static_cast<const CallMatch&>(left) == static_cast<const CallMatch&>(right) &&
           left.when == right.when && left.args == right.args && left.limit == right.limit &&
           left.flow == right.flow;
}

void find_unreachable(
    const std::vector<PolicyRule>& rules, const std::vector<const YamlNode*>& places,
    PolicyReader& reader
) {
    for (std::size_t later = 1; later < rules.size(); ++later) {
        for (std::size_t earlier = 0; earlier < later; ++earlier) {
            const PolicyRule& first = rules[earlier];
            const PolicyRule& second = rules[later];
            if (!covers(first, second)) {
                continue;
            }
            const std::string named =
                "rule " + quoted(first.name) + " in line " + std::to_string(places[earlier]->line);
            if (same_calls(first, second) && second.redact.empty() && said_by(first) != said_by(second)) {
                reader.wrong(
                    *places[later], "rules." + second.name,
                    "this rule contradicts " + named + ": of the same calls one says " +
                        said_by(first) + ", the other " + said_by(second),
                    "Remove one of the two, or make this one a shadow rule before it"
                );
            } else {
                reader.wrong(
                    *places[later], "rules." + second.name,
                    "this rule is never reached: " + named + " takes every call that it is about",
                    "Put it before that rule, or remove it"
                );
            }
            break;
        }
    }
}

/// A request to a model or workflow has no tool, no arguments and no effect.
void check_request(const PolicyRule& rule, const YamlNode& at, PolicyReader& reader) {
    const std::string path = "rules." + rule.name;
    const bool of_model = kind_of(rule) == CallKind::Model;
    const std::string what = of_model ? "a request to a model" : "a request to a workflow";
    const std::pair<bool, std::string_view> asked[] = {
        {!rule.tool.empty(), "match.tool"},     {!rule.server.empty(), "match.server"},
        {rule.effect.has_value(), "match.effect"}, {rule.risk.has_value(), "match.risk"},
        {!rule.args.text.empty(), "args"},      {rule.flow != Flow::Any, "flow"}};
    for (const auto& [is_asked, key] : asked) {
        if (is_asked) {
            reader.wrong(
                at, path + "." + std::string(key), "this rule is about " + what + ", which has no such thing",
                "Remove " + std::string(key) + ", or write another rule about the tool"
            );
        }
    }
}

void check_route_to(const PolicyRule& rule, const YamlNode& at, PolicyReader& reader) {
    const std::string& target = rule.route_to.text();
    const std::string path = "rules." + rule.name + ".route_to";
    const bool of_model = !rule.model.empty();
    const std::string& from = of_model ? rule.model : rule.workflow;
    if (from.empty()) {
        return reader.wrong(
            at, "rules." + rule.name, "this rule does not say whose requests it moves",
            "Name match.model or match.workflow"
        );
    }
    if (is_glob(target) || target.starts_with('/')) {
        return reader.wrong(
            at, path, "this is no name of one " + std::string(of_model ? "model" : "workflow"),
            of_model ? "Write MODEL, UPSTREAM/MODEL, or UPSTREAM/ for the same model there"
                     : "Write the name of the workflow that takes over"
        );
    }
    const bool elsewhere = of_model && target.find('/') != std::string::npos;
    if (!elsewhere && catalog::glob_matches(from, target)) {
        reader.wrong(
            at, path, "the rule is about " + quoted(target) + " too, so nothing would change",
            "Name another one"
        );
    }
}

void check_condition(const PolicyRule& rule, const YamlNode& at, PolicyReader& reader) {
    if (!rule.when.program || !rule.when.program->is_constant()) {
        return;
    }
    const auto scratch = std::make_unique<cel::Scratch>();
    const cel::Value value = rule.when.program->evaluate({}, *scratch);
    const std::string path = "rules." + rule.name + ".when";
    if (value.is_error()) {
        reader.wrong(
            at, path, "this condition never has an answer: " + std::string(name_of(value.fault)),
            "Mend it"
        );
    } else if (value.is(true)) {
        reader.remark(at, path, "this condition is always true", "Remove it, or name the call in it");
    } else {
        reader.wrong(
            at, path, "this condition is never true, so the rule never fits",
            "Name the call in it, or remove the rule"
        );
    }
}

void check_sense(const PolicyRule& rule, const YamlNode& at, PolicyReader& reader) {
    const std::string path = "rules." + rule.name;
    if (rule.limit && rule.then == Verdict::Allow) {
        reader.wrong(
            at, path, "this rule allows what is over its limit", "Write effect: deny or effect: ask"
        );
    }
    if (rule.shadow && rule.then == Verdict::Allow) {
        reader.remark(
            at, path, "a shadow rule that allows records nothing", "Write mode: enforce, or another effect"
        );
    }
}

void check_flow(
    const Policy& policy, const PolicyRule& rule, const YamlNode& at, PolicyReader& reader
) {
    Marks needed = rule.flow == Flow::Untrusted   ? untrusted_mark
                   : rule.flow == Flow::Sensitive ? sensitive_mark
                   : rule.flow == Flow::RuleOfTwo
                       ? static_cast<Marks>(untrusted_mark | sensitive_mark)
                       : Marks{0};
    for (const MarkRule& mark : policy.marks) {
        needed = static_cast<Marks>(needed & ~mark.marks);
    }
    if (needed != 0) {
        reader.remark(
            at, "rules." + rule.name + ".flow",
            std::string("nothing in this policy marks a session as ") +
                ((needed & untrusted_mark) != 0 ? "untrusted" : "sensitive"),
            "Add marks: with the tools whose results do"
        );
    }
}

/// Whether some configured tool is, or may be, meant by the name or glob.
bool is_known(const catalog::Catalog& catalog, const std::string& name) {
    const auto fits = [&](const std::string& tool) {
        return tool == name || catalog::glob_matches(tool, name) || catalog::glob_matches(name, tool);
    };
    return std::ranges::any_of(catalog.contents().tools, [&](const catalog::Tool& tool) {
        return fits(tool.name.text()) ||
               (!tool.server.empty() && fits(tool.server + "." + tool.name.text()));
    });
}

void check_tool(
    const PolicyRule& rule, const YamlNode& at, const catalog::Catalog& catalog, PolicyReader& reader
) {
    const std::string path = "rules." + rule.name + ".match.tool";
    if (rule.tool.empty() || catalog.contents().tools.empty()) {
        return;
    }
    if (!is_known(catalog, rule.tool)) {
        std::vector<std::string_view> names;
        for (const catalog::Tool& tool : catalog.contents().tools) {
            names.push_back(tool.name.text());
        }
        const std::string_view near = catalog::nearest(rule.tool, names);
        reader.remark(
            at, path, "the configuration has no tool " + quoted(rule.tool),
            near.empty() ? "Add it under tools, or mend the name" : "Write " + std::string(near)
        );
        return;
    }
    const catalog::Tool* const tool = catalog.configured_tool(rule.tool);
    if (is_glob(rule.tool) || tool == nullptr || tool->effect == ToolEffect::Unknown) {
        return;
    }
    if ((effects_of(rule) & effect_bit(tool->effect)) == 0) {
        reader.remark(
            at, path,
            "the configuration says that " + rule.tool + " is of effect " +
                std::string(name_of(tool->effect)) + ", so this rule never fits",
            "Remove match.effect, or mend one of the two"
        );
    }
}

}  // namespace

void check_terms(
    const PolicyValues& values, const PolicyRule& rule, const YamlNode& at, PolicyReader& reader
) {
    const std::string effect = values.text("effect");
    for (const auto& [key, owner] :
         {std::pair("redact", "redact"), std::pair("where", "redact"), std::pair("route_to", "route")}) {
        if (values.has(key) && effect != owner) {
            reader.wrong(
                *values.at.at(key), "rules." + rule.name + "." + key,
                std::string(key) + " belongs to effect " + owner + " only",
                "Remove it, or write effect: " + std::string(owner)
            );
        }
    }
    // Entries that could not be read were told of already.
    if (effect == "redact" && values.has("redact") == values.words.contains("redact")) {
        if (const auto made = Redactor::make(rule.redact, rule.where); !made) {
            reader.wrong(
                values.has("redact") ? *values.at.at("redact") : at, "rules." + rule.name + ".redact",
                made.error().message, "Write such as redact: [email, card]"
            );
        }
    }
    if (effect == "route" && rule.route_to.empty()) {
        reader.wrong(
            at, "rules." + rule.name, "effect route needs route_to", "Add route_to: the one that takes over"
        );
    } else if (effect == "route") {
        check_route_to(rule, *values.at.at("route_to"), reader);
    }
    if (kind_of(rule) != CallKind::Tool) {
        check_request(rule, at, reader);
    }
}

void check_rules(
    const Policy& policy, const std::vector<const YamlNode*>& places,
    const catalog::Catalog* known, PolicyReader& reader
) {
    find_unreachable(policy.rules, places, reader);
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        const PolicyRule& rule = policy.rules[i];
        check_condition(rule, *places[i], reader);
        check_sense(rule, *places[i], reader);
        check_flow(policy, rule, *places[i], reader);
        if (known != nullptr) {
            check_tool(rule, *places[i], *known, reader);
        }
    }
}

}  // namespace tagout::contain
