// Which of many patterns can match in a text at all, by the words that stand in it: searching for a
// pattern costs more than finding out that its words are missing, and mostly they are.
//
// A rule opens for some of its words, or for one of them with one of a second list behind it. Words
// of the text are read once for all rules, without a branch a word. Words are compared by their
// first eight bytes, so that a gate may open for a longer word that begins like one of its own.
//
// WordGates is immutable once made; OpenGates belongs to one text. Cost: some 10 instructions a
// word of the text, 30 for each that is of a list.
#pragma once

#include "detect/message_words.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tagout::detect {

class WordGates {
public:
    static constexpr std::size_t rules_max = 64;

    /// How far behind a word of the first list one of the second may stand.
    enum class Within : std::uint8_t { Anywhere, TwoWords, FourWords };

    struct Rule {
        const char* words;           ///< In lower case, parted by one blank.
        const char* then = nullptr;  ///< Null: the first list is enough.
        Within within = Within::Anywhere;
    };

    /// `rules` are at most rules_max, bit i of what is open is rule i's.
    explicit WordGates(std::span<const Rule> rules);

private:
    friend class OpenGates;
    struct Word {
        std::uint64_t head;
        std::uint64_t first;  ///< Rules that have it in their first list.
        std::uint64_t then;
    };

    void note(const char* list, std::uint64_t Word::*rules, std::uint64_t rule);
    /// False where two words want one place.
    bool place_all(std::uint64_t factor);

    /// The only one that may have this head.
    [[nodiscard]] const Word& like(std::uint64_t head) const noexcept {
        return words_[places_[head * factor_ >> (64 - places_log)]];
    }

    static constexpr std::size_t places_log = 12;

    std::vector<Word> words_;  ///< The first is nobody's.
    std::array<std::uint16_t, std::size_t{1} << places_log> places_{};
    std::uint64_t factor_ = 1;
    std::uint64_t alone_ = 0;
    std::uint64_t anywhere_ = 0;
    std::uint64_t two_words_ = 0;
    std::uint64_t four_words_ = 0;
};

class OpenGates {
public:
    explicit OpenGates(const WordGates& gates) noexcept : gates_(&gates) {}

    /// The next piece of the text.
    void read(const MessageWords& words) noexcept {
        // Locals: members would be stored for each word.
        std::array<std::uint64_t, 4> before = before_;
        std::uint64_t seen = seen_;
        std::uint64_t anywhere = anywhere_;
        std::uint64_t two_words = two_words_;
        std::uint64_t four_words = four_words_;
        words.each(MessageWords::bytes_max, [&](std::size_t from, std::size_t size) {
            const std::uint64_t head = words.head(from, size);
            const WordGates::Word& word = gates_->like(head);
            const std::uint64_t mine = word.head == head ? ~std::uint64_t{0} : 0;
            const std::uint64_t then = word.then & mine;
            const std::uint64_t close = before[0] | before[1];
            anywhere |= then & seen;
            two_words |= then & close;
            four_words |= then & (close | before[2] | before[3]);
            before = {word.first & mine, before[0], before[1], before[2]};
            seen |= before[0];
            return true;
        });
        before_ = before;
        seen_ = seen;
        anywhere_ = anywhere;
        two_words_ = two_words;
        four_words_ = four_words;
    }

    /// Bit i: rule i's words stand in what was read.
    [[nodiscard]] std::uint64_t rules() const noexcept {
        return (seen_ & gates_->alone_) | (anywhere_ & gates_->anywhere_) |
               (two_words_ & gates_->two_words_) | (four_words_ & gates_->four_words_);
    }

private:
    const WordGates* gates_;
    std::array<std::uint64_t, 4> before_{};  ///< Of the words just before, the nearest first.
    std::uint64_t seen_ = 0;
    std::uint64_t anywhere_ = 0;
    std::uint64_t two_words_ = 0;
    std::uint64_t four_words_ = 0;
};

}  // namespace tagout::detect
