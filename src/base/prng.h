// Chance is an input, like time: whoever needs it is handed a seed, and the same seed gives the same
// run. Not for secrets: those come from libsodium.
//
// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
#pragma once

#include "base/assert.h"

#include <cstddef>
#include <cstdint>

namespace tagout {

/// Thread-compatible. A value: a copy goes on with the same numbers.
class Prng {
public:
    explicit constexpr Prng(std::uint64_t seed) noexcept : state_(seed) {}

    constexpr std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
        return mixed ^ (mixed >> 31);
    }
    /// At least 0, below 1.
    constexpr double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    /// 0 to `bound` - 1; the bias is below bound / 2^64.
    std::size_t below(std::size_t bound) noexcept {
        TAGOUT_ASSERT(bound > 0, "nothing can be chosen from nothing");
        return static_cast<std::size_t>(next() % bound);
    }
    /// `low` to `high`, both possible.
    std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
        TAGOUT_ASSERT(low <= high, "a range runs upwards");
        return low + static_cast<std::int64_t>(below(static_cast<std::size_t>(high - low) + 1));
    }
    constexpr bool chance(double probability) noexcept { return unit() < probability; }
    /// An independent stream, so that one part's draws do not move another's.
    constexpr Prng split() noexcept { return Prng(next()); }

private:
    std::uint64_t state_;
};

}  // namespace tagout
