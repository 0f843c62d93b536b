// The protobuf wire format: tags, varints, lengths, fields. No allocation, no exception.
//
// Every function takes a position and the end of the message around it, and gives the position
// behind what it read, or nullptr. Reads may pass `end` by at most a varint: the bytes must be
// padded (PaddedBytes) or lie inside a padded message. What is refused is what libprotobuf 3.21
// refuses: tags over 5 bytes, field number 0, wire types 6 and 7, varints over 10 bytes, lengths
// over 5 bytes or past their message, groups left open. Bits of a tag above 32 and of a varint
// above 64 are dropped, as there. Source: protobuf.dev/programming-guides/encoding.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace tagout::intake::wire {

/// Groups within groups of unknown fields; libprotobuf's own bound is 100 messages of any kind.
inline constexpr int group_depth_max = 64;

/// Where the bytes stop being a message, and why. The first one is kept.
struct Fault {
    const char* at = nullptr;
    const char* what = nullptr;
};

[[gnu::cold]] inline const char* fail_at(const char* at, const char* what, Fault& fault) noexcept {
    if (fault.at == nullptr) {
        fault = {at, what};
    }
    return nullptr;
}

enum Type : std::uint32_t { Varint = 0, Fixed64 = 1, Length = 2, Group = 3, GroupEnd = 4, Fixed32 = 5 };

/// Tags are compared whole: a known number with another wire type is an unknown field.
[[nodiscard]] constexpr std::uint32_t tag(std::uint32_t number, Type type) noexcept {
    return number << 3 | type;
}

struct Field {
    std::uint32_t tag = 0;
    std::uint64_t number = 0;  ///< The value of a varint or a fixed field.
    std::string_view bytes;    ///< The body of a length-delimited one.
};

[[nodiscard]] inline std::uint8_t byte_at(const char* at) noexcept {
    return static_cast<std::uint8_t>(*at);
}
template <class Number>
[[nodiscard]] Number load(const char* at) noexcept {
    Number number;
    std::memcpy(&number, at, sizeof number);
    return number;
}

/// A varint of at most `bytes_max` bytes, for those that do not fit into one.
[[nodiscard]] inline const char* read_long_varint(
    const char* at, int bytes_max, std::uint64_t& value
) noexcept {
    std::uint64_t read = 0;
    for (int index = 0; index < bytes_max; ++index) {
        const std::uint64_t byte = byte_at(at + index);
        read |= (byte & 0x7f) << (7 * index);
        if (byte < 0x80) {
            value = read;
            return at + index + 1;
        }
    }
    return nullptr;
}

[[nodiscard]] inline const char* read_varint(const char* at, std::uint64_t& value) noexcept {
    const std::uint8_t first = byte_at(at);
    if (first < 0x80) [[likely]] {
        value = first;
        return at + 1;
    }
    return read_long_varint(at, 10, value);
}

/// A length and what it measures.
[[nodiscard]] inline const char* read_bytes(
    const char* at, const char* end, std::string_view& bytes, Fault& fault
) noexcept {
    const char* const start = at;
    std::uint64_t length = byte_at(at);
    if (length < 0x80) [[likely]] {
        ++at;
    } else if (byte_at(at + 1) < 0x80) {
        length = (length & 0x7f) | static_cast<std::uint64_t>(byte_at(at + 1)) << 7;
        at += 2;
    } else {
        at = read_long_varint(at, 5, length);
        if (at == nullptr) [[unlikely]] {
            return fail_at(start, "a length of more than 5 bytes", fault);
        }
    }
    if (at > end || length > static_cast<std::uint64_t>(end - at)) [[unlikely]] {
        return fail_at(start, "a length that passes the end of its message", fault);
    }
    bytes = {at, static_cast<std::size_t>(length)};
    return at + length;
}

/// Behind the end of the group `number` that began before `at`.
[[nodiscard]] const char* skip_group(
    const char* at, const char* end, std::uint32_t number, int depth, Fault& fault
) noexcept;
/// The payload of a field whose tag was read; for the wire types that are rare.
[[nodiscard]] const char* read_rare_payload(
    const char* at, const char* end, Field& field, int depth, Fault& fault
) noexcept;

/// One field, whole. `at` is before `end`.
[[nodiscard]] inline const char* read_field(
    const char* at, const char* end, Field& field, Fault& fault, int depth = 0
) noexcept {
    const char* const start = at;
    std::uint64_t tag = byte_at(at);
    ++at;
    if (tag >= 0x80) [[unlikely]] {
        at = read_long_varint(start, 5, tag);
        if (at == nullptr) [[unlikely]] {
            return fail_at(start, "a tag of more than 5 bytes", fault);
        }
    }
    field.tag = static_cast<std::uint32_t>(tag);
    if (field.tag < 8) [[unlikely]] {
        return fail_at(start, "field number 0", fault);
    }
    switch (field.tag & 7) {
        case Length:
            return read_bytes(at, end, field.bytes, fault);
        case Varint:
            at = read_varint(at, field.number);
            if (at == nullptr) [[unlikely]] {
                return fail_at(start, "a varint of more than 10 bytes", fault);
            }
            break;
        case Fixed64:
            field.number = load<std::uint64_t>(at);
            at += 8;
            break;
        default:
            return read_rare_payload(at, end, field, depth, fault);
    }
    if (at > end) [[unlikely]] {
        return fail_at(start, "a field that passes the end of its message", fault);
    }
    return at;
}

/// Walks the fields of one message body where speed is not everything.
class Fields {
public:
    Fields(std::string_view body, Fault& fault) noexcept
        : at_(body.data()), end_(body.data() + body.size()), fault_(&fault) {}

    /// False at the end and at a fault.
    [[nodiscard]] bool next(Field& field) noexcept {
        if (at_ == end_) {
            return false;
        }
        const char* const behind = read_field(at_, end_, field, *fault_);
        sound_ = behind != nullptr;
        at_ = sound_ ? behind : end_;
        return sound_;
    }
    /// Whether all that was walked is a message.
    [[nodiscard]] bool sound() const noexcept { return sound_; }

private:
    const char* at_;
    const char* end_;
    Fault* fault_;
    bool sound_ = true;
};

}  // namespace tagout::intake::wire
