// The data plane: agents reach tools and models through it, and it does what the snapshot says.
//
//   ANY  /mcp/{server}             MCP over Streamable HTTP, both eras, transparent where it does
//   not act ANY  /model/{upstream}/{rest}  a pass-through to the model API of that name ANY
//   /workflow/{name}{rest}    in front of an agent's own endpoint: moved or stopped at once POST
//   /v1/decide                the decision alone, for callers without the proxy POST /ofrep/v1/...
//   the same as feature flags, with push (flag_road.h) ANY  /ext_authz/...            the same for
//   Envoy; over gRPC on a port of its own (authz_road.h) GET  /v1/prompts/{name} ...    versions by
//   label, for agents (VersionSource)
//
// Thread-safe. It reads one snapshot pointer a call and waits for nothing: no lock, no disk, no
// peer on the decision path. What it saw goes to the CallSink after the answer went out.
//
// Who calls: headers tagout-agent, tagout-workflow, tagout-session, tagout-user, tagout-tenant,
// tagout-environment, tagout-prompt; W3C traceparent and baggage (gen_ai.agent.name,
// gen_ai.conversation.id), also in MCP `_meta`; else the MCP client's own name as the agent. Where
// the configuration asks for a proof of the agent (gateway.identity), see identity.h.
#pragma once

#include "base/metrics.h"
#include "catalog/catalog.h"
#include "contain/agent_tokens.h"
#include "contain/approvals.h"
#include "contain/circuits.h"
#include "contain/point.h"
#include "contain/refusals.h"
#include "contain/spend_memory.h"
#include "contain/tool_pins.h"
#include "net/http_client.h"
#include "net/http_server.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tagout::gateway {

/// One call that passed or was refused, as it was seen on the wire. Texts are clipped to
/// call_text_bytes_max; owned.
struct SeenCall {
    CallKind kind = CallKind::Tool;
    std::string tool;
    std::string tool_call_id;
    std::string server;  ///< MCP server or model upstream.
    std::string agent;
    std::string workflow;
    std::string session;
    std::string tenant;
    std::string environment;
    std::string user;
    std::string prompt_version;
    std::string traceparent;  ///< As the caller sent it, "" if it did not.
    std::string arguments;    ///< JSON
    std::string result;       ///< Text or JSON, as it came.
    bool is_error = false;    ///< The tool said so, or the upstream failed.
    int http_status = 0;      ///< Of the upstream; 0 if it was not reached.
    bool cancelled = false;   ///< Stopped while in flight: a write may have happened.
    Verdict verdict = Verdict::Allow;
    std::string decided_by;
    std::string reason;
    std::string shadow;  ///< Id of the observing control that would have refused it.
    std::uint64_t revision = 0;
    Instant started_at;
    Instant ended_at;
};
inline constexpr std::size_t call_text_bytes_max = 32 * 1024;

/// A call that POST /v1/decide was asked about: views for as long as it is told.
struct AskedCall {
    std::string_view tool;
    std::string_view session;
    std::string_view traceparent;
};

/// Thread-safe; called on event loops, must not block.
using CallSink = std::function<void(SeenCall)>;

/// A version's content by family ("prompts", "policies", "model-routes"), name and label, as JSON, with
/// its ETag. Called on event loops: answers from memory.
struct FetchedVersion {
    std::string body;
    std::string etag;
};
using VersionSource = std::function<Result<FetchedVersion>(
    std::string_view family, std::string_view name, std::string_view label
)>;

struct GatewayOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    std::optional<std::uint16_t> authz_port;  ///< Envoy's external authorization over gRPC.
    unsigned threads = 1;
    std::size_t body_bytes_max = 16 * 1024 * 1024;
    Duration connect_timeout = std::chrono::seconds(5);
    std::optional<net::TlsFiles> tls = {};  ///< Of the roads' port; unset: plain.
    std::string journey_secret;  ///< Calls with header tagout-journey of this value are a journey's.
};

struct GatewayParts {
    const Clock& clock;
    MetricRegistry& metrics;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    contain::Approvals& approvals;
    CallSink seen;
    VersionSource versions;
    contain::ToolPins* pins = nullptr;  ///< Null: definitions of tools are not looked at.
    /// Tokens of agents, where they prove who calls. From memory.
    std::function<std::shared_ptr<const contain::AgentCredentials>()> credentials = {};
    contain::Refusals* refusals = nullptr;  ///< Null: who is refused for who it is is only counted.
    /// What was spent under budgets; null: it is gone with the gateway.
    std::shared_ptr<contain::SpendMemory> spending = {};
    contain::Circuits* circuits = nullptr;  ///< Null: model upstreams have no fallback on failure.
    /// Told of each call of a tool that was asked about and let go, but does not pass here. As `seen`.
    std::function<void(const AskedCall&)> asked = {};
};

class Gateway : public contain::EnforcementPoint {
public:
    /// Listens, but answers 503 until the first enforce(): no call passes before controls are in
    /// force. Unavailable: the port is taken.
    static Result<std::shared_ptr<Gateway>> start(
        const GatewayOptions& options, const GatewayParts& parts
    );
    ~Gateway() override = default;
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    /// 0 if none was asked for.
    [[nodiscard]] virtual std::uint16_t authz_port() const = 0;
    [[nodiscard]] virtual std::size_t in_flight() const = 0;
    /// About once a second: takes up a new certificate, key or authority of clients.
    virtual void tick() = 0;
    virtual void stop() = 0;
};

/// How this process itself reaches its own gateway: it trusts the very certificate that it shows.
[[nodiscard]] net::ClientTls own_client_tls(const std::optional<net::TlsFiles>& tls);
/// Why agents cannot prove who they are as `identity` asks for it, with the remedy; "" where they
/// can.
[[nodiscard]] std::string unprovable(
    const catalog::Identity& identity, const std::optional<net::TlsFiles>& tls
);
/// Whether all of `files` that are needed for TLS are named, or none: InvalidArgument names the
/// option.
[[nodiscard]] Result<std::optional<net::TlsFiles>> read_tls_options(const net::TlsFiles& files);

}  // namespace tagout::gateway
