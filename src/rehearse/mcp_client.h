// An MCP client over Streamable HTTP (2025-11-25), as an agent's runtime holds one for each server.
//
// Opens its session at the first use and again when the server has forgotten it (404).
#pragma once

#include "net/http_client.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::rehearse {

struct ToolOutcome {
    bool is_error = false;  ///< The tool's own failure (isError) or a protocol error.
    int status = 0;         ///< HTTP status behind an error where the server tells it, else 0.
    std::string text;       ///< The result's text content.
    bool denied = false;    ///< A gateway refused the call: its decision stands in the result.
};

/// What travels with a call: whose it is, and what the agent's runtime says about itself.
struct CallContext {
    std::string user;         ///< Scopes the call at the tool.
    std::string traceparent;  ///< May be "".
    net::Headers headers;     ///< Of the agent's identity.
};

struct ListedTool {
    std::string name;
    std::string description;
    std::string input_schema;  ///< JSON.
};

/// Thread-compatible.
class McpClient {
public:
    McpClient(std::string url, std::string client_name)
        : url_(std::move(url)), client_name_(std::move(client_name)) {}

    /// Unavailable: the server cannot be reached or does not speak the protocol.
    Result<std::vector<ListedTool>> list_tools(const CallContext& context = {});
    /// `arguments` is JSON.
    Result<ToolOutcome> call(
        const std::string& tool, std::string_view arguments, const CallContext& context
    );

private:
    Result<net::HttpResponse> post(const std::string& body, const CallContext& context);
    Result<void> open_session();
    Result<std::string> request(
        std::string_view method, const std::string& params, const CallContext& context
    );

    std::string url_;
    std::string client_name_;
    std::string session_;
    std::string version_;
    std::uint64_t next_id_ = 1;
    net::HttpClient http_;
};

}  // namespace tagout::rehearse
