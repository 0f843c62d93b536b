// Probes: the calls that a control must refuse, sent over the gateway's own roads.
//
// A probe is a real HTTP request to the gateway's own port. It takes the road of a call up to the
// decision and is answered there; no upstream hears of it. Inside gateway/ only.
#pragma once

#include "gateway/core.h"

namespace tagout::gateway {

inline constexpr std::size_t probes_max = 32;  ///< Of one control: roads past it are not probed.

/// Blocks for some milliseconds, a few seconds at most. Not on an event loop.
[[nodiscard]] std::vector<contain::ProbeResult> send_probes(
    Core& core, const Control& control, std::uint16_t port
);

}  // namespace tagout::gateway
