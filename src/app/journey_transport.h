// How a journey's steps go out: HTTP as written, MCP through the gateway as an agent would call.
//
// MCP steps carry the header tagout-journey with the process's secret, so that they pass a control
// whose release is being asked for; the secret goes to the gateway alone. Without a gateway they go to
// the server of tagout.yaml itself. Thread-safe: each step has a connection of its own.
#pragma once

#include "catalog/catalog.h"
#include "net/http_client.h"
#include "recover/journeys.h"

#include <functional>
#include <memory>
#include <string>

namespace tagout::app {

struct JourneyRoads {
    /// "http://127.0.0.1:8322", "" while there is no gateway.
    std::function<std::string()> gateway;
    std::string secret;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    net::ClientTls gateway_tls = {};
};

[[nodiscard]] std::unique_ptr<recover::JourneyTransport> make_journey_transport(JourneyRoads roads);

}  // namespace tagout::app
