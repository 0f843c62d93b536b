// AnyValue and KeyValue bodies, one level at a time: what the item reader and the cursors share.
#pragma once

#include "intake/wire.h"
#include "intake/wire_view.h"

namespace tagout::intake::wire {

/// Reads one AnyValue body without a look inside lists; lengths inside are checked. `twice` is set,
/// never cleared, if a value is there more than once. False at a fault.
[[nodiscard]] bool parse_any_value(
    std::string_view body, AnyValue& value, bool& twice, Fault& fault
) noexcept;

/// Likewise one KeyValue body. The key's id is looked up.
[[nodiscard]] bool parse_key_value(
    std::string_view body, Attribute& entry, bool& twice, Fault& fault
) noexcept;

/// The two bytes of a varint from 128 to 16,383, as they lie in memory.
[[nodiscard]] constexpr std::uint16_t long_length(std::ptrdiff_t length) noexcept {
    return static_cast<std::uint16_t>((length & 0x7f) | 0x80 | length >> 7 << 8);
}

/// Checks that `at` holds the length of exactly what lies behind it up to `stop`, in the shortest
/// form of one or two bytes. Gives the position behind the length, or nullptr.
[[nodiscard, gnu::always_inline]] inline const char* behind_exact_length(
    const char* at, const char* stop
) noexcept {
    const std::ptrdiff_t left = stop - at;
    if (left <= 128) [[likely]] {
        return byte_at(at) == left - 1 ? at + 1 : nullptr;
    }
    return left <= 16'385 && load<std::uint16_t>(at) == long_length(left - 2) ? at + 2 : nullptr;
}

/// Reads a KeyValue of the layout that encoders write, from its length on: a short key, then a
/// value of one field that fills it. nullptr for any other; nothing is wrong then, yet. Lists are
/// not looked into.
[[nodiscard, gnu::always_inline]] inline const char* read_plain_key_value(
    const char* at, const char* end, Attribute& entry
) noexcept {
    std::uint32_t length = byte_at(at);
    ++at;
    if (length >= 0x80) {
        const std::uint32_t second = byte_at(at);
        if (second >= 0x80) [[unlikely]] {
            return nullptr;
        }
        length = (length & 0x7f) | second << 7;
        ++at;
    }
    const char* const stop = at + length;
    if (length > end - at || length < 6 || *at != '\x0a') [[unlikely]] {
        return nullptr;
    }
    const std::uint32_t key_length = byte_at(at + 1);
    if (key_length >= 0x80 || key_length + 6 > length) [[unlikely]] {
        return nullptr;
    }
    entry.key = {at + 2, key_length};
    at += 2 + key_length;
    if (*at != '\x12') [[unlikely]] {
        return nullptr;
    }
    at = behind_exact_length(at + 1, stop);
    if (at == nullptr) [[unlikely]] {
        return nullptr;
    }
    const char kind = *at;
    ++at;
    if (kind == 0x0a) [[likely]] {
        at = behind_exact_length(at, stop);
        if (at == nullptr) [[unlikely]] {
            return nullptr;
        }
        entry.value = AnyValue::text({at, static_cast<std::size_t>(stop - at)});
        return stop;
    }
    if (kind == 0x18) {
        std::uint64_t value = 0;
        if (read_varint(at, value) != stop) [[unlikely]] {
            return nullptr;
        }
        entry.value = AnyValue::integer(static_cast<std::int64_t>(value));
        return stop;
    }
    if (kind == 0x10) {
        if (at + 1 != stop || byte_at(at) >= 0x80) [[unlikely]] {
            return nullptr;
        }
        entry.value = AnyValue::boolean(*at != 0);
        return stop;
    }
    if (kind == 0x21 && at + 8 == stop) {
        entry.value = AnyValue::number(load<double>(at));
        return stop;
    }
    return nullptr;
}

}  // namespace tagout::intake::wire
