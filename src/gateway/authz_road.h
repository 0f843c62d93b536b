// Decisions for a proxy that is already there: Envoy's external authorization, over gRPC and over
// HTTP.
//
//   gRPC  envoy.service.auth.v3.Authorization/Check   on a port of its own
//   HTTP  ANY /ext_authz{path of the original request}
//
// What a request means is told by the route's configuration, because a path alone does not say it:
//
//   context_extensions   headers (HTTP)     meaning
//   server               tagout-server      it is MCP: the body is read, each tools/call is judged
//   tool                 tagout-tool        the whole request is one call of that tool
//   workflow             tagout-workflow    the whole request goes to that workflow
//   agent, tenant, environment, ...         who calls, where headers do not say it (caller.h)
//
// Envoy must send the body of MCP requests (with_request_body); a body that was cut cannot be
// judged and is refused, with what to set. A refused MCP call over gRPC is answered as the MCP road
// answers it, with a result that the model can read; all else with 403. What would wait for a
// person is refused: only a gateway in the road can wait. Nothing here answers with a 5xx.
//
// Source: envoy api, envoy/service/auth/v3/external_auth.proto and attribute_context.proto.
#pragma once

#include "gateway/core.h"
#include "net/grpc_server.h"

namespace tagout::gateway {

inline constexpr std::string_view authz_path = "/ext_authz";
inline constexpr std::string_view authz_method = "/envoy.service.auth.v3.Authorization/Check";

/// Serves Check and nothing else. Thread-safe.
[[nodiscard]] net::GrpcHandler authz_grpc_handler(std::shared_ptr<Core> core);

/// 200 lets the original request pass; anything else is what its client is told.
[[nodiscard]] net::ServerResponse answer_authz(
    Core& core, const net::EventLoop& loop, const net::ServerRequest& request
);

}  // namespace tagout::gateway
