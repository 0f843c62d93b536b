// Unary gRPC over HTTP/2 (nghttp2): enough for OTLP, later ext_authz and decisions.
//
// The handler gets one decompressed message and answers with one message or a status, from any
// thread. gzip and zstd request compression are undone here under the body limit; answers are sent
// uncompressed. Which methods exist is the handler's business. Never a crash, whatever the frames:
// anything but HTTP/2 with prior knowledge is closed, HTTP/1.1 with an answer that says why.
//
// Limits of ServerOptions hold here too: header_bytes_max for a header list, body_bytes_max for one
// message before and after decompression (RESOURCE_EXHAUSTED without RetryInfo: not to be sent
// again), body_bytes_in_flight_max (UNAVAILABLE: later), read_timeout for one request. At most 256
// calls of one connection run at a time.
#pragma once

#include "net/http_server.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tagout::net {

/// https://grpc.io/docs/guides/status-codes
enum class GrpcStatus : int {
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
};

struct GrpcRequest {
    std::string path;  ///< "/package.Service/Method"
    Headers metadata;
    PaddedBytes message;
    std::string peer;
};

struct GrpcResponse {
    GrpcStatus status = GrpcStatus::Ok;
    std::string status_message;
    std::string message;  ///< Encoded response; only with Ok.
    Headers trailers;     ///< Names ending in -bin are sent base64-encoded by the server.
};

class GrpcResponder {
public:
    virtual ~GrpcResponder() = default;
    virtual void respond(GrpcResponse response) = 0;
};

using GrpcHandler = std::function<void(GrpcRequest, std::shared_ptr<GrpcResponder>)>;

class GrpcServer {
public:
    static Result<std::unique_ptr<GrpcServer>> start(
        const ServerOptions& options, GrpcHandler handler
    );
    virtual ~GrpcServer() = default;
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    [[nodiscard]] virtual ServerStats stats() const = 0;
};

}  // namespace tagout::net
