#include "app/gateway_admin.h"

#include "contain/control_json.h"
#include "server/api.h"
#include "server/body.h"
#include "server/containment_api.h"
#include "server/error_map.h"

#include <boost/json.hpp>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr std::string_view controls_path = "/v1/controls";
constexpr std::string_view scheme = "Bearer ";
constexpr std::size_t name_bytes_max = 256;

net::ServerResponse text_response(int status, std::string text) {
    return {
        status,
        {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
        std::move(text)};
}

net::ServerResponse json_response(int status, const json::object& body) {
    return {
        status,
        {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
        json::serialize(body)};
}

net::ServerResponse error_response(const Error& error, int status = 0) {
    return json_response(
        status > 0 ? status : server::mapping_of(error.code).http_status,
        {{"error", json::object{{"code", name_of(error.code)}, {"message", error.message}}}}
    );
}

class AdminDoor {
public:
    explicit AdminDoor(AdminParts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] net::ServerResponse answer(const net::ServerRequest& request) const {
        if (!server::is_own_host(request.header("Host"), parts_.hosts)) {
            return error_response(
                {ErrorCode::InvalidArgument, "this door does not answer to that host name"}, 421
            );
        }
        const bool get = request.method == "GET" || request.method == "HEAD";
        if (get && request.path == "/-/healthy") {
            return text_response(200, "alive\n");
        }
        if (get && request.path == "/-/ready") {
            return ready();
        }
        if (get && request.path == "/metrics") {
            net::ServerResponse page = text_response(200, parts_.metrics.expose());
            page.headers[0].second = "text/plain; version=0.0.4; charset=utf-8";
            return page;
        }
        const std::string_view credential = request.header("Authorization");
        if (!credential.starts_with(scheme) ||
            !parts_.token.accepts(credential.substr(scheme.size()))) {
            return error_response(
                {ErrorCode::Unauthorized,
                 "this door takes the token in the gateway's folder: --at-gateway FOLDER"}
            );
        }
        const Result<net::ServerResponse> answer = answer_controls(request, get);
        return answer ? *answer : error_response(answer.error());
    }

private:
    [[nodiscard]] net::ServerResponse ready() const {
        const gateway::LinkStatus status = parts_.link.status();
        if (!parts_.enforcer.is_ready()) {
            return text_response(
                503, "not ready: no snapshot of the control server, so nothing passes" +
                         (status.trouble.empty() ? "" : ": " + status.trouble) + "\n"
            );
        }
        return text_response(
            200, std::string("ready") +
                     (status.connected ? "" : ", alone: " + status.trouble) +
                     (status.lease_over ? "; the lease is over" : "") + "\n"
        );
    }

    [[nodiscard]] Result<net::ServerResponse> answer_controls(
        const net::ServerRequest& request, bool get
    ) const {
        const std::string& path = request.path;
        if (path == controls_path) {
            return get ? Result<net::ServerResponse>(list(request)) : apply(request);
        }
        if (!path.starts_with(std::string(controls_path) + "/")) {
            return fail(
                ErrorCode::NotFound,
                "a gateway's admin door knows /v1/controls, /metrics, /-/healthy and /-/ready"
            );
        }
        const std::string rest = path.substr(controls_path.size() + 1);
        const std::size_t slash = rest.find('/');
        const ControlId id(rest.substr(0, slash));
        if (get && slash == std::string::npos) {
            return json_response(200, contain::tree_of(TAGOUT_TRY(parts_.book.get(id))));
        }
        if (!get && rest.substr(slash + 1) == "probe") {
            server::Body body = TAGOUT_TRY(server::Body::parse(body_of(request)));
            Actor actor = server::read_actor(body);
            const contain::By by{std::move(actor), body.text("reason", false, name_bytes_max)};
            return json_response(200, contain::tree_of(TAGOUT_TRY(parts_.book.probe(id, by))));
        }
        return fail(
            ErrorCode::Unauthorized,
            "at a gateway's host one may stop, never release: that takes the control server and two "
            "people. What is applied here is handed over to it as soon as it is back"
        );
    }

    static std::string_view body_of(const net::ServerRequest& request) {
        const std::string_view text = request.body.view();
        return text.empty() ? "{}" : text;
    }

    [[nodiscard]] net::ServerResponse list(const net::ServerRequest& request) const {
        json::array controls;
        for (const contain::ControlView& view :
             parts_.book.list(request.query("state") == "all")) {
            controls.push_back(contain::tree_of(view));
        }
        const gateway::LinkStatus status = parts_.link.status();
        contain::PointStatus point;
        point.name = parts_.name;
        point.revision = status.revision;
        point.contact = parts_.gateway.contact();
        point.contact.last_contact = status.last_contact;
        point.contact.lease_over = status.lease_over;
        point.contact.local_controls = controls.size();
        point.error = status.trouble;
        return json_response(
            200,
            {{"controls", std::move(controls)},
             {"points", json::array{contain::tree_of(point)}},
             {"revision", status.revision},
             {"edition", status.edition}}
        );
    }

    [[nodiscard]] Result<net::ServerResponse> apply(const net::ServerRequest& request) const {
        server::Body body = TAGOUT_TRY(server::Body::parse(body_of(request)));
        contain::ControlDraft draft;
        const std::string scope = body.text("scope", true, 300);
        const auto mode = body.choice(
            "mode", true, "stopped, read_only, approvals, allowlist (others are for the control "
                          "server)",
            [](std::string_view name) -> std::optional<ControlMode> {
                const std::optional<ControlMode> read = parse_control_mode(name);
                const bool may = read == ControlMode::Stopped || read == ControlMode::ReadOnly ||
                                 read == ControlMode::Approvals || read == ControlMode::Allowlist;
                return may ? read : std::nullopt;
            }
        );
        draft.allowed = body.texts("allowed", contain::Controls::allowed_max, name_bytes_max);
        draft.incident = IncidentId(body.text("incident", false, name_bytes_max));
        draft.review_by = body.time("review_by", false);
        Actor actor = server::read_actor(body);
        const contain::By by{
            std::move(actor), body.text("reason", true, contain::Controls::reason_bytes_max)};
        if (auto error = body.error()) {
            return std::unexpected(std::move(*error));
        }
        draft.scope = TAGOUT_TRY(server::read_scope(scope));
        draft.mode = *mode;
        const contain::ControlView applied = TAGOUT_TRY(parts_.book.apply(draft, by));
        return json_response(
            201, contain::tree_of(server::settled(parts_.book, applied))
        );
    }

    const AdminParts parts_;
};

}  // namespace

net::Handler admin_handler(AdminParts parts) {
    return [door = std::make_shared<const AdminDoor>(std::move(parts))](
               const net::ServerRequest& request, const std::shared_ptr<net::Responder>& responder
           ) { responder->respond(door->answer(request)); };
}

}  // namespace tagout::app
