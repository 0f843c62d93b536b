// The one table from error codes to what each protocol calls them.
#pragma once

#include "base/result.h"

namespace tagout::server {

struct ErrorMapping {
    ErrorCode code;
    int http_status;
    int grpc_status;  ///< https://grpc.io/docs/guides/status-codes
    int exit_code;    ///< Of the command line; 1 is kept for "the answer is no".
};

[[nodiscard]] const ErrorMapping& mapping_of(ErrorCode code) noexcept;
[[nodiscard]] inline int exit_code_of(ErrorCode code) noexcept {
    return mapping_of(code).exit_code;
}

}  // namespace tagout::server
