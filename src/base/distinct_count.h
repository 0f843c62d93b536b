// DistinctCount: how many different things were seen, in bounded memory and mergeable.
//
// The kept_max smallest hashes are kept (k minimum values): up to so many things the count is exact,
// beyond it is estimated from how densely they lie, with a standard error of 1/sqrt(kept_max - 2),
// some 6 %. Source: Bar-Yossef et al.: "Counting distinct elements in a data stream", RANDOM 2002.
// Merging is commutative, associative and idempotent, so shards and repeats do not matter.
//
// Thread-compatible value. Bound: 8 bytes for each of kept_max hashes. Cost: a binary search, and
// for what is new among the smallest a move of the rest.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout {

class DistinctCount {
public:
    static constexpr std::size_t kept_max = 256;

    /// `hash` is of good quality, 64 bits, the same for the same thing everywhere.
    void add(std::uint64_t hash) {
        const auto at = std::ranges::lower_bound(kept_, hash);
        if ((at != kept_.end() && *at == hash) || (at == kept_.end() && full())) {
            return;
        }
        kept_.insert(at, hash);
        if (kept_.size() > kept_max) {
            kept_.pop_back();
        }
    }
    void merge(const DistinctCount& other) {
        for (const std::uint64_t hash : other.kept_) {
            add(hash);
        }
    }
    [[nodiscard]] std::uint64_t count() const noexcept {
        if (!full()) {
            return kept_.size();
        }
        const double share = static_cast<double>(kept_.back()) /
                             static_cast<double>(std::numeric_limits<std::uint64_t>::max());
        return static_cast<std::uint64_t>(static_cast<double>(kept_max - 1) / share + 0.5);
    }
    [[nodiscard]] bool empty() const noexcept { return kept_.empty(); }
    [[nodiscard]] std::span<const std::uint64_t> kept() const noexcept { return kept_; }

    friend bool operator==(const DistinctCount&, const DistinctCount&) = default;

private:
    [[nodiscard]] bool full() const noexcept { return kept_.size() >= kept_max; }

    std::vector<std::uint64_t> kept_;  ///< Ascending.
};

/// 16 hex digits a hash: the form in journals.
[[nodiscard]] inline std::string to_text(const DistinctCount& distinct) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(distinct.kept().size() * 16);
    for (const std::uint64_t hash : distinct.kept()) {
        for (int shift = 60; shift >= 0; shift -= 4) {
            text += digits[(hash >> shift) & 0xf];
        }
    }
    return text;
}

/// What to_text() wrote; anything else ends the reading, with what was read so far.
[[nodiscard]] inline DistinctCount distinct_count_of(std::string_view text) {
    DistinctCount distinct;
    for (std::size_t at = 0; at + 16 <= text.size(); at += 16) {
        std::uint64_t hash = 0;
        const char* const end = text.data() + at + 16;
        const auto [stopped, error] = std::from_chars(text.data() + at, end, hash, 16);
        if (error != std::errc{} || stopped != end) {
            break;
        }
        distinct.add(hash);
    }
    return distinct;
}

}  // namespace tagout
