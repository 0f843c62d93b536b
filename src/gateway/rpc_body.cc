#include "gateway/rpc_body.h"

#include <algorithm>
#include <array>
#include <span>

namespace tagout::gateway {

namespace {

constexpr std::string_view version_key = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view client_key = "io.modelcontextprotocol/clientInfo";

constexpr std::array<std::string_view, 6> message_keys{
    "jsonrpc", "id", "method", "params", "result", "error"};
constexpr std::string_view capabilities_key = "io.modelcontextprotocol/clientCapabilities";
constexpr std::array<std::string_view, 9> params_keys{
    "name",
    "arguments",
    "uri",
    "_meta",
    "clientInfo",
    "notifications",
    "capabilities",
    "requestState",
    "inputResponses"};
constexpr std::array<std::string_view, 6> meta_keys{
    version_key, client_key, "traceparent", "baggage", "gen_ai.tool.call.id", capabilities_key};

/// Of `capabilities`: elicitation by form, which an empty one means, too.
bool says_elicitation(RawJson capabilities) {
    const RawJson said = member(capabilities, "elicitation");
    return is_object(said) && (member(said, "url").empty() || !member(said, "form").empty());
}

/// The members of `json` whose keys are known, in the order of `keys`; a sentence when one is there
/// twice or nearly.
std::string read_members(
    RawJson json, std::span<const std::string_view> keys, std::span<RawJson> values
) {
    std::string fault;
    for_each_member(json, [&](std::string_view key, RawJson value) {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (!looks_like(key, keys[i])) {
                continue;
            }
            if (key != keys[i]) {
                fault = "the key " + quoted(key) + " differs from '" + std::string(keys[i]) +
                        "' in case only; write it as the protocol does";
                return Walk::Stop;
            }
            if (!values[i].empty()) {
                fault = "the key '" + std::string(keys[i]) + "' is there twice; send it once";
                return Walk::Stop;
            }
            values[i] = value;
        }
        return Walk::GoOn;
    });
    return fault;
}

bool is_id(RawJson json) {
    return json.starts_with('"') || json.starts_with('-') ||
           (!json.empty() && json[0] >= '0' && json[0] <= '9');
}

std::string text_or_nothing(RawJson json) {
    return string_of(json).value_or("");
}

void read_meta(RawJson meta, RpcMessage& message, std::string& fault) {
    std::array<RawJson, meta_keys.size()> values;
    fault = read_members(meta, meta_keys, values);
    message.protocol_version = text_or_nothing(values[0]);
    message.client_name = text_or_nothing(member(values[1], "name"));
    message.traceparent = text_or_nothing(values[2]);
    message.baggage = text_or_nothing(values[3]);
    message.tool_call_id = text_or_nothing(values[4]);
    message.can_elicit = says_elicitation(values[5]);
}

/// -32602 in `code` when the parameters are not what the method needs.
std::string read_params(RawJson params, RpcMessage& message, int& code) {
    std::array<RawJson, params_keys.size()> values;
    std::string fault = read_members(params, params_keys, values);
    if (!fault.empty()) {
        return fault;
    }
    const auto& [name, arguments, uri, meta, client, notifications, capabilities, state, said] =
        values;
    read_meta(meta, message, fault);
    if (!fault.empty()) {
        return fault;
    }
    if (message.is_tool_call() || message.method == "prompts/get") {
        message.target = text_or_nothing(name);
    } else if (message.method == "resources/read") {
        message.target = text_or_nothing(uri);
    } else if (message.method == "initialize") {
        message.client_name = text_or_nothing(member(client, "name"));
        message.can_elicit = says_elicitation(capabilities);
    } else if (message.method == "subscriptions/listen") {
        message.wants_tool_changes = member(notifications, "toolsListChanged") == "true";
    }
    message.arguments = arguments;
    message.request_state = state;
    message.input_responses = said;
    if (message.is_tool_call() && message.target.empty()) {
        code = -32602;
        return "tools/call needs params.name, the tool's name as a string";
    }
    return "";
}

std::expected<RpcMessage, RpcFault> read_message(RawJson json) {
    RpcMessage message;
    int code = -32600;
    if (!is_object(json)) {
        return std::unexpected(RpcFault{code, "a JSON-RPC message is an object"});
    }
    std::array<RawJson, message_keys.size()> values;
    std::string fault = read_members(json, message_keys, values);
    const RawJson id = values[1];
    const RawJson method = values[2];
    message.id = id;
    message.method = text_or_nothing(method);
    message.result = values[4];
    if (fault.empty() && !method.empty() && message.method.empty()) {
        fault = "the method of a JSON-RPC message is a string";
    }
    if (fault.empty()) {
        fault = read_params(values[3], message, code);
    }
    if (fault.empty() && message.is_tool_call() && !is_id(id)) {
        code = -32600;
        fault =
            "tools/call needs an id, a string or a number: without one nobody learns its result";
    }
    if (!fault.empty()) {
        return std::unexpected(RpcFault{
            code, std::move(fault), is_id(id) ? std::string(id) : "null"});
    }
    return message;
}

int base64_digit(char c) noexcept {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/// What =?base64?...?= holds; `value` itself if it is not written so.
std::string decoded_header(std::string_view value) {
    constexpr std::string_view open = "=?base64?";
    constexpr std::string_view close = "?=";
    if (!value.starts_with(open) || !value.ends_with(close) ||
        value.size() < open.size() + close.size()) {
        return std::string(value);
    }
    std::string text;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : value.substr(open.size(), value.size() - open.size() - close.size())) {
        const int digit = base64_digit(c);
        if (digit < 0) {
            continue;
        }
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        held += 6;
        if (held >= 8) {
            held -= 8;
            text += static_cast<char>(bits >> held & 0xFF);
        }
    }
    return text;
}

}  // namespace

bool RpcBody::has(std::string_view method) const noexcept {
    return std::ranges::any_of(messages, [&](const RpcMessage& each) {
        return each.method == method;
    });
}

std::expected<RpcBody, RpcFault> read_rpc_body(const PaddedBytes& body) {
    if (const Result<void> json = check_json(body); !json) {
        return std::unexpected(RpcFault{-32700, "the body is " + json.error().message});
    }
    RpcBody read;
    const RawJson whole = trimmed(body.view());
    read.batch = is_array(whole);
    std::optional<RpcFault> fault;
    const auto take = [&](RawJson json) {
        if (read.messages.size() >= batch_messages_max) {
            fault = RpcFault{
                -32600,
                "a batch holds " + std::to_string(batch_messages_max) +
                    " messages at most; send it in parts"};
            return Walk::Stop;
        }
        auto message = read_message(json);
        if (!message) {
            fault = std::move(message.error());
            return Walk::Stop;
        }
        read.messages.push_back(std::move(*message));
        return Walk::GoOn;
    };
    read.batch ? for_each_element(whole, take) : static_cast<void>(take(whole));
    if (fault) {
        return std::unexpected(std::move(*fault));
    }
    return read;
}

std::string header_mismatch(
    const RpcMessage& message, std::string_view method, std::string_view name
) {
    if (!method.empty() && method != message.method) {
        return "the header Mcp-Method says " + quoted(method) + ", the body's method is " +
               quoted(message.method);
    }
    if (!name.empty() && !message.target.empty() && decoded_header(name) != message.target) {
        return "the header Mcp-Name says " + quoted(decoded_header(name)) + ", the body says " +
               quoted(message.target);
    }
    return "";
}

}  // namespace tagout::gateway
