#include "server/api.h"

#include "base/mutex.h"
#include "net/url.h"
#include "server/assets.h"
#include "server/body.h"
#include "server/error_map.h"
#include "server/incident_api.h"
#include "server/metrics.h"
#include "server/routes.h"
#include "server/suite_api.h"
#include "server/verify_api.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <functional>
#include <thread>

namespace tagout::server {

namespace {

constexpr std::string_view page_policy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src "
    "'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Method and place of one request that a worker has in hand.
struct Call {
    const Route* route = nullptr;
    std::string argument;
    net::ServerRequest request;
};

net::ServerResponse json_answer(int status, std::string body) {
    return {
        status,
        {{"Content-Type", "application/json"},
         {"Cache-Control", "no-store"},
         {"X-Content-Type-Options", "nosniff"}},
        std::move(body)};
}

net::ServerResponse error_answer(const Error& error, int status = 0) {
    const boost::json::object body{
        {"error", boost::json::object{{"code", name_of(error.code)}, {"message", error.message}}}};
    net::ServerResponse answer = json_answer(
        status > 0 ? status : mapping_of(error.code).http_status, boost::json::serialize(body)
    );
    if (answer.status == 401) {
        answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"tagout\"");
    }
    if (answer.status == 429 || answer.status == 503) {
        answer.headers.emplace_back("Retry-After", "2");
    }
    return answer;
}

net::ServerResponse release_answer(Result<ReleaseAnswer> answer) {
    if (!answer) {
        return error_answer(answer.error());
    }
    net::ServerResponse response = json_answer(answer->status, std::move(answer->body));
    if (!answer->etag.empty()) {
        response.headers.emplace_back("ETag", answer->etag);
        // Kept by the agent, and asked for again each time.
        response.headers[1].second = "no-cache";
    }
    return response;
}

net::ServerResponse text_answer(
    int status, std::string text, std::string_view type = "text/plain; charset=utf-8"
) {
    return {
        status,
        {{"Content-Type", std::string(type)}, {"Cache-Control", "no-store"}},
        std::move(text)};
}

net::ServerResponse page_answer(const net::ServerRequest& request) {
    const Asset* const asset = find_asset(request.path);
    if (asset == nullptr) {
        return error_answer(
            {ErrorCode::NotFound, request.path.substr(0, 200) + " is not a page of Tagout"}
        );
    }
    net::ServerResponse answer;
    answer.headers = {
        {"Content-Type", std::string(asset->type)},
        {"ETag", std::string(asset->etag)},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Vary", "Accept-Encoding"},
        // Vite names files under assets/ by their content; everything else is asked for again.
        {"Cache-Control",
         asset->path.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"},
    };
    if (asset->type.starts_with("text/html")) {
        answer.headers.emplace_back("Content-Security-Policy", std::string(page_policy));
    }
    if (request.header("If-None-Match") == asset->etag) {
        answer.status = 304;
        return answer;
    }
    if (request.header("Accept-Encoding").find("gzip") != std::string_view::npos) {
        answer.headers.emplace_back("Content-Encoding", "gzip");
        answer.body = asset->gzip;
    } else {
        answer.body = asset->plain;
    }
    return answer;
}

Result<std::uint64_t> number_of(
    const net::ServerRequest& request, std::string_view name, std::uint64_t fallback,
    std::uint64_t max
) {
    const std::string text = request.query(name);
    if (text.empty()) {
        return fallback;
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > max) {
        return fail(
            ErrorCode::InvalidArgument,
            "'" + std::string(name) + "' must be a number from 1 to " + std::to_string(max)
        );
    }
    return value;
}

/// What makes something new answers 201.
int status_of(std::string_view operation) {
    constexpr std::array<std::string_view, 6> makers{
        "declareIncident",
        "createRegression",
        "addAction",
        "applyControl",
        "makeFleetToken",
        "makeAgentToken"};
    return std::ranges::find(makers, operation) != makers.end() ? 201 : 200;
}

bool is_about_controls(const Route& route) {
    return route.path.starts_with("/v1/controls") || route.path.starts_with("/v1/approvals") ||
           route.path.starts_with("/v1/tools") || route.path.starts_with("/v1/fleet") ||
           route.path.starts_with("/v1/agents/") || route.path.ends_with("/containment");
}

std::string_view host_part(std::string_view host) {
    if (host.starts_with('[')) {
        return host.substr(0, host.find(']') + 1);
    }
    return host.substr(0, host.find(':'));
}

}  // namespace

net::ServerResponse api_refusal(int status, std::string message) {
    const ErrorCode code = status == 413 || status == 431 ? ErrorCode::LimitExceeded
                           : status == 503                ? ErrorCode::Unavailable
                                                          : ErrorCode::InvalidArgument;
    return error_answer({code, std::move(message)}, status);
}

bool is_own_host(std::string_view host, const std::vector<std::string>& allowed) {
    const std::string_view name = host_part(host);
    if (name == "localhost" || name == "[::1]" || name.starts_with("127.")) {
        return name.find_first_not_of("0123456789.") == std::string_view::npos ||
               !name.starts_with("127.");
    }
    for (const std::string& each : allowed) {
        if (name == each) {
            return true;
        }
    }
    return false;
}

struct Api::State {
    explicit State(const ApiParts& api_parts) : parts(api_parts) {
        for (unsigned i = 0; i < threads; ++i) {
            workers.emplace_back([this] { work(); });
        }
    }

    void work();
    /// Answers 503 where too much waits already.
    void enqueue(net::Responder& responder, std::function<void()> task);
    [[nodiscard]] const Route* find(
        const net::ServerRequest& request, std::string& argument, bool& path_known
    ) const;
    [[nodiscard]] std::optional<Error> refusal(
        const net::ServerRequest& request, const Route* route
    ) const;
    [[nodiscard]] net::ServerResponse answer(const Call& call);
    [[nodiscard]] Result<std::string> answer_json(const Call& call);
    [[nodiscard]] std::optional<Error> bad_credential(
        const Route& route, std::string_view credential
    ) const;
    void count(std::string_view operation, int status) const;
    void refuse(std::string_view reason) const;
    void note_refused(std::string_view why, const net::ServerRequest& request) const;

    const ApiParts parts;
    Mutex mutex;
    Condition changed;
    std::deque<std::function<void()>> queue TAGOUT_GUARDED_BY(mutex);
    bool stopping TAGOUT_GUARDED_BY(mutex) = false;
    std::vector<std::thread> workers;
};

void Api::State::work() {
    while (true) {
        std::function<void()> task;
        {
            const MutexLock lock(mutex);
            while (queue.empty() && !stopping) {
                changed.wait(mutex);
            }
            if (queue.empty()) {
                return;
            }
            task = std::move(queue.front());
            queue.pop_front();
        }
        task();
    }
}

const Route* Api::State::find(
    const net::ServerRequest& request, std::string& argument, bool& path_known
) const {
    const std::string_view method =
        request.method == "HEAD" ? "GET" : std::string_view(request.method);
    // Matched before it is decoded: a correlation may hold an encoded slash.
    const std::string_view path =
        std::string_view(request.target).substr(0, request.target.find('?'));
    for (const Route& route : routes) {
        std::string_view segment;
        if (fits(route.path, path, segment)) {
            path_known = true;
            if (route.method == method) {
                argument = net::percent_decode(segment);
                return &route;
            }
        }
    }
    return nullptr;
}

void Api::State::refuse(std::string_view reason) const {
    const std::string_view labels[] = {reason};
    parts.metrics.counter(api_refused_total, labels).add();
}

void Api::State::note_refused(std::string_view why, const net::ServerRequest& request) const {
    if (parts.agents.refusals != nullptr) {
        parts.agents.refusals->note(
            {"api",
             std::string(why),
             std::string(request.header("tagout-agent")),
             "",
             request.peer.substr(0, request.peer.rfind(':'))}
        );
    }
}

void Api::State::count(std::string_view operation, int status) const {
    const std::string code = std::to_string(status);
    const std::string_view labels[] = {operation, code};
    parts.metrics.counter(api_requests_total, labels).add();
}

std::optional<Error> Api::State::refusal(const net::ServerRequest& request, const Route* route)
    const {
    if (!is_own_host(request.header("Host"), parts.hosts)) {
        refuse("host");
        return Error{
            ErrorCode::InvalidArgument,
            "this server does not answer to that host name; add it to server.hosts in tagout.yaml"};
    }
    const std::string_view origin = request.header("Origin");
    const std::size_t scheme_end = origin.find("://");
    if (!origin.empty() && (scheme_end == std::string_view::npos ||
                            !is_own_host(origin.substr(scheme_end + 3), parts.hosts))) {
        refuse("origin");
        return Error{ErrorCode::Unauthorized, "requests from other sites' pages are refused"};
    }
    if (shows_agent_token(request)) {
        refuse("agent_token");
        note_refused("agent_credential", request);
        return Error{
            ErrorCode::Unauthorized,
            "an agent's credential opens nothing here: it reads no control and changes none"};
    }
    auto error =
        route == nullptr ? std::nullopt : bad_credential(*route, request.header("Authorization"));
    if (error && !request.header("Authorization").empty()) {
        note_refused("unknown_token", request);
    }
    return error;
}

std::optional<Error> Api::State::bad_credential(
    const Route& route, std::string_view credential
) const {
    constexpr std::string_view scheme = "Bearer ";
    if (route.for_gateways) {
        if (parts.fleet != nullptr && parts.fleet->token_of(credential)) {
            return std::nullopt;
        }
        refuse("gateway_token");
        return Error{
            ErrorCode::Unauthorized,
            "this is for gateways, by a token that tagout fleet token NAME makes; it was revoked, or "
            "is none"};
    }
    // Who shows a credential is judged by it, also where none is asked for: what controls there are is
    // not for an agent, and a gateway gets them signed.
    const bool guarded = route.needs_token || (!credential.empty() && is_about_controls(route));
    if (guarded && (!credential.starts_with(scheme) ||
                    !parts.token.accepts(credential.substr(scheme.size())))) {
        refuse("token");
        return Error{
            ErrorCode::Unauthorized,
            credential.empty()
                ? "a change needs the header Authorization: Bearer TOKEN; the token is in the "
                  "data directory's admin.token"
                : "the token is not the administrator's; it is in the data directory's "
                  "admin.token"};
    }
    return std::nullopt;
}

Result<std::string> Api::State::answer_json(const Call& call) {
    const std::string_view operation = call.route->operation;
    const net::ServerRequest& request = call.request;
    View& view = parts.view;
    if (operation == "getNow") {
        return view.now();
    }
    if (operation == "listIncidents" || operation == "getIncident") {
        return answer_incident_read(parts.desk, request, call.argument);
    }
    if (operation == "getLedger" || operation == "getEvidenceKey") {
        return answer_verify_read(parts.verifier, operation, call.argument, request);
    }
    if (is_agents_operation(operation)) {
        return answer_agents(parts.agents, operation, call.argument, request);
    }
    if (is_prevent_operation(operation)) {
        return answer_prevent(parts.prevent, operation, call.argument, request);
    }
    if (is_containment(operation)) {
        return answer_containment(
            parts.containment, parts.desk, operation, call.argument, request
        );
    }
    if (operation == "listFleet" || operation == "makeFleetToken" ||
        operation == "revokeFleetToken" || operation == "retirePoint") {
        if (parts.fleet == nullptr) {
            return fail(ErrorCode::Unavailable, "this server has no fleet of gateways");
        }
        return parts.fleet->answer(operation, call.argument, request.body.view());
    }
    if (operation == "reportSuite") {
        return answer_suite_results(parts.intake, parts.clock, request);
    }
    if (operation == "getTrace") {
        return view.trace(call.argument, TAGOUT_TRY(number_of(request, "limit", 1000, 5000)));
    }
    if (operation == "getClass") {
        const std::optional<FailureClass> failure_class = parse_failure_class(call.argument);
        if (!failure_class) {
            return fail(
                ErrorCode::NotFound,
                "there is no such class; use intent, tool, context, safety or cost"
            );
        }
        return view.class_board(*failure_class);
    }
    if (operation == "listAgents") {
        return view.agents();
    }
    if (operation == "listNotices") {
        return view.notices(
            request.query("incident"), TAGOUT_TRY(number_of(request, "limit", 100, 1000))
        );
    }
    if (operation == "testNotice") {
        Body body = TAGOUT_TRY(Body::parse(request.body.view()));
        const std::string channel = body.text("channel", true, 200);
        if (auto error = body.error()) {
            return std::unexpected(std::move(*error));
        }
        return view.test_notice(channel);
    }
    if (operation == "readJournal") {
        const std::uint64_t from = TAGOUT_TRY(number_of(request, "from", 1, UINT64_MAX));
        return view.journal(from, TAGOUT_TRY(number_of(request, "limit", 100, 1000)));
    }
    if (operation == "getSettings") {
        return view.settings();
    }
    if (operation == "checkToken") {
        return std::string(R"({"name":"admin","role":"admin"})");
    }
    if (operation == "reload") {
        return view.reload(Actor("token:admin"));
    }
    return answer_incident_change(parts.desk, operation, call.argument, request.body.view());
}

net::ServerResponse Api::State::answer(const Call& call) {
    const std::string_view operation = call.route->operation;
    if (operation == "healthy") {
        return text_answer(200, "alive\n");
    }
    if (operation == "ready") {
        const std::string missing = parts.view.not_ready();
        return missing.empty() ? text_answer(200, "ready\n")
                               : text_answer(503, "not ready: " + missing + "\n");
    }
    if (operation == "metrics") {
        parts.view.refresh_metrics();
        return text_answer(200, parts.metrics.expose(), "text/plain; version=0.0.4; charset=utf-8");
    }
    if (operation == "exportEvidence") {
        Result<net::ServerResponse> pack = answer_evidence_export(
            parts.verifier, call.argument, call.request.body.view()
        );
        return pack ? std::move(*pack) : error_answer(pack.error());
    }
    if (is_release_operation(operation)) {
        return release_answer(
            answer_release(parts.releases, operation, call.argument, call.request)
        );
    }
    Result<std::string> body = answer_json(call);
    if (!body) {
        return error_answer(body.error());
    }
    return json_answer(status_of(operation), std::move(*body));
}

void Api::State::enqueue(net::Responder& responder, std::function<void()> task) {
    const MutexLock lock(mutex);
    if (queue.size() >= work_max || stopping) {
        responder.respond(error_answer({ErrorCode::Unavailable, "too many requests are waiting"}));
        return;
    }
    queue.push_back(std::move(task));
    changed.notify_one();
}

Api::Api(const ApiParts& parts) : state_(std::make_unique<State>(parts)) {}
Api::~Api() {
    stop();
}

void Api::stop() {
    {
        const MutexLock lock(state_->mutex);
        state_->stopping = true;
        state_->changed.notify_all();
    }
    for (std::thread& worker : state_->workers) {
        if (worker.joinable()) {
            worker.join();
        }
    }
}

void Api::handle(net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
    State& state = *state_;
    std::string argument;
    bool path_known = false;
    const Route* const route = state.find(request, argument, path_known);
    if (const std::optional<Error> error = state.refusal(request, route)) {
        net::ServerResponse answer =
            error_answer(*error, error->code == ErrorCode::InvalidArgument ? 421 : 0);
        if (error->message.starts_with("requests from")) {
            answer.status = 403;
        }
        state.count(route == nullptr ? "none" : route->operation, answer.status);
        responder->respond(std::move(answer));
        return;
    }
    if (route == nullptr) {
        const bool is_page = (request.method == "GET" || request.method == "HEAD") && !path_known &&
                             !request.path.starts_with("/v1/") && !request.path.starts_with("/-/");
        net::ServerResponse answer =
            is_page ? page_answer(request)
            : path_known
                ? error_answer(
                      {ErrorCode::InvalidArgument,
                       request.method.substr(0, 20) + " is not allowed here"},
                      405
                  )
                : error_answer({ErrorCode::NotFound, "no such route; api/openapi.yaml lists them"});
        state.count(is_page ? "page" : "none", answer.status);
        responder->respond(std::move(answer));
        return;
    }
    if (route->operation == "stream") {
        state.parts.hub.open(*responder);
        return;
    }
    if (route->for_gateways) {
        // Checked a moment ago; it may have been revoked since.
        const auto token = state.parts.fleet->token_of(request.header("Authorization"));
        if (!token) {
            responder->respond(error_answer({ErrorCode::Unauthorized, "the token was revoked"}));
            return;
        }
        // What a stop waits for is answered here and now: it costs no more than a hand-over would.
        if (route->operation == "fleetReport") {
            state.parts.fleet->handle(
                route->operation, argument, std::move(request), responder, *token
            );
            return;
        }
        const auto task = std::make_shared<net::ServerRequest>(std::move(request));
        state.enqueue(*responder, [&state, route, argument, task, responder, token = *token] {
            state.parts.fleet->handle(
                route->operation, argument, std::move(*task), responder, token
            );
        });
        return;
    }
    const auto call = std::make_shared<Call>(Call{route, std::move(argument), std::move(request)});
    state.enqueue(*responder, [&state, call, responder] {
        net::ServerResponse answer = state.answer(*call);
        state.count(call->route->operation, answer.status);
        responder->respond(std::move(answer));
    });
}

}  // namespace tagout::server
