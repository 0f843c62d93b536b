// `tagout sim`, and the fleet that `tagout serve --sim` runs beside itself: options as people write
// them, and reports as people read them. Flags are declared in main.cc.
#pragma once

#include "app/serve.h"
#include "base/result.h"
#include "cli/api_client.h"
#include "cli/terminal.h"
#include "rehearse/sim.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tagout::rehearse {

/// Options as written; the initialisers are the defaults.
struct SimCommand {
    std::string otlp_endpoint = "http://127.0.0.1:4318";
    std::uint32_t agents = 32;
    double rate = 4.0;
    std::uint64_t seed = 1;
    std::string duration;             ///< "2m"; "" runs until it is stopped.
    std::vector<std::string> faults;  ///< "loop", "loop:start=30s,for=1m,share=0.5"
    bool list_faults = false;
    std::string gateway;              ///< "" connects the agents directly.
    std::uint16_t fleet_ports = 0;    ///< First of five; 0 takes free ones, or the default for a gateway.
    cli::ConnectionOptions control;   ///< With a gateway: where the first prompts are published.
};

/// InvalidArgument names the option, what is wrong with it and what there is.
[[nodiscard]] Result<SimOptions> parse_sim(const SimCommand& command);

/// Runs the fleet until its duration is over or SIGINT or SIGTERM comes; 0, or 1 if telemetry was lost.
[[nodiscard]] Result<int> sim(const SimCommand& command, cli::Terminal& terminal);

/// For `tagout serve --sim` without --config: writes the fleet's configuration into the data directory,
/// unless it is there, and serves with it.
[[nodiscard]] Result<void> use_fleet_config(app::ServeOptions& options);

/// For `tagout serve --sim`: starts the fleet on a thread of its own; does nothing without --sim.
[[nodiscard]] app::Beside fleet_beside(const app::ServeOptions& options);

/// One line a fault: name, class, sentence.
[[nodiscard]] std::string list_faults();
/// What the run did, in a few lines.
[[nodiscard]] std::string report_text(const SimReport& report);

}  // namespace tagout::rehearse
