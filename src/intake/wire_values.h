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

/// Reads a KeyValue of the layout that encoders write, from its length on: a short key, then a
/// value of one field that fills it. nullptr for any other; nothing is wrong then, yet. Lists are
/// not looked into.
[[nodiscard]] inline const char* read_plain_key_value(
    const char* at, const char* end, Attribute& entry
) noexcept {
    const auto short_length = [](const char*& position) noexcept -> std::uint32_t {
        const std::uint32_t first = byte_at(position);
        if (first < 0x80) {
            ++position;
            return first;
        }
        const std::uint32_t second = byte_at(position + 1);
        position += 2;
        return second < 0x80 ? (first & 0x7f) | second << 7 : 0xffffffff;
    };
    const std::uint32_t length = short_length(at);
    if (length > end - at || length < 4 || *at != '\x0a') [[unlikely]] {
        return nullptr;
    }
    const char* const stop = at + length;
    const std::uint32_t key_length = byte_at(at + 1);
    if (key_length >= 0x80 || key_length + 4 > length) [[unlikely]] {
        return nullptr;
    }
    entry.key = {at + 2, key_length};
    at += 2 + key_length;
    if (*at != '\x12') [[unlikely]] {
        return nullptr;
    }
    ++at;
    const std::uint32_t value_length = short_length(at);
    if (value_length != stop - at || value_length < 2) [[unlikely]] {
        return nullptr;
    }
    const char kind = *at;
    ++at;
    switch (kind) {
        case 0x0a: {
            const std::uint32_t text_length = short_length(at);
            if (text_length != stop - at) [[unlikely]] {
                return nullptr;
            }
            entry.value = AnyValue::text({at, text_length});
            return stop;
        }
        case 0x18: {
            std::uint64_t value = 0;
            if (read_varint(at, value) != stop) [[unlikely]] {
                return nullptr;
            }
            entry.value = AnyValue::integer(static_cast<std::int64_t>(value));
            return stop;
        }
        case 0x10:
            if (at + 1 != stop || byte_at(at) >= 0x80) [[unlikely]] {
                return nullptr;
            }
            entry.value = AnyValue::boolean(*at != 0);
            return stop;
        case 0x21:
            if (at + 8 != stop) [[unlikely]] {
                return nullptr;
            }
            entry.value = AnyValue::number(load<double>(at));
            return stop;
        default:
            return nullptr;
    }
}

}  // namespace tagout::intake::wire
