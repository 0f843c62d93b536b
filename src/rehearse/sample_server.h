// The two kinds of loopback servers that the simulated agents talk to, over the real protocols:
//
//   ModelServer  POST /v1/chat/completions as OpenAI's, with tool calls, usage and streaming
//   ToolServer   MCP over Streamable HTTP (2025-11-25): initialize, ping, tools/list, tools/call,
//                sessions by Mcp-Session-Id, 202 for notifications, 405 for GET
//
// Protocol rules: gateway reference 1.1, 1.3 and 2.1. Bad input gets the protocol's own error.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "net/http_server.h"
#include "rehearse/fault.h"
#include "rehearse/script.h"
#include "rehearse/shop.h"

#include <cstdint>
#include <memory>
#include <string>

namespace tagout::rehearse {

/// Small troubles that every server has: decided by a hash of what is asked, so that the same seed
/// meets the same troubles.
struct Troubles {
    std::uint64_t seed = 0;
    double tool_unavailable = 0.02;  ///< Share of tool calls that meet a 503 once.
    double model_busy = 0.01;        ///< Share of model calls that meet a 429 once.
    double pace = 1.0;               ///< Multiplies every delay; 0 answers at once.
};

/// Thread-safe.
class ModelServer {
public:
    static Result<std::unique_ptr<ModelServer>> start(
        const Clock& clock, const FaultPlan& plan, const Troubles& troubles, std::uint16_t port = 0
    );
    virtual ~ModelServer() = default;
    /// The model will decide by `script` in that conversation, which a request names in
    /// metadata.conversation_id. Other conversations get a polite general answer.
    virtual void learn(std::shared_ptr<const Script> script) = 0;
    virtual void forget(const std::string& conversation) = 0;
    [[nodiscard]] virtual std::string url() const = 0;  ///< "http://127.0.0.1:PORT/v1"
};

/// Thread-safe.
class ToolServer {
public:
    static Result<std::unique_ptr<ToolServer>> start(
        ToolServerKind kind, Shop& shop, const Clock& clock, const FaultPlan& plan,
        const Troubles& troubles, std::uint16_t port = 0
    );
    virtual ~ToolServer() = default;
    [[nodiscard]] virtual std::string url() const = 0;  ///< "http://127.0.0.1:PORT/mcp"
};

/// A loopback server's options: `port` 0 takes a free one; a taken one is said with its remedy.
[[nodiscard]] net::ServerOptions server_options(std::uint16_t port);

/// Who a tool call is for that names no user: a test account of the shop, as journeys use it. It is
/// put back to how it was before each write, so that a journey can be run again and again.
[[nodiscard]] const World& journey_world();

/// 0 to 1, the same for the same words.
[[nodiscard]] double luck(std::uint64_t seed, std::string_view words) noexcept;

}  // namespace tagout::rehearse
