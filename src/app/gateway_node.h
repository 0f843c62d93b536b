// `tagout gateway --control URL`: the data plane alone, as many as you like.
//
//   agents ──► gateway ──► tools, models          the same roads as in `tagout serve`
//                 │ enforces
//   control server ── signed snapshots, one stream ──► link ──► told.log
//   this host ── tagout contain stop ... --at-gateway ──► local book (local.db) ──► the server, later
//   what the gateway saw ──► spool ──► control server
//
// It starts from its own disk with the control server away. Its admin door (loopback by default) has
// metrics, health, and the operator's verbs for what may be done at this host: stop and restrict,
// never release. The folder is its owner's alone; the door's token lies in it.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "cli/terminal.h"
#include "net/http_server.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tagout::app {

struct NodeOptions {
    std::string control = "http://127.0.0.1:8321";
    std::string name;  ///< "" takes the host's.
    std::string token_file;  ///< "" takes TAGOUT_GATEWAY_TOKEN.
    std::string control_key;  ///< 64 hex digits, or a file with them; "" pins the first that is met.
    std::string data_dir = "gateway-data";
    std::string config;  ///< tagout.yaml for the catalog; "" takes the control server's.
    std::string address = "127.0.0.1";
    std::uint16_t gateway_port = 8322;
    std::string admin_address = "127.0.0.1";
    std::uint16_t admin_port = 8323;
    net::TlsFiles tls = {};  ///< Of the agents' port; all "": plain.
    std::optional<std::uint16_t> ext_authz_port;
    unsigned threads = 2;
};

class GatewayNode {
public:
    /// Listens when this returns; whether calls pass yet is the snapshot's matter.
    static Result<std::unique_ptr<GatewayNode>> start(const NodeOptions& options, const Clock& clock);
    virtual ~GatewayNode() = default;

    [[nodiscard]] virtual const std::string& name() const = 0;
    [[nodiscard]] virtual std::string gateway_address() const = 0;  ///< "http://127.0.0.1:8322"
    [[nodiscard]] virtual std::string admin_address() const = 0;
    [[nodiscard]] virtual bool is_ready() const = 0;  ///< Calls are judged by a snapshot.
    /// Once a second.
    virtual void tick() = 0;
};

/// Runs until SIGINT or SIGTERM. Writes data_dir/addresses.json when every port is open.
Result<int> run_gateway(const NodeOptions& options, cli::Terminal& terminal);

}  // namespace tagout::app
