// Undoing Content-Encoding under a bound, so that a small body cannot become a huge one.
#pragma once

#include "base/result.h"
#include "domain/event_batch.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace tagout::net {

/// `encoding`: "", "identity", "gzip", "deflate" (zlib) or "zstd". InvalidArgument for another name
/// or damaged bytes; LimitExceeded as soon as the output would pass `bytes_max`, before it is built.
[[nodiscard]] Result<PaddedBytes> decompress(
    PaddedBytes body, std::string_view encoding, std::size_t bytes_max
);

/// gzip, for static files and large answers.
[[nodiscard]] std::string gzip(std::string_view text);

}  // namespace tagout::net
