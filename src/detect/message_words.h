// The words of what a user or an agent said, as all signals that read them want them: where they
// stand, and bytes in lower case. Read once a message, without a branch a word: where words end
// cannot be foretold.
//
// A word is a run of ASCII letters and digits. Only the first bytes_max bytes are read: a longer
// text is read in pieces. Thread-compatible; `text` must outlive it only during construction.
// Cost: 1.5 instructions a byte, 10 a word, and 3 for each time it is visited.
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

class MessageWords {
public:
    static constexpr std::size_t bytes_max = 1'000;
    static constexpr std::size_t word_bytes_max = 64;  ///< Of a longer one, these count.

    explicit MessageWords(std::string_view text) noexcept
        : size_(std::min(text.size(), bytes_max)) {
        constexpr std::size_t step = ByteClasses::bytes;
        text = text.substr(0, size_);
        std::uint64_t high = 0;
        std::size_t block = 0;
        for (std::size_t base = 0; base < size_; base += step, ++block) {
            const char* bytes = text.data() + base;
            std::array<char, step> last;
            if (size_ - base < step) {
                last.fill(0);
                std::memcpy(last.data(), bytes, size_ - base);
                bytes = last.data();
            }
            const ByteClasses classes = classes_of(bytes);
            words_[block] = classes.letters | classes.digits;
            high |= classes.high;
            for (std::size_t i = 0; i < step; ++i) {
                lower_[base + i] = static_cast<char>(bytes[i] | 0x20);
            }
        }
        words_[block] = 0;
        find_words(block);
        high_ = high != 0;
        plain_ = !high_ && std::memchr(text.data(), '\'', size_) == nullptr;
    }

    /// No apostrophe, nothing beyond ASCII: words are parted by what stands between them.
    [[nodiscard]] bool is_plain() const noexcept { return plain_; }
    /// Something beyond ASCII.
    [[nodiscard]] bool has_high() const noexcept { return high_; }
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

    /// visit(from, size) for each word that begins before `end`, in order, until it returns false.
    /// A word goes on past `end`.
    template <class Visit>
    void each(std::size_t end, Visit&& visit) const {
        for (std::size_t i = 0; i < count_ && places_[i].from < end; ++i) {
            if (!visit(std::size_t{places_[i].from}, std::size_t{places_[i].size})) {
                return;
            }
        }
    }

private:
    struct Place {
        std::uint16_t from;
        std::uint16_t size;
    };

    void find_words(std::size_t blocks) noexcept {
        std::uint64_t before = 0;
        for (std::size_t block = 0; block < blocks; ++block) {
            const std::uint64_t mine = words_[block];
            const std::uint64_t next = words_[block + 1];
            std::uint64_t begins = mine & ~((mine << 1) | before);
            before = mine >> 63;
            while (begins != 0) {
                const auto at = static_cast<unsigned>(std::countr_zero(begins));
                begins &= begins - 1;
                const std::uint64_t run = (mine >> at) | (next << 1 << (63 - at));
                places_[count_++] = {
                    static_cast<std::uint16_t>(block * ByteClasses::bytes + at),
                    static_cast<std::uint16_t>(std::countr_one(run))};
            }
        }
    }

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
    std::size_t count_ = 0;
    bool plain_ = false;
    bool high_ = false;
    std::array<std::uint64_t, blocks_max + 1> words_;  ///< Bit i: byte i is a letter or digit.
    std::array<char, (blocks_max + 1) * ByteClasses::bytes> lower_;
    std::array<Place, bytes_max / 2 + 1> places_;  ///< Of the words, the first count_.
};

/// Calls visit(piece) for pieces of a long text, each as long as MessageWords reads, no word cut
/// but those longer than word_bytes_max.
template <class Visit>
void for_each_piece(std::string_view text, Visit&& visit) {
    const auto in_word = [text](std::size_t at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const unsigned lower = byte | 0x20U;
        return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9');
    };
    std::size_t from = 0;
    while (text.size() - from > MessageWords::bytes_max) {
        const std::size_t most = from + MessageWords::bytes_max;
        std::size_t to = most;
        while (to > most - MessageWords::word_bytes_max && in_word(to - 1) && in_word(to)) {
            --to;
        }
        to = in_word(to - 1) && in_word(to) ? most : to;
        visit(text.substr(from, to - from));
        from = to;
    }
    visit(text.substr(from));
}

}  // namespace tagout::detect
