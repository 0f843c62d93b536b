// Every route of the control API, once. A test compares this list with api/openapi.yaml.
#pragma once

#include <array>
#include <string_view>

namespace tagout::server {

struct Route {
    std::string_view operation;  ///< operationId of the specification.
    std::string_view method;
    std::string_view path;  ///< {name} stands for one segment.
    bool needs_token;
    bool for_gateways = false;  ///< Takes a gateway's token, and no other.
};

inline constexpr std::array routes{
    Route{"getNow", "GET", "/v1/now", false},
    Route{"listIncidents", "GET", "/v1/incidents", false},
    Route{"declareIncident", "POST", "/v1/incidents", true},
    Route{"getIncident", "GET", "/v1/incidents/{id}", false},
    Route{"confirmIncident", "POST", "/v1/incidents/{id}/confirm", true},
    Route{"ackIncident", "POST", "/v1/incidents/{id}/ack", true},
    Route{"addNote", "POST", "/v1/incidents/{id}/notes", true},
    Route{"assignIncident", "POST", "/v1/incidents/{id}/assign", true},
    Route{"setSeverity", "POST", "/v1/incidents/{id}/severity", true},
    Route{"setAnchor", "POST", "/v1/incidents/{id}/anchor", true},
    Route{"mergeIncident", "POST", "/v1/incidents/{id}/merge", true},
    Route{"moveIncident", "POST", "/v1/incidents/{id}/move", true},
    Route{"getLedger", "GET", "/v1/incidents/{id}/ledger", false},
    Route{"exportEvidence", "POST", "/v1/incidents/{id}/evidence", true},
    Route{"getEvidenceKey", "GET", "/v1/evidence/key", false},
    Route{"createRegression", "POST", "/v1/incidents/{id}/regressions", true},
    Route{"listRegressions", "GET", "/v1/regressions", false},
    Route{"getRegression", "GET", "/v1/regressions/{id}", false},
    Route{"getReview", "GET", "/v1/incidents/{id}/review", false},
    Route{"draftReview", "POST", "/v1/incidents/{id}/review", true},
    Route{"publishReview", "POST", "/v1/incidents/{id}/review/publish", true},
    Route{"listReviews", "GET", "/v1/reviews", false},
    Route{"listActions", "GET", "/v1/actions", false},
    Route{"addAction", "POST", "/v1/actions", true},
    Route{"closeAction", "POST", "/v1/actions/{id}/close", true},
    Route{"getGate", "GET", "/v1/gate", false},
    Route{"reportSuite", "POST", "/v1/suites/results", true},
    Route{"evaluateGate", "POST", "/v1/gate", true},
    Route{"getIncidentContainment", "GET", "/v1/incidents/{id}/containment", false},
    Route{"suggestPolicy", "GET", "/v1/incidents/{id}/policy", false},
    Route{"listControls", "GET", "/v1/controls", false},
    Route{"applyControl", "POST", "/v1/controls", true},
    Route{"backtestControl", "POST", "/v1/controls/backtest", true},
    Route{"getControl", "GET", "/v1/controls/{id}", false},
    Route{"probeControl", "POST", "/v1/controls/{id}/probe", true},
    Route{"renewControl", "POST", "/v1/controls/{id}/renew", true},
    Route{"requestRelease", "POST", "/v1/controls/{id}/request-release", true},
    Route{"releaseControl", "POST", "/v1/controls/{id}/release", true},
    Route{"decide", "POST", "/v1/decide", false},  // Asks, and changes nothing.
    Route{"listFleet", "GET", "/v1/fleet", false},
    Route{"makeFleetToken", "POST", "/v1/fleet/tokens", true},
    Route{"revokeFleetToken", "POST", "/v1/fleet/tokens/{id}/revoke", true},
    Route{"listAgentTokens", "GET", "/v1/agents/tokens", false},
    Route{"makeAgentToken", "POST", "/v1/agents/tokens", true},
    Route{"revokeAgentToken", "POST", "/v1/agents/tokens/{id}/revoke", true},
    Route{"listRefusedCallers", "GET", "/v1/agents/refused", false},
    Route{"retirePoint", "POST", "/v1/fleet/points/{name}/retire", true},
    Route{"fleetStream", "GET", "/v1/fleet/stream", true, true},
    Route{"fleetSnapshot", "GET", "/v1/fleet/snapshot", true, true},
    Route{"fleetPart", "GET", "/v1/fleet/parts/{hash}", true, true},
    Route{"fleetReport", "POST", "/v1/fleet/report", true, true},
    Route{"fleetProbes", "POST", "/v1/fleet/probes", true, true},
    Route{"fleetApproval", "POST", "/v1/fleet/approvals", true, true},
    Route{"fleetControls", "POST", "/v1/fleet/controls", true, true},
    Route{"fleetRecords", "POST", "/v1/fleet/records", true, true},
    Route{"listApprovals", "GET", "/v1/approvals", false},
    Route{"approveCall", "POST", "/v1/approvals/{id}/approve", true},
    Route{"denyCall", "POST", "/v1/approvals/{id}/deny", true},
    Route{"listTools", "GET", "/v1/tools", false},
    Route{"approveTool", "POST", "/v1/tools/approve", true},
    Route{"getTrace", "GET", "/v1/traces/{correlation}", false},
    Route{"getClass", "GET", "/v1/classes/{class}", false},
    Route{"listAgents", "GET", "/v1/agents", false},
    Route{"listNotices", "GET", "/v1/notices", false},
    Route{"testNotice", "POST", "/v1/notices/test", true},
    Route{"readJournal", "GET", "/v1/journal", false},
    Route{"listVersions", "GET", "/v1/versions", false},
    Route{"publishVersion", "POST", "/v1/versions", true},
    Route{"getVersion", "GET", "/v1/versions/{hash}", false},
    Route{"moveLabel", "POST", "/v1/labels", true},
    Route{"diffVersions", "GET", "/v1/diff", false},
    Route{"fetchPrompt", "GET", "/v1/prompts/{name}", false},
    Route{"backtestPolicy", "POST", "/v1/policies/backtest", true},
    Route{"fetchPolicy", "GET", "/v1/policies/{name}", false},
    Route{"fetchModelRoute", "GET", "/v1/model-routes/{name}", false},
    Route{"fetchProfile", "GET", "/v1/profiles/{name}", false},
    Route{"listProfiles", "GET", "/v1/profiles", false},
    Route{"listBundles", "GET", "/v1/bundles", false},
    Route{"makeBundle", "POST", "/v1/bundles", true},
    Route{"exportBundle", "GET", "/v1/bundles/{agent}", false},
    Route{"rollback", "POST", "/v1/rollback", true},
    Route{"listFreezes", "GET", "/v1/freezes", false},
    Route{"listJourneys", "GET", "/v1/journeys", false},
    Route{"runJourneys", "POST", "/v1/journeys/run", true},
    Route{"getSettings", "GET", "/v1/settings", false},
    Route{"checkToken", "GET", "/v1/token", true},
    Route{"stream", "GET", "/v1/stream", false},
    Route{"metrics", "GET", "/metrics", false},
    Route{"healthy", "GET", "/-/healthy", false},
    Route{"ready", "GET", "/-/ready", false},
    Route{"reload", "POST", "/-/reload", true},
};

/// Whether `path` fits `pattern`; `argument` is then the decoded segment that {name} stood for.
[[nodiscard]] constexpr bool fits(
    std::string_view pattern, std::string_view path, std::string_view& argument
) noexcept {
    while (true) {
        const std::size_t pattern_end = pattern.find('/');
        const std::size_t path_end = path.find('/');
        const std::string_view wanted = pattern.substr(0, pattern_end);
        const std::string_view segment = path.substr(0, path_end);
        if (wanted.starts_with('{')) {
            if (segment.empty()) {
                return false;
            }
            argument = segment;
        } else if (wanted != segment) {
            return false;
        }
        if ((pattern_end == std::string_view::npos) != (path_end == std::string_view::npos)) {
            return false;
        }
        if (pattern_end == std::string_view::npos) {
            return true;
        }
        pattern = pattern.substr(pattern_end + 1);
        path = path.substr(path_end + 1);
    }
}

}  // namespace tagout::server
