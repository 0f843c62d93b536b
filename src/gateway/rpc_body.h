// What the body of an MCP POST says, as far as the gateway must know: which methods, which tools.
//
// Strict where gateway and upstream could read one body in two ways: a key twice, or in another
// case where it is one that decides. Everything else passes, whatever it is: unknown methods,
// extensions,
// `_meta`. Views point into the body. Pure; any bytes give a result.
#pragma once

#include "gateway/json_scan.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::gateway {

inline constexpr std::size_t batch_messages_max = 64;

struct RpcMessage {
    std::string method;  ///< "" for a response.
    RawJson id;          ///< "" if it has none.
    std::string
        target;  ///< params.name of tools/call and prompts/get, params.uri of resources/read.
    RawJson arguments;             ///< params.arguments, "" if absent.
    std::string protocol_version;  ///< Of params._meta: there in the modern era only.
    std::string client_name;       ///< Of params._meta, or of initialize.
    std::string traceparent;       ///< Of params._meta.
    std::string baggage;
    std::string tool_call_id;         ///< `gen_ai.tool.call.id` of params._meta.
    RawJson request_state;    ///< params.requestState of a request that is sent again (MRTR).
    RawJson input_responses;  ///< params.inputResponses, beside it.
    RawJson result;           ///< Of a response.
    bool can_elicit =
        false;  ///< The client says that it asks its user by form (`_meta` or initialize).
    bool wants_tool_changes = false;  ///< subscriptions/listen that asked for tools/list_changed.

    [[nodiscard]] bool is_modern() const noexcept { return !protocol_version.empty(); }
    [[nodiscard]] bool is_tool_call() const noexcept { return method == "tools/call"; }
};

struct RpcBody {
    std::vector<RpcMessage> messages;
    bool batch = false;
    [[nodiscard]] bool has(std::string_view method) const noexcept;
    [[nodiscard]] bool is_modern() const noexcept {
        return !batch && !messages.empty() && messages.front().is_modern();
    }
};

struct RpcFault {
    int code =
        0;  ///< JSON-RPC: -32700 no JSON, -32600 no request that can be judged, -32602 params.
    std::string message;
    std::string id = "null";  ///< JSON, of the message at fault where it is known.
};

[[nodiscard]] std::expected<RpcBody, RpcFault> read_rpc_body(const PaddedBytes& body);

/// A header of the modern era that says something else than the body, as a sentence; "" if none
/// does. `name` may be written as =?base64?...?=.
[[nodiscard]] std::string header_mismatch(
    const RpcMessage& message, std::string_view method, std::string_view name
);

}  // namespace tagout::gateway
