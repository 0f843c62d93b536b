#include "gateway/gateway.h"

#include "base/log.h"
#include "gateway/authz_road.h"
#include "gateway/decide_road.h"
#include "gateway/flag_road.h"
#include "gateway/identity.h"
#include "gateway/mcp_exchange.h"
#include "gateway/model_exchange.h"
#include "gateway/probe.h"
#include "gateway/stdio_road.h"
#include "gateway/workflow_exchange.h"
#include "net/url.h"

#include <sodium.h>

#include <algorithm>
#include <array>

namespace tagout::gateway {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::string_view retry_after_seconds = "1";
constexpr std::string_view health_path = "/-/healthy";

std::string_view host_name(std::string_view authority) {
    if (authority.starts_with('[')) {
        return authority.substr(0, authority.find(']') + 1);
    }
    return authority.substr(0, authority.find(':'));
}

bool is_loopback(std::string_view name) {
    return net::equal_ignoring_case(name, "localhost") || name == "[::1]" || name == "::1" ||
           (name.starts_with("127.") &&
            std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; }));
}

/// A page of another site that talks to the gateway through its user's browser; "" if it is none.
std::string foreign(const net::ServerRequest& request, std::string_view bound_to) {
    const std::string_view host = host_name(request.header("Host"));
    if (is_loopback(bound_to) && !is_loopback(host)) {
        return "this gateway listens on loopback and does not answer to that Host";
    }
    const std::string_view origin = request.header("Origin");
    if (origin.empty()) {
        return "";
    }
    const std::size_t scheme_end = origin.find("://");
    const std::string_view from =
        scheme_end == std::string_view::npos ? "" : host_name(origin.substr(scheme_end + 3));
    const bool known =
        net::equal_ignoring_case(from, host) || (is_loopback(from) && is_loopback(host));
    return known ? "" : "pages of that Origin may not call the gateway";
}

/// One segment of a path behind `prefix`, decoded by the server already; "" if there is none.
std::string_view segment(std::string_view path, std::string_view prefix) {
    if (!path.starts_with(prefix)) {
        return {};
    }
    const std::string_view rest = path.substr(prefix.size());
    return rest.substr(0, rest.find('/'));
}

template <class List>
std::string names_of(const List& list) {
    std::string names;
    for (const auto& each : list) {
        names += (names.empty() ? "" : ", ") + each.name;
    }
    return names.empty() ? "none" : names;
}

/// What stands behind /model/{upstream} or /workflow/{name} in a target, as it was sent.
std::string rest_of(std::string_view target) {
    if (const std::size_t scheme = target.find("://");
        scheme != std::string_view::npos && scheme < 6) {
        target = target.substr(std::min(target.find('/', scheme + 3), target.size()));
    }
    const std::size_t second = target.find('/', 1);
    const std::size_t third =
        second == std::string_view::npos ? second : target.find_first_of("/?", second + 1);
    return third == std::string_view::npos
               ? ""
               : std::string(target.substr(third, target.find('#') - third));
}

/// As the record of refused callers names it: the first segment, or two of "/v1/...".
std::string_view road_of(std::string_view path) {
    constexpr std::array<std::string_view, 9> roads{
        "/mcp/",
        "/model/",
        "/workflow/",
        stdio_path,
        "/ext_authz/",
        "/ofrep/",
        "/v1/decide",
        "/v1/prompts/",
        "/v1/"};
    constexpr std::array<std::string_view, 9> names{
        "mcp",
        "model",
        "workflow",
        "stdio",
        "ext_authz",
        "flags",
        "decide",
        "versions",
        "versions"};
    for (std::size_t i = 0; i < roads.size(); ++i) {
        if (path.starts_with(roads[i])) {
            return names[i];
        }
    }
    return "other";
}

class Switch {
public:
    explicit Switch(std::shared_ptr<Core> core) : core_(std::move(core)) {}

    void operator()(net::ServerRequest request, const std::shared_ptr<net::Responder>& responder)
        const {
        const std::shared_ptr<net::EventLoop> loop = responder->loop();
        if (!core_->snapshot(*loop)) {
            net::ServerResponse response = error_response(
                503, "unavailable", "controls are not in force yet; nothing passes before they are"
            );
            response.headers.emplace_back("Retry-After", retry_after_seconds);
            own(*responder, std::move(response), Outcome::Failed);
            return;
        }
        if (const std::string why = foreign(request, core_->options.address); !why.empty()) {
            own(*responder, error_response(403, "unauthorized", why), Outcome::Invalid);
            return;
        }
        if (request.path != health_path) {
            if (auto refusal = refuse_unknown(*core_, road_of(request.path), request)) {
                own(*responder, std::move(*refusal), Outcome::Refused);
                return;
            }
        }
        if (request.path.starts_with("/mcp/")) {
            to_mcp(std::move(request), responder);
        } else if (request.path.starts_with("/model/")) {
            to_model(std::move(request), responder);
        } else if (request.path.starts_with("/workflow/")) {
            to_workflow(std::move(request), responder);
        } else if (request.path.starts_with(stdio_path)) {
            const std::string rest = request.path.substr(stdio_path.size());
            answer_stdio(core_, rest, std::move(request), responder);
        } else if (request.path == flag_events_path && request.method == "GET") {
            FlagEvents::start(core_, std::move(request), responder);
        } else {
            answer_here(request, *responder, *loop);
        }
    }

private:
    void own(net::Responder& responder, net::ServerResponse response, Outcome outcome) const {
        core_->meters.request(Road::Other, outcome).add();
        responder.respond(std::move(response));
    }

    void to_mcp(net::ServerRequest request, const std::shared_ptr<net::Responder>& responder)
        const {
        const auto catalog = core_->parts.catalog();
        const auto& servers = catalog->contents().mcp_servers;
        const std::string_view name = segment(request.path, "/mcp/");
        const auto found =
            std::ranges::find_if(servers, [&](const auto& each) { return each.name == name; });
        const bool whole = request.path.size() == std::string_view("/mcp/").size() + name.size();
        if (found == servers.end() || !whole) {
            own(*responder,
                error_response(
                    404,
                    "not_found",
                    "no MCP server '" + request.path.substr(5) +
                        "' here; add it under mcp_servers in tagout.yaml (known: " +
                        names_of(servers) + ")"
                ),
                Outcome::Invalid);
            return;
        }
        McpExchange::start(core_, catalog, *found, std::move(request), responder);
    }

    void to_model(net::ServerRequest request, const std::shared_ptr<net::Responder>& responder)
        const {
        const auto catalog = core_->parts.catalog();
        const auto& upstreams = catalog->contents().model_upstreams;
        const std::string_view name = segment(request.path, "/model/");
        const auto found =
            std::ranges::find_if(upstreams, [&](const auto& each) { return each.name == name; });
        if (found == upstreams.end()) {
            own(*responder,
                error_response(
                    404,
                    "not_found",
                    "no model API '" + std::string(name) +
                        "' here; add it under model_upstreams in tagout.yaml (known: " +
                        names_of(upstreams) + ")"
                ),
                Outcome::Invalid);
            return;
        }
        std::string rest = rest_of(request.target);
        ModelExchange::start(core_, *found, std::move(rest), std::move(request), responder);
    }

    void to_workflow(net::ServerRequest request, const std::shared_ptr<net::Responder>& responder)
        const {
        const auto catalog = core_->parts.catalog();
        const std::string_view name = segment(request.path, "/workflow/");
        std::string known;
        for (const catalog::Workflow& each : catalog->contents().workflows) {
            if (each.url.empty()) {
                continue;
            }
            if (each.name.text() == name) {
                std::string rest = rest_of(request.target);
                WorkflowExchange::start(
                    core_, catalog, each, std::move(rest), std::move(request), responder
                );
                return;
            }
            known += (known.empty() ? "" : ", ") + each.name.text();
        }
        own(*responder,
            error_response(
                404,
                "not_found",
                "no workflow '" + std::string(name) +
                    "' with a url here; give it one under workflows in tagout.yaml (known: " +
                    (known.empty() ? "none" : known) + ")"
            ),
            Outcome::Invalid);
    }

    void answer_here(
        const net::ServerRequest& request, net::Responder& responder, const net::EventLoop& loop
    ) const {
        constexpr std::array<std::string_view, 3> families{"prompts", "policies", "model-routes"};
        if (request.path == health_path) {
            own(responder, {200, {{"Content-Type", "text/plain"}}, "ok\n"}, Outcome::Answered);
            return;
        }
        if (request.path.starts_with(authz_path) &&
            request.path.substr(authz_path.size()).find_first_not_of('/') != 0) {
            responder.respond(answer_authz(*core_, loop, request));
            return;
        }
        if (request.path == "/v1/decide") {
            if (request.method != "POST") {
                net::ServerResponse response =
                    error_response(405, "invalid_argument", "ask with POST");
                response.headers.emplace_back("Allow", "POST");
                own(responder, std::move(response), Outcome::Invalid);
                return;
            }
            responder.respond(answer_decide(*core_, loop, request));
            return;
        }
        if (request.path.starts_with(flags_path) && request.method == "POST") {
            const std::string_view rest = std::string_view(request.path).substr(flags_path.size());
            if (rest.empty() || (rest.size() > 1 && rest.front() == '/')) {
                const std::string key(rest.empty() ? rest : rest.substr(1));
                responder.respond(answer_flags(*core_, loop, key, request));
                return;
            }
        }
        for (const std::string_view family : families) {
            const std::string prefix = "/v1/" + std::string(family) + "/";
            const std::string_view name = segment(request.path, prefix);
            if (!name.empty() && request.path.size() == prefix.size() + name.size() &&
                (request.method == "GET" || request.method == "HEAD")) {
                responder.respond(answer_version(*core_, family, name, request));
                return;
            }
        }
        own(responder,
            error_response(
                404,
                "not_found",
                "the gateway knows /mcp/{server}, /model/{upstream}/..., /workflow/{name}/..., "
                "POST /v1/decide, POST /ofrep/v1/evaluate/flags, "
                "GET /v1/prompts/{name} and its like"
            ),
            Outcome::Invalid);
    }

    const std::shared_ptr<Core> core_;
};

class OpenGateway final : public Gateway {
public:
    OpenGateway(
        std::shared_ptr<Core> core, std::unique_ptr<net::HttpServer> server,
        std::unique_ptr<net::GrpcServer> authz
    )
        : core_(std::move(core)),
          port_(server->port()),
          authz_port_(authz ? authz->port() : std::uint16_t{0}),
          server_(std::move(server)),
          authz_(std::move(authz)) {}
    ~OpenGateway() override { close(); }

    [[nodiscard]] std::string name() const override { return "gateway"; }
    void enforce(
        std::shared_ptr<const contain::ControlSnapshot> snapshot,
        std::function<void(Result<std::uint64_t>)> done
    ) override {
        core_->enforce(std::move(snapshot), std::move(done));
    }
    [[nodiscard]] std::vector<contain::ProbeResult> probe(const Control& control) override {
        return send_probes(*core_, control, port_);
    }
    [[nodiscard]] contain::PointContact contact() const override { return core_->contact(); }
    [[nodiscard]] std::uint16_t port() const override { return port_; }
    [[nodiscard]] std::uint16_t authz_port() const override { return authz_port_; }
    [[nodiscard]] std::size_t in_flight() const override { return core_->in_flight(); }
    void tick() override {
        const MutexLock lock(mutex_);
        if (!server_) {
            return;
        }
        const Result<bool> read = server_->reload_tls();
        if (!read) {
            log::error("gateway_certificate_not_read", {{"error", read.error().message}});
        } else if (*read) {
            log::info(
                "gateway_certificate_read", {{"certificate", core_->options.tls->certificate}}
            );
        }
    }
    void stop() override { close(); }

private:
    void close() {
        std::unique_ptr<net::HttpServer> server;
        std::unique_ptr<net::GrpcServer> authz;
        {
            const MutexLock lock(mutex_);
            server = std::move(server_);
            authz = std::move(authz_);
        }
        if (server) {
            core_->shut_down();
        }
    }

    const std::shared_ptr<Core> core_;
    const std::uint16_t port_;
    const std::uint16_t authz_port_;
    Mutex mutex_;
    std::unique_ptr<net::HttpServer> server_ TAGOUT_GUARDED_BY(mutex_);
    std::unique_ptr<net::GrpcServer> authz_ TAGOUT_GUARDED_BY(mutex_);
};

Result<std::string> make_secret() {
    std::array<unsigned char, secret_bytes> bytes{};
    if (sodium_init() < 0) {
        return fail(ErrorCode::Unavailable, "the system gives no random bytes");
    }
    randombytes_buf(bytes.data(), bytes.size());
    constexpr std::string_view hex = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes) {
        text += hex[byte >> 4];
        text += hex[byte & 15];
    }
    return text;
}

}  // namespace

net::ClientTls own_client_tls(const std::optional<net::TlsFiles>& tls) {
    return tls ? net::ClientTls{.trusted = tls->certificate, .any_host = true} : net::ClientTls{};
}

std::string unprovable(const catalog::Identity& identity, const std::optional<net::TlsFiles>& tls) {
    if (identity.mode != catalog::IdentityMode::Mtls || (tls && !tls->client_ca.empty())) {
        return "";
    }
    return "gateway.identity.mode is mtls, and this gateway asks nobody for a certificate: start "
           "it with "
           "--gateway-tls-cert, --gateway-tls-key and --gateway-client-ca";
}

Result<std::optional<net::TlsFiles>> read_tls_options(const net::TlsFiles& files) {
    const bool any = !files.certificate.empty() || !files.key.empty() || !files.client_ca.empty();
    if (any && (files.certificate.empty() || files.key.empty())) {
        return fail(
            ErrorCode::InvalidArgument,
            std::string("TLS needs --gateway-tls-cert and --gateway-tls-key; ") +
                (files.certificate.empty() ? "the certificate" : "the key") + " is missing"
        );
    }
    return any ? std::optional(files) : std::nullopt;
}

Result<std::shared_ptr<Gateway>> Gateway::start(
    const GatewayOptions& options, const GatewayParts& parts
) {
    std::string secret = TAGOUT_TRY(make_secret());
    const auto core = std::make_shared<Core>(options, parts, std::move(secret));
    net::ServerOptions server;
    server.address = options.address;
    server.port = options.port;
    server.threads = options.threads;
    server.tls = options.tls;
    server.body_bytes_max = options.body_bytes_max;
    // An event goes out whole; more than one waits only until its upstream is told to.
    server.stream_queue_bytes_max = 2 * EventSplitter::event_bytes_max;
    server.port_setting = "--gateway-port";
    server.refuse = [core](const net::ServerRequest&, int status, std::string message) {
        core->meters.request(Road::Other, Outcome::Invalid).add();
        if (status == 413) {
            core->met_limit("body_bytes_max");
        }
        return error_response(status, "invalid_argument", message);
    };
    auto open = TAGOUT_TRY(net::HttpServer::start(
        server,
        [road = Switch(core)](
            net::ServerRequest request, const std::shared_ptr<net::Responder>& responder
        ) { road(std::move(request), responder); }
    ));
    core->use_loops(open->loops());
    std::unique_ptr<net::GrpcServer> authz;
    if (options.authz_port) {
        server.port = *options.authz_port;
        server.tls.reset();
        server.port_setting = "--ext-authz-port";
        authz = TAGOUT_TRY(net::GrpcServer::start(server, authz_grpc_handler(core)));
    }
    log::info("gateway_listening", {{"address", options.address}, {"port", open->port()}});
    return std::shared_ptr<Gateway>(
        std::make_shared<OpenGateway>(core, std::move(open), std::move(authz))
    );
}

}  // namespace tagout::gateway
