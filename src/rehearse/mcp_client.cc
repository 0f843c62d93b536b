#include "rehearse/mcp_client.h"

#include <boost/json.hpp>

namespace tagout::rehearse {

namespace {

namespace json = boost::json;

constexpr std::string_view protocol_version = "2025-11-25";
constexpr Duration call_timeout = std::chrono::seconds(10);

Result<json::object> parse_object(std::string_view text, const std::string& from) {
    boost::system::error_code error;
    json::value parsed = json::parse(text, error);
    if (error || !parsed.is_object()) {
        return fail(ErrorCode::Unavailable, from + " answered something that is no JSON object");
    }
    return std::move(parsed.get_object());
}

ToolOutcome outcome_of(const json::object& result) {
    ToolOutcome outcome;
    const json::value* const error = result.if_contains("isError");
    outcome.is_error = error != nullptr && error->is_bool() && error->get_bool();
    const json::value* const content = result.if_contains("content");
    if (content != nullptr && content->is_array()) {
        for (const json::value& part : content->get_array()) {
            const json::value* const text =
                part.is_object() ? part.get_object().if_contains("text") : nullptr;
            if (text != nullptr && text->is_string()) {
                outcome.text += text->get_string();
            }
        }
    }
    const json::value* const meta = result.if_contains("_meta");
    if (meta != nullptr && meta->is_object()) {
        const json::value* const status = meta->get_object().if_contains("example.harbour/status");
        if (status != nullptr && status->is_int64()) {
            outcome.status = static_cast<int>(status->get_int64());
        }
        outcome.denied =
            outcome.is_error && meta->get_object().contains("dev.tagout/decision");
    }
    return outcome;
}

}  // namespace

Result<net::HttpResponse> McpClient::post(const std::string& body, const CallContext& context) {
    net::HttpRequest request{
        .method = "POST",
        .url = url_,
        .headers =
            {
                {"Content-Type", "application/json"},
                {"Accept", "application/json, text/event-stream"},
            },
        .body = body,
        .timeout = call_timeout,
    };
    if (!session_.empty()) {
        request.headers.emplace_back("Mcp-Session-Id", session_);
        request.headers.emplace_back("MCP-Protocol-Version", version_);
    }
    if (!context.traceparent.empty()) {
        request.headers.emplace_back("traceparent", context.traceparent);
    }
    request.headers.insert(
        request.headers.end(), context.headers.begin(), context.headers.end()
    );
    return http_.send(request);
}

Result<void> McpClient::open_session() {
    session_.clear();
    const json::object hello{
        {"jsonrpc", "2.0"},
        {"id", next_id_++},
        {"method", "initialize"},
        {"params", json::object{
                       {"protocolVersion", protocol_version},
                       {"capabilities", json::object{}},
                       {"clientInfo", json::object{{"name", client_name_}, {"version", "1.0"}}},
                   }},
    };
    const net::HttpResponse response = TAGOUT_TRY(post(json::serialize(hello), {}));
    if (response.status != 200) {
        return fail(
            ErrorCode::Unavailable, url_ + ": initialize got HTTP " + std::to_string(response.status)
        );
    }
    const json::object answer = TAGOUT_TRY(parse_object(response.body, url_));
    boost::system::error_code error;
    const json::value whole(answer);
    const json::value* const version = whole.find_pointer("/result/protocolVersion", error);
    if (version == nullptr || !version->is_string()) {
        return fail(ErrorCode::Unavailable, url_ + ": initialize answered without a version");
    }
    version_ = std::string(version->get_string());
    session_ = std::string(response.header("Mcp-Session-Id"));
    const json::object ready{{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}};
    TAGOUT_TRY(post(json::serialize(ready), {}));
    return {};
}

Result<std::string> McpClient::request(
    std::string_view method, const std::string& params, const CallContext& context
) {
    if (session_.empty()) {
        TAGOUT_TRY(open_session());
    }
    for (int attempt = 0; attempt < 2; ++attempt) {
        const std::string body = R"({"jsonrpc":"2.0","id":)" + std::to_string(next_id_++) +
                                 R"(,"method":")" + std::string(method) + R"(","params":)" + params +
                                 "}";
        net::HttpResponse response = TAGOUT_TRY(post(body, context));
        if (response.status == 200) {
            return std::move(response.body);
        }
        if (response.status != 404) {
            return fail(
                ErrorCode::Unavailable,
                url_ + ": " + std::string(method) + " got HTTP " + std::to_string(response.status)
            );
        }
        TAGOUT_TRY(open_session());
    }
    return fail(ErrorCode::Unavailable, url_ + ": the server forgets every session");
}

Result<std::vector<ListedTool>> McpClient::list_tools(const CallContext& context) {
    const std::string body = TAGOUT_TRY(request("tools/list", "{}", context));
    const json::value answer(TAGOUT_TRY(parse_object(body, url_)));
    boost::system::error_code error;
    const json::value* const tools = answer.find_pointer("/result/tools", error);
    if (tools == nullptr || !tools->is_array()) {
        return fail(ErrorCode::Unavailable, url_ + ": tools/list answered without tools");
    }
    std::vector<ListedTool> out;
    for (const json::value& tool : tools->get_array()) {
        if (!tool.is_object()) {
            continue;
        }
        const json::object& row = tool.get_object();
        const auto text = [&](std::string_view name) {
            const json::value* const value = row.if_contains(name);
            return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                          : std::string();
        };
        const json::value* const schema = row.if_contains("inputSchema");
        out.push_back({
            .name = text("name"),
            .description = text("description"),
            .input_schema = schema == nullptr ? "{}" : json::serialize(*schema),
        });
    }
    return out;
}

Result<ToolOutcome> McpClient::call(
    const std::string& tool, std::string_view arguments, const CallContext& context
) {
    boost::system::error_code error;
    json::value given = json::parse(arguments, error);
    if (error) {
        return ToolOutcome{true, 0, R"({"error":"bad_arguments","message":"not JSON"})"};
    }
    const json::object params{
        {"name", tool},
        {"arguments", std::move(given)},
        {"_meta", json::object{{"example.harbour/user", context.user}}},
    };
    const std::string body =
        TAGOUT_TRY(request("tools/call", json::serialize(params), context));
    const json::object answer = TAGOUT_TRY(parse_object(body, url_));
    if (const json::value* const failure = answer.if_contains("error")) {
        return ToolOutcome{true, 0, R"({"error":)" + json::serialize(*failure) + "}"};
    }
    const json::value* const result = answer.if_contains("result");
    if (result == nullptr || !result->is_object()) {
        return fail(ErrorCode::Unavailable, url_ + ": tools/call answered without a result");
    }
    return outcome_of(result->get_object());
}

}  // namespace tagout::rehearse
