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

std::optional<Finding> judge_new_tool(
    const CallFact& fact, const catalog::WorkflowProfile* profile, const SafetySettings& settings,
    const catalog::Catalog& catalog
) {
    if (!fact.debut || fact.explained || profile == nullptr ||
        profile->sessions() < settings.profile_sessions_min ||
        profile->knows(catalog::ProfileFacet::Tools, fact.draft.tool.text()) ||
        (!fact.orders && (fact.asked || (!fact.foreign && !fact.high_risk))) ||
        is_listed(catalog, fact.draft.agent, fact.draft.tool)) {
        return std::nullopt;
    }
    const bool by_text = fact.orders || fact.foreign;
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
                       finding.workflow.text() + " never did" +
                       (fact.orders ? ", after a tool's result gave the agent orders"
                        : fact.foreign
                            ? ", with values that a tool's result named; the user did not ask for it"
                            : ", and the user did not ask for it");
    if (!by_text && finding.write_completed) {
        finding.outcome = SessionOutcome::Failed;
        finding.outcome_reason = "a write completed that nobody asked for: " + finding.tool.text();
    }
    return finding;
}

}  // namespace tagout::detect
