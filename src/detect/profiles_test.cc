// What the key stage learns of workflows, what stops it, and when a profile is worth a version.
#include "detect/profiles.h"

#include "detect/key_partials.h"

#include <gtest/gtest.h>

namespace tagout::detect {
namespace {

using catalog::ProfileFacet;
using std::chrono::seconds;

constexpr std::size_t many = 1'000;

SessionFact good(std::string_view tool, int second = 100) {
    SessionFact fact;
    fact.at = Instant(seconds(second));
    fact.agent = "support";
    fact.workflow = "refunds";
    fact.outcome = SessionOutcome::Succeeded;
    fact.uses = {{ProfileFacet::Tools, std::string(tool)}};
    return fact;
}

std::uint64_t times(const Profiles& profiles, std::string_view tool) {
    const catalog::WorkflowProfile* const profile = profiles.find("refunds", "support");
    return profile == nullptr ? 0 : profile->count(ProfileFacet::Tools, tool);
}

TEST(Profiles, OnlyGoodSessionsTeach) {
    SessionFact failed = good("drop_table");
    failed.outcome = SessionOutcome::Failed;
    SessionFact suspect = good("send_money");
    suspect.clean = false;
    SessionFact again = good("lookup");
    again.before = SessionOutcome::Succeeded;
    Profiles profiles;
    for (const SessionFact& fact : {good("lookup"), failed, suspect, again}) {
        profiles.learn(fact, many);
    }
    EXPECT_EQ(times(profiles, "lookup"), 1U);
    EXPECT_EQ(times(profiles, "drop_table"), 0U);
    EXPECT_EQ(times(profiles, "send_money"), 0U);
}

TEST(Profiles, NothingIsLearnedWhileAHoldCoversTheSession) {
    const std::vector<LearningHold> covering[] = {
        {{"support", ""}}, {{"", "refunds"}}, {{"support", "refunds"}}};
    for (const std::vector<LearningHold>& holds : covering) {
        Profiles profiles;
        profiles.learn(good("lookup"), many);
        profiles.hold(holds);
        profiles.learn(good("send_money"), many);
        EXPECT_EQ(times(profiles, "send_money"), 0U);
        EXPECT_EQ(profiles.held(), 1U);
        profiles.hold({});
        profiles.learn(good("lookup"), many);
        EXPECT_EQ(times(profiles, "lookup"), 2U) << "it goes on where it stopped";
    }
    Profiles profiles;
    profiles.hold({{"other", ""}, {"", "chat"}, {"support", "chat"}, {"", ""}});
    profiles.learn(good("lookup"), many);
    EXPECT_EQ(times(profiles, "lookup"), 1U) << "none of these covers it";
}

TEST(Profiles, AnAdoptedProfileReplacesWhatWasLearned) {
    Profiles profiles;
    profiles.learn(good("send_money"), many);
    catalog::WorkflowProfile good_one;
    good_one.begin_session();
    good_one.learn(ProfileFacet::Tools, "lookup");
    profiles.adopt("refunds", good_one, Instant(seconds(200)));
    EXPECT_EQ(times(profiles, "send_money"), 0U);
    EXPECT_EQ(times(profiles, "lookup"), 1U);
    profiles.learn(good("send_money", 150), many);
    EXPECT_EQ(times(profiles, "send_money"), 0U) << "a session from before comes too late";
    profiles.learn(good("lookup", 250), many);
    EXPECT_EQ(times(profiles, "lookup"), 2U);
}

TEST(Profiles, AProfileIsTakenWhenItChangedMuchAndNotForEachSession) {
    Profiles profiles;
    const auto teach = [&](const char* tool, int sessions) {
        for (int i = 0; i < sessions; ++i) {
            profiles.learn(good(tool), many);
        }
        return profiles.take_changed(20).size();
    };
    EXPECT_EQ(teach("lookup", 19), 0U) << "too few to know anything";
    EXPECT_EQ(teach("lookup", 1), 1U);
    EXPECT_EQ(teach("lookup", 9), 0U);
    EXPECT_EQ(teach("lookup", 1), 1U) << "half as many again";
    EXPECT_EQ(teach("refund", 2), 0U) << "twice may be chance";
    EXPECT_EQ(teach("refund", 1), 1U) << "a new habit";
    EXPECT_EQ(teach("refund", 1), 0U);
}

TEST(Profiles, PastTheBoundNewWorkflowsAreCountedOnly) {
    Profiles profiles;
    profiles.learn(good("lookup"), 1);
    SessionFact other = good("lookup");
    other.workflow = "chat";
    profiles.learn(other, 1);
    EXPECT_EQ(profiles.workflows(), 1U);
    EXPECT_EQ(profiles.refused(), 1U);
    EXPECT_EQ(profiles.find("chat", "support"), nullptr);
}

class Taught final : public ProfileSource {
public:
    catalog::WorkflowProfile profile;
    [[nodiscard]] const catalog::WorkflowProfile* find(
        std::string_view workflow, std::string_view agent
    ) const override {
        return workflow == "refunds" && agent == "support" ? &profile : nullptr;
    }
};

TEST(Profiles, ASourceIsAskedAndNothingIsLearnedBesideIt) {
    const auto taught = std::make_shared<Taught>();
    Profiles profiles;
    profiles.learn(good("lookup"), many);
    profiles.judge_by(taught);
    profiles.learn(good("lookup"), many);
    EXPECT_EQ(profiles.find("refunds", "support"), &taught->profile);
    EXPECT_EQ(profiles.find("refunds", "other"), nullptr);
    EXPECT_EQ(times(profiles, "lookup"), 0U);
}

}  // namespace
}  // namespace tagout::detect
