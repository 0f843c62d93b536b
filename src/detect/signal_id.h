// A finding's identity: the same signal about the same session, or the same episode of a rate,
// always has the same id, in every shard and in every replay.
#pragma once

#include "detect/hash.h"

#include <string>
#include <string_view>

namespace tagout::detect {

/// 16 hex digits. `subject`: the correlation; for a rate, its key and the pane in which it began.
[[nodiscard]] inline std::string finding_id(std::string_view signal, std::string_view subject) {
    const std::uint64_t hash = combine(hash_of(signal), hash_of(subject));
    std::string id(16, '0');
    for (std::size_t i = 0; i < 16; ++i) {
        id[i] = "0123456789abcdef"[(hash >> (60 - 4 * i)) & 15];
    }
    return id;
}

}  // namespace tagout::detect
