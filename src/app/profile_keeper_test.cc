// Profiles between engine and catalog: saved when they changed much, adopted when a person moved them,
// held while an incident is open, there again after a restart.
#include "app/profile_keeper.h"

#include "incident/memory_journal.h"

#include <gtest/gtest.h>

namespace tagout::app {
namespace {

using catalog::ProfileFacet;
using catalog::VersionFamily;
using catalog::WorkflowProfile;

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
const incident::By ann{Actor("person:ann"), "it learned the attack"};

WorkflowProfile profile_of(std::initializer_list<const char*> tools, int sessions) {
    WorkflowProfile profile;
    for (int i = 0; i < sessions; ++i) {
        profile.begin_session();
        for (const char* tool : tools) {
            profile.learn(ProfileFacet::Tools, tool);
        }
    }
    return profile;
}

/// Remembers what the keeper asked of the engine.
class Learner final : public ProfileLearner {
public:
    void adopt_profile(const std::string& workflow, WorkflowProfile profile, Instant) override {
        adopted[workflow] = std::move(profile);
    }
    void hold_learning(std::vector<detect::LearningHold> holds) override {
        held = std::move(holds);
    }
    std::vector<detect::LearnedProfile> take_changed_profiles() override {
        return std::exchange(changed, {});
    }
    std::vector<detect::ProfileBrief> profile_briefs(std::size_t limit) const override {
        std::vector<detect::ProfileBrief> briefs(1);
        briefs[0].workflow = "re fund";
        briefs[0].sessions = 30;
        briefs.resize(std::min(limit, briefs.size()));
        return briefs;
    }
    std::map<std::string, WorkflowProfile> adopted;
    std::vector<detect::LearningHold> held;
    std::vector<detect::LearnedProfile> changed;
};

class Keeper : public testing::Test {
protected:
    Keeper() { start(); }

    void start() {
        keeper_.reset();
        const auto nothing = std::make_shared<const catalog::Catalog>(catalog::Contents{});
        desk_ = incident::Desk::make(journal_, clock_, nothing, {});
        ASSERT_TRUE(desk_->rebuild().has_value());
        releases_ = recover::Releases::make(
            recover::ReleaseParts{journal_, clock_, *desk_, metrics_, nullptr, nullptr}, nothing, {}
        );
        ASSERT_TRUE(releases_->rebuild().has_value());
        keeper_ = std::make_unique<ProfileKeeper>(
            ProfileKeeperParts{clock_, *releases_, *desk_, learner_, metrics_},
            std::chrono::minutes(10)
        );
        desk_->on_change([this](const incident::Change&) { keeper_->incident_changed(); });
        releases_->on_change([this](const recover::ReleaseChange& change) {
            if (change.what == recover::ReleaseChange::What::Labelled && change.key) {
                keeper_->production_moved(change.key->name);
            }
        });
        keeper_->restore();
    }

    void learn(const WorkflowProfile& profile) {
        learner_.changed = {{"re fund", profile}};
        clock_.advance(std::chrono::minutes(11));
        keeper_->tick();
    }

    [[nodiscard]] std::uint32_t in_force() const {
        const auto version = releases_->get({VersionFamily::Profile, name_}, "production");
        return version ? version->number : 0;
    }

    const std::string name_ = catalog::profile_name("re fund");
    ManualClock clock_{noon};
    MetricRegistry metrics_;
    incident::MemoryJournal journal_{clock_};
    Learner learner_;
    std::unique_ptr<incident::Desk> desk_;
    std::unique_ptr<recover::Releases> releases_;
    std::unique_ptr<ProfileKeeper> keeper_;
};

TEST_F(Keeper, WhatWasLearnedIsSavedNowAndThenAndThereAfterARestart) {
    learner_.changed = {{"re fund", profile_of({"lookup"}, 25)}};
    clock_.advance(std::chrono::minutes(9));
    keeper_->tick();
    EXPECT_EQ(in_force(), 0U) << "not yet";
    clock_.advance(std::chrono::minutes(1));
    keeper_->tick();
    EXPECT_EQ(in_force(), 1U);
    EXPECT_TRUE(learner_.adopted.empty()) << "the engine knows what it told";
    EXPECT_EQ(keeper_->list(10).at(0).version, 1U);
    start();
    ASSERT_TRUE(learner_.adopted.contains("re fund")) << "by the workflow's own name";
    EXPECT_EQ(learner_.adopted.at("re fund"), profile_of({"lookup"}, 25));
}

TEST_F(Keeper, APoisonedProfileIsRolledBackAndTheEngineForgets) {
    learn(profile_of({"lookup"}, 25));
    learn(profile_of({"lookup", "send_money"}, 40));
    EXPECT_EQ(in_force(), 2U);
    const auto done = releases_->rollback({{VersionFamily::Profile, name_}, "v1", "", {}}, ann);
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(in_force(), 1U);
    ASSERT_TRUE(learner_.adopted.contains("re fund"));
    EXPECT_FALSE(learner_.adopted.at("re fund").knows(ProfileFacet::Tools, "send_money"));
}

TEST_F(Keeper, APersonsEditIsAdoptedAndAMistakeRefused) {
    learn(profile_of({"lookup"}, 25));
    recover::PublishDraft draft;
    draft.key = {VersionFamily::Profile, name_};
    draft.content = R"({"format":"tagout.profile/1","good_sessions":25,"tolls":{}})";
    draft.message = "send_money is fine";
    draft.label = "production";
    const auto refused = releases_->publish(draft, ann);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("tolls"), std::string::npos);
    draft.content = to_json(profile_of({"lookup", "send_money"}, 25));
    ASSERT_TRUE(releases_->publish(draft, ann).has_value());
    EXPECT_TRUE(learner_.adopted.at("re fund").knows(ProfileFacet::Tools, "send_money"));
}

TEST_F(Keeper, LearningStopsWhileAnIncidentIsOpenOnceTold) {
    incident::DeclareDraft draft;
    draft.title = "refunds go wrong";
    draft.severity = Severity::Sev2;
    draft.agent = AgentName("support");
    draft.workflow = WorkflowName("re fund");
    const auto incident = desk_->declare(draft, ann);
    ASSERT_TRUE(incident.has_value());
    keeper_->tick();
    ASSERT_EQ(learner_.held.size(), 2U);
    EXPECT_EQ(learner_.held[0].agent, "support");
    EXPECT_EQ(learner_.held[1].workflow, "re fund");
    EXPECT_EQ(keeper_->list(10).at(0).held_by, incident->id.text());
    const auto told = [&](std::string_view kind) {
        const auto now = desk_->get(incident->id);
        return std::ranges::count(now->timeline, kind, &incident::TimelineEntry::kind);
    };
    EXPECT_EQ(told("learning.stopped"), 1);
    keeper_->tick();
    start();
    EXPECT_EQ(told("learning.stopped"), 1) << "a restart repeats nothing";
    EXPECT_EQ(learner_.held.size(), 2U);
    ASSERT_TRUE(desk_->move(incident->id, IncidentState::Cancelled, ann).has_value());
    keeper_->tick();
    EXPECT_TRUE(learner_.held.empty());
    EXPECT_EQ(told("learning.resumed"), 1);
}

TEST_F(Keeper, AProfileThatCannotBeSavedNowIsSavedLater) {
    learn(profile_of({"lookup"}, 25));
    incident::DeclareDraft draft;
    draft.title = "refunds go wrong";
    draft.severity = Severity::Sev1;
    draft.workflow = WorkflowName("re fund");
    const auto incident = desk_->declare(draft, ann);
    ASSERT_TRUE(incident.has_value());
    ASSERT_FALSE(releases_->freezes().empty());
    learn(profile_of({"lookup", "refund"}, 40));
    EXPECT_EQ(in_force(), 1U) << "frozen";
    ASSERT_TRUE(desk_->move(incident->id, IncidentState::Cancelled, ann).has_value());
    clock_.advance(std::chrono::minutes(11));
    keeper_->tick();
    EXPECT_EQ(in_force(), 2U);
}

}  // namespace
}  // namespace tagout::app
