// An asynchronous HTTP/1.1 client for proxies: it runs on the event loops of an HttpServer, so that
// a request goes in and out on one thread and nothing is handed over.
//
// Bytes of an answer are handed on as they come. Connections are kept alive, an origin and loop
// each, and are only used again while they are surely open: looked at before use, and dropped after
// UpstreamOptions::idle_time_max, which is shorter than what servers commonly wait. A kept
// connection that turned out to be dead is replaced once, if the request was not sent or may be
// sent twice. TLS with the system's certificates when the URL says https. Redirects are not
// followed.
//
// Deliberately absent: a time-out for answers (a stream may be silent for hours; the caller knows),
// HTTP/2, upgrades.
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

namespace tagout::net {

struct UpstreamRequest {
    std::string method = "GET";
    UrlParts url;
    Headers headers;  ///< End-to-end ones only; Host, Content-Length and Connection are ours.
    std::shared_ptr<const PaddedBytes> body;  ///< Null for none.
    bool may_repeat = false;  ///< Sending it twice does no harm, whatever the method says.
};

struct UpstreamHead {
    int status = 0;
    Headers headers;                      ///< As they came, hop-by-hop ones too: see end_to_end().
    std::optional<std::uint64_t> length;  ///< Of the body, where the upstream said it.
};

/// All are called on the loop that the request was sent on, none within send() and none after
/// cancel().
struct UpstreamEvents {
    std::function<void(UpstreamHead)> on_head;
    std::function<void(std::string_view)> on_chunk;  ///< Never empty; the view ends with the call.
    /// Once. Unavailable: no connection, cut, or no HTTP. Corrupt: an answer that could be read in
    /// two ways (Content-Length beside Transfer-Encoding, two lengths).
    std::function<void(Result<void>)> on_end;
};

/// Confined to its loop's thread. Dropping it does not cancel; it lives until its end all the same.
class UpstreamCall {
public:
    virtual ~UpstreamCall() = default;
    /// Closes the connection at once; no event comes any more.
    virtual void cancel() = 0;
    /// Reads no more until resume(); what was read already is still handed on.
    virtual void pause() = 0;
    virtual void resume() = 0;
};

struct UpstreamOptions {
    Duration connect_timeout = std::chrono::seconds(5);  ///< Look-up, connect and TLS handshake.
    Duration idle_time_max =
        std::chrono::seconds(4);           ///< A kept connection is used again until then.
    std::size_t idle_per_origin_max = 32;  ///< A loop.
    std::size_t idle_max = 256;            ///< A loop, all origins.
    std::size_t header_bytes_max = 64 * 1024;
    std::size_t read_bytes = 64 * 1024;  ///< At a time.
};

struct UpstreamStats {
    std::uint64_t connected = 0;
    std::uint64_t reused = 0;
    std::uint64_t repeated = 0;  ///< Sent again after a kept connection turned out to be dead.
};

/// Thread-safe; a call is confined to the loop it was sent on.
class UpstreamClient {
public:
    virtual ~UpstreamClient() = default;
    static std::shared_ptr<UpstreamClient> make(const UpstreamOptions& options);
    /// On `loop`'s thread only; `loop` is one of an HttpServer's.
    virtual std::shared_ptr<UpstreamCall> send(
        const std::shared_ptr<EventLoop>& loop, UpstreamRequest request, UpstreamEvents events
    ) = 0;
    [[nodiscard]] virtual UpstreamStats stats() const = 0;
};

/// `headers` without those that are between two neighbours only (RFC 9110 7.6.1): Connection and
/// what it names, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade; and without
/// Content-Length and Host, which whoever writes the next message sets anew.
[[nodiscard]] Headers end_to_end(const Headers& headers);

}  // namespace tagout::net
