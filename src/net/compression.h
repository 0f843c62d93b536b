// Undoing Content-Encoding under a bound, so that a small body cannot become a huge one.
//
// Thread-safe; each thread keeps its own (de)compressors. gzip and deflate go through libdeflate in
// one pass when the gzip trailer tells the size truly (about 1 us a KB of output), else in passes
// over a doubling buffer. zstd windows past 8 MiB are refused (RFC 8878 3.1.1.1.2).
#pragma once

#include "base/result.h"
#include "domain/event_batch.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace tagout::net {

/// What decompress() knows, for Accept-Encoding and grpc-accept-encoding.
inline constexpr std::string_view known_encodings = "gzip, deflate, zstd, identity";

/// Whether decompress() knows the name, whatever its case.
[[nodiscard]] bool is_known_encoding(std::string_view encoding) noexcept;

/// `encoding`: "", "identity", "gzip", "deflate" (zlib, or bare as some clients send it) or "zstd".
/// InvalidArgument for another name or damaged bytes; LimitExceeded as soon as the output would
/// pass `bytes_max`, before it is built.
[[nodiscard]] Result<PaddedBytes> decompress(
    PaddedBytes body, std::string_view encoding, std::size_t bytes_max
);

/// gzip, for static files and large answers.
[[nodiscard]] std::string gzip(std::string_view text);

}  // namespace tagout::net
