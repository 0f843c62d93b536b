// How an HTTP/1.1 answer is written: status line, headers, date. Text only, no sockets.
//
// RFC 9112 (message syntax), RFC 9110 5.6.7 (dates). Header values from handlers are cleaned of
// line breaks here, so no handler can split an answer in two.
#pragma once

#include "base/clock.h"
#include "net/http_server.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tagout::net {

[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// "Tue, 24 Nov 2026 03:39:27 GMT"
[[nodiscard]] std::string http_date(Instant at);

enum class Framing : std::uint8_t { Length, Chunked, UntilClose };
enum class After : std::uint8_t { KeepAlive, Close };

/// Everything before the body. With Framing::Length, Content-Length is `length`, else that of the
/// body; a 204 or 304 has none.
[[nodiscard]] std::string head_text(
    const ServerResponse& response, Framing framing, After after, std::string_view date,
    std::optional<std::uint64_t> length = std::nullopt
);

/// Whether an answer of that status may carry a body (RFC 9110 6.4.1).
[[nodiscard]] constexpr bool may_have_body(int status) noexcept {
    return status >= 200 && status != 204 && status != 304;
}

/// One chunk of the chunked coding; "" for "", which would end the body.
[[nodiscard]] std::string chunk_text(std::string_view bytes);

}  // namespace tagout::net
