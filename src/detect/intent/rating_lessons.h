// RatingLessons: how users rated turns of their conversations, as features without words: what
// RatingJudge is trained on.
//
// Two samples, of turns that displeased and of the others, so that the rare ones are not crowded
// out. Which turns are kept, only their features and times decide, so that shards, workers and
// restarts that saw the same ratings in any order keep the same samples: merge() is commutative and
// associative. Newer ratings are the likelier to stay: after half_life one is half as likely as one
// of today.
//
// Thread-compatible; a value. Bounds: displeased_max and pleased_max turns of about 300 features,
// 550 bytes: 5 MiB; at most bytes_max. Cost: learn() about 5 us.
#pragma once

#include "base/clock.h"
#include "detect/intent/turn_features.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tagout::detect {

struct RatedTurn {
    std::uint64_t kind = 0;   ///< Hash of its features.
    double rank = 0;          ///< Who stays when room runs out: the highest.
    std::int64_t second = 0;  ///< When it was last rated so, since 1970.
    TurnFeatures features;
};

class RatingLessons {
public:
    static constexpr std::size_t displeased_max = 1'024;
    static constexpr std::size_t pleased_max = 8'192;
    static constexpr Duration half_life = std::chrono::hours(24 * 90);
    static constexpr std::size_t bytes_max =
        (displeased_max + pleased_max) *
        (sizeof(RatedTurn) + turn_features_max * sizeof(std::uint16_t));

    void learn(TurnFeatures features, bool displeased, Instant at);
    void merge(const RatingLessons& other);

    /// In order of their kind.
    [[nodiscard]] const std::vector<RatedTurn>& displeased() const noexcept { return displeased_; }
    [[nodiscard]] const std::vector<RatedTurn>& pleased() const noexcept { return pleased_; }
    /// Grows by one whenever what is kept changes.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    void keep(std::vector<RatedTurn>& kept, std::size_t turns_max, RatedTurn turn);

    std::vector<RatedTurn> displeased_;
    std::vector<RatedTurn> pleased_;
    std::uint64_t changes_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace tagout::detect
