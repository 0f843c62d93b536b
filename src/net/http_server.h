// An HTTP/1.1 server: many connections on a few event-loop threads, handlers that may answer later.
//
// The handler runs on the connection's loop thread and must not block it: work that waits (a
// commit, a peer) takes the Responder along and answers from any thread. Exactly one answer a
// request; a Responder dropped without one answers 500 and counts it. Limits are enforced before
// the handler sees anything: header bytes, body bytes (also with chunked coding), time to send a
// request. A body with Content-Length is read straight into the bytes that the handler gets;
// pipelined requests are answered in order, one at a time. Cost: about 8 us of CPU a small request,
// kernel included, and 8 KiB an idle connection.
//
// With ServerOptions::tls every connection is one of TLS 1.3; what the client's certificate
// is worth stands in ServerRequest::certificate, for the handler to judge.
//
// Deliberately absent: HTTP/2 for browsers.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/event_batch.h"
#include "net/event_loop.h"
#include "net/http_client.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::net {

/// Of the client of a TLS connection, as far as a name may be taken from it.
struct PeerCertificate {
    std::string subject;            ///< One line, for people.
    std::string common_name;        ///< "" if it has none, or one that is no plain text.
    std::vector<std::string> uris;  ///< Subject alternative names of kind URI.
    std::string fault;              ///< Why it is not trusted; "" when it is.
};

struct ServerRequest {
    std::string method;
    std::string target;  ///< As sent: path and query.
    std::string path;    ///< Percent-decoded, without the query.
    Headers headers;
    PaddedBytes body;  ///< Moved from by the handler if it keeps it.
    std::string peer;  ///< "127.0.0.1:51234"
    std::shared_ptr<const PeerCertificate> certificate = nullptr;  ///< Null: it showed none.
    [[nodiscard]] std::string_view header(std::string_view name) const;
    /// First value of a query parameter, decoded; "" if absent.
    [[nodiscard]] std::string query(std::string_view name) const;
};

struct ServerResponse {
    int status = 200;
    Headers headers;  ///< Content-Length, Date and Connection are the server's.
    std::string body;
};

/// Thread-safe; copies share the one answer.
class EventStream {
public:
    virtual ~EventStream() = default;
    /// Queues one chunk. False once the client is gone or fell behind by more than
    /// ServerOptions::stream_queue_bytes_max; its connection is then closed.
    virtual bool send(std::string chunk) = 0;
    /// The body is complete.
    virtual void close() = 0;
    /// The body will never be complete: the connection is cut, so that the client can tell.
    virtual void abort() = 0;
    /// Bytes handed to send() that the client's socket has not taken yet.
    [[nodiscard]] virtual std::size_t queued() const = 0;
    /// Calls `drained` on the connection's loop each time all of it was taken: with queued() the means
    /// to slow a source down to its client.
    virtual void on_drained(std::function<void()> drained) = 0;
};

/// Thread-safe: may be moved to and answered from another thread.
class Responder {
public:
    virtual ~Responder() = default;
    virtual void respond(ServerResponse response) = 0;
    /// Answers with a body of unknown length (server-sent events) and hands out its far end.
    virtual std::shared_ptr<EventStream> respond_stream(ServerResponse head) = 0;
    /// As respond_stream, for a body that is passed on: `length` bytes where that is known, and the
    /// connection stays usable. Head and first chunk leave together if the chunk is sent at once.
    virtual std::shared_ptr<EventStream> respond_body(
        ServerResponse head, std::optional<std::uint64_t> length
    ) = 0;
    /// `gone` is called on the connection's loop if the client goes before its answer is complete;
    /// until then the connection is watched. On the loop's thread only, before the answer.
    virtual void on_gone(std::function<void()> gone) = 0;
    /// Of the connection: the handler runs on it.
    [[nodiscard]] virtual std::shared_ptr<EventLoop> loop() const = 0;
};

using Handler = std::function<void(ServerRequest, std::shared_ptr<Responder>)>;

/// Words a refusal that never reaches the handler (400, 408, 413, 417, 431, 503). `head` has what
/// was read of the request: for one too broken to read, nothing. Called on the loop thread.
using Refuse =
    std::function<ServerResponse(const ServerRequest& head, int status, std::string message)>;

/// PEM files.
struct TlsFiles {
    std::string certificate;  ///< With what stands between it and its authority.
    std::string key;
    std::string client_ca;  ///< Authorities of clients; "": clients are asked for no certificate.
};

struct ServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0 takes a free one; HttpServer::port() says which.
    unsigned threads = 1;
    std::size_t header_bytes_max = 64 * 1024;
    std::size_t body_bytes_max = 64 * 1024 * 1024;
    std::size_t connections_max = 10'000;
    std::size_t body_bytes_in_flight_max = 512 * 1024 * 1024;  ///< Of all connections; past it 503.
    Duration read_timeout = std::chrono::seconds(60);   ///< To send one request, to take an answer.
    Duration idle_timeout = std::chrono::seconds(120);  ///< Between requests of one connection.
    std::size_t stream_queue_bytes_max = 1024 * 1024;   ///< Waiting for one event stream's client.
    std::string port_setting;  ///< "--http-port": named in the error when the port is taken.
    std::optional<TlsFiles> tls;  ///< Unset: plain.
    Refuse refuse;             ///< Without one, refusals are text/plain.
};

struct ServerStats {
    std::uint64_t connections = 0;
    std::uint64_t requests = 0;
    std::uint64_t refused = 0;  ///< Connections past the limit, requests past a limit or malformed.
    std::uint64_t unanswered = 0;  ///< Responders dropped without an answer: a fault of ours.
};

/// Thread-safe after start.
class HttpServer {
public:
    /// Unavailable when the port is taken: the message names address, port and the setting to
    /// change.
    static Result<std::unique_ptr<HttpServer>> start(const ServerOptions& options, Handler handler);
    /// Stops accepting, lets running requests end for a second, closes.
    virtual ~HttpServer() = default;
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    [[nodiscard]] virtual ServerStats stats() const = 0;
    [[nodiscard]] virtual std::vector<std::shared_ptr<EventLoop>> loops() const = 0;
    /// Reads the files of ServerOptions::tls again if they changed, for new connections: true if
    /// so. On an error, told once, those before stay in use. A few system calls when nothing
    /// changed.
    virtual Result<bool> reload_tls() = 0;
};

}  // namespace tagout::net
