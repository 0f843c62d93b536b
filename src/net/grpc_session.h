// One HTTP/2 connection that carries unary gRPC calls: bytes in, calls out; answers in, bytes out.
//
// No socket, no clock, no thread: the server feeds it, tests and a fuzzer too. nghttp2 checks
// frames and keeps flow control; here are gRPC's framing (one length-prefixed message a call),
// limits, and answers with trailers. Whatever the bytes, memory stays within Limits and the Budget.
//
// Sources: RFC 9113; https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
#pragma once

#include "net/grpc_server.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tagout::net {

/// Bytes of request messages that all connections of a server may hold. Thread-safe in the server.
class BodyBudget {
public:
    virtual ~BodyBudget() = default;
    /// False: nothing was taken.
    virtual bool take(std::size_t bytes) = 0;
    virtual void give_back(std::size_t bytes) = 0;
};

struct GrpcSessionLimits {
    std::size_t header_bytes_max = 64 * 1024;
    std::size_t message_bytes_max = 64 * 1024 * 1024;  ///< Compressed and decompressed.
    std::uint32_t calls_max = 256;                     ///< At one time, of this connection.
};

/// Confined to its loop's thread.
class GrpcSession {
public:
    using OnCall = std::function<void(std::int32_t stream, GrpcRequest request)>;

    /// `budget` outlives the session.
    GrpcSession(const GrpcSessionLimits& limits, BodyBudget& budget, OnCall on_call);
    ~GrpcSession();
    GrpcSession(const GrpcSession&) = delete;
    GrpcSession& operator=(const GrpcSession&) = delete;

    /// Calls on_call for each call that is complete. False: the peer broke the protocol; what
    /// take_output() still gives tells it so, then close.
    bool receive(std::string_view bytes);
    /// For a call that the peer has taken back meanwhile: nothing.
    void respond(std::int32_t stream, GrpcResponse response);
    /// Appends what is to be sent, at most about `bytes_max`; flow control may hold back the rest.
    void take_output(std::string& out, std::size_t bytes_max);
    /// GOAWAY: calls that run are answered, new ones are not taken.
    void wind_down();
    /// Ends calls whose request is not complete after `ticks_max` calls of this.
    void tick(std::int64_t ticks_max);

    [[nodiscard]] std::size_t calls() const noexcept;
    /// Calls that were answered without reaching on_call.
    [[nodiscard]] std::uint64_t refused() const noexcept;
    /// Whole frames received: what counts as a sign of life.
    [[nodiscard]] std::uint64_t frames() const noexcept;
    /// Neither side has anything more to say.
    [[nodiscard]] bool is_over() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Unpadded base64, as binary metadata is sent.
[[nodiscard]] std::string base64(std::string_view bytes);
/// grpc-message: everything outside printable ASCII, and '%', as %XX.
[[nodiscard]] std::string grpc_percent_encode(std::string_view text);

}  // namespace tagout::net
