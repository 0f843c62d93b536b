#include "detect/intent/rating_lessons.h"

#include "detect/hash.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

namespace tagout::detect {

namespace {

/// A sample weighted by age whose chance is the hash of what was said: see request_lessons.cc.
double rank_of(const RatedTurn& turn) {
    const double chance = (static_cast<double>(turn.kind >> 11) + 0.5) * 0x1.0p-53;
    const double half_lives = static_cast<double>(turn.second) /
                              std::chrono::duration<double>(RatingLessons::half_life).count();
    return half_lives - std::log2(-std::log2(chance));
}

std::size_t bytes_of(const RatedTurn& turn) {
    return sizeof(RatedTurn) + turn.features.size() * sizeof(std::uint16_t);
}

}  // namespace

void RatingLessons::keep(std::vector<RatedTurn>& kept, std::size_t turns_max, RatedTurn turn) {
    const auto place = std::ranges::lower_bound(kept, turn.kind, {}, &RatedTurn::kind);
    if (place != kept.end() && place->kind == turn.kind) {
        if (turn.second > place->second) {
            place->second = turn.second;
            place->rank = turn.rank;
        }
        return;
    }
    if (kept.size() < turns_max) {
        bytes_ += bytes_of(turn);
        kept.insert(place, std::move(turn));
        ++changes_;
        return;
    }
    const auto lowest = std::ranges::min_element(kept, {}, &RatedTurn::rank);
    if (lowest->rank >= turn.rank) {
        return;
    }
    bytes_ += bytes_of(turn) - bytes_of(*lowest);
    if (place <= lowest) {
        std::ranges::rotate(place, lowest, lowest + 1);
        *place = std::move(turn);
    } else {
        std::ranges::rotate(lowest, lowest + 1, place);
        *(place - 1) = std::move(turn);
    }
    ++changes_;
}

void RatingLessons::learn(TurnFeatures features, bool displeased, Instant at) {
    if (features.empty() || features.size() > turn_features_max) {
        return;
    }
    RatedTurn turn{
        .second = std::max<std::int64_t>(unix_nanos(at) / 1'000'000'000, 0),
        .features = std::move(features)};
    const auto bytes = std::as_bytes(std::span(turn.features));
    turn.kind = hash_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    turn.rank = rank_of(turn);
    if (displeased) {
        keep(displeased_, displeased_max, std::move(turn));
    } else {
        keep(pleased_, pleased_max, std::move(turn));
    }
}

void RatingLessons::merge(const RatingLessons& other) {
    for (const RatedTurn& turn : other.displeased_) {
        keep(displeased_, displeased_max, turn);
    }
    for (const RatedTurn& turn : other.pleased_) {
        keep(pleased_, pleased_max, turn);
    }
}

}  // namespace tagout::detect
