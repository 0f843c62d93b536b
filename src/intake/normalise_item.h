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
            at_[static_cast<std::size_t>(id)] = static_cast<std::uint16_t>(i + 1);
            prefixes |= static_cast<unsigned>(prefix_of(id));
        }
        prefixes_ = prefixes;
    }

    [[nodiscard]] bool has(KeyId id) const noexcept { return at_[index(id)] != 0; }
    /// The value of the last attribute with that key, else the empty value.
    [[nodiscard]] const AnyValue& operator[](KeyId id) const noexcept {
        const std::uint16_t at = at_[index(id)];
        return at == 0 ? none : attributes_[at - 1U].value;
    }
    /// The value if it is a text, else "".
    [[nodiscard]] std::string_view text(KeyId id) const noexcept { return (*this)[id].text(); }
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
    std::array<std::uint16_t, key_ids_count> at_{};  ///< Position plus one; 0 if absent.
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
