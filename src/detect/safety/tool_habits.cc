#include "detect/safety/tool_habits.h"

#include "detect/signal_id.h"

#include <algorithm>

namespace tagout::detect {

namespace {

bool is_listed(const catalog::Catalog& catalog, const AgentName& agent, const ToolName& tool) {
    for (const catalog::Agent& known : catalog.contents().agents) {
        if (catalog::glob_matches(known.name.text(), agent.text()) &&
            std::ranges::any_of(known.tools, [&](const ToolName& listed) {
                return catalog::glob_matches(listed.text(), tool.text());
            })) {
            return true;
        }
    }
    return false;
}

}  // namespace

void ToolHabits::learn(const SessionFact& fact, std::size_t workflows_max) {
    if (fact.outcome != SessionOutcome::Succeeded || fact.before == SessionOutcome::Succeeded ||
        !fact.clean || fact.workflow.empty()) {
        return;
    }
    auto found = habits_.find(fact.workflow);
    if (found == habits_.end()) {
        if (habits_.size() >= workflows_max) {
            return;
        }
        found = habits_.emplace(fact.workflow, Habit{}).first;
    }
    Habit& habit = found->second;
    ++habit.good_sessions;
    for (const std::string& tool : fact.tools) {
        const auto known = habit.tools.find(tool);
        if (known != habit.tools.end()) {
            ++known->second;
        } else if (habit.tools.size() < tools_max) {
            habit.tools.emplace(tool, 1);
        }
    }
}

std::optional<Finding> ToolHabits::judge(
    const DebutFact& fact, const SafetySettings& settings, const catalog::Catalog& catalog
) const {
    const auto found = habits_.find(fact.draft.workflow.text());
    if (fact.explained || found == habits_.end()) {
        return std::nullopt;
    }
    const Habit& habit = found->second;
    const bool known =
        habit.tools.contains(fact.draft.tool.text()) || habit.tools.size() >= tools_max;
    if (habit.good_sessions < settings.profile_sessions_min || known ||
        (!fact.foreign && (fact.asked || !fact.high_risk)) ||
        is_listed(catalog, fact.draft.agent, fact.draft.tool)) {
        return std::nullopt;
    }
    const SignalInfo& info = info_of(fact.foreign ? SignalId::NewTool : SignalId::UnexpectedWrite);
    Finding finding = fact.draft;
    finding.id = finding_id(info.name, finding.correlation.text());
    finding.signal = info.name;
    finding.failure_class = info.failure_class;
    finding.unit = info.unit;
    finding.score = (fact.asked ? 0.65 : 0.75) + (fact.high_risk ? 0.1 : 0);
    finding.observed = finding.score;
    finding.threshold = 0.6;
    finding.evidence = finding.tool.text() + " was used, which the last " +
                       std::to_string(habit.good_sessions) + " good sessions of " +
                       finding.workflow.text() + " never did" +
                       (fact.foreign ? ", after a tool's result gave the agent orders"
                                     : ", and the user did not ask for it");
    if (!fact.foreign && finding.write_completed) {
        finding.outcome = SessionOutcome::Failed;
        finding.outcome_reason = "a write completed that nobody asked for: " + finding.tool.text();
    }
    return finding;
}

}  // namespace tagout::detect
