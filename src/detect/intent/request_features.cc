#include "detect/intent/request_features.h"

#include "detect/hash.h"

#include <algorithm>
#include <array>

namespace tagout::detect {

namespace {

constexpr std::uint64_t edge_word = 0x65646765;

/// The text as words in one buffer: each with a blank before and behind it, which neighbours share.
struct PlainWords {
    std::array<char, request_text_bytes_max + 2> bytes;
    std::size_t size = 0;
};

char plain(char c) noexcept {
    if (c >= 'A' && c <= 'Z') {
        return static_cast<char>(c | 0x20);
    }
    if (c >= '0' && c <= '9') {
        return '0';
    }
    const bool kept = (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
    return kept ? c : ' ';
}

PlainWords plain_words(std::string_view text) {
    PlainWords words;
    words.bytes[words.size++] = ' ';
    text = text.substr(0, request_text_bytes_max);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\'') {
            continue;
        }
        if (text.substr(i, 3) == "\xe2\x80\x99") {
            i += 2;  // a typographic apostrophe
            continue;
        }
        const char c = plain(text[i]);
        if (c != ' ' || words.bytes[words.size - 1] != ' ') {
            words.bytes[words.size++] = c;
        }
    }
    if (words.bytes[words.size - 1] != ' ') {
        words.bytes[words.size++] = ' ';
    }
    return words;
}

std::uint16_t word_bucket(std::uint64_t hash) noexcept {
    return static_cast<std::uint16_t>(hash >> 49);
}

std::uint16_t character_bucket(std::uint32_t characters) noexcept {
    const std::uint64_t mixed = (characters + 1ULL) * 0x9e3779b97f4a7c15ULL;
    return static_cast<std::uint16_t>(
        request_characters_from | ((mixed ^ (mixed >> 29)) >> 17 & 0x7fff)
    );
}

void add_characters(std::string_view padded, RequestFeatures& features) {
    std::uint32_t run = 0;
    for (std::size_t i = 0; i < padded.size(); ++i) {
        run = run << 8 | static_cast<unsigned char>(padded[i]);
        if (i >= 2) {
            features.push_back(character_bucket(run & 0xffffff));
        }
        if (i >= 3) {
            features.push_back(character_bucket(run));
        }
    }
}

}  // namespace

RequestFeatures request_features(std::string_view text) {
    const PlainWords words = plain_words(text);
    const std::string_view all(words.bytes.data(), words.size);
    RequestFeatures features;
    features.reserve(request_features_max);
    std::uint64_t before = edge_word;
    std::size_t from = 1;
    while (from < all.size() && features.size() + 2 < request_features_max) {
        const std::size_t end = all.find(' ', from);
        const std::uint64_t word = hash_of(all.substr(from, end - from));
        features.push_back(word_bucket(word));
        features.push_back(word_bucket(combine(before, word)));
        add_characters(all.substr(from - 1, end - from + 2), features);
        before = word;
        from = end + 1;
    }
    if (before != edge_word) {
        features.push_back(word_bucket(combine(before, edge_word)));
    }
    std::ranges::sort(features);
    const auto repeated = std::ranges::unique(features);
    features.erase(repeated.begin(), repeated.end());
    if (features.size() > request_features_max) {
        features.resize(request_features_max);
    }
    return features;
}

}  // namespace tagout::detect
