#include "recover/freeze.h"

#include <gtest/gtest.h>

namespace tagout::recover {
namespace {

incident::Incident incident(
    const char* id, Severity severity, IncidentState state, const char* agent, const char* workflow,
    IncidentKind kind = IncidentKind::Real
) {
    incident::Incident made;
    made.id = IncidentId(id);
    made.severity = severity;
    made.state = state;
    made.agent = AgentName(agent);
    made.workflow = WorkflowName(workflow);
    made.kind = kind;
    made.anchors.triage_at = Instant(std::chrono::hours(1));
    return made;
}

TEST(Freeze, OnlyRealOpenGraveIncidentsFreeze) {
    struct Row {
        const char* what;
        Severity severity;
        IncidentState state;
        IncidentKind kind;
        bool freezes;
    };
    const Row rows[] = {
        {"a SEV1 in triage", Severity::Sev1, IncidentState::Triage, IncidentKind::Real, true},
        {"a SEV2 declared", Severity::Sev2, IncidentState::Declared, IncidentKind::Real, true},
        {"one being verified", Severity::Sev2, IncidentState::Verifying, IncidentKind::Real, true},
        {"a SEV3", Severity::Sev3, IncidentState::Declared, IncidentKind::Real, false},
        {"a signal", Severity::Sev1, IncidentState::Signal, IncidentKind::Real, false},
        {"a resolved one", Severity::Sev1, IncidentState::Resolved, IncidentKind::Real, false},
        {"a false one", Severity::Sev1, IncidentState::FalsePositive, IncidentKind::Real, false},
        {"a drill", Severity::Sev1, IncidentState::Declared, IncidentKind::Drill, false},
        {"chaos", Severity::Sev1, IncidentState::Declared, IncidentKind::Chaos, false},
    };
    for (const Row& row : rows) {
        const std::vector<incident::Incident> all{
            incident("INC-1", row.severity, row.state, "a", "", row.kind)};
        EXPECT_EQ(freezes_in_force(all).size(), row.freezes ? 1U : 0U) << row.what;
    }
}

TEST(Freeze, HoldsWhatItsIncidentIsAbout) {
    using Passed = FreezeVerdict::Passed;
    catalog::Contents contents;
    contents.agents.push_back({AgentName("refund-agent"), "", {WorkflowName("refund")}, {}});
    const catalog::Catalog catalog(std::move(contents));
    const std::vector<incident::Incident> by_agent{
        incident("INC-1", Severity::Sev2, IncidentState::Declared, "refund-agent", "")};
    const std::vector<incident::Incident> by_workflow{
        incident("INC-2", Severity::Sev2, IncidentState::Declared, "", "refund")};
    const std::vector<incident::Incident> by_none{
        incident("INC-3", Severity::Sev1, IncidentState::Declared, "", "")};
    struct Row {
        const char* what;
        const std::vector<incident::Incident>* incidents;
        const char* agent;
        const char* workflow;
        const char* incident;
        const char* emergency;
        Passed passed;
    };
    const std::vector<incident::Incident> nothing;
    const Row rows[] = {
        {"a quiet day", &nothing, "refund-agent", "", "", "", Passed::NothingFrozen},
        {"its agent", &by_agent, "refund-agent", "", "", "", Passed::No},
        {"another agent", &by_agent, "mail-agent", "", "", "", Passed::NothingFrozen},
        {"its agent's workflow", &by_agent, "", "refund", "", "", Passed::No},
        {"another workflow", &by_agent, "", "mail", "", "", Passed::NothingFrozen},
        {"what reaches all", &by_agent, "", "", "", "", Passed::No},
        {"its workflow", &by_workflow, "", "refund", "", "", Passed::No},
        {"the workflow's agent", &by_workflow, "refund-agent", "", "", "", Passed::No},
        {"an incident of nobody freezes all", &by_none, "mail-agent", "", "", "", Passed::No},
        {"the incident's own change", &by_agent, "refund-agent", "", "INC-1", "", Passed::OwnChange},
        {"another incident's change", &by_agent, "refund-agent", "", "INC-7", "", Passed::No},
        {"an emergency", &by_agent, "refund-agent", "", "", "it burns", Passed::Emergency},
    };
    for (const Row& row : rows) {
        const std::vector<Freeze> freezes = freezes_in_force(*row.incidents);
        const FreezeVerdict verdict = judge(
            freezes,
            ChangeScope{
                AgentName(row.agent), WorkflowName(row.workflow), IncidentId(row.incident),
                row.emergency},
            catalog
        );
        EXPECT_EQ(verdict.passed, row.passed) << row.what;
        if (row.passed == Passed::No) {
            EXPECT_NE(verdict.sentence.find("INC-"), std::string::npos) << row.what;
            EXPECT_NE(verdict.sentence.find("emergency reason"), std::string::npos) << row.what;
        }
    }
}

TEST(Freeze, TheWorstIsNamedFirst) {
    const std::vector<incident::Incident> all{
        incident("INC-1", Severity::Sev2, IncidentState::Declared, "a", ""),
        incident("INC-2", Severity::Sev1, IncidentState::Declared, "a", "")};
    const std::vector<Freeze> freezes = freezes_in_force(all);
    ASSERT_EQ(freezes.size(), 2U);
    EXPECT_EQ(freezes[0].incident, IncidentId("INC-2"));
    const FreezeVerdict own =
        judge(freezes, ChangeScope{AgentName("a"), {}, IncidentId("INC-1"), ""}, catalog::Catalog());
    EXPECT_EQ(own.passed, FreezeVerdict::Passed::OwnChange) << "either of them may be mended";
}

}  // namespace
}  // namespace tagout::recover
