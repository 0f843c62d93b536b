// Up to eight marks a word, found by its first eight bytes without a branch: which words of a text
// begin something cannot be foretold, and hardly any does.
//
// A filter: every mark of a word is found; a mark may also be found of a word that has none, one in
// some dozens. Who must know compares. Immutable once made. Cost: a multiplication and a load.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tagout::detect {

class WordFilter {
public:
    using Marks = std::uint8_t;
    static constexpr std::size_t head_bytes = 8;

    /// `word` in lower case; of a longer one its first head_bytes count.
    constexpr void add(std::string_view word, Marks marks) noexcept {
        marks_[place(head_of(word))] |= marks;
    }
    template <class Words>
    constexpr void add_all(const Words& words, Marks marks) noexcept {
        for (const std::string_view word : words) {
            add(word, marks);
        }
    }

    /// `head`: the first eight bytes of a word in lower case, the first one lowest, zeros behind its
    /// end.
    [[nodiscard]] constexpr Marks of(std::uint64_t head) const noexcept {
        return marks_[place(head)];
    }

    [[nodiscard]] static constexpr std::uint64_t head_of(std::string_view word) noexcept {
        std::uint64_t head = 0;
        for (std::size_t i = 0; i < head_bytes && i < word.size(); ++i) {
            head |= std::uint64_t{static_cast<unsigned char>(word[i])} << (8 * i);
        }
        return head;
    }

private:
    static constexpr std::size_t places_log = 11;  ///< Many more than words.

    static constexpr std::size_t place(std::uint64_t head) noexcept {
        return head * 0x9e3779b97f4a7c15ULL >> (64 - places_log);
    }

    std::array<Marks, std::size_t{1} << places_log> marks_{};
};

}  // namespace tagout::detect
