// What the key stage learns of workflows, what stops it, and when a profile is worth a version.
#include "detect/profiles.h"

#include "detect/engine.h"
#include "detect/key_partials.h"
#include "detect/testing/story.h"

#include <gtest/gtest.h>

#include <algorithm>

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
    SessionFact later = good("refund");
    later.before = SessionOutcome::Succeeded;
    Profiles profiles;
    profiles.learn(later, many);
    EXPECT_EQ(profiles.workflows(), 0U) << "how it began is not known";
    for (const SessionFact& fact : {good("lookup"), failed, suspect, later}) {
        profiles.learn(fact, many);
    }
    EXPECT_EQ(times(profiles, "lookup"), 1U);
    EXPECT_EQ(times(profiles, "refund"), 1U) << "used after its first good end";
    EXPECT_EQ(profiles.find("refunds", "support")->sessions(), 1U) << "counted once";
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

TEST(Profiles, AConversationTeachesTheToolsOfItsLaterTurnsToo) {
    const auto nothing = std::make_shared<const catalog::Catalog>(catalog::Contents{});
    const Settings settings;
    SessionStage stage(settings, nothing);
    KeyStage keys(settings, nothing);
    Story story;
    const auto talk = [&](const char* correlation, std::initializer_list<const char*> tools) {
        story.session(correlation, "support", "refunds");
        for (const char* const tool : tools) {
            story.turn();
            story.user("please");
            story.model();
            story.tool(tool, "{}", "done");
            story.end();
            story.wait(std::chrono::minutes(1));
        }
    };
    talk("chat-1", {"lookup", "refund", "lookup", "close_case"});
    talk("chat-2", {"lookup"});
    talk("later", {"lookup"});
    std::vector<AgentEvent> events = story.events;
    std::ranges::stable_sort(events, {}, &AgentEvent::ended_at);
    Output out;
    for (const AgentEvent& event : events) {
        stage.observe(std::span(&event, 1), event.ended_at, out);
        keys.merge(*stage.take_partials());
        keys.evaluate(event.ended_at, out);
    }
    const std::vector<ProfileBrief> briefs = keys.profile_briefs(10);
    ASSERT_EQ(briefs.size(), 1U);
    EXPECT_EQ(briefs[0].sessions, 2U) << "each conversation once; the last waits for late spans";
    EXPECT_EQ(briefs[0].keys[static_cast<std::size_t>(ProfileFacet::Tools)], 3U);
}

}  // namespace
}  // namespace tagout::detect
