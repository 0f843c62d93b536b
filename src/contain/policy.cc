#include "contain/policy.h"

#include "catalog/value_text.h"
#include "contain/policy_checks.h"
#include "contain/policy_reader.h"

#include <algorithm>
#include <map>

namespace tagout::contain {

namespace {

using catalog::Mistake;
using catalog::quoted;
using catalog::YamlNode;
using catalog::YamlTree;

/// The bits of mark words, which stand in the order of policy_marks.
Marks marks_of(const PolicyValues& values, std::string_view key) {
    Marks marks = 0;
    const auto found = values.words.find(key);
    for (const std::string& word : found == values.words.end() ? std::vector<std::string>{}
                                                               : found->second) {
        const auto place = std::ranges::find(policy_marks, word);
        marks = static_cast<Marks>(marks | 1U << (place - policy_marks.begin()));
    }
    return marks;
}

Verdict verdict_of(const std::string& effect) {
    return effect == "ask"                           ? Verdict::Escalate
           : effect == "allow"                       ? Verdict::Allow
           : effect == "redact" || effect == "route" ? Verdict::Modify
                                                     : Verdict::Deny;
}

std::uint32_t count_of(const std::string& text, std::uint32_t otherwise) {
    std::uint32_t count = otherwise;
    (void)catalog::read_value(text, catalog::Bounds{1, RuleLimit::calls_max, ""}, count);
    return count;
}

void read_match(const PolicyValues& values, CallMatch& match) {
    match.tool = values.text("tool");
    match.server = values.text("server");
    match.agent = values.text("agent");
    match.workflow = values.text("workflow");
    match.tenant = values.text("tenant");
    match.environment = values.text("environment");
    match.model = values.text("model");
    match.effect = parse_tool_effect(values.text("effect"));
    match.risk = parse_tool_risk(values.text("risk"));
}

/// The sections of a policy's document.
class Sections {
public:
    Sections(PolicyReader& reader, PolicyReport& report, Policy& policy)
        : reader_(reader), report_(report), policy_(policy) {}

    void read(const YamlNode& root, const catalog::Catalog* known) {
        if (root.kind != YamlNode::Kind::Map) {
            reader_.wrong(
                root, "", "a policy is the key rules with a list", "Begin with a line 'rules:'"
            );
            return;
        }
        std::map<std::string_view, const YamlNode*> sections;
        constexpr std::array<std::string_view, 3> names{"rules", "marks", "tests"};
        reader_.for_each_key(root, "", [&](const YamlNode& key, const YamlNode& value) {
            if (std::ranges::find(names, key.text) != names.end()) {
                sections[key.text] = &value;
                return;
            }
            const std::string_view near = catalog::nearest(key.text, names);
            reader_.wrong(
                key, "", quoted(key.text) + " is no key here",
                "Write " + (near.empty() ? catalog::any_of_text(names) : std::string(near))
            );
        });
        if (!sections.contains("rules")) {
            reader_.wrong(
                root, "", "the key rules is missing", "Add rules: with a list of rules below"
            );
            return;
        }
        each_of(*sections["rules"], "rules", policy_rules_max, [this](auto& at, auto& path) {
            read_rule(at, path);
        });
        if (sections.contains("marks")) {
            each_of(*sections["marks"], "marks", policy_marks_max, [this](auto& at, auto& path) {
                read_mark(at, path);
            });
        }
        check_rules(policy_, places_, known, reader_);
        if (sections.contains("tests")) {
            each_of(*sections["tests"], "tests", policy_cases_max, [this](auto& at, auto& path) {
                read_case(at, path);
            });
        }
    }

private:
    template <class Read>
    void each_of(const YamlNode& list, const std::string& name, std::size_t max, Read read) {
        if (list.kind != YamlNode::Kind::Sequence || list.children.empty()) {
            reader_.wrong(
                list, name, "here must be a list of " + name, "Begin each with '- ' and a key"
            );
            return;
        }
        if (list.children.size() > max) {
            reader_.wrong(
                list, name,
                std::to_string(list.children.size()) + " " + name + " are over the limit of " +
                    std::to_string(max),
                "Use globs, or split the policy"
            );
            return;
        }
        for (std::size_t i = 0; i < list.children.size(); ++i) {
            const YamlNode& at = reader_.node(list.children[i]);
            const std::string path = name + "[" + std::to_string(i) + "]";
            if (at.kind == YamlNode::Kind::Map) {
                read(at, path);
            } else {
                reader_.wrong(
                    at, path, "here must be keys with values", "Write '- name: NAME' and more keys below"
                );
            }
        }
    }

    void read_rule(const YamlNode& at, const std::string& path) {
        const std::size_t before = reader_.mistakes();
        const PolicyValues values = reader_.read_keys(at, path, rule_keys);
        PolicyRule rule;
        rule.name = values.text("name");
        rule.message = values.text("message");
        rule.shadow = values.text("mode") == "shadow";
        rule.then = verdict_of(values.text("effect"));
        if (const auto found = values.words.find("redact"); found != values.words.end()) {
            rule.redact = found->second;
        }
        rule.where = parse_redact_where(values.text("where")).value_or(RedactWhere::Both);
        rule.route_to = WorkflowName(values.text("route_to"));
        rule.user_approves = values.text("approver") == "user";
        if (values.has("approver") && rule.then != Verdict::Escalate) {
            reader_.wrong(
                at,
                path + ".approver",
                "nobody is asked where the effect is not ask",
                "Write effect: ask, or remove approver"
            );
        }
        rule.flow = parse_flow(values.text("flow")).value_or(Flow::Any);
        if (values.has("match") && values.nested.contains("match")) {
            read_match(values.nested.at("match"), rule);
        }
        if (values.nested.contains("limit")) {
            rule.limit = limit_of(values.nested.at("limit"));
        }
        read_condition(values, path, rule);
        read_form(values, path, rule);
        if (!rule.name.empty()) {
            const auto [first, fresh] = lines_.emplace(rule.name, at.line);
            if (!fresh) {
                reader_.wrong(
                    at, path + ".name",
                    quoted(rule.name) + " is the name of the rule in line " +
                        std::to_string(first->second) + " already",
                    "Give each rule a name of its own"
                );
            }
        }
        check_terms(values, rule, at, reader_);
        if (reader_.mistakes() == before) {
            policy_.rules.push_back(std::move(rule));
            places_.push_back(&at);
        }
    }

    static RuleLimit limit_of(const PolicyValues& values) {
        RuleLimit limit;
        limit.calls = count_of(values.text("calls"), 1);
        (void)catalog::read_value(values.text("per"), catalog::Bounds{1, 86'400, ""}, limit.per);
        limit.key = parse_limit_key(values.text("key")).value_or(LimitKey::Session);
        return limit;
    }

    void read_condition(const PolicyValues& values, const std::string& path, PolicyRule& rule) {
        const std::string text = values.text("when");
        if (text.empty()) {
            return;
        }
        auto condition = compile_condition(text);
        if (condition) {
            rule.when = *std::move(condition);
            return;
        }
        const cel::Mistake& mistake = condition.error();
        YamlNode at = *values.at.at("when");
        const std::string_view before = std::string_view(text).substr(0, mistake.at);
        const auto lines = static_cast<int>(std::ranges::count(before, '\n'));
        const std::size_t begin = lines == 0 ? 0 : before.rfind('\n') + 1;
        at.line += lines;
        reader_.wrong(
            at, path + ".when",
            mistake.says + " (character " + std::to_string(mistake.at - begin + 1) + " of the condition)",
            mistake.remedy
        );
    }

    void read_form(const PolicyValues& values, const std::string& path, PolicyRule& rule) {
        const std::string text = values.text("args");
        if (text.empty()) {
            return;
        }
        Result<ArgumentForm> form = compile_form(text);
        if (form) {
            rule.args = *std::move(form);
        } else {
            reader_.wrong(
                *values.at.at("args"), path + ".args",
                "this is no JSON Schema: " + form.error().message, "Mend it at the place that is named"
            );
        }
    }

    void read_mark(const YamlNode& at, const std::string& path) {
        const PolicyValues values = reader_.read_keys(at, path, mark_keys);
        MarkRule mark;
        if (values.nested.contains("match")) {
            read_match(values.nested.at("match"), mark);
        }
        mark.marks = marks_of(values, "as");
        policy_.marks.push_back(std::move(mark));
    }

    void read_case(const YamlNode& at, const std::string& path) {
        const PolicyValues values = reader_.read_keys(at, path, test_keys);
        PolicyCase made;
        made.name = values.text("name");
        made.line = at.line;
        made.times = values.has("times") ? count_of(values.text("times"), 1) : 1;
        made.expect = values.text("expect");
        made.rule = values.text("rule");
        made.shadow = values.text("shadow");
        if (made.times > policy_case_times_max) {
            reader_.wrong(
                at, path + ".times", "more than " + std::to_string(policy_case_times_max) + " calls",
                "Write a smaller limit for the test"
            );
        }
        if (made.expect == "allow" && !made.rule.empty()) {
            reader_.wrong(
                *values.at.at("rule"), path + ".rule", "a call that passes was decided by no rule",
                "Remove the key rule, or expect deny or ask"
            );
        }
        for (const auto& [key, name] : {std::pair("rule", &made.rule), {"shadow", &made.shadow}}) {
            if (!name->empty() && !lines_.contains(*name)) {
                reader_.wrong(
                    *values.at.at(key), path + "." + key,
                    "there is no rule " + quoted(*name) + " in this policy", "Write the name of a rule"
                );
            }
        }
        if (values.nested.contains("call")) {
            read_call(values.nested.at("call"), made);
            if (made.tool.empty() && made.model.empty() && made.workflow.empty()) {
                reader_.wrong(
                    *values.at.at("call"), path + ".call", "this call is of nothing",
                    "Name its tool, or the model or workflow that is asked"
                );
            }
        }
        report_.cases.push_back(std::move(made));
    }

    static void read_call(const PolicyValues& values, PolicyCase& made) {
        made.tool = values.text("tool");
        made.model = values.text("model");
        made.server = values.text("server");
        made.agent = values.text("agent");
        made.workflow = values.text("workflow");
        made.session = values.text("session");
        made.tenant = values.text("tenant");
        made.environment = values.text("environment");
        made.user = values.text("user");
        made.effect = parse_tool_effect(values.text("effect"));
        made.risk = parse_tool_risk(values.text("risk"));
        made.args = values.text("args");
        made.marks = marks_of(values, "marks");
        if (const Result<Instant> now = parse_rfc3339(values.text("now"))) {
            made.now = *now;
        }
    }

    PolicyReader& reader_;
    PolicyReport& report_;
    Policy& policy_;
    std::map<std::string, int> lines_;
    std::vector<const YamlNode*> places_;
};

}  // namespace

PolicyReport read_policy(
    std::string_view name, std::string_view version, std::string_view yaml,
    const catalog::Catalog* known
) {
    PolicyReport report;
    YamlTree tree = catalog::read_yaml(yaml, catalog::YamlLimits{});
    if (!tree.mistakes.empty()) {
        report.mistakes = std::move(tree.mistakes);
        return report;
    }
    Policy policy{std::string(name), std::string(version), {}};
    PolicyReader reader(tree);
    Sections(reader, report, policy).read(tree.nodes[tree.root], known);
    report.mistakes = reader.take_mistakes();
    report.remarks = reader.take_remarks();
    if (report.mistakes.empty()) {
        policy.source = yaml;
        report.policy = std::move(policy);
    } else {
        report.cases.clear();
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
