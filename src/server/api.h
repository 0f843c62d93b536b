// The control API and the page over HTTP: routing, tokens, bodies, answers.
//
// Thread-safe. A request is checked on its event loop (host, origin, route, token) and worked on by
// a few threads of the Api's own, because commands commit and traces read disks; past work_max
// waiting requests the answer is 503. Bodies: JSON of at most body_bytes_max and depth_max, unknown
// members refused. Every failure answers {"error":{"code","message"}} by server/error_map.
//
// Against other pages of the same browser: the Host must be a loopback address or a configured name
// (DNS rebinding), a present Origin must be one too, changes need the token, which no page can
// read.
#pragma once

#include "incident/desk.h"
#include "net/http_server.h"
#include "server/admin_token.h"
#include "server/agents_api.h"
#include "server/containment_api.h"
#include "server/fleet_hub.h"
#include "server/ports.h"
#include "server/prevent_api.h"
#include "server/release_api.h"
#include "server/stream_hub.h"
#include "verify/verifier.h"

#include <memory>
#include <string>
#include <vector>

namespace tagout::server {

struct ApiParts {
    incident::Desk& desk;
    View& view;
    const verify::Verifier& verifier;
    StreamHub& hub;
    const TokenVerifier& token;
    MetricRegistry& metrics;
    std::vector<std::string> hosts;  ///< Allowed besides loopback, without port.
    PreventDesks prevent = {};
    ContainmentParts containment = {};
    ReleaseDesks releases = {};
    IntakeSink* intake = nullptr;  ///< Where results of test suites go; null: they are refused.
    const Clock* clock = nullptr;
    FleetHub* fleet = nullptr;  ///< Null: this server has no fleet, and its routes say so.
    AgentsDesk agents = {};
};

class Api {
public:
    static constexpr std::size_t body_bytes_max = 1024 * 1024;
    static constexpr std::size_t depth_max = 32;
    static constexpr std::size_t work_max = 512;
    static constexpr unsigned threads = 4;

    explicit Api(const ApiParts& parts);
    ~Api();
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    void handle(net::ServerRequest request, std::shared_ptr<net::Responder> responder);
    /// Works off what was taken and ends the threads.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// For ServerOptions::refuse: requests too large or too broken for a handler answer as the rest does.
[[nodiscard]] net::ServerResponse api_refusal(int status, std::string message);

/// Whether `host` (a Host header, with or without port) names this machine or one of `allowed`.
[[nodiscard]] bool is_own_host(std::string_view host, const std::vector<std::string>& allowed);

}  // namespace tagout::server
