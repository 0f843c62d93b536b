// The few small messages that OTLP answers with, encoded by hand in protobuf and in JSON.
//
//   ExportXServiceResponse{1: partial_success{1: int64 rejected, 2: string error_message}}
//   google.rpc.Status{1: int32 code, 2: string message, 3: repeated Any details}
//   google.rpc.RetryInfo{1: Duration retry_delay{1: int64 seconds}}
#pragma once

#include "domain/agent_event.h"
#include "intake/intake.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tagout::server {

/// "" (an empty message) or "{}" when nothing was rejected and there is nothing to say.
[[nodiscard]] std::string export_response(
    intake::Encoding encoding, Signal signal, std::uint64_t rejected, std::string_view message
);

/// `retry_seconds` 0 leaves the RetryInfo detail out. `code` is a gRPC status code.
[[nodiscard]] std::string rpc_status(
    intake::Encoding encoding, int code, std::string_view message, unsigned retry_seconds
);

/// RetryInfo alone, for the trailer that the Python SDK reads.
[[nodiscard]] std::string retry_info(unsigned retry_seconds);

}  // namespace tagout::server
