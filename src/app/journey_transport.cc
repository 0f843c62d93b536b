#include "app/journey_transport.h"

#include "net/http_client.h"

#include <boost/json.hpp>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr std::string_view protocol_version = "2025-11-25";
constexpr std::string_view journey_agent = "tagout-journey";
constexpr std::size_t answer_bytes_max = 4 * 1024 * 1024;

/// The JSON-RPC answer in a body that is one, or a stream of server-sent events that ends with it.
std::string_view last_event(std::string_view body, std::string_view content_type) {
    if (!content_type.starts_with("text/event-stream")) {
        return body;
    }
    std::string_view found;
    while (!body.empty()) {
        const std::size_t end = body.find('\n');
        std::string_view line = body.substr(0, end);
        body = end == std::string_view::npos ? std::string_view{} : body.substr(end + 1);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.starts_with("data:") &&
            (line.find("\"result\"") != std::string_view::npos ||
             line.find("\"error\"") != std::string_view::npos)) {
            found = line.substr(line.starts_with("data: ") ? 6 : 5);
        }
    }
    return found;
}

/// One session with one server, for one step. Thread-compatible.
class McpSession {
public:
    McpSession(std::string url, net::Headers headers, Duration timeout, const net::ClientTls& tls)
        : url_(std::move(url)), headers_(std::move(headers)), timeout_(timeout), http_(tls) {}

    Result<void> open() {
        const json::object params{
            {"protocolVersion", protocol_version},
            {"capabilities", json::object{}},
            {"clientInfo", json::object{{"name", journey_agent}, {"version", "1.0"}}}};
        TAGOUT_TRY(ask("initialize", params));
        const json::object ready{{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}};
        TAGOUT_TRY(post(json::serialize(ready)));
        return {};
    }

    /// The whole answer, with its result or its error.
    Result<json::object> ask(std::string_view method, const json::object& params) {
        const json::object request{
            {"jsonrpc", "2.0"}, {"id", next_id_++}, {"method", method}, {"params", params}};
        const net::HttpResponse response = TAGOUT_TRY(post(json::serialize(request)));
        const std::string_view text = last_event(response.body, response.header("Content-Type"));
        boost::system::error_code error;
        json::value answer = json::parse(text, error);
        if (error || !answer.is_object()) {
            return fail(
                ErrorCode::Unavailable,
                url_ + ": " + std::string(method) + " got HTTP " +
                    std::to_string(response.status) + " and no JSON-RPC answer"
            );
        }
        if (const std::string_view session = response.header("Mcp-Session-Id"); !session.empty()) {
            session_ = std::string(session);
        }
        return std::move(answer.get_object());
    }

    void close() {
        if (!session_.empty()) {
            // A server that keeps no sessions refuses it; nothing hangs on the answer.
            (void)http_.send(request("DELETE", ""));
        }
    }

private:
    net::HttpRequest request(std::string method, std::string body) const {
        net::HttpRequest made;
        made.method = std::move(method);
        made.url = url_;
        made.headers = headers_;
        made.headers.emplace_back("Accept", "application/json, text/event-stream");
        if (!body.empty()) {
            made.headers.emplace_back("Content-Type", "application/json");
        }
        if (!session_.empty()) {
            made.headers.emplace_back("Mcp-Session-Id", session_);
        }
        if (next_id_ > 2) {
            made.headers.emplace_back("MCP-Protocol-Version", protocol_version);
        }
        made.body = std::move(body);
        made.timeout = timeout_;
        made.response_bytes_max = answer_bytes_max;
        return made;
    }

    Result<net::HttpResponse> post(std::string body) {
        return http_.send(request("POST", std::move(body)));
    }

    const std::string url_;
    const net::Headers headers_;
    const Duration timeout_;
    std::string session_;
    std::int64_t next_id_ = 1;
    net::HttpClient http_;
};

recover::StepAnswer answer_of(const json::object& whole) {
    recover::StepAnswer answer;
    if (const json::value* const error = whole.if_contains("error")) {
        answer.is_error = true;
        answer.text = json::serialize(*error);
        return answer;
    }
    const json::value* const found = whole.if_contains("result");
    const json::object* const result = found == nullptr ? nullptr : found->if_object();
    if (result == nullptr) {
        answer.is_error = true;
        answer.text = "an answer without a result";
        return answer;
    }
    const json::value* const is_error = result->if_contains("isError");
    answer.is_error = is_error != nullptr && is_error->is_bool() && is_error->get_bool();
    if (const json::value* const content = result->if_contains("content");
        content != nullptr && content->is_array()) {
        for (const json::value& part : content->get_array()) {
            const json::value* const text =
                part.is_object() ? part.get_object().if_contains("text") : nullptr;
            if (text != nullptr && text->is_string()) {
                answer.text += (answer.text.empty() ? "" : "\n") + std::string(text->get_string());
            }
        }
    }
    if (const json::value* const structured = result->if_contains("structuredContent")) {
        answer.json = json::serialize(*structured);
    }
    return answer;
}

/// How the server itself calls the tool: tagout.yaml may write its server before it.
std::string name_at_server(McpSession& session, const std::string& tool, const std::string& server) {
    if (!tool.starts_with(server + ".")) {
        return tool;
    }
    const std::string bare = tool.substr(server.size() + 1);
    const Result<json::object> listed = session.ask("tools/list", {});
    if (!listed) {
        return tool;
    }
    boost::system::error_code error;
    const json::value whole(*listed);
    const json::value* const tools = whole.find_pointer("/result/tools", error);
    bool has_bare = false;
    if (tools != nullptr && tools->is_array()) {
        for (const json::value& each : tools->get_array()) {
            const json::value* const name =
                each.is_object() ? each.get_object().if_contains("name") : nullptr;
            if (name != nullptr && name->is_string()) {
                if (name->get_string() == tool) {
                    return tool;
                }
                has_bare = has_bare || name->get_string() == bare;
            }
        }
    }
    return has_bare ? bare : tool;
}

class LiveTransport final : public recover::JourneyTransport {
public:
    explicit LiveTransport(JourneyRoads roads) : roads_(std::move(roads)) {}

    Result<recover::StepAnswer> http(const recover::HttpStep& step) override {
        net::HttpRequest request;
        request.method = step.method;
        request.url = step.url;
        request.body = step.body;
        request.timeout = step.timeout;
        request.response_bytes_max = answer_bytes_max;
        if (!step.body.empty()) {
            const std::size_t at = step.body.find_first_not_of(" \n\t");
            const bool is_json =
                at != std::string::npos && (step.body[at] == '{' || step.body[at] == '[');
            request.headers.emplace_back(
                "Content-Type", is_json ? "application/json" : "text/plain; charset=utf-8"
            );
        }
        net::ClientTls tls;
        if (const std::string gateway = roads_.gateway();
            !gateway.empty() && step.url.starts_with(gateway + "/")) {
            request.headers.emplace_back("tagout-journey", roads_.secret);
            tls = roads_.gateway_tls;
        }
        net::HttpClient client(tls);
        net::HttpResponse response = TAGOUT_TRY(client.send(request));
        return recover::StepAnswer{response.status, false, std::move(response.body), ""};
    }

    Result<recover::StepAnswer> mcp(const recover::McpStep& step) override {
        boost::system::error_code error;
        json::value arguments = json::parse(step.arguments, error);
        if (error || !arguments.is_object()) {
            return fail(
                ErrorCode::InvalidArgument,
                "the arguments of " + step.tool + " are no JSON object; mend the step in tagout.yaml"
            );
        }
        const std::shared_ptr<const catalog::Catalog> catalog = roads_.catalog();
        const catalog::McpServer server = TAGOUT_TRY(server_of(step, *catalog));
        const std::string gateway = roads_.gateway();
        net::Headers headers;
        if (!gateway.empty()) {
            headers.emplace_back("tagout-journey", roads_.secret);
            headers.emplace_back("tagout-agent", journey_agent);
        }
        McpSession session(
            gateway.empty() ? server.url : gateway + "/mcp/" + server.name,
            std::move(headers),
            step.timeout,
            gateway.empty() ? net::ClientTls{} : roads_.gateway_tls
        );
        TAGOUT_TRY(session.open());
        const std::string name = name_at_server(session, step.tool, server.name);
        const Result<json::object> answer = session.ask(
            "tools/call", json::object{{"name", name}, {"arguments", std::move(arguments)}}
        );
        session.close();
        if (!answer) {
            return std::unexpected(answer.error());
        }
        return answer_of(*answer);
    }

private:
    static Result<catalog::McpServer> server_of(
        const recover::McpStep& step, const catalog::Catalog& catalog
    ) {
        const std::vector<catalog::McpServer>& servers = catalog.contents().mcp_servers;
        for (const catalog::McpServer& each : servers) {
            if (each.name == step.server ||
                (step.server.empty() &&
                 (servers.size() == 1 || step.tool.starts_with(each.name + ".")))) {
                return each;
            }
        }
        return fail(
            ErrorCode::InvalidArgument,
            "nothing says which MCP server has the tool " + step.tool +
                "; write server: NAME at the tool in tagout.yaml"
        );
    }

    const JourneyRoads roads_;
};

}  // namespace

std::unique_ptr<recover::JourneyTransport> make_journey_transport(JourneyRoads roads) {
    return std::make_unique<LiveTransport>(std::move(roads));
}

}  // namespace tagout::app
