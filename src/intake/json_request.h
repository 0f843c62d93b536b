// OTLP/JSON -> OTLP protobuf, so that evidence has one form and one reader judges both encodings.
//
// Rules of reference/telemetry 3.3: ids are hex, bytesValue is base64, 64-bit integers may be text,
// enums are numbers (names are understood too), null and {} are no value, unknown fields are skipped,
// only lowerCamelCase names are known. A value of the wrong type inside an item refuses that item;
// outside of items it refuses the request. Messages name JSON paths, or the byte where the text stops
// being JSON. Half a surrogate pair in an escape, which JavaScript writes when it cuts a text inside
// an emoji, is read as U+FFFD.
//
// Bounds: nesting of the text at most `json_depth_of(limits)`; the output is at most four times the
// input (bucket counts of one digit become eight bytes). Thread-compatible: scratch is per thread.
#pragma once

#include "intake/intake.h"

#include <string>

namespace tagout::intake {

struct TranscodedRequest {
    PaddedBytes bytes;            ///< The same request in protobuf, without the refused items.
    std::uint64_t rejected = 0;   ///< Items refused for a value of a wrong type or form.
    std::string rejected_reason;  ///< The first one's path and remedy.
};

/// One AnyValue level is four of JSON: {"kvlistValue":{"values":[{"key":"k","value":{ ... }}]}}.
[[nodiscard]] constexpr std::size_t json_depth_of(const DecodeLimits& limits) noexcept {
    return 16 + 4 * limits.depth_max;
}

/// InvalidArgument: no JSON, or JSON that is no such request. Behind `json` as many bytes must be
/// readable as PaddedBytes has.
[[nodiscard]] Result<TranscodedRequest> transcode_json(
    std::string_view json, Signal signal, const DecodeLimits& limits
);

}  // namespace tagout::intake
