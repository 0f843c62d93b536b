// What is cut out of a request to a model: the tools that are stopped for who asks, so that the
// model does not even try them. That is the only place where a tool that runs at the provider
// (MCP servers, web search, code) can be stopped at all.
//
//   tools[], functions[]      stopped tools are cut
//   an MCP server of the      cut when the server is stopped; else its list of allowed tools is
//   provider                  narrowed. Where the request gives no list, one is made of what the
//                             gateway saw that server offer, but only when some of it is stopped.
//   tool_choice               a choice that names a cut tool falls back to the protocol's "auto"
//   nothing left              the members that need tools are cut with them. Where the messages
//                             hold calls, Anthropic demands tools: they stay, and tool_choice says
//                             "none".
//
// Bytes are cut and nothing else is written anew: the provider's prompt cache depends on that.
#pragma once

#include "gateway/model_api.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::gateway {

struct ToolStops {
    /// Whether a tool, or with "" all of an MCP server, is stopped for who asks.
    std::function<bool(const NamedTool& tool)> is_stopped;
    /// What an MCP server of that name is known to offer.
    std::function<std::vector<std::string>(const std::string& server)> known_tools;
};

struct CutRequest {
    std::string json;
    std::size_t cut = 0;  ///< Tools and servers that are offered no more.
};

/// Nothing if there is nothing to cut. `json` must have passed check_json.
[[nodiscard]] std::optional<CutRequest> cut_stopped_tools(
    ModelApi api, std::string_view json, const ToolStops& stops
);

}  // namespace tagout::gateway
