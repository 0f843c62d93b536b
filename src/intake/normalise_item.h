// One span or log record as the steps of the normaliser share it: its attributes by key id.
//
// Confined to one call. The index takes about one ns an attribute to fill and one to ask.
#pragma once

#include "intake/keys.h"
#include "intake/wire_view.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace tagout::intake {

class AttributeIndex {
public:
    explicit AttributeIndex(std::span<const Attribute> attributes) noexcept
        : attributes_(attributes) {
        unsigned prefixes = 0;
        for (std::size_t i = 0; i < attributes.size() && i < attributes_max; ++i) {
            const KeyId id = attributes[i].key_id;
            const std::size_t number = index(id);
            at_[number] = static_cast<std::uint16_t>(i);
            present_[number / 64] |= std::uint64_t{1} << (number % 64);
            prefixes |= static_cast<unsigned>(prefix_of(id));
        }
        prefixes_ = prefixes;
    }

    [[nodiscard]] bool has(KeyId id) const noexcept {
        return (present_[index(id) / 64] >> (index(id) % 64) & 1U) != 0;
    }
    /// The value of the last attribute with that key, else the empty value.
    [[nodiscard]] const AnyValue& operator[](KeyId id) const noexcept {
        return has(id) ? attributes_[at_[index(id)]].value : none;
    }
    /// The value if it is a text, else "".
    [[nodiscard]] std::string_view text(KeyId id) const noexcept {
        return has(id) ? attributes_[at_[index(id)]].value.text() : std::string_view{};
    }
    [[nodiscard]] bool has_prefix(KeyPrefix prefix) const noexcept {
        return (prefixes_ & static_cast<unsigned>(prefix)) != 0;
    }
    [[nodiscard]] std::span<const Attribute> all() const noexcept { return attributes_; }

private:
    static constexpr std::size_t attributes_max = 0xfffe;  ///< Far over DecodeLimits' default.
    static inline const AnyValue none;
    [[nodiscard]] static std::size_t index(KeyId id) noexcept {
        return static_cast<std::size_t>(id);
    }

    std::span<const Attribute> attributes_;
    std::array<std::uint64_t, key_ids_count / 64 + 1> present_{};
    std::array<std::uint16_t, key_ids_count> at_;  ///< Position, of keys that are present.
    unsigned prefixes_ = 0;
};

/// The value of the attribute with that key in a list without an index, else the empty value.
[[nodiscard]] inline AnyValue find_attribute(
    std::span<const Attribute> attributes, KeyId id
) noexcept {
    for (const Attribute& attribute : attributes) {
        if (attribute.key_id == id) {
            return attribute.value;
        }
    }
    return {};
}

}  // namespace tagout::intake
