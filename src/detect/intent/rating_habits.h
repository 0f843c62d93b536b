// What users' ratings teach about their words: turns that read like those which displeased count as
// corrections of intent.user_corrections, beside those that the phrases of correction_words.h find.
//
// Only the share of contented users' held-out turns that scored as high decides; at most
// settings.rated_chance_max of them may. So a deployment in which few rate is silent: with n
// contented turns held out no chance is below 1 in n + 1. Why 1 %: people agree little about what
// displeases (of 24,000 turns rated by three or more, 4 in 100 displeased); at 1 % one in three of
// the turns that are counted did, which moves a rate and proves nothing about one session. So no
// session fails by it and none is reported; only a workflow whose rate rises is, against its own
// baseline.
//
// Confined to KeyStage's thread. Bounds: see rating_lessons.h and rating_judge.h; at most one
// training at a time, work_per_call of it a call. Not kept over a restart: it is learned again.
#pragma once

#include "detect/intent/rating_judge.h"
#include "detect/intent/settings.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tagout::detect {

class RatingHabits {
public:
    /// Multiplications: about 20 ms.
    static constexpr std::uint64_t work_per_call = 20'000'000;

    void learn(const TurnFeatures& features, bool displeased, Instant at) {
        lessons_.learn(features, displeased, at);
    }
    /// Trains on when enough has changed: an eighth of the lessons. Call about once a second.
    void tend();
    [[nodiscard]] bool displeases(const TurnFeatures& features, const IntentSettings& settings)
        const;

    [[nodiscard]] const RatingLessons& lessons() const noexcept { return lessons_; }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return lessons_.bytes() + (judge_ ? judge_->bytes() : 0);
    }

private:
    RatingLessons lessons_;
    std::unique_ptr<RatingTraining> training_;
    std::shared_ptr<const RatingJudge> judge_;
    std::uint64_t changes_trained_ = 0;  ///< lessons_.changes() when the newest training began.
};

}  // namespace tagout::detect
