#include "detect/intent/turn_features.h"

#include "detect/hash.h"
#include "detect/intent/request_features.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace tagout::detect {

namespace {

using std::string_view_literals::operator""sv;

/// Words of an answer that could not do what was asked.
constexpr std::array refusing_words{
    "sorry"sv,
    "apologize"sv,
    "apologies"sv,
    "unfortunately"sv,
    "unable"sv,
    "cannot"sv,
    "cant"sv,
    "couldnt"sv,
    "unavailable"sv,
    "failed"sv,
};
constexpr std::array refusing_pairs{
    "didnt find"sv,
    "not find"sv,
    "could not"sv,
    "no other"sv,
    "no matching"sv,
    "no matches"sv,
    "no such"sv,
    "no available"sv,
    "are no"sv,
    "is no"sv,
    "dont have"sv,
    "not have"sv,
    "not available"sv,
    "not able"sv,
};
constexpr std::array objecting_words{
    "no"sv,
    "not"sv,
    "dont"sv,
    "didnt"sv,
    "nope"sv,
    "nah"sv,
    "never"sv,
    "doesnt"sv,
    "isnt"sv,
    "cant"sv,
    "wont"sv,
    "wrong"sv,
    "instead"sv,
    "else"sv,
    "different"sv,
    "other"sv,
    "another"sv,
    "again"sv,
};
constexpr std::array pleased_words{
    "thanks"sv,
    "thank"sv,
    "great"sv,
    "perfect"sv,
    "good"sv,
    "awesome"sv,
    "love"sv,
    "nice"sv,
    "yes"sv,
    "yeah"sv,
    "sure"sv,
    "ok"sv,
    "okay"sv,
    "wonderful"sv,
};
constexpr std::array denying_starts{"no"sv, "nope"sv, "nah"sv, "not"sv};

constexpr std::size_t words_max = 96;

/// A text in lower case without apostrophes, as words.
class PlainTurn {
public:
    explicit PlainTurn(std::string_view text) {
        text = text.substr(0, turn_text_bytes_max);
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text.substr(i, 3) == "\xe2\x80\x99") {
                i += 2;  // a typographic apostrophe
            } else if (text[i] != '\'') {
                take(text[i]);
            }
        }
        take(' ');
        sorted_ = hashes_;
        std::ranges::sort(std::span(sorted_).first(count_));
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] bool asks() const noexcept { return asks_; }
    [[nodiscard]] bool calls_out() const noexcept { return calls_out_; }

    template <std::size_t N>
    [[nodiscard]] bool has_word(const std::array<std::string_view, N>& wanted) const {
        return std::ranges::any_of(wanted, [&](std::string_view word) {
            return std::ranges::binary_search(std::span(sorted_).first(count_), hash_of(word));
        });
    }
    template <std::size_t N>
    [[nodiscard]] bool has_pair(const std::array<std::string_view, N>& wanted) const {
        return std::ranges::any_of(wanted, [&](std::string_view pair) {
            const std::size_t blank = pair.find(' ');
            const std::array both{hash_of(pair.substr(0, blank)), hash_of(pair.substr(blank + 1))};
            return !std::ranges::search(std::span(hashes_).first(count_), both).empty();
        });
    }
    template <std::size_t N>
    [[nodiscard]] bool starts_with(const std::array<std::string_view, N>& wanted) const {
        return count_ > 0 && std::ranges::any_of(wanted, [&](std::string_view word) {
                   return hashes_[0] == hash_of(word);
               });
    }
    /// Words in both less than words in either: 1 for equal ones, 0 where one is empty.
    [[nodiscard]] double overlap(const PlainTurn& other) const {
        std::size_t both = 0;
        std::size_t either = 0;
        std::size_t i = 0;
        std::size_t k = 0;
        const auto skip = [](const PlainTurn& turn, std::size_t& at) {
            const std::uint64_t hash = turn.sorted_[at];
            while (at < turn.count_ && turn.sorted_[at] == hash) {
                ++at;
            }
        };
        while (i < count_ || k < other.count_) {
            const bool ours = k == other.count_ || (i < count_ && sorted_[i] <= other.sorted_[k]);
            const bool theirs = i == count_ || (k < other.count_ && other.sorted_[k] <= sorted_[i]);
            both += ours && theirs ? 1 : 0;
            ++either;
            if (ours) {
                skip(*this, i);
            }
            if (theirs) {
                skip(other, k);
            }
        }
        return either == 0 ? 0 : static_cast<double>(both) / static_cast<double>(either);
    }

    /// Of the first `words` words, in this order; with fewer, of all.
    [[nodiscard]] std::uint64_t opening(std::size_t words) const {
        std::uint64_t hash = words;
        for (std::size_t i = 0; i < std::min(words, count_); ++i) {
            hash = combine(hash, hashes_[i]);
        }
        return hash;
    }

private:
    void take(char c) {
        asks_ = asks_ || c == '?';
        calls_out_ = calls_out_ || c == '!';
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c | 0x20);
        }
        const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                          static_cast<unsigned char>(c) >= 0x80;
        if (kept) {
            word_ += c;
        } else if (!word_.empty()) {
            if (count_ < words_max) {
                hashes_[count_++] = hash_of(word_);
            }
            word_.clear();
        }
    }

    std::array<std::uint64_t, words_max> hashes_{};
    std::array<std::uint64_t, words_max> sorted_{};
    std::size_t count_ = 0;
    std::string word_;
    bool asks_ = false;
    bool calls_out_ = false;
};

/// Gives each fact a bucket of its own. The order of calls is the layout: a new fact goes last.
class Facts {
public:
    explicit Facts(TurnFeatures& features) : features_(features) {}

    void flag(bool holds) {
        if (holds) {
            add(next_);
        }
        ++next_;
    }
    /// One bucket for each range [edge, next edge); the last is open.
    template <std::size_t N>
    void range(double value, const std::array<double, N>& edges) {
        std::size_t last = 0;
        while (last + 1 < N && value >= edges[last + 1]) {
            ++last;
        }
        add(next_ + last);
        next_ += N;
    }

private:
    void add(std::size_t fact) {
        if (TurnBuckets::facts + fact < TurnBuckets::end) {
            features_.push_back(static_cast<std::uint16_t>(TurnBuckets::facts + fact));
        }
    }

    TurnFeatures& features_;
    std::size_t next_ = 0;
};

void add_words(
    std::string_view text, std::size_t words_from, std::size_t characters_from,
    unsigned characters_shift, TurnFeatures& features
) {
    for (const std::uint16_t bucket : request_features(text.substr(0, turn_text_bytes_max))) {
        const std::size_t place =
            bucket < request_characters_from
                ? words_from + (bucket >> 1)
                : characters_from + ((bucket - request_characters_from) >> characters_shift);
        features.push_back(static_cast<std::uint16_t>(place));
    }
}

bool refuses(const PlainTurn& answer) {
    return answer.has_word(refusing_words) || answer.has_pair(refusing_pairs);
}

/// How it begins together with what it replies to: "no" to an offer is not "no" to an apology.
void add_openings(
    const PlainTurn& said, const PlainTurn& answered, bool refused, TurnFeatures& features
) {
    const std::uint64_t reply_to = refused ? 2 : answered.asks() ? 1 : 0;
    for (const std::size_t words : {1, 2}) {
        const std::uint64_t opening = combine(said.opening(words), reply_to);
        constexpr unsigned shift = 50;  // leaves as many bits as answer_words has
        static_assert(
            1ULL << (64 - shift) == TurnBuckets::answer_characters - TurnBuckets::answer_words
        );
        features.push_back(
            static_cast<std::uint16_t>(TurnBuckets::answer_words + (opening >> shift))
        );
    }
}

void add_facts(const HeardTurn& turn, TurnFeatures& features) {
    const PlainTurn said(turn.said);
    const PlainTurn answered(turn.answered);
    const PlainTurn said_before(turn.said_before);
    const PlainTurn answered_before(turn.answered_before);
    const bool refused = refuses(answered);
    add_openings(said, answered, refused, features);
    const bool objects = said.has_word(objecting_words);
    const bool denies = said.starts_with(denying_starts);
    Facts facts(features);
    facts.range(
        static_cast<double>(said.count()),
        std::array{0.0, 2.0, 3.0, 5.0, 8.0, 12.0, 18.0, 26.0, 40.0}
    );
    facts.range(static_cast<double>(answered.count()), std::array{0.0, 1.0, 5.0, 10.0, 20.0, 35.0});
    facts.range(turn.turn, std::array{1.0, 2.0, 3.0, 5.0, 8.0, 12.0});
    facts.range(said.overlap(said_before), std::array{0.0, 0.01, 0.1, 0.25, 0.5});
    facts.range(said.overlap(answered), std::array{0.0, 0.01, 0.1, 0.25});
    facts.range(answered.overlap(answered_before), std::array{0.0, 0.1, 0.3, 0.6});
    facts.flag(said.asks());
    facts.flag(answered.asks());
    facts.flag(said.calls_out());
    facts.flag(refused);
    facts.flag(objects);
    facts.flag(denies);
    facts.flag(said.has_word(pleased_words));
    facts.flag(refused && objects);
    facts.flag(refused && !objects);
    facts.flag(answered.asks() && said.asks());
    facts.flag(answered.asks() && denies);
    facts.flag(said.asks() && !refused);
    for (const double sure : {0.01, 0.15, 0.3, 0.5, 0.6, 0.7, 0.85}) {
        facts.flag(turn.tone.correction >= sure);
    }
    facts.flag(turn.tone.agrees);
    facts.flag(turn.tone.thanks);
    facts.flag(turn.tone.wrong_workflow > 0);
    const bool refused_before = refuses(answered_before);
    const bool objected = said_before.has_word(objecting_words);
    const bool denied = said_before.starts_with(denying_starts);
    facts.flag(refused_before);
    facts.flag(objected);
    facts.flag(denied);
    facts.flag(refused_before && refused);
    facts.flag(objected && objects);
    facts.flag(said_before.asks() && said.asks());
    facts.flag(denied && denies);
    facts.range(turn.corrections, std::array{0.0, 1.0, 2.0, 4.0});
    facts.range(turn.thanks, std::array{0.0, 1.0, 2.0, 4.0});
}

}  // namespace

TurnFeatures turn_features(const HeardTurn& turn) {
    TurnFeatures features;
    features.reserve(turn_features_max);
    add_words(turn.said, TurnBuckets::said_words, TurnBuckets::said_characters, 1, features);
    add_words(
        turn.answered, TurnBuckets::answer_words, TurnBuckets::answer_characters, 2, features
    );
    if (features.size() > turn_features_max / 2) {
        features.resize(turn_features_max / 2);  // room for all facts
    }
    add_facts(turn, features);
    std::ranges::sort(features);
    const auto repeated = std::ranges::unique(features);
    features.erase(repeated.begin(), repeated.end());
    return features;
}

}  // namespace tagout::detect
