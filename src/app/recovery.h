// Step three of the runbook, put together: versions and journeys, and what they mean to incidents.
//
//   rollback that names an incident -> a line on its timeline, and it is recovering
//   any change that names one       -> a line on its timeline
//   incident opened, moved, ended   -> for or against the bundle that ran when it began
//
// Thread-safe.
#pragma once

#include "app/config_file.h"
#include "detect/engine.h"
#include "incident/desk.h"
#include "net/http_client.h"
#include "recover/journeys.h"
#include "recover/releases.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tagout::app {

struct RecoveryParts {
    journal::Journal& journal;
    const Clock& clock;
    incident::Desk& desk;
    MetricRegistry& metrics;
    std::function<std::shared_ptr<const Configured>()> configured;
    std::function<std::string()> gateway;  ///< Its address, "" while there is none.
    std::string journey_secret;            ///< That the gateway knows a journey by.
    recover::CheckPolicy check_policy;
    /// Policies that production points at changed.
    std::function<void()> policies_changed;
    /// Production points at another version of a workflow's profile.
    std::function<void(const std::string& name)> profile_changed = {};
    /// What agents are given by label may have changed.
    std::function<void()> versions_changed = {};
    net::ClientTls gateway_tls = {};  ///< How the gateway is reached.
};

class Recovery {
public:
    explicit Recovery(RecoveryParts parts);

    /// Folds the journal; after the incident desk's.
    Result<void> rebuild();
    void use(const Configured& configured);
    void incident_changed(const incident::Incident& incident);
    /// Sessions as they end. What began before this start was counted by an earlier one, or is lost
    /// as evidence: too little is safer than twice.
    void sessions_ended(std::span<const detect::SessionSummary> sessions);
    void tick();
    /// For the gateway: `family` as its paths call it, prompts, policies or model-routes. From memory.
    [[nodiscard]] Result<recover::Fetched> fetch(
        std::string_view family, std::string_view name, std::string_view label
    ) const;

    [[nodiscard]] recover::Releases& releases() noexcept { return *releases_; }
    [[nodiscard]] recover::Journeys& journeys() noexcept { return *journeys_; }

private:
    void tell(const recover::ReleaseChange& change);

    const RecoveryParts parts_;
    const Instant started_at_;
    std::unique_ptr<recover::JourneyTransport> transport_;
    std::unique_ptr<recover::Journeys> journeys_;
    std::unique_ptr<recover::Releases> releases_;
};

}  // namespace tagout::app
