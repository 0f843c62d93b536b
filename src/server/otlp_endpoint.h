// OTLP's two doors: HTTP (protobuf and JSON) and gRPC, answered as the specification says.
//
// Source: https://opentelemetry.io/docs/specs/otlp/ (OTLP 1.x): content types and encodings,
// partial success, which answers a client retries, google.rpc.Status bodies, RetryInfo. Also the
// path of Langfuse's SDKs (/api/public/otel/v1/traces) and any other prefix before /v1/{signal}.
//
// Decoding runs on the connection's event loop; the answer comes when the sink says the batch is
// durable. Every answer is counted by protocol, signal and status.
#pragma once

#include "base/metrics.h"
#include "intake/intake.h"
#include "net/grpc_server.h"
#include "net/http_server.h"
#include "server/ports.h"

namespace tagout::server {

struct OtlpOptions {
    intake::DecodeLimits limits;
    std::size_t body_bytes_max = 64 * 1024 * 1024;  ///< After decompression.
};

/// `sink` and `metrics` must outlive the handlers.
[[nodiscard]] net::Handler otlp_http_handler(
    IntakeSink& sink, const OtlpOptions& options, MetricRegistry& metrics
);
[[nodiscard]] net::GrpcHandler otlp_grpc_handler(
    IntakeSink& sink, const OtlpOptions& options, MetricRegistry& metrics
);
/// For ServerOptions::refuse: a body that is too large and the like also get a google.rpc.Status in
/// the request's encoding, and are counted.
[[nodiscard]] net::Refuse otlp_http_refuse(MetricRegistry& metrics);

}  // namespace tagout::server
