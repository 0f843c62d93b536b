#include "app/recovery.h"

#include "app/journey_transport.h"
#include "base/log.h"
#include "incident/transitions.h"

namespace tagout::app {

namespace {

/// Not the kinds of the entries themselves, which a fold reads; the first word says what it is about.
std::string_view timeline_kind(recover::ReleaseChange::What what) {
    using What = recover::ReleaseChange::What;
    switch (what) {
        case What::Published:
        case What::Labelled:
            return "version.told";
        case What::RolledBack:
            return "rollback.told";
        case What::BundleInForce:
        case What::BundleGood:
        case What::BundleBlocked:
            return "bundle.told";
    }
    return "version.told";
}

/// Every journey that names one of the tools; with none configured nothing stands against them.
Result<void> journeys_of(
    const recover::Journeys& journeys, const std::vector<std::string>& tools, Instant since
) {
    for (const std::string& tool : tools) {
        const recover::JourneyProof proof = journeys.passed_since(tool, since);
        if (!proof.missing.empty()) {
            return fail(ErrorCode::Conflict, proof.missing.front());
        }
    }
    return {};
}

}  // namespace

Recovery::Recovery(RecoveryParts parts)
    : parts_(std::move(parts)), started_at_(parts_.clock.now()) {
    const std::shared_ptr<const Configured> config = parts_.configured();
    transport_ = make_journey_transport(JourneyRoads{
        parts_.gateway,
        parts_.journey_secret,
        [configured = parts_.configured] { return configured()->catalog; },
        parts_.gateway_tls});
    journeys_ = recover::Journeys::make(
        recover::JourneyParts{parts_.journal, parts_.clock, parts_.metrics, *transport_},
        config->catalog,
        config->releases
    );
    releases_ = recover::Releases::make(
        recover::ReleaseParts{
            parts_.journal,
            parts_.clock,
            parts_.desk,
            parts_.metrics,
            parts_.check_policy,
            [this](const std::vector<std::string>& tools, Instant since) {
                return journeys_of(*journeys_, tools, since);
            }},
        config->catalog,
        config->releases
    );
}

Result<void> Recovery::rebuild() {
    TAGOUT_TRY(journeys_->rebuild());
    TAGOUT_TRY(releases_->rebuild());
    releases_->on_change([this](const recover::ReleaseChange& change) { tell(change); });
    // A crash may have come between an incident's change and what it means to a bundle.
    incident::Filter filter;
    filter.limit = 10'000;
    for (const incident::Incident& each : parts_.desk.list(filter)) {
        TAGOUT_TRY(releases_->incident_changed(each));
    }
    return {};
}

void Recovery::use(const Configured& configured) {
    journeys_->use(configured.catalog, configured.releases);
    releases_->use(configured.catalog, configured.releases);
}

void Recovery::incident_changed(const incident::Incident& incident) {
    if (const Result<void> told = releases_->incident_changed(incident); !told) {
        log::warn(
            "bundle_not_judged", {{"incident", incident.id.text()}, {"error", told.error().message}}
        );
    }
}

void Recovery::sessions_ended(std::span<const detect::SessionSummary> sessions) {
    for (const detect::SessionSummary& each : sessions) {
        // A summary that replaces an earlier one counts only when it is bad news.
        const bool bad = each.outcome == SessionOutcome::Failed ||
                         each.outcome == SessionOutcome::Abandoned;
        if (each.started_at >= started_at_ && !each.agent.empty() && (!each.revised || bad)) {
            releases_->session_ended({each.agent, each.prompt, each.outcome, each.started_at});
        }
    }
}

void Recovery::tick() {
    if (const Result<void> done = releases_->tick(); !done) {
        log::warn("releases_tick_failed", {{"error", done.error().message}});
    }
}

Result<recover::Fetched> Recovery::fetch(
    std::string_view family, std::string_view name, std::string_view label
) const {
    using catalog::VersionFamily;
    const VersionFamily known = family == "prompts"    ? VersionFamily::Prompt
                                : family == "policies" ? VersionFamily::Policy
                                                       : VersionFamily::ModelRoute;
    return releases_->fetch({known, std::string(name)}, label);
}

void Recovery::tell(const recover::ReleaseChange& change) {
    using What = recover::ReleaseChange::What;
    const bool policy = change.key && change.key->family == catalog::VersionFamily::Policy;
    if (change.what == What::Labelled && policy && change.label == catalog::production_label &&
        parts_.policies_changed) {
        parts_.policies_changed();
    }
    const bool profile = change.key && change.key->family == catalog::VersionFamily::Profile;
    if (change.what == What::Labelled && profile && change.label == catalog::production_label &&
        parts_.profile_changed) {
        parts_.profile_changed(change.key->name);
    }
    if ((change.what == What::Published || change.what == What::Labelled) &&
        parts_.versions_changed) {
        parts_.versions_changed();
    }
    if (change.incident.empty()) {
        return;
    }
    const Result<incident::Incident> told = parts_.desk.record(
        change.incident, std::string(timeline_kind(change.what)), change.sentence, change.by
    );
    if (!told) {
        log::warn(
            "timeline_refused",
            {{"incident", change.incident.text()}, {"error", told.error().message}}
        );
        return;
    }
    const bool recovers = change.what == What::RolledBack &&
                          incident::may_move(told->state, IncidentState::Recovering);
    if (recovers) {
        const Result<incident::Incident> moved =
            parts_.desk.move(change.incident, IncidentState::Recovering, change.by);
        if (!moved) {
            log::warn(
                "incident_not_recovering",
                {{"incident", change.incident.text()}, {"error", moved.error().message}}
            );
        }
    }
}

}  // namespace tagout::app
