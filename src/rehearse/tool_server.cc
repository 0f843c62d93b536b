#include "rehearse/sample_server.h"

#include "base/mutex.h"
#include "base/prng.h"
#include "net/http_server.h"
#include "rehearse/delayed.h"

#include <boost/json.hpp>

#include <array>
#include <set>
#include <utility>

namespace tagout::rehearse {

namespace {

namespace json = boost::json;

constexpr std::string_view newest_version = "2025-11-25";
constexpr std::array<std::string_view, 3> versions{"2025-11-25", "2025-06-18", "2025-03-26"};
constexpr std::size_t sessions_max = 10'000;
constexpr std::size_t remembered_troubles_max = 100'000;

constexpr int parse_error = -32700;
constexpr int invalid_request = -32600;
constexpr int method_not_found = -32601;
constexpr int invalid_params = -32602;

net::ServerResponse json_response(const json::value& body) {
    return {
        .status = 200,
        .headers = {{"Content-Type", "application/json"}},
        .body = json::serialize(body),
    };
}

net::ServerResponse plain(int status, std::string text) {
    return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = std::move(text)};
}

json::object rpc_error(const json::value& id, int code, std::string message) {
    return {
        {"jsonrpc", "2.0"},
        {"id", id},
        {"error", json::object{{"code", code}, {"message", std::move(message)}}},
    };
}

std::string_view text_at(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                  : std::string_view();
}

std::string_view name_of(ToolServerKind kind) {
    constexpr std::array<std::string_view, 3> names{"orders", "mail", "payments"};
    return names[static_cast<std::size_t>(kind)];
}

class McpServer final : public ToolServer {
public:
    McpServer(
        ToolServerKind kind, Shop& shop, const Clock& clock, const FaultPlan& plan,
        const Troubles& troubles
    )
        : kind_(kind), shop_(shop), clock_(clock), plan_(plan), troubles_(troubles),
          chance_(troubles.seed + static_cast<std::uint64_t>(kind)), delayed_(clock) {}
    ~McpServer() override {
        delayed_.finish();  // Every request is answered, also those that nobody waits for.
        server_.reset();
    }

    Result<void> listen(std::uint16_t port) {
        server_ = TAGOUT_TRY(net::HttpServer::start(
            server_options(port),
            [this](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
                handle(request, std::move(responder));
            }
        ));
        return {};
    }
    std::string url() const override {
        return "http://127.0.0.1:" + std::to_string(server_->port()) + "/mcp";
    }

private:
    void handle(const net::ServerRequest& request, std::shared_ptr<net::Responder> responder) {
        if (request.path != "/mcp") {
            responder->respond(plain(404, "the MCP endpoint is /mcp"));
            return;
        }
        if (request.method == "DELETE") {
            responder->respond(plain(end_session(request.header("Mcp-Session-Id")) ? 200 : 404, ""));
            return;
        }
        if (request.method != "POST") {
            net::ServerResponse refused = plain(405, "POST only");
            refused.headers.emplace_back("Allow", "POST, DELETE");
            responder->respond(std::move(refused));
            return;
        }
        boost::system::error_code error;
        const json::value parsed = json::parse(request.body.view(), error);
        if (error || !parsed.is_object()) {
            net::ServerResponse refused =
                json_response(rpc_error(nullptr, parse_error, "not a JSON-RPC request"));
            refused.status = 400;
            responder->respond(std::move(refused));
            return;
        }
        answer(request, parsed.get_object(), std::move(responder));
    }

    void answer(
        const net::ServerRequest& request, const json::object& message,
        std::shared_ptr<net::Responder> responder
    ) {
        const std::string_view method = text_at(message, "method");
        const json::value* const id = message.if_contains("id");
        if (text_at(message, "jsonrpc") != "2.0" || method.empty()) {
            net::ServerResponse refused = json_response(
                rpc_error(id == nullptr ? json::value() : *id, invalid_request, "not JSON-RPC 2.0")
            );
            refused.status = 400;
            responder->respond(std::move(refused));
            return;
        }
        if (method == "initialize") {
            responder->respond(initialize(id == nullptr ? json::value() : *id, message));
            return;
        }
        if (!knows_session(request.header("Mcp-Session-Id"))) {
            responder->respond(plain(404, "no such session: initialize again"));
            return;
        }
        if (id == nullptr) {
            responder->respond(plain(202, ""));
            return;
        }
        const json::value* const params = message.if_contains("params");
        const json::object empty;
        const json::object& given =
            params != nullptr && params->is_object() ? params->get_object() : empty;
        if (method == "ping") {
            responder->respond(result(*id, {}));
        } else if (method == "tools/list") {
            responder->respond(result(*id, list()));
        } else if (method == "tools/call") {
            call(*id, given, std::move(responder));
        } else {
            responder->respond(json_response(
                rpc_error(*id, method_not_found, "unknown method " + std::string(method))
            ));
        }
    }

    static net::ServerResponse result(const json::value& id, json::object value) {
        return json_response(
            json::object{{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(value)}}
        );
    }

    net::ServerResponse initialize(const json::value& id, const json::object& message) {
        std::string_view version = newest_version;
        if (const json::value* const params = message.if_contains("params");
            params != nullptr && params->is_object()) {
            const std::string_view asked = text_at(params->get_object(), "protocolVersion");
            for (const std::string_view known : versions) {
                version = known == asked ? known : version;
            }
        }
        net::ServerResponse response = result(
            id, {
                    {"protocolVersion", version},
                    {"capabilities",
                     json::object{{"tools", json::object{{"listChanged", false}}}}},
                    {"serverInfo",
                     json::object{{"name", std::string(name_of(kind_)) + "-tools"},
                                  {"version", "1.0"}}},
                }
        );
        response.headers.emplace_back("Mcp-Session-Id", open_session());
        return response;
    }

    json::object list() const {
        json::array tools;
        for (const ToolInfo& tool : sample_tools()) {
            if (tool.server == kind_) {
                tools.push_back(json::object{
                    {"name", tool.name},
                    {"description", tool.description},
                    {"inputSchema", json::parse(tool.input_schema)},
                    {"annotations", json::object{{"readOnlyHint", tool.read_only}}},
                });
            }
        }
        return {{"tools", std::move(tools)}};
    }

    void call(
        const json::value& id, const json::object& params, std::shared_ptr<net::Responder> responder
    ) {
        const std::string name(text_at(params, "name"));
        const ToolInfo* const tool = find_tool(name);
        if (tool == nullptr || tool->server != kind_) {
            responder->respond(json_response(rpc_error(id, invalid_params, "unknown tool " + name)));
            return;
        }
        const json::value* const given = params.if_contains("arguments");
        const std::string arguments = given == nullptr ? "{}" : json::serialize(*given);
        std::string user;
        if (const json::value* const meta = params.if_contains("_meta");
            meta != nullptr && meta->is_object()) {
            user = text_at(meta->get_object(), "example.harbour/user");
        }
        const ToolAnswer outcome = work(*tool, arguments, user);
        json::object content{{"type", "text"}, {"text", outcome.body}};
        json::object answer{{"content", json::array{std::move(content)}}};
        if (outcome.status >= 400) {
            answer["isError"] = true;
            answer["_meta"] = json::object{{"example.harbour/status", outcome.status}};
        }
        respond_later(std::move(responder), result(id, std::move(answer)));
    }

    ToolAnswer work(const ToolInfo& tool, const std::string& arguments, const std::string& user) {
        if (tool.name == "track_shipment" &&
            plan_.active(FaultKind::ToolErrors, clock_.now())) {
            return {
                422,
                R"({"error":"unprocessable","message":"HTTP 422: field 'postal_code' is required )"
                R"(since API version 2026-11"})",
            };
        }
        if (in_trouble(std::string(tool.name) + arguments + user)) {
            return {503, R"({"error":"unavailable","message":"HTTP 503: try again in a moment"})"};
        }
        if (!user.empty()) {
            return shop_.call(tool.name, arguments, user);
        }
        const World& account = journey_world();
        if (!tool.read_only) {
            shop_.remove(account);
            if (const Result<void> fresh = shop_.add(account); !fresh) {
                return {500, R"({"error":"internal","message":"the test account cannot be made"})"};
            }
        }
        return shop_.call(tool.name, arguments, account.user_id);
    }

    /// Once for a call that is unlucky; the same call again succeeds.
    bool in_trouble(const std::string& words) {
        if (luck(troubles_.seed + 1, words) >= troubles_.tool_unavailable) {
            return false;
        }
        const MutexLock lock(mutex_);
        if (met_trouble_.size() > remembered_troubles_max) {
            met_trouble_.clear();
        }
        return met_trouble_.insert(words).second;
    }

    void respond_later(std::shared_ptr<net::Responder> responder, net::ServerResponse response) {
        Duration delay{};
        {
            const MutexLock lock(mutex_);
            delay = std::chrono::microseconds(chance_.between(4'000, 25'000));
        }
        delay = Duration(static_cast<std::int64_t>(static_cast<double>(delay.count()) * troubles_.pace));
        if (delay <= Duration::zero()) {
            responder->respond(std::move(response));
            return;
        }
        delayed_.after(
            delay, [responder = std::move(responder), response = std::move(response)]() mutable {
                responder->respond(std::move(response));
            }
        );
    }

    std::string open_session() {
        const MutexLock lock(mutex_);
        if (sessions_.size() >= sessions_max) {
            sessions_.erase(sessions_.begin());
        }
        std::string id = std::string(name_of(kind_)) + "-" + std::to_string(chance_.next());
        sessions_.insert(id);
        return id;
    }
    bool knows_session(std::string_view id) {
        const MutexLock lock(mutex_);
        return sessions_.contains(std::string(id));
    }
    bool end_session(std::string_view id) {
        const MutexLock lock(mutex_);
        return sessions_.erase(std::string(id)) > 0;
    }

    // Constant after construction.
    const ToolServerKind kind_;
    Shop& shop_;
    const Clock& clock_;
    const FaultPlan& plan_;
    const Troubles troubles_;

    Mutex mutex_;
    Prng chance_ TAGOUT_GUARDED_BY(mutex_);
    std::set<std::string> sessions_ TAGOUT_GUARDED_BY(mutex_);
    std::set<std::string> met_trouble_ TAGOUT_GUARDED_BY(mutex_);

    Delayed delayed_;
    std::unique_ptr<net::HttpServer> server_;  ///< Last: its handlers use what is above.
};

}  // namespace

net::ServerOptions server_options(std::uint16_t port) {
    net::ServerOptions options;
    options.port = port;
    options.port_setting = "--fleet-ports";
    return options;
}

const World& journey_world() {
    static const World account = [] {
        World world;
        world.user_id = "cust-journey";
        world.name = "Jo Ney";
        world.email = "journey@harbour.example";
        world.order_id = "ORD-JOURNEY";
        world.item = "test parcel";
        world.cents = 1'000;
        world.status = "processing";
        world.address = "1 Test Row, Hull";
        world.carrier = "Gullwing";
        world.tracking = "GW-JOURNEY";
        world.payment_id = "PAY-JOURNEY";
        world.invoice_id = "INV-JOURNEY";
        world.month = "October";
        world.mails = {{"MAIL-JOURNEY", "ops@harbour.example", "Test", "This is a test."}};
        return world;
    }();
    return account;
}

double luck(std::uint64_t seed, std::string_view words) noexcept {
    std::uint64_t mixed = seed ^ 0xcbf29ce484222325ULL;  // FNV-1a, then mixed.
    for (const char c : words) {
        mixed = (mixed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    return Prng(mixed).unit();
}

Result<std::unique_ptr<ToolServer>> ToolServer::start(
    ToolServerKind kind, Shop& shop, const Clock& clock, const FaultPlan& plan,
    const Troubles& troubles, std::uint16_t port
) {
    auto server = std::make_unique<McpServer>(kind, shop, clock, plan, troubles);
    TAGOUT_TRY(server->listen(port));
    return server;
}

}  // namespace tagout::rehearse
