// A desk of versions with all that it stands on, in memory, for this room's tests.
#pragma once

#include "incident/memory_journal.h"
#include "recover/release_json.h"
#include "recover/releases.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace tagout::recover {

inline constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
inline const By ann{Actor("person:ann"), "because"};
inline const By bob{Actor("person:bob"), "because"};

inline catalog::VersionKey prompt(std::string name) {
    return {catalog::VersionFamily::Prompt, std::move(name)};
}
inline catalog::VersionKey policy(std::string name) {
    return {catalog::VersionFamily::Policy, std::move(name)};
}

class ReleaseDesk : public testing::Test {
protected:
    ReleaseDesk() {
        settings_.good_outcomes_min = 3;
        settings_.good_time_min = std::chrono::minutes(10);
        settings_.evidence_every = std::chrono::seconds(1);
        catalog::Contents contents;
        contents.agents.push_back(catalog::Agent{
            AgentName("refund-agent"),
            "",
            {WorkflowName("refund")},
            {ToolName("payments.refund"), ToolName("orders.get")}});
        catalog_ = std::make_shared<const catalog::Catalog>(std::move(contents));
        restart();
    }

    void restart() {
        incidents_ = incident::Desk::make(journal_, clock_, catalog_, {});
        ASSERT_TRUE(incidents_->rebuild().has_value());
        releases_ = desk_over(journal_, *incidents_);
        ASSERT_TRUE(releases_->rebuild().has_value());
        releases_->on_change([this](const ReleaseChange& change) { told_.push_back(change); });
    }

    std::unique_ptr<Releases> desk_over(journal::Journal& journal, const incident::Desk& incidents) {
        return Releases::make(
            ReleaseParts{
                journal,
                clock_,
                incidents,
                metrics_,
                [](std::string_view, std::string_view yaml) -> Result<void> {
                    if (yaml.find("broken") != std::string_view::npos) {
                        return fail(ErrorCode::InvalidArgument, "line 1: broken");
                    }
                    return {};
                },
                [this](const std::vector<std::string>&, Instant) -> Result<void> {
                    return journeys_pass_ ? Result<void>()
                                          : fail(ErrorCode::Conflict, "a journey is missing");
                }},
            catalog_,
            settings_
        );
    }

    Result<catalog::Version> publish(
        const catalog::VersionKey& key, std::string content, std::string label = "production",
        const Passage& passage = {}
    ) {
        clock_.advance(std::chrono::seconds(1));
        return releases_->publish(
            PublishDraft{
                key, std::move(content), "a change", AgentName("refund-agent"), WorkflowName(),
                std::move(label), passage},
            ann
        );
    }

    IncidentId declare(Severity severity, std::string agent = "refund-agent") {
        incident::DeclareDraft draft;
        draft.title = "refunds go wrong";
        draft.severity = severity;
        draft.agent = AgentName(std::move(agent));
        const Result<incident::Incident> made = incidents_->declare(draft, ann);
        EXPECT_TRUE(made.has_value());
        return made ? made->id : IncidentId();
    }

    void sessions(SessionOutcome outcome, int count) {
        for (int i = 0; i < count; ++i) {
            releases_->session_ended({AgentName("refund-agent"), "", outcome, clock_.now()});
        }
    }

    /// Makes what runs now known good.
    void prove() {
        clock_.advance(settings_.good_time_min);
        sessions(SessionOutcome::Succeeded, 3);
        ASSERT_TRUE(releases_->tick().has_value());
    }

    [[nodiscard]] std::string production(const catalog::VersionKey& key) const {
        const Result<catalog::Version> found = releases_->get(key, "production");
        return found ? found->content : found.error().message;
    }

    /// All that can be read of a desk, as one text.
    [[nodiscard]] std::string everything(const Releases& desk) const {
        std::string text;
        std::size_t total = 0;
        for (const catalog::Version& each : desk.list(std::nullopt, "", 10'000, total)) {
            text += boost::json::serialize(tree_of(each)) + "\n";
            text += desk.by_hash(each.hash)->content + "\n";
        }
        for (const BundleView& each : desk.bundles(AgentName())) {
            text += boost::json::serialize(tree_of(each, clock_.now())) + "\n";
        }
        return text;
    }

    ManualClock clock_{noon};
    MetricRegistry metrics_;
    Settings settings_;
    bool journeys_pass_ = true;
    incident::MemoryJournal journal_{clock_};
    std::shared_ptr<const catalog::Catalog> catalog_;
    std::unique_ptr<incident::Desk> incidents_;
    std::unique_ptr<Releases> releases_;
    std::vector<ReleaseChange> told_;
};

}  // namespace tagout::recover
