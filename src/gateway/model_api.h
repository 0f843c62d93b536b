// The model APIs whose requests and answers the gateway reads: which one a path speaks, and what
// their parts are called. All others pass as they are.
//
// Source of the shapes: OpenAI chat completions and responses, Anthropic messages, as their SDKs of
// 2026-11 send and read them.
#pragma once

#include "gateway/json_scan.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tagout::gateway {

enum class ModelApi : std::uint8_t {
    Other = 0,      ///< Embeddings, files, batches, ...: no tool call is read there.
    Chat = 1,       ///< POST .../chat/completions
    Responses = 2,  ///< POST .../responses
    Messages = 3,   ///< POST .../messages
};

/// `path` without its query, as sent behind /model/{upstream}.
[[nodiscard]] ModelApi model_api_of(std::string_view method, std::string_view path) noexcept;

/// A tool as a request offers it, or as tool_choice names it.
struct NamedTool {
    std::string server;  ///< Of tools that the provider calls on an MCP server; the whole server
                         ///< where `tool` is "".
    std::string tool;    ///< Of the provider's own tools its name, else its type.
};
[[nodiscard]] NamedTool named_tool(RawJson tool);

}  // namespace tagout::gateway
