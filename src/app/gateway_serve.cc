// `tagout gateway` as a process: signals, the file that says where it answers, what it greets with.
#include "app/allocator.h"
#include "app/gateway_node.h"
#include "app/stop_signals.h"
#include "base/log.h"
#include "gateway/fleet/files.h"

#include <unistd.h>

#include <cstdio>

namespace tagout::app {

namespace {

void greet(const GatewayNode& node, const NodeOptions& options, const cli::Terminal& terminal) {
    terminal.line("");
    terminal.line("Tagout gateway " + node.name() + " is running.");
    terminal.line(
        "  gateway         " + node.gateway_address() +
        "   (/mcp/SERVER, /model/UPSTREAM, /v1/decide)"
    );
    terminal.line("  admin door      " + node.admin_address() + "   (metrics, health)");
    terminal.line("  control server  " + options.control);
    if (!node.is_ready()) {
        terminal.line(
            "  NO SNAPSHOT is here yet: every call is answered 503 until the control server is heard."
        );
    }
    terminal.line(
        "Stop something at this host:  tagout contain stop SCOPE --reason R --as NAME --at-gateway " +
        options.data_dir
    );
    terminal.line("Stop with Ctrl-C.");
    std::fflush(stdout);
}

}  // namespace

Result<int> run_gateway(const NodeOptions& options, cli::Terminal& terminal) {
    const StopSignals stop_signals;
    keep_memory_through_bursts();
    const SystemClock clock;
    const std::unique_ptr<GatewayNode> node = TAGOUT_TRY(GatewayNode::start(options, clock));
    TAGOUT_TRY(gateway::write_file(
        options.data_dir + "/addresses.json",
        "{\"pid\":" + std::to_string(getpid()) + ",\"name\":\"" + node->name() +
            "\",\"gateway\":\"" + node->gateway_address() + "\",\"admin\":\"" +
            node->admin_address() + "\"}\n"
    ));
    greet(*node, options, terminal);
    while (!stop_signals.wait_for(std::chrono::seconds(1))) {
        node->tick();
    }
    log::info("stopping", {});
    return 0;
}

}  // namespace tagout::app
