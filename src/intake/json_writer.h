// Writes protobuf fields one after the other into a growing buffer.
//
// The length of a message is known when it ends, so one byte is left for it at its start (four for
// a large one), and what follows moves if more are needed: encodings are the shortest, as every
// encoder writes them. Confined to its thread. Bounds: none of its own; its caller's input.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tagout::intake::json {

[[nodiscard]] constexpr std::uint32_t zigzag(std::int32_t number) noexcept {
    return static_cast<std::uint32_t>(number) << 1 ^ static_cast<std::uint32_t>(number >> 31);
}

class Writer {
public:
    /// A message that is being written.
    struct Open {
        std::size_t body = 0;   ///< Where it begins.
        std::size_t room = 1;   ///< Bytes left for its length before that.
    };

    void clear() {
        if (out_.capacity() > bytes_kept_max) {
            out_ = {};
        }
        out_.clear();
    }
    [[nodiscard]] std::string_view view() const noexcept { return out_; }
    [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }
    /// Takes back everything behind `size`.
    void shrink(std::size_t size) { out_.resize(size); }

    [[nodiscard]] Open begin(std::uint32_t number, bool large) {
        tag(number, 2);
        const std::size_t room = large ? 4 : 1;
        out_.append(room, '\0');
        return {.body = out_.size(), .room = room};
    }
    void end(const Open& open) {
        std::array<char, 10> length{};
        const std::size_t size = encode(out_.size() - open.body, length);
        const std::size_t start = open.body - open.room;
        if (size != open.room) {
            out_.replace(start, open.room, length.data(), size);
        } else {
            std::memcpy(out_.data() + start, length.data(), size);
        }
    }

    void varint(std::uint32_t number, std::uint64_t value) {
        tag(number, 0);
        raw_varint(value);
    }
    void fixed64(std::uint32_t number, std::uint64_t value) {
        tag(number, 1);
        raw_fixed64(value);
    }
    void fixed32(std::uint32_t number, std::uint32_t value) {
        tag(number, 5);
        append_bits(value);
    }
    void bytes(std::uint32_t number, std::string_view value) {
        tag(number, 2);
        raw_varint(value.size());
        out_.append(value);
    }

    void raw_varint(std::uint64_t value) {
        std::array<char, 10> encoded{};
        out_.append(encoded.data(), encode(value, encoded));
    }
    void raw_fixed64(std::uint64_t value) { append_bits(value); }

    /// False if `text` is no hex, or an odd number of digits.
    [[nodiscard]] bool hex(std::string_view text);
    /// Either alphabet, padded or not. False if it is neither.
    [[nodiscard]] bool base64(std::string_view text);

private:
    static constexpr std::size_t bytes_kept_max = 8 * 1024 * 1024;

    void tag(std::uint32_t number, std::uint32_t type) { raw_varint(number << 3 | type); }
    static std::size_t encode(std::uint64_t value, std::array<char, 10>& into) noexcept {
        std::size_t size = 0;
        while (value >= 0x80) {
            into[size++] = static_cast<char>(value | 0x80);
            value >>= 7;
        }
        into[size++] = static_cast<char>(value);
        return size;
    }
    template <class Bits>
    void append_bits(Bits bits) {
        static_assert(std::endian::native == std::endian::little, "the wire is little-endian");
        std::array<char, sizeof bits> raw;
        std::memcpy(raw.data(), &bits, sizeof bits);
        out_.append(raw.data(), raw.size());
    }

    std::string out_;
};

}  // namespace tagout::intake::json
