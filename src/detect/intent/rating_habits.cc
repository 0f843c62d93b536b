#include "detect/intent/rating_habits.h"

#include <algorithm>
#include <utility>

namespace tagout::detect {

namespace {

constexpr std::uint64_t changes_min = 16;
constexpr std::uint64_t changed_part = 8;  ///< One in so many.

}  // namespace

void RatingHabits::tend() {
    if (training_) {
        if (auto judge = training_->step(work_per_call)) {
            judge_ = std::move(judge);
        }
        if (training_->finished()) {
            training_.reset();
        }
        return;
    }
    const std::uint64_t kept = lessons_.displeased().size() + lessons_.pleased().size();
    const std::uint64_t changed = lessons_.changes() - changes_trained_;
    if (changed < std::max(changes_min, kept / changed_part)) {
        return;
    }
    changes_trained_ = lessons_.changes();
    training_ = std::make_unique<RatingTraining>(lessons_);
    if (training_->finished()) {
        training_.reset();  // too few are known
    }
}

bool RatingHabits::displeases(const TurnFeatures& features, const IntentSettings& settings) const {
    return judge_ && judge_->chance(judge_->read(features)) <= settings.rated_chance_max;
}

}  // namespace tagout::detect
