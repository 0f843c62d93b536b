#include "detect/word_gates.h"

#include "base/assert.h"
#include "detect/word_filter.h"

#include <algorithm>

namespace tagout::detect {

WordGates::WordGates(std::span<const Rule> rules) {
    TAGOUT_ASSERT(rules.size() <= rules_max, "a rule is a bit");
    constexpr std::uint64_t no_word = ~std::uint64_t{0};
    words_.push_back({.head = no_word, .first = 0, .then = 0});
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const Rule& rule = rules[i];
        const std::uint64_t bit = std::uint64_t{1} << i;
        note(rule.words, &Word::first, bit);
        if (rule.then == nullptr) {
            alone_ |= bit;
            continue;
        }
        note(rule.then, &Word::then, bit);
        switch (rule.within) {
            case Within::Anywhere:
                anywhere_ |= bit;
                break;
            case Within::TwoWords:
                two_words_ |= bit;
                break;
            case Within::FourWords:
                four_words_ |= bit;
                break;
        }
    }
    // A factor that gives each word a place of its own: one in some hundreds does for 250 words.
    constexpr std::uint64_t odd_step = 0x9e3779b97f4a7c16ULL;
    std::uint64_t tries = 0;
    for (factor_ = 0x9e3779b97f4a7c15ULL; !place_all(factor_); factor_ += odd_step) {
        constexpr std::uint64_t tries_max = 1'000'000;
        TAGOUT_ASSERT(++tries < tries_max, "some factor parts a few hundred words");
    }
}

void WordGates::note(const char* list, std::uint64_t Word::*rules, std::uint64_t rule) {
    std::string_view left(list);
    while (!left.empty()) {
        const std::size_t end = std::min(left.find(' '), left.size());
        const std::uint64_t head = WordFilter::head_of(left.substr(0, end));
        auto known = std::ranges::find(words_, head, &Word::head);
        if (known == words_.end()) {
            words_.push_back({.head = head, .first = 0, .then = 0});
            known = words_.end() - 1;
        }
        (*known).*rules |= rule;
        left.remove_prefix(std::min(end + 1, left.size()));
    }
}

bool WordGates::place_all(std::uint64_t factor) {
    places_.fill(0);
    for (std::size_t i = 1; i < words_.size(); ++i) {
        std::uint16_t& place = places_[words_[i].head * factor >> (64 - places_log)];
        if (place != 0) {
            return false;
        }
        place = static_cast<std::uint16_t>(i);
    }
    return true;
}

}  // namespace tagout::detect
