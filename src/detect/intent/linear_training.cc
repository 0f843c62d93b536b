#include "detect/intent/linear_training.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace tagout::detect {

void weigh_features(
    const RequestFeatures& features, const RequestVocabulary& vocabulary,
    std::vector<WeighedFeature>& weighed
) {
    weighed.clear();
    float word_squares = 0;
    float character_squares = 0;
    for (const std::uint16_t bucket : features) {
        const float worth = vocabulary.worth[bucket];
        (bucket < request_characters_from ? word_squares : character_squares) += worth * worth;
    }
    const auto half = [](float squares) { return squares > 0 ? std::sqrt(0.5F / squares) : 0.0F; };
    const float of_word = half(word_squares);
    const float of_character = half(character_squares);
    weighed.push_back({.row = 0, .value = 1});
    for (const std::uint16_t bucket : features) {
        const std::uint16_t row = vocabulary.rows[bucket];
        if (row != 0) {
            const float part = bucket < request_characters_from ? of_word : of_character;
            weighed.push_back({.row = row, .value = vocabulary.worth[bucket] * part});
        }
    }
}

LinearTraining::LinearTraining(std::vector<TrainingRequest> requests, std::size_t workflows)
    : requests_(std::move(requests)),
      width_((workflows + RequestJudge::lane - 1) / RequestJudge::lane * RequestJudge::lane) {
    choose_rows();
    weights_.resize(rows_ * width_);
    pulls_.resize(requests_.size() * width_);
    order_.resize(requests_.size());
    std::iota(order_.begin(), order_.end(), 0U);
    shuffle();
}

/// The commonest features get weights, of equally common ones those of lower buckets.
void LinearTraining::choose_rows() {
    std::vector<std::uint32_t> requests_with(request_buckets);
    for (const TrainingRequest& request : requests_) {
        for (const std::uint16_t bucket : *request.features) {
            ++requests_with[bucket];
        }
    }
    std::vector<std::uint16_t> by_use;
    vocabulary_.worth.resize(request_buckets);
    vocabulary_.rows.resize(request_buckets);
    const auto all = static_cast<float>(requests_.size());
    for (std::size_t bucket = 0; bucket < request_buckets; ++bucket) {
        const auto with = static_cast<float>(requests_with[bucket]);
        vocabulary_.worth[bucket] = 1 + std::log((1 + all) / (1 + with));
        if (requests_with[bucket] > 0) {
            by_use.push_back(static_cast<std::uint16_t>(bucket));
        }
    }
    std::ranges::stable_sort(by_use, std::greater{}, [&](std::uint16_t bucket) {
        return requests_with[bucket];
    });
    by_use.resize(std::min(by_use.size(), RequestTraining::features_max - 1));
    for (const std::uint16_t bucket : by_use) {
        vocabulary_.rows[bucket] = static_cast<std::uint16_t>(rows_++);
    }
}

void LinearTraining::shuffle() {
    for (std::size_t i = order_.size(); i > 1; --i) {
        std::swap(order_[i - 1], order_[chance_.below(i)]);
    }
}

/// One step of dual coordinate descent for this request and the workflows of one lane, whose
/// weights begin at `at` in each row. True if it changed anything.
bool LinearTraining::visit_lane(std::size_t request, std::size_t at, float square) {
    constexpr std::size_t lane = RequestJudge::lane;
    constexpr float slack = 0.5F / penalty;
    constexpr float change_min = 1e-3F;
    std::array<float, lane> scores{};  // on the stack, so that nothing can alias it
    for (const WeighedFeature& feature : weighed_) {
        const float* const row = weights_.data() + feature.row * width_ + at;
        for (std::size_t i = 0; i < lane; ++i) {
            scores[i] += feature.value * row[i];
        }
    }
    float* const pulls = pulls_.data() + request * width_ + at;
    std::array<float, lane> changes{};
    bool changed = false;
    for (std::size_t i = 0; i < lane; ++i) {
        const float side = at + i == requests_[request].workflow ? 1.0F : -1.0F;
        const float slope = side * scores[i] - 1 + slack * pulls[i];
        const float pull = std::max(pulls[i] - slope / (square + slack), 0.0F);
        if (std::abs(pull - pulls[i]) > change_min) {
            changes[i] = side * (pull - pulls[i]);
            pulls[i] = pull;
            changed = true;
        }
    }
    if (changed) {
        for (const WeighedFeature& feature : weighed_) {
            float* const row = weights_.data() + feature.row * width_ + at;
            for (std::size_t i = 0; i < lane; ++i) {
                row[i] += feature.value * changes[i];
            }
        }
    }
    return changed;
}

/// Returns the work done.
std::uint64_t LinearTraining::visit(std::size_t request) {
    weigh_features(*requests_[request].features, vocabulary_, weighed_);
    float square = 0;
    for (const WeighedFeature& feature : weighed_) {
        square += feature.value * feature.value;
    }
    std::uint64_t lanes = 0;
    for (std::size_t at = 0; at < width_; at += RequestJudge::lane) {
        lanes += visit_lane(request, at, square) ? 2 : 1;
    }
    return lanes * RequestJudge::lane * weighed_.size();
}

bool LinearTraining::step(std::uint64_t work) {
    std::uint64_t done = 0;
    while (pass_ < passes_max && done < work) {
        if (next_ == order_.size()) {
            next_ = 0;
            ++pass_;
            shuffle();
            continue;
        }
        done += visit(order_[next_++]);
    }
    return pass_ == passes_max;
}

void LinearTraining::give_to(RequestJudge& judge) const {
    constexpr float whole = 127;
    judge.vocabulary_ = vocabulary_;
    judge.width_ = width_;
    judge.scales_.resize(rows_);
    judge.weights_.resize(rows_ * width_);
    for (std::size_t row = 0; row < rows_; ++row) {
        const auto weights = std::span(weights_).subspan(row * width_, width_);
        float most = 0;
        for (const float weight : weights) {
            most = std::max(most, std::abs(weight));
        }
        judge.scales_[row] = most / whole;
        for (std::size_t i = 0; i < width_; ++i) {
            const float part = most > 0 ? weights[i] / most * whole : 0;
            judge.weights_[row * width_ + i] = static_cast<std::int8_t>(std::lround(part));
        }
    }
}

}  // namespace tagout::detect
