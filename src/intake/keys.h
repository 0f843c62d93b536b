// KeyId: the attribute keys that the normaliser reads, as small numbers.
//
// Senders write keys as text, and every attribute of every span must be recognised. key_id_of()
// does that once, with one hash and normally one comparison (a few ns); whatever comes after
// switches on numbers. key_list.inc is the only list: key("gen_ai.agent.name") refuses to
// compile for a key that does not stand there.
//
// Some conventions spread a list over many keys ("llm.input_messages.3.message.role"), and some
// are recognised by a prefix alone. Such keys, and others of those prefixes that are not listed,
// get the id of their family.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tagout::intake {

enum class KeyId : std::uint16_t {
    Unknown = 0,
    GenAi = 1,              ///< gen_ai.* that is not listed.
    Traceloop = 2,          ///< traceloop.* that is not listed.
    LangSmith = 3,          ///< langsmith.* that is not listed.
    LlmInputMessage = 4,    ///< llm.input_messages.N.*
    LlmOutputMessage = 5,   ///< llm.output_messages.N.*
    GenAiPromptItem = 6,    ///< gen_ai.prompt.N.*
    GenAiCompletionItem = 7, ///< gen_ai.completion.N.*
    LlmTool = 9,            ///< llm.tools.N.*
    Annotation = 8,         ///< (trace.|session.)?(annotations|evaluations).N.*
    FirstListed = 16,
};

namespace key_table {

inline constexpr auto listed = std::to_array<std::string_view>({
#include "intake/key_list.inc"
});
inline constexpr std::size_t slots_count = 2048;
static_assert(listed.size() * 3 < slots_count, "few keys share a slot");

/// The eight bytes at `p` as one number, in the machine's order.
[[nodiscard]] constexpr std::uint64_t eight(const char* p) noexcept {
    std::uint64_t bits = 0;
    if consteval {
        for (int i = 7; i >= 0; --i) {
            bits = bits << 8U | static_cast<unsigned char>(p[i]);
        }
    } else {
        std::memcpy(&bits, p, 8);
    }
    return bits;
}

/// Length, middle and end: dotted keys differ there and share their beginnings.
[[nodiscard]] constexpr std::size_t slot_of(std::string_view key) noexcept {
    const std::size_t size = key.size();
    std::uint64_t bits = size * 0x9E3779B97F4A7C15U;
    if (size >= 8) {
        bits ^= eight(key.data() + size - 8) * 0xD6E8FEB86659FD93U;
        bits ^= (eight(key.data() + size / 2 - 4) >> 3U) * 0xA0761D6478BD642FU;
    } else {
        for (const char c : key) {
            bits = (bits ^ static_cast<unsigned char>(c)) * 0xD6E8FEB86659FD93U;
        }
    }
    return (bits ^ bits >> 29U) * 0x9E3779B97F4A7C15U >> 53U;
}
static_assert(slots_count == std::size_t{1} << (64 - 53));

/// Two texts of one size, compared in words that overlap: no call for a few bytes.
[[nodiscard]] constexpr bool same_bytes(const char* a, const char* b, std::size_t size) noexcept {
    if (size < 8) {
        for (std::size_t i = 0; i < size; ++i) {
            if (a[i] != b[i]) {
                return false;
            }
        }
        return true;
    }
    for (std::size_t i = 0; i + 8 < size; i += 8) {
        if (eight(a + i) != eight(b + i)) {
            return false;
        }
    }
    return eight(a + size - 8) == eight(b + size - 8);
}

/// Positions in `listed` plus one, 0 where a slot is free; a taken slot sends on to the next.
[[nodiscard]] consteval std::array<std::uint16_t, slots_count> fill_slots() {
    std::array<std::uint16_t, slots_count> slots{};
    for (std::size_t i = 0; i < listed.size(); ++i) {
        std::size_t slot = slot_of(listed[i]);
        while (slots[slot] != 0) {
            slot = (slot + 1) % slots_count;
        }
        slots[slot] = static_cast<std::uint16_t>(i + 1);
    }
    return slots;
}
inline constexpr std::array<std::uint16_t, slots_count> slots = fill_slots();

/// The listed key's id, or Unknown.
[[nodiscard]] constexpr KeyId find(std::string_view key) noexcept {
    for (std::size_t slot = slot_of(key); slots[slot] != 0; slot = (slot + 1) % slots_count) {
        const std::size_t at = slots[slot] - 1U;
        const std::string_view found = listed[at];
        if (found.size() == key.size() && same_bytes(found.data(), key.data(), key.size())) {
            return static_cast<KeyId>(at + static_cast<std::size_t>(KeyId::FirstListed));
        }
    }
    return KeyId::Unknown;
}

[[nodiscard]] KeyId family_of_unlisted(std::string_view key) noexcept;

/// Not constexpr: reaching it makes a key("...") that is not listed an error of the compiler.
inline void this_key_is_missing_from_key_list() {}

}  // namespace key_table

/// One past the largest KeyId, for arrays indexed by it.
inline constexpr std::size_t key_ids_count =
    key_table::listed.size() + static_cast<std::size_t>(KeyId::FirstListed);

/// The id of a key in the list; any other text does not compile.
[[nodiscard]] consteval KeyId key(std::string_view text) {
    const KeyId id = key_table::find(text);
    if (id == KeyId::Unknown) {
        key_table::this_key_is_missing_from_key_list();
    }
    return id;
}

[[nodiscard]] inline KeyId key_id_of(std::string_view key) noexcept {
    const KeyId id = key_table::find(key);
    return id != KeyId::Unknown ? id : key_table::family_of_unlisted(key);
}

/// The text of a listed key, "" of any other id.
[[nodiscard]] constexpr std::string_view text_of(KeyId id) noexcept {
    const auto number = static_cast<std::size_t>(id);
    constexpr auto first = static_cast<std::size_t>(KeyId::FirstListed);
    return number >= first && number < key_ids_count ? key_table::listed[number - first]
                                                     : std::string_view{};
}

/// Which prefixes a key has that tell a convention by themselves. Bits.
enum class KeyPrefix : std::uint8_t { None = 0, GenAi = 1, Traceloop = 2, LangSmith = 4 };

namespace key_table {

[[nodiscard]] constexpr KeyPrefix prefix_of_text(std::string_view text) noexcept {
    if (text.starts_with("gen_ai.")) {
        return KeyPrefix::GenAi;
    }
    if (text.starts_with("traceloop.")) {
        return KeyPrefix::Traceloop;
    }
    return text.starts_with("langsmith.") ? KeyPrefix::LangSmith : KeyPrefix::None;
}

[[nodiscard]] consteval std::array<KeyPrefix, key_ids_count> fill_prefixes() {
    std::array<KeyPrefix, key_ids_count> prefixes{};
    for (std::size_t id = 0; id < key_ids_count; ++id) {
        prefixes[id] = prefix_of_text(text_of(static_cast<KeyId>(id)));
    }
    prefixes[static_cast<std::size_t>(KeyId::GenAi)] = KeyPrefix::GenAi;
    prefixes[static_cast<std::size_t>(KeyId::GenAiPromptItem)] = KeyPrefix::GenAi;
    prefixes[static_cast<std::size_t>(KeyId::GenAiCompletionItem)] = KeyPrefix::GenAi;
    prefixes[static_cast<std::size_t>(KeyId::Traceloop)] = KeyPrefix::Traceloop;
    prefixes[static_cast<std::size_t>(KeyId::LangSmith)] = KeyPrefix::LangSmith;
    return prefixes;
}
inline constexpr std::array<KeyPrefix, key_ids_count> prefixes = fill_prefixes();

}  // namespace key_table

[[nodiscard]] inline KeyPrefix prefix_of(KeyId id) noexcept {
    return key_table::prefixes[static_cast<std::size_t>(id)];
}

}  // namespace tagout::intake
