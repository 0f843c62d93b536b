// Refusals as rates: of one form of a tool's arguments, and by policy.
#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace tagout::detect {
namespace {

using ::testing::HasSubstr;

/// `sessions` conversations, half a second apart; what each calls is told by `calls`.
RunResult told(int sessions, const std::function<bool(Story&, int)>& calls) {
    Story s;
    for (int i = 0; i < sessions; ++i) {
        s.session("c" + std::to_string(i), i % 4 == 0 ? "clerk" : "seller", "orders");
        s.user("Look up order ORD-" + std::to_string(i));
        s.model();
        const bool well = calls(s, i);
        s.end(well ? StepOutcome::Ok : StepOutcome::Error);
        s.wait(std::chrono::milliseconds(200));
    }
    return run(
        s.events, Settings{}, std::make_shared<const catalog::Catalog>(), {.over_the_wire = true}
    );
}

// One caller in twelve writes the order's number as a number; the tool's own rate stays low.
TEST(RefusedForms, AFormThatIsAlwaysRefusedIsToldWhereTheToolsRateIsLow) {
    const auto some_wrong = [](int from, bool all) {
        return told(600, [=](Story& s, int i) {
            const std::string id = std::to_string(1'000 + i);
            if (i >= from && (all || i % 12 == 0)) {
                s.fail(
                    s.tool(
                        "get_order",
                        all ? R"({"id":")" + id + "\"}" : R"({"id":)" + id + "}",
                        "id must be a string"
                    ),
                    StepOutcome::ClientError,
                    422
                );
                return false;
            }
            s.tool("get_order", R"({"id":")" + id + "\"}", R"({"state":"sent )" + id + "\"}");
            return true;
        });
    };
    const std::vector<Finding> found = some_wrong(200, false).of("tool.4xx_spike");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].cause, "get_order(id:number)");
    EXPECT_EQ(found[0].tool.text(), "get_order");
    EXPECT_EQ(found[0].outcome, SessionOutcome::Failed);
    EXPECT_THAT(found[0].evidence, HasSubstr("calls of the form get_order(id:number)"));

    // A tool that refuses everything is one finding, the tool's.
    std::size_t leading = 0;
    for (const Finding& finding : some_wrong(300, true).of("tool.4xx_spike")) {
        leading += finding.cause == "get_order" ? 1 : 0;
        EXPECT_TRUE(finding.cause == "get_order" || !finding.explained_by.empty()) << finding.cause;
    }
    EXPECT_EQ(leading, 1U);
}

TEST(RefusedForms, NowAndThenARefusalIsNoFinding) {
    const RunResult result = told(600, [](Story& s, int i) {
        const bool well = i % 40 != 0;
        AgentEvent& call = s.tool("get_order", R"({"id":"x"})", well ? "sent" : "not found");
        if (!well) {
            s.fail(call, StepOutcome::ClientError, 404);
        }
        return well;
    });
    EXPECT_TRUE(result.of("tool.4xx_spike").empty());
}

RunResult denied(std::string_view reason, int from, int every) {
    return told(600, [=](Story& s, int i) {
        const bool no = i >= from && i % 4 == 0 && i % every == 0;
        AgentEvent& call = s.tool("send_report", R"({"to":"x"})", no ? reason : "sent");
        if (no) {
            s.fail(call, StepOutcome::Denied);
        }
        return !no;
    });
}

TEST(PolicyDenials, AnAgentThatIsDeniedMoreAndMoreIsTold) {
    const std::vector<Finding> found =
        denied("Ask a colleague. [Tagout policy:reports@v2#by-night]", 240, 4)
            .of("tool.policy_denials");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].agent.text(), "clerk");
    EXPECT_EQ(found[0].cause, "denied calls");
    EXPECT_EQ(found[0].outcome, SessionOutcome::Failed);
    EXPECT_THAT(found[0].evidence, HasSubstr("policy denied"));
}

TEST(PolicyDenials, WhatAControlStopsIsNoNewsAndNorIsARareDenial) {
    EXPECT_TRUE(denied("clerk is stopped (doubled). [Tagout CTL-3]", 240, 4)
                    .of("tool.policy_denials")
                    .empty());
    EXPECT_TRUE(denied("Ask a colleague.", 0, 80).of("tool.policy_denials").empty());
}

}  // namespace
}  // namespace tagout::detect
