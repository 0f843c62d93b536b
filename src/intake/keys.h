// KeyId: the attribute keys that the mapping table reads, as small numbers.
#pragma once

#include <cstdint>
#include <string_view>

namespace tagout::intake {

enum class KeyId : std::uint16_t { Unknown = 0 };

[[nodiscard]] inline KeyId key_id_of(std::string_view) noexcept {
    return KeyId::Unknown;
}

}  // namespace tagout::intake
