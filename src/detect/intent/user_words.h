// The words of what a user said, as both signals that read them want them: borders as bits, bytes in
// lower case. Read once a message, without a branch a word: where words end cannot be foretold.
//
// A word is a run of ASCII letters and digits. Only the first bytes_max bytes are read.
// Thread-compatible; `text` must outlive it only during construction. Cost: 1.5 instructions a byte,
// 12 a word visited.
#pragma once

#include "detect/byte_classes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tagout::detect {

class UserWords {
public:
    static constexpr std::size_t bytes_max = 1'000;
    static constexpr std::size_t word_bytes_max = 64;  ///< Of a longer one, these count.

    explicit UserWords(std::string_view text) noexcept : size_(std::min(text.size(), bytes_max)) {
        constexpr std::size_t step = ByteClasses::bytes;
        text = text.substr(0, size_);
        std::uint64_t high = 0;
        std::size_t block = 0;
        for (std::size_t base = 0; base < size_; base += step, ++block) {
            const std::size_t here = std::min(step, size_ - base);
            std::array<char, step> given{};
            std::memcpy(given.data(), text.data() + base, here);
            const ByteClasses classes = classes_of(given.data());
            words_[block] = classes.letters | classes.digits;
            high |= classes.high;
            for (std::size_t i = 0; i < step; ++i) {
                lower_[base + i] = static_cast<char>(given[i] | 0x20);
            }
        }
        blocks_ = block;
        words_[block] = 0;
        plain_ = high == 0 && std::memchr(text.data(), '\'', size_) == nullptr;
    }

    /// No apostrophe, nothing beyond ASCII: words are parted by what stands between them.
    [[nodiscard]] bool is_plain() const noexcept { return plain_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }  ///< Of what is read.
    /// Whether a letter or digit stands there; `at` is below size().
    [[nodiscard]] bool is_in_word(std::size_t at) const noexcept {
        return (words_[at / ByteClasses::bytes] >> (at % ByteClasses::bytes) & 1) != 0;
    }
    /// Bytes from `at` on, in lower case where they are letters; word_bytes_max may be read.
    [[nodiscard]] const char* lower(std::size_t at) const noexcept { return lower_.data() + at; }
    /// The first eight bytes of a word, the first one lowest, zeros behind its end.
    [[nodiscard]] std::uint64_t head(std::size_t at, std::size_t size) const noexcept {
        return number_of(lower(at), 8) & mask_of(size);
    }

    /// visit(from, size) for each word that begins before `end`, in order, until it returns false. A
    /// word goes on past `end`.
    template <class Visit>
    void each(std::size_t end, Visit&& visit) const {
        for (std::size_t block = 0; block < blocks_; ++block) {
            const std::uint64_t mine = words_[block];
            const std::uint64_t next = words_[block + 1];
            const std::uint64_t before = block == 0 ? 0 : words_[block - 1] >> 63;
            const std::size_t base = block * ByteClasses::bytes;
            if (base >= end) {
                return;
            }
            std::uint64_t begins = mine & ~((mine << 1) | before);
            if (end - base < ByteClasses::bytes) {
                begins &= (std::uint64_t{1} << (end - base)) - 1;
            }
            while (begins != 0) {
                const auto at = static_cast<std::size_t>(std::countr_zero(begins));
                begins &= begins - 1;
                const std::uint64_t run = (mine >> at) | (next << 1 << (63 - at));
                const auto size = static_cast<std::size_t>(std::countr_one(run));
                if (!visit(base + at, size)) {
                    return;
                }
            }
        }
    }

private:
    /// The bits of a number's first `bytes` bytes; 8 for more.
    static std::uint64_t mask_of(std::size_t bytes) noexcept {
        static constexpr std::array<std::uint64_t, 9> masks = [] {
            std::array<std::uint64_t, 9> made{};
            for (std::size_t i = 1; i < made.size(); ++i) {
                made[i] = made[i - 1] << 8 | 0xff;
            }
            return made;
        }();
        return masks[std::min<std::size_t>(bytes, 8)];
    }

    static constexpr std::size_t blocks_max =
        (bytes_max + ByteClasses::bytes - 1) / ByteClasses::bytes;

    std::size_t size_;
    std::size_t blocks_ = 0;
    bool plain_ = false;
    std::array<std::uint64_t, blocks_max + 1> words_;  ///< Bit i: byte i is a letter or digit.
    std::array<char, (blocks_max + 1) * ByteClasses::bytes> lower_;
};

}  // namespace tagout::detect
