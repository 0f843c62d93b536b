// The admin door of a gateway that is a process of its own: what its host's operator may see and do,
// also with the control server away.
//
//   GET  /metrics, /-/healthy, /-/ready
//   GET  /v1/controls[/{id}]         what was applied at this host; how this gateway stands
//   POST /v1/controls                stop or restrict: stopped, read_only, approvals, allowlist
//   POST /v1/controls/{id}/probe     prove it again
//
// The same paths and bodies as the control server's, so that `tagout contain ... --at-gateway FOLDER`
// is the same command. Everything but health and metrics takes the token that lies in the gateway's
// folder: agents reach the gateway's port, never this. Nothing is released here.
#pragma once

#include "base/metrics.h"
#include "contain/controls.h"
#include "gateway/fleet/fleet_link.h"
#include "net/http_server.h"
#include "server/admin_token.h"

#include <string>
#include <vector>

namespace tagout::app {

struct AdminParts {
    std::string name;
    contain::Controls& book;
    const gateway::FleetLink& link;
    gateway::Gateway& gateway;
    const gateway::FleetEnforcer& enforcer;
    const server::TokenVerifier& token;
    MetricRegistry& metrics;
    std::vector<std::string> hosts;  ///< Allowed besides loopback.
};

/// All parts must outlive the handler. A change may take a second: it is answered when it is proved.
[[nodiscard]] net::Handler admin_handler(AdminParts parts);

}  // namespace tagout::app
