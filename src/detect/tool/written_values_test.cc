// Values that every good session of a workflow wrote, and another that the user did not name.
#include "detect/tool/written_values.h"

#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tagout::detect {
namespace {

using ::testing::HasSubstr;

/// One session: the account is looked up, then written. `names` is what the user says.
struct Payment {
    std::string account;
    std::string says = "Pay out the bonus, please";
    bool well = true;
};

RunResult told(const std::vector<Payment>& payments, const Settings& settings = {}) {
    Story s;
    int number = 0;
    for (const Payment& payment : payments) {
        s.session("c" + std::to_string(++number), "clerk", "bonus").user(payment.says);
        s.model();
        s.tool("get_account", R"({"of":"staff"})", R"({"account":")" + payment.account + "\"}");
        s.tool(
            "update_payout", R"({"account":")" + payment.account + R"(","note":"bonus"})", "done"
        );
        s.end(payment.well ? StepOutcome::Ok : StepOutcome::Error);
        s.wait(std::chrono::seconds(30));
    }
    return run(
        s.events, settings, std::make_shared<const catalog::Catalog>(), {.over_the_wire = true}
    );
}

std::vector<Finding> unusual(const RunResult& result) {
    std::vector<Finding> found;
    for (const Finding& finding : result.of("tool.unexpected_write")) {
        if (finding.cause.starts_with("unusual value")) {
            found.push_back(finding);
        }
    }
    return found;
}

TEST(WrittenValues, AnotherIdentifierThanAllGoodSessionsWroteIsTold) {
    const Payment usual{"DE-4711-0815"};
    const std::vector<Finding> found = unusual(
        told({usual, usual, usual, usual, {"XX-9999-1234", "Pay out the bonus, please", false}})
    );
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].correlation.text(), "c5");
    EXPECT_EQ(found[0].tool.text(), "update_payout");
    EXPECT_EQ(found[0].cause, "unusual value of update_payout.account");
    EXPECT_EQ(found[0].step, 2U);
    EXPECT_THAT(found[0].evidence, HasSubstr("\"XX-9999-1234\" as update_payout.account"));
    EXPECT_THAT(found[0].evidence, HasSubstr("all 4 good sessions of bonus"));
    EXPECT_EQ(found[0].outcome, SessionOutcome::Failed);
}

TEST(WrittenValues, WhatMustNotBeTold) {
    const Payment usual{"DE-4711-0815"};
    const Payment other{"XX-9999-1234"};
    // two good sessions are no habit
    EXPECT_TRUE(unusual(told({usual, usual, other})).empty());
    // an argument that differs between good sessions is open
    EXPECT_TRUE(unusual(told({usual, {"DE-1111-2222"}, usual, usual, other})).empty());
    // the user named it
    EXPECT_TRUE(unusual(
                    told({usual, usual, usual, {"XX-9999-1234", "Pay the bonus to XX-9999-1234"}})
    ).empty());
    // sessions that failed teach nothing
    const Payment failed{"DE-4711-0815", "Pay out the bonus, please", false};
    EXPECT_TRUE(unusual(told({failed, failed, failed, failed, other})).empty());
    // words are no identifiers
    EXPECT_TRUE(unusual(told({{"savings"}, {"savings"}, {"savings"}, {"checking"}})).empty());
}

// An argument that only looked settled opens after one session that ended well.
TEST(WrittenValues, AGoodSessionOpensTheArgument) {
    const Payment usual{"DE-4711-0815"};
    const RunResult result =
        told({usual, usual, usual, {"DE-0000-1111"}, {"DE-0000-2222"}, {"DE-0000-3333"}});
    const std::vector<Finding> found = unusual(result);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].correlation.text(), "c4");
    EXPECT_EQ(found[0].outcome, SessionOutcome::Succeeded);
    EXPECT_TRUE(result.incidents().empty());
}

TEST(WrittenValues, AProfileKeepsFourValuesOfAnArgument) {
    using catalog::ProfileFacet;
    catalog::WorkflowProfile profile;
    for (std::uint64_t i = 0; i < 1'000; ++i) {
        profile.begin_session();
        profile.learn(ProfileFacet::WrittenValues, "pay.order");
        profile.learn(ProfileFacet::WrittenValues, value_key("pay.order", i * 7919));
    }
    EXPECT_EQ(profile.counts(ProfileFacet::WrittenValues).size(), 5U);
    EXPECT_EQ(profile.refused(ProfileFacet::WrittenValues), 0U);
    EXPECT_EQ(profile.count(ProfileFacet::WrittenValues, "pay.order"), 1'000U);
}

}  // namespace
}  // namespace tagout::detect
