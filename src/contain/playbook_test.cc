#include "contain/playbook.h"

#include <gtest/gtest.h>

namespace tagout::contain {
namespace {

using catalog::Enforcement;

IncidentFacts incident(FailureClass failure_class, Severity severity) {
    return {
        .id = IncidentId("INC-7"),
        .failure_class = failure_class,
        .severity = severity,
        .agent = AgentName("refund-agent"),
        .workflow = WorkflowName("refunds"),
        .tool = ToolName("payments.refund")};
}

catalog::Contents shop() {
    catalog::Contents contents;
    contents.workflows.push_back(
        {.name = WorkflowName("refunds"), .fallback = WorkflowName("refunds-by-hand"), .url = "",
         .fallback_url = ""}
    );
    contents.agents.push_back(
        {.name = AgentName("refund-agent"),
         .description = "",
         .workflows = {},
         .tools = {ToolName("payments.refund"), ToolName("payments.lookup")}}
    );
    return contents;
}

catalog::Catalog with(std::vector<catalog::Playbook> playbooks) {
    catalog::Contents contents = shop();
    contents.playbooks = std::move(playbooks);
    return catalog::Catalog(std::move(contents));
}

TEST(Playbook, AnswersItsClassAtItsSeverityAndWorse) {
    const catalog::Catalog catalog =
        with({{FailureClass::Tool, Severity::Sev2, "tool", "stopped", Enforcement::Enforce}});
    EXPECT_TRUE(propose(incident(FailureClass::Tool, Severity::Sev3), catalog).empty());
    EXPECT_TRUE(propose(incident(FailureClass::Cost, Severity::Sev1), catalog).empty());
    EXPECT_EQ(propose(incident(FailureClass::Tool, Severity::Sev2), catalog).size(), 1U);
    const auto proposals = propose(incident(FailureClass::Tool, Severity::Sev1), catalog);
    ASSERT_EQ(proposals.size(), 1U);
    EXPECT_EQ(proposals[0].rule, "playbook tool/SEV2");
    EXPECT_EQ(proposals[0].enforcement, Enforcement::Enforce);
    ASSERT_TRUE(proposals[0].draft.has_value());
    EXPECT_EQ(to_text(proposals[0].draft->scope), "tool:payments.refund");
    EXPECT_EQ(proposals[0].draft->mode, ControlMode::Stopped);
    EXPECT_EQ(proposals[0].draft->incident, IncidentId("INC-7"));
    EXPECT_EQ(proposals[0].draft->rule, "playbook tool/SEV2");
    EXPECT_NE(proposals[0].sentence.find("stops tool payments.refund"), std::string::npos);
    EXPECT_NE(proposals[0].sentence.find("To undo it"), std::string::npos);
}

TEST(Playbook, RoutesToTheFallbackThatTheCatalogNames) {
    const catalog::Catalog catalog =
        with({{FailureClass::Intent, Severity::Sev3, "workflow", "route", Enforcement::Observe}});
    const auto proposals = propose(incident(FailureClass::Intent, Severity::Sev3), catalog);
    ASSERT_EQ(proposals.size(), 1U);
    ASSERT_TRUE(proposals[0].draft.has_value());
    EXPECT_EQ(proposals[0].draft->route_to, WorkflowName("refunds-by-hand"));
    EXPECT_NE(proposals[0].sentence.find("nothing was done yet"), std::string::npos);
    EXPECT_NE(
        proposals[0].sentence.find(
            "tagout contain set workflow:refunds --mode route --route-to refunds-by-hand"
        ),
        std::string::npos
    ) << proposals[0].sentence;
}

TEST(Playbook, AnAllowlistIsTheAgentsOtherTools) {
    const catalog::Catalog catalog =
        with({{FailureClass::Safety, Severity::Sev1, "agent", "allowlist", Enforcement::Enforce}});
    const auto proposals = propose(incident(FailureClass::Safety, Severity::Sev1), catalog);
    ASSERT_EQ(proposals.size(), 1U);
    ASSERT_TRUE(proposals[0].draft.has_value());
    EXPECT_EQ(proposals[0].draft->allowed, std::vector<std::string>{"payments.lookup"});
}

TEST(Playbook, SaysWhyWhenItCanDoNothing) {
    IncidentFacts vague = incident(FailureClass::Tool, Severity::Sev1);
    vague.tool = {};
    const auto no_tool = propose(
        vague, with({{FailureClass::Tool, Severity::Sev1, "tool", "stopped", Enforcement::Enforce}})
    );
    ASSERT_EQ(no_tool.size(), 1U);
    EXPECT_FALSE(no_tool[0].draft.has_value());
    EXPECT_NE(no_tool[0].sentence.find("names no tool"), std::string::npos) << no_tool[0].sentence;
    IncidentFacts elsewhere = incident(FailureClass::Tool, Severity::Sev1);
    elsewhere.workflow = WorkflowName("orders");
    const auto no_fallback = propose(
        elsewhere, with({{FailureClass::Tool, Severity::Sev1, "workflow", "route", Enforcement::Enforce}})
    );
    ASSERT_EQ(no_fallback.size(), 1U);
    EXPECT_FALSE(no_fallback[0].draft.has_value());
    EXPECT_NE(no_fallback[0].sentence.find("has no fallback"), std::string::npos);
    const auto not_routable = propose(
        elsewhere, with({{FailureClass::Tool, Severity::Sev1, "agent", "route", Enforcement::Enforce}})
    );
    EXPECT_FALSE(not_routable[0].draft.has_value());
}

TEST(Playbook, TheSameIsProposedOnceAndEnforcedIfAnyRuleSaysSo) {
    const auto proposals = propose(
        incident(FailureClass::Tool, Severity::Sev1),
        with(
            {{FailureClass::Tool, Severity::Sev2, "tool", "stopped", Enforcement::Observe},
             {FailureClass::Tool, Severity::Sev1, "tool", "stopped", Enforcement::Enforce},
             {FailureClass::Tool, Severity::Sev1, "agent", "read_only", Enforcement::Observe}}
        )
    );
    ASSERT_EQ(proposals.size(), 2U);
    EXPECT_EQ(proposals[0].enforcement, Enforcement::Enforce);
    EXPECT_EQ(proposals[0].rule, "playbook tool/SEV1");
}

TEST(Playbook, WithoutConfigurationEveryClassProposesAndNothingIsEnforced) {
    const catalog::Catalog catalog(shop());
    for (const FailureClass failure_class : failure_classes) {
        const auto proposals = propose(incident(failure_class, Severity::Sev1), catalog);
        EXPECT_FALSE(proposals.empty()) << name_of(failure_class);
        for (const Proposal& each : proposals) {
            EXPECT_EQ(each.enforcement, Enforcement::Observe) << each.rule;
            EXPECT_TRUE(each.draft.has_value()) << each.sentence;
        }
    }
    EXPECT_TRUE(propose(incident(FailureClass::Tool, Severity::Sev3), catalog).empty());
}

}  // namespace
}  // namespace tagout::contain
