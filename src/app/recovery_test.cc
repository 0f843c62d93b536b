#include "app/recovery.h"

#include "incident/memory_journal.h"

#include <gtest/gtest.h>

namespace tagout::app {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
const incident::By ann{Actor("person:ann"), "worse than before"};

class RecoveryRoom : public testing::Test {
protected:
    RecoveryRoom() {
        auto configured = std::make_shared<Configured>();
        configured->releases.good_outcomes_min = 2;
        configured->releases.good_time_min = std::chrono::seconds(1);
        configured_ = configured;
        desk_ = incident::Desk::make(journal_, clock_, configured->catalog, {});
        desk_->on_change([this](const incident::Change& change) {
            if (recovery_) {
                recovery_->incident_changed(change.incident);
            }
        });
        recovery_ = std::make_unique<Recovery>(RecoveryParts{
            journal_,
            clock_,
            *desk_,
            metrics_,
            [this] { return configured_; },
            [] { return std::string(); },
            "",
            nullptr,
            [this] { ++policies_changed_; }});
        EXPECT_TRUE(recovery_->rebuild().has_value());
    }

    void publish(catalog::VersionFamily family, std::string content) {
        clock_.advance(std::chrono::seconds(1));
        recover::PublishDraft draft{
            {family, "x"}, std::move(content), "m", AgentName("refund-agent"), WorkflowName(),
            "production"};
        ASSERT_TRUE(recovery_->releases().publish(draft, ann).has_value());
    }

    IncidentId declare() {
        incident::DeclareDraft draft;
        draft.title = "refunds go wrong";
        draft.severity = Severity::Sev2;
        draft.agent = AgentName("refund-agent");
        const auto made = desk_->declare(draft, ann);
        EXPECT_TRUE(made.has_value());
        return made->id;
    }

    detect::SessionSummary session(SessionOutcome outcome, Instant began_at) {
        detect::SessionSummary summary;
        summary.agent = AgentName("refund-agent");
        summary.outcome = outcome;
        summary.started_at = began_at;
        summary.ended_at = began_at;
        return summary;
    }

    std::uint64_t succeeded() {
        return recovery_->releases()
            .bundle(AgentName("refund-agent"), "")
            ->bundle.record.evidence.of(SessionOutcome::Succeeded);
    }

    ManualClock clock_{noon};
    MetricRegistry metrics_;
    incident::MemoryJournal journal_{clock_};
    std::shared_ptr<const Configured> configured_;
    std::unique_ptr<incident::Desk> desk_;
    std::unique_ptr<Recovery> recovery_;
    int policies_changed_ = 0;
};

TEST_F(RecoveryRoom, ARollbackThatNamesTheIncidentMovesIt) {
    publish(catalog::VersionFamily::Prompt, "one");
    publish(catalog::VersionFamily::Prompt, "two");
    const IncidentId id = declare();
    const recover::RollbackDraft draft{{catalog::VersionFamily::Prompt, "x"}, "", "", {id, ""}};
    ASSERT_TRUE(recovery_->releases().rollback(draft, ann).has_value());
    const incident::Incident now = *desk_->get(id);
    EXPECT_EQ(now.state, IncidentState::Recovering);
    EXPECT_TRUE(now.anchors.recovery_started_at.has_value());
    bool told = false;
    for (const incident::TimelineEntry& entry : now.timeline) {
        told = told || (entry.source == "change" && entry.kind == "rollback.told" &&
                        entry.text.find("prompt:x from v2 to v1") != std::string::npos);
    }
    EXPECT_TRUE(told);
}

TEST_F(RecoveryRoom, AnIncidentBlamesWhatRan) {
    publish(catalog::VersionFamily::Prompt, "one");
    const IncidentId id = declare();
    const auto bundle = recovery_->releases().bundle(AgentName("refund-agent"), "");
    ASSERT_TRUE(bundle.has_value());
    EXPECT_TRUE(bundle->bundle.record.blocked_by.contains(id));
    ASSERT_TRUE(desk_->move(id, IncidentState::FalsePositive, ann).has_value());
    EXPECT_TRUE(recovery_->releases()
                    .bundle(AgentName("refund-agent"), "")
                    ->bundle.record.blocked_by.empty());
}

TEST_F(RecoveryRoom, TheGatewayFetchesByItsOwnPaths) {
    publish(catalog::VersionFamily::Prompt, "one");
    publish(catalog::VersionFamily::ModelRoute, R"({"model":"gpt-4o-mini"})");
    const auto prompt = recovery_->fetch("prompts", "x", "production");
    const auto route = recovery_->fetch("model-routes", "x", "");
    ASSERT_TRUE(prompt.has_value() && route.has_value());
    EXPECT_NE(prompt->etag, route->etag);
    EXPECT_EQ(recovery_->fetch("policies", "x", "").error().code, ErrorCode::NotFound);
}

TEST_F(RecoveryRoom, OnlyPoliciesInProductionChangeWhatIsEnforced) {
    publish(catalog::VersionFamily::Prompt, "one");
    EXPECT_EQ(policies_changed_, 0);
    publish(catalog::VersionFamily::Policy, "rules: []");
    EXPECT_EQ(policies_changed_, 1);
}

TEST_F(RecoveryRoom, SessionsCountOnceAndOnlyOfThisStart) {
    publish(catalog::VersionFamily::Prompt, "one");
    const Instant now = clock_.now();
    std::vector<detect::SessionSummary> sessions{
        session(SessionOutcome::Succeeded, now), session(SessionOutcome::Succeeded, now)};
    sessions.push_back(session(SessionOutcome::Succeeded, noon - std::chrono::hours(1)));
    sessions.push_back(session(SessionOutcome::Succeeded, now));
    sessions.back().revised = true;
    sessions.push_back(session(SessionOutcome::Unknown, now));
    sessions.back().agent = AgentName();
    recovery_->sessions_ended(sessions);
    EXPECT_EQ(succeeded(), 2U);
    clock_.advance(std::chrono::minutes(5));
    recovery_->tick();
    EXPECT_TRUE(recovery_->releases().bundle(AgentName("refund-agent"), "")->bundle.last_known_good);
}

}  // namespace
}  // namespace tagout::app
