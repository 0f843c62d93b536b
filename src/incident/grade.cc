#include "incident/grade.h"

#include <algorithm>
#include <array>

namespace tagout::incident {

namespace {

constexpr std::uint64_t sev1_failed_sessions = 100;
constexpr std::uint64_t sev1_writes = 50;
constexpr std::uint64_t sev2_failed_sessions = 10;

std::string counted(std::uint64_t count, std::string_view what) {
    return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

Grade default_grade(const Incident& incident, const catalog::ToolFacts& facts) {
    const Impact& impact = incident.impact;
    const bool unsafe = incident.failure_class == FailureClass::Safety ||
                        incident.failure_class == FailureClass::Tool;
    if (impact.writes > 0 && incident.failure_class == FailureClass::Safety &&
        facts.risk == ToolRisk::High) {
        return {Severity::Sev1, "an unsafe write with a high-risk tool was completed"};
    }
    if (impact.writes > 0 && unsafe && facts.reversibility == Reversibility::Irreversible) {
        return {Severity::Sev1, "an irreversible write was completed"};
    }
    if (impact.failed_sessions >= sev1_failed_sessions) {
        return {
            Severity::Sev1, counted(impact.failed_sessions, "session") + " failed (SEV1 from 100)"};
    }
    if (impact.writes >= sev1_writes) {
        return {Severity::Sev1, counted(impact.writes, "write") + " went wrong (SEV1 from 50)"};
    }
    if (impact.failed_sessions >= sev2_failed_sessions) {
        return {
            Severity::Sev2, counted(impact.failed_sessions, "session") + " failed (SEV2 from 10)"};
    }
    if (impact.writes > 0 && unsafe) {
        return {Severity::Sev2, counted(impact.writes, "unasked-for write") + " was completed"};
    }
    return {Severity::Sev3, counted(impact.failed_sessions, "session") + " failed"};
}

bool holds(
    const catalog::SeverityRule& rule, const Incident& incident, const catalog::ToolFacts& facts
) {
    const Impact& impact = incident.impact;
    return (!rule.failure_class || *rule.failure_class == incident.failure_class) &&
           impact.failed_sessions >= rule.failed_sessions_min && impact.users >= rule.users_min &&
           impact.writes >= rule.writes_min && impact.cost_usd >= rule.cost_usd_min &&
           (!rule.high_risk_tool || facts.risk == ToolRisk::High) &&
           (!rule.irreversible_write ||
            (impact.writes > 0 && facts.reversibility == Reversibility::Irreversible));
}

/// "$1.25": cents, as a person reads money.
std::string usd(double amount) {
    const auto cents = static_cast<std::int64_t>(amount * 100 + 0.5);
    const std::string rest = std::to_string(cents % 100);
    return "$" + std::to_string(cents / 100) + "." + (rest.size() < 2 ? "0" : "") + rest;
}

std::string reason_of(const catalog::SeverityRule& rule, const Incident& incident) {
    std::string reason = "a configured rule:";
    const auto add = [&](bool used, const std::string& text) {
        if (used) {
            reason += (reason.ends_with(':') ? " " : ", ") + text;
        }
    };
    add(rule.failure_class.has_value(), "class " + std::string(name_of(incident.failure_class)));
    add(rule.failed_sessions_min > 0,
        std::to_string(incident.impact.failed_sessions) + " failed sessions (from " +
            std::to_string(rule.failed_sessions_min) + ")");
    add(rule.users_min > 0,
        std::to_string(incident.impact.users) + " users (from " + std::to_string(rule.users_min) +
            ")");
    add(rule.writes_min > 0,
        std::to_string(incident.impact.writes) + " writes (from " +
            std::to_string(rule.writes_min) + ")");
    add(rule.cost_usd_min > 0,
        usd(incident.impact.cost_usd) + " spent (from " + usd(rule.cost_usd_min) + ")");
    add(rule.high_risk_tool, "high-risk tool");
    add(rule.irreversible_write, "irreversible write");
    return reason.ends_with(':') ? "a configured rule without conditions" : reason;
}

struct Phrase {
    std::string_view signal;
    std::string_view text;  ///< {agent}, {tool}, {workflow} are filled in.
};

constexpr std::array phrases{
    Phrase{"intent.user_corrections", "Users correct {agent} again and again in {workflow}"},
    Phrase{
        "intent.retries_without_convergence",
        "{agent} tries again and again and gets nowhere in {workflow}"},
    Phrase{"intent.wrong_workflow", "Requests reach {agent} that belong elsewhere ({workflow})"},
    Phrase{"tool.4xx_spike", "{agent}: calls to {tool} are refused with 4xx"},
    Phrase{"tool.unexpected_write", "{agent} makes writes with {tool} that nobody asked for"},
    Phrase{"context.duplicate_action", "{agent} repeats the same action with {tool}"},
    Phrase{"context.circular_actions", "{agent} goes in circles with {tool}"},
    Phrase{"safety.untrusted_value", "{agent} obeys what it read in a tool's result, with {tool}"},
    Phrase{"safety.instruction_in_result", "{agent} reads orders in what {tool} answers"},
    Phrase{"safety.new_tool", "{agent} uses {tool}, which {workflow} never used before"},
    Phrase{"cost.token_spike", "{agent} burns far more tokens than usual"},
    Phrase{"cost.runaway_session", "Sessions of {agent} run away"},
    Phrase{"cost.timeout_rate", "{agent} times out"},
};

void fill(std::string& text, std::string_view name, std::string_view value) {
    for (std::size_t at = text.find(name); at != std::string::npos;
         at = text.find(name, at + value.size())) {
        text.replace(at, name.size(), value);
    }
}

}  // namespace

Grade grade(const Incident& incident, const catalog::Catalog& catalog) {
    const catalog::ToolFacts facts =
        incident.tool.empty() ? catalog::ToolFacts{} : catalog.tool(incident.tool.text());
    const std::vector<catalog::SeverityRule>& rules = catalog.contents().severity_rules;
    if (rules.empty()) {
        return default_grade(incident, facts);
    }
    Grade worst{Severity::Sev3, "no configured rule asks for more"};
    bool found = false;
    for (const catalog::SeverityRule& rule : rules) {
        if (holds(rule, incident, facts) && (!found || rule.severity < worst.severity)) {
            worst = {rule.severity, reason_of(rule, incident)};
            found = true;
        }
    }
    return worst;
}

std::string title_of(const Incident& incident) {
    const std::string signal = incident.signals.empty() ? "" : incident.signals.front();
    const auto found = std::ranges::find(phrases, signal, &Phrase::signal);
    std::string text = found == phrases.end() ? "{agent}: " + signal : std::string(found->text);
    fill(
        text,
        "{agent}",
        incident.agent.empty() ? "An agent" : std::string_view(incident.agent.text())
    );
    fill(
        text, "{tool}", incident.tool.empty() ? "its tools" : std::string_view(incident.tool.text())
    );
    fill(
        text,
        "{workflow}",
        incident.workflow.empty() ? "its workflow" : std::string_view(incident.workflow.text())
    );
    if (incident.impact.sessions > 0) {
        text += ": " + std::to_string(incident.impact.failed_sessions) + " of " +
                counted(incident.impact.sessions, "session") + " failed";
    }
    if (incident.anchors.onset_at) {
        text += " since " + to_rfc3339(*incident.anchors.onset_at).substr(11, 5) + " UTC";
    }
    return text;
}

}  // namespace tagout::incident
