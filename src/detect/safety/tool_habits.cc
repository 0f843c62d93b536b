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

/// Whether foreign text may have chosen a tool that the workflow does not know.
bool chosen_by_text(
    const CallFact& fact, const catalog::WorkflowProfile& profile, const SafetySettings& settings
) {
    return fact.orders || (fact.foreign && !(fact.asked && fact.named) &&
                           chance_of_new_tool(profile) <= settings.tool_chance_max);
}

}  // namespace

double chance_of_new_tool(const catalog::WorkflowProfile& profile) {
    const auto& tools = profile.counts(catalog::ProfileFacet::Tools);
    const auto singles = static_cast<double>(std::ranges::count_if(tools, [](const auto& item) {
        return item.second == 1;
    }));
    return (singles + 0.5) / (static_cast<double>(profile.sessions()) + 1);
}

std::optional<Finding> judge_new_tool(
    const CallFact& fact, const catalog::WorkflowProfile* profile, const SafetySettings& settings,
    const catalog::Catalog& catalog
) {
    if (!fact.debut || fact.explained || profile == nullptr ||
        profile->sessions() < settings.profile_sessions_min ||
        profile->knows(catalog::ProfileFacet::Tools, fact.draft.tool.text())) {
        return std::nullopt;
    }
    const bool by_text = chosen_by_text(fact, *profile, settings);
    if ((!by_text && (fact.asked || !fact.high_risk)) ||
        is_listed(catalog, fact.draft.agent, fact.draft.tool)) {
        return std::nullopt;
    }
    const SignalInfo& info = info_of(by_text ? SignalId::NewTool : SignalId::UnexpectedWrite);
    Finding finding = fact.draft;
    finding.id = finding_id(info.name, finding.correlation.text());
    finding.signal = info.name;
    finding.failure_class = info.failure_class;
    finding.unit = info.unit;
    finding.score = (fact.asked ? 0.65 : 0.75) + (fact.high_risk ? 0.1 : 0);
    finding.observed = finding.score;
    finding.threshold = 0.6;
    finding.evidence = finding.tool.text() + " was used, which the last " +
                       std::to_string(profile->sessions()) + " good sessions of " +
                       finding.workflow.text() + " never did, ";
    if (fact.orders) {
        finding.evidence += "after a tool's result gave the agent orders";
    } else if (by_text && fact.foreign_values.empty()) {
        finding.evidence += "with words that a tool's result named and the user did not";
    } else if (by_text) {
        const ForeignValue& value = fact.foreign_values.front();
        finding.evidence += "with \"" + value.text + "\", which came from the result of " +
                            value.source + " (step " + std::to_string(value.source_step) +
                            ") and not from the user";
    } else {
        finding.evidence += "and the user did not ask for it";
    }
    if (!by_text && finding.write_completed) {
        finding.outcome = SessionOutcome::Failed;
        finding.outcome_reason = "a write completed that nobody asked for: " + finding.tool.text();
    }
    return finding;
}

}  // namespace tagout::detect
