// Any bytes as URL, request target, header value and compressed body: no crash, and what is
// accepted keeps its promises. The first byte chooses the coding.
#include "net/compression.h"
#include "net/http_text.h"
#include "net/url.h"

#include "base/assert.h"

#include <array>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace net = tagout::net;
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    if (const auto url = net::parse_url(text)) {
        TAGOUT_ASSERT(!url->host.empty() && url->port != 0, "a URL has host and port");
        TAGOUT_ASSERT(url->target.starts_with('/'), "a target begins with a slash");
        TAGOUT_ASSERT(
            url->target.find_first_of("\r\n ") == std::string::npos,
            "a target cannot split a request"
        );
    }
    if (const auto path = net::path_of_target(text)) {
        TAGOUT_ASSERT(path->starts_with('/'), "a path begins with a slash");
    }
    (void)net::query_value(text, "limit");
    (void)net::has_token(text, "gzip");
    const std::string head = net::head_text(
        {200, {{"X-Any", std::string(text)}}, ""}, net::Framing::Length, net::After::Close, "now"
    );
    TAGOUT_ASSERT(head.find("\r\n\r\n") == head.size() - 4, "a header cannot end the head");

    constexpr std::array<std::string_view, 4> codings{"gzip", "deflate", "zstd", "identity"};
    constexpr std::size_t bytes_max = 256 * 1024;
    const std::string_view coding = codings[data[0] % codings.size()];
    const auto body = net::decompress(tagout::PaddedBytes::copy_of(text), coding, bytes_max);
    TAGOUT_ASSERT(!body || body->size() <= bytes_max, "the limit holds whatever the bytes");
    return 0;
}
