#include "server/error_map.h"

#include <array>

namespace tagout::server {

namespace {

constexpr std::array<ErrorMapping, 7> mappings{{
    {ErrorCode::InvalidArgument, 400, 3, 2},
    {ErrorCode::NotFound, 404, 5, 3},
    {ErrorCode::Conflict, 409, 10, 4},
    {ErrorCode::Unavailable, 503, 14, 5},
    {ErrorCode::LimitExceeded, 429, 8, 6},
    {ErrorCode::Unauthorized, 401, 16, 7},
    {ErrorCode::Corrupt, 500, 13, 8},
}};

}  // namespace

const ErrorMapping& mapping_of(ErrorCode code) noexcept {
    for (const ErrorMapping& mapping : mappings) {
        if (mapping.code == code) {
            return mapping;
        }
    }
    return mappings.back();
}

}  // namespace tagout::server
