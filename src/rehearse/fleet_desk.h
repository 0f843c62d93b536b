// Where a running fleet is told to suffer: faults are injected and cleared over HTTP on loopback.
//
//   GET  /faults         {"faults":[{"fault":"loop","on":true}, ...]}
//   POST /faults         {"fault":"loop:for=1m"}  as `tagout sim --fault` takes them; begins at once
//   POST /faults/clear   ends them all
#pragma once

#include "cli/terminal.h"
#include "net/http_server.h"
#include "rehearse/fault.h"

#include <memory>
#include <string>

namespace tagout::rehearse {

class FleetDesk {
public:
    /// `plan` and `clock` outlive it.
    static Result<std::unique_ptr<FleetDesk>> start(
        FaultPlan& plan, const Clock& clock, std::uint16_t port
    );

private:
    FleetDesk() = default;
    std::unique_ptr<net::HttpServer> server_;
};

/// `tagout sim inject FAULT` and `tagout sim clear`, to a fleet on those ports.
[[nodiscard]] Result<int> inject_fault(
    const std::string& fault, std::uint16_t fleet_ports, cli::Terminal& terminal
);
[[nodiscard]] Result<int> clear_faults(std::uint16_t fleet_ports, cli::Terminal& terminal);

}  // namespace tagout::rehearse
