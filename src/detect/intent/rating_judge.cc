#include "detect/intent/rating_judge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace tagout::detect {

namespace {

constexpr float fact_worth = 0.4F;
constexpr std::array groups_from{
    TurnBuckets::said_words,
    TurnBuckets::said_characters,
    TurnBuckets::answer_words,
    TurnBuckets::answer_characters,
    TurnBuckets::facts};
constexpr std::array group_worth{1.2F, 1.0F, 0.7F, 0.7F};

/// Of rising numbers, the share that is at least `score`.
double share_from(const std::vector<float>& rising, double score, double of_none) {
    if (rising.empty()) {
        return of_none;
    }
    const auto from = std::ranges::lower_bound(rising, static_cast<float>(score));
    const auto above = static_cast<double>(rising.end() - from);
    return (above + 1) / (static_cast<double>(rising.size()) + 1);
}

}  // namespace

/// Replaces what stands in `weighed`. Features that no lesson had count in the sum of their group:
/// much unknown makes the rest say less.
void RatingJudge::weigh(const TurnFeatures& features, std::vector<WeighedTurn>& weighed) const {
    weighed.clear();
    auto from = features.begin();
    for (std::size_t group = 0; group < group_worth.size(); ++group) {
        const auto to = std::lower_bound(
            from, features.end(), static_cast<std::uint16_t>(groups_from[group + 1])
        );
        float squares = 0;
        for (auto at = from; at != to; ++at) {
            squares += worth_[*at] * worth_[*at];
        }
        const float part = squares > 0 ? group_worth[group] / std::sqrt(squares) : 0;
        for (; from != to; ++from) {
            weighed.push_back({.bucket = *from, .value = worth_[*from] * part});
        }
    }
    for (; from != features.end() && *from < TurnBuckets::end; ++from) {
        weighed.push_back({.bucket = *from, .value = fact_worth});
    }
}

double RatingJudge::read(const TurnFeatures& features) const {
    std::vector<WeighedTurn> weighed;
    weighed.reserve(features.size());
    weigh(features, weighed);
    double score = bias_;
    for (const WeighedTurn& feature : weighed) {
        score += static_cast<double>(feature.value) * weights_[feature.bucket];
    }
    return score;
}

double RatingJudge::chance(double score) const {
    return share_from(calm_, score, 1);
}

double RatingJudge::found(double score) const {
    return share_from(upset_, score, 0);
}

std::size_t RatingJudge::bytes() const noexcept {
    return (worth_.size() + weights_.size() + calm_.size() + upset_.size()) * sizeof(float);
}

RatingTraining::RatingTraining(const RatingLessons& lessons) {
    if (lessons.displeased().size() < turns_min || lessons.pleased().size() < turns_min) {
        part_ = halves + 1;
        return;
    }
    turns_.reserve(lessons.displeased().size() + lessons.pleased().size());
    for (const RatedTurn& turn : lessons.displeased()) {
        turns_.push_back({.features = turn.features, .displeased = true});
    }
    for (const RatedTurn& turn : lessons.pleased()) {
        turns_.push_back({.features = turn.features, .displeased = false});
    }
    begin_part();
}

void RatingTraining::begin_part() {
    order_.clear();
    std::vector<std::uint32_t> turns_with(TurnBuckets::end);
    for (std::uint32_t i = 0; i < turns_.size(); ++i) {
        if (part_ == halves || i % halves == static_cast<std::uint32_t>(part_)) {
            order_.push_back(i);
            for (const std::uint16_t bucket : turns_[i].features) {
                ++turns_with[bucket];
            }
        }
    }
    judge_ = std::make_unique<RatingJudge>();
    judge_->weights_.resize(TurnBuckets::end);
    judge_->worth_.resize(TurnBuckets::end);
    const auto all = static_cast<float>(order_.size());
    for (std::size_t bucket = 0; bucket < TurnBuckets::end; ++bucket) {
        judge_->worth_[bucket] =
            1 + std::log((1 + all) / (1 + static_cast<float>(turns_with[bucket])));
    }
    pulls_.assign(turns_.size(), 0);
    next_ = 0;
    pass_ = 0;
    shuffle();
}

void RatingTraining::shuffle() {
    for (std::size_t i = order_.size(); i > 1; --i) {
        std::swap(order_[i - 1], order_[chance_.below(i)]);
    }
}

/// One step of dual coordinate descent: the pull z of this turn that solves
/// log(z / (C - z)) + |x|^2 (z - old) + margin = 0, with z = C / (1 + exp(-t)), by Newton in t.
std::uint64_t RatingTraining::visit(std::size_t turn) {
    constexpr int newton_steps = 4;
    constexpr float change_min = 1e-5F;
    RatingJudge& judge = *judge_;
    judge.weigh(turns_[turn].features, weighed_);
    float square = 1;  // of the bias
    float score = judge.bias_;
    for (const WeighedTurn& feature : weighed_) {
        square += feature.value * feature.value;
        score += feature.value * judge.weights_[feature.bucket];
    }
    const float side = turns_[turn].displeased ? 1.0F : -1.0F;
    const float margin = side * score;
    const float old = pulls_[turn];
    float t = -margin;
    float pull = old;
    for (int i = 0; i < newton_steps; ++i) {
        const float share = 1 / (1 + std::exp(-t));
        pull = penalty * share;
        const float slope = 1 + square * penalty * share * (1 - share);
        t -= (t + square * (pull - old) + margin) / slope;
    }
    pull = penalty / (1 + std::exp(-t));
    const std::uint64_t work = 2 * weighed_.size();
    if (std::abs(pull - old) < change_min) {
        return work;
    }
    pulls_[turn] = pull;
    const float change = side * (pull - old);
    judge.bias_ += change;
    for (const WeighedTurn& feature : weighed_) {
        judge.weights_[feature.bucket] += feature.value * change;
    }
    return work + weighed_.size();
}

void RatingTraining::hold_out() {
    for (std::size_t i = 0; i < turns_.size(); ++i) {
        if (i % halves != static_cast<std::size_t>(part_)) {
            const auto score = static_cast<float>(judge_->read(turns_[i].features));
            (turns_[i].displeased ? upset_ : calm_).push_back(score);
        }
    }
}

std::shared_ptr<const RatingJudge> RatingTraining::step(std::uint64_t work) {
    std::uint64_t done = 0;
    while (!finished() && done < work) {
        if (next_ < order_.size()) {
            done += visit(order_[next_++]);
            continue;
        }
        next_ = 0;
        if (++pass_ < passes_max) {
            shuffle();
            continue;
        }
        if (part_ < halves) {
            hold_out();
            ++part_;
            begin_part();
            continue;
        }
        ++part_;
        std::ranges::sort(calm_);
        std::ranges::sort(upset_);
        judge_->calm_ = std::move(calm_);
        judge_->upset_ = std::move(upset_);
        return std::shared_ptr<const RatingJudge>(std::move(judge_));
    }
    return nullptr;
}

std::shared_ptr<const RatingJudge> train_rating_judge(const RatingLessons& lessons) {
    constexpr std::uint64_t whole_training = 1'000'000'000'000;
    RatingTraining training(lessons);
    std::shared_ptr<const RatingJudge> judge;
    while (!training.finished()) {
        judge = training.step(whole_training);
    }
    return judge;
}

}  // namespace tagout::detect
