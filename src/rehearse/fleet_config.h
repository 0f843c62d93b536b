// The simulated fleet as a configuration of Tagout sees it: its agents, workflows with their fallback,
// tools with risk and reversibility, MCP servers, model, owners, playbooks and journeys.
//
// The sample servers stand on five ports in a row, so that a configuration can name them before they
// are up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tagout::rehearse {

inline constexpr std::uint16_t fleet_ports_default = 9310;  ///< Of `tagout serve --sim`.
inline constexpr std::uint16_t fleet_ports_max = 65'531;    ///< So that five fit.

struct FleetPorts {
    std::uint16_t model = 0;
    std::array<std::uint16_t, 3> tools{};  ///< By ToolServerKind.
    std::uint16_t desk = 0;                ///< Where faults are injected.
};
/// The five from `first` on; all 0 (any free port) for 0.
[[nodiscard]] FleetPorts ports_from(std::uint16_t first) noexcept;

/// A whole tagout.yaml.
[[nodiscard]] std::string fleet_config(std::uint16_t first);

/// Where an agent finds its model and its tools behind a gateway that runs this configuration.
[[nodiscard]] std::string model_url_behind(std::string_view gateway);
[[nodiscard]] std::array<std::string, 3> tool_urls_behind(std::string_view gateway);

}  // namespace tagout::rehearse
