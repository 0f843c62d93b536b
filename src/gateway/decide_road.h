// The roads that the gateway answers by itself: a decision for callers without the proxy, and
// versions for agents that fetch them by label.
//
// Inside gateway/ only; on the request's loop, controls being in force.
#pragma once

#include "gateway/exchange.h"

namespace tagout::gateway {

/// POST /v1/decide. Every mistake of the body is named.
[[nodiscard]] net::ServerResponse answer_decide(
    Core& core, const net::EventLoop& loop, const net::ServerRequest& request
);

/// GET /v1/{family}/{name}?label=: 304 when the ETag that was sent still holds.
[[nodiscard]] net::ServerResponse answer_version(
    const Core& core, std::string_view family, std::string_view name,
    const net::ServerRequest& request
);

}  // namespace tagout::gateway
