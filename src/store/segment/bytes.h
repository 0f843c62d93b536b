// Little-endian numbers in and out of bytes, and a buffer that grows without being zeroed first.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace tagout::store {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian, by memcpy");

template <class Number>
[[nodiscard]] Number load(const char* from) noexcept {
    Number number;
    std::memcpy(&number, from, sizeof(number));
    return number;
}

template <class Number>
void store_at(char* to, Number number) noexcept {
    std::memcpy(to, &number, sizeof(number));
}

/// Thread-compatible.
class ByteBuffer {
public:
    [[nodiscard]] const char* data() const noexcept { return data_.get(); }
    [[nodiscard]] char* data() noexcept { return data_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }
    void clear() noexcept { size_ = 0; }

    /// Room for `more` bytes behind the end, uninitialised; count them with grow().
    char* reserve_more(std::size_t more) {
        if (size_ + more > capacity_) {
            capacity_ = std::max(capacity_ * 2, size_ + more);
            auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
            std::copy_n(data_.get(), size_, larger.get());
            data_ = std::move(larger);
        }
        return data_.get() + size_;
    }
    void grow(std::size_t by) noexcept { size_ += by; }
    void append(std::string_view bytes) {
        std::copy_n(bytes.data(), bytes.size(), reserve_more(bytes.size()));
        size_ += bytes.size();
    }
    template <class Number>
    void append_number(Number number) {
        store_at(reserve_more(sizeof(number)), number);
        size_ += sizeof(number);
    }

private:
    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

/// LEB128: seven bits a byte, low ones first. At most ten bytes.
inline char* put_varint(char* to, std::uint64_t value) noexcept {
    while (value >= 0x80) {
        *to++ = static_cast<char>(value | 0x80);
        value >>= 7;
    }
    *to++ = static_cast<char>(value);
    return to;
}

/// Takes a number off the front of `from`; false if it is cut short or longer than 64 bits.
inline bool take_varint(std::string_view& from, std::uint64_t& value) noexcept {
    value = 0;
    for (std::size_t i = 0; i < 10 && i < from.size(); ++i) {
        const auto byte = static_cast<std::uint8_t>(from[i]);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            from.remove_prefix(i + 1);
            return i < 9 || byte <= 1;
        }
    }
    return false;
}

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace tagout::store
