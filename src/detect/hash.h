// The one hash of this room: XXH3 with a fixed seed, so that the same bytes give the same number in
// every process, every shard and every replay. Not for secrets and not against an attacker who
// chooses keys: whoever uses it for a map compares the text as well.
//
// Source: https://github.com/Cyan4973/xxHash (XXH3, 64 bits).
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace tagout::detect {

[[nodiscard]] inline std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0) noexcept {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

/// Order matters: combine(a, b) is not combine(b, a).
[[nodiscard]] constexpr std::uint64_t combine(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t mixed = a * 0x9e3779b97f4a7c15ULL + b;
    mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93ULL;
    return mixed ^ (mixed >> 32);
}

/// For maps whose keys are hashes already.
struct HashedKey {
    using is_avalanching = void;
    [[nodiscard]] std::size_t operator()(std::uint64_t key) const noexcept { return key; }
};

/// For maps keyed by text that are looked up with a string_view.
struct TextHash {
    using is_transparent = void;
    using is_avalanching = void;
    [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept {
        return hash_of(text);
    }
};

}  // namespace tagout::detect
