#include "detect/intent/request_judge.h"

#include "detect/intent/linear_training.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

namespace tagout::detect {

namespace {

constexpr int halves = 2;
constexpr std::uint64_t whole_training = std::numeric_limits<std::uint64_t>::max();

double share_up_to(const std::vector<float>& rising, double value) {
    const auto up_to = std::ranges::upper_bound(rising, static_cast<float>(value));
    // One more on both sides: what was not seen among n may still be one of n + 1.
    return static_cast<double>(up_to - rising.begin() + 1) / static_cast<double>(rising.size() + 1);
}

}  // namespace

RequestReading RequestJudge::read(std::string_view text, std::string_view workflow) const {
    return read(request_features(text), workflow);
}

RequestReading RequestJudge::read(const RequestFeatures& features, std::string_view workflow)
    const {
    std::vector<WeighedFeature> weighed;
    weighed.reserve(features.size() + 1);
    weigh_features(features, vocabulary_, weighed);
    for (WeighedFeature& feature : weighed) {
        feature.value *= scales_[feature.row];
    }
    std::vector<float> scores(width_);
    for (std::size_t at = 0; at < width_; at += lane) {
        std::array<float, lane> sums{};  // on the stack, so that nothing can alias it
        for (const WeighedFeature& feature : weighed) {
            const std::int8_t* const row = weights_.data() + feature.row * width_ + at;
            for (std::size_t i = 0; i < lane; ++i) {
                sums[i] += feature.value * static_cast<float>(row[i]);
            }
        }
        std::ranges::copy(sums, scores.begin() + static_cast<std::ptrdiff_t>(at));
    }
    const auto own = std::ranges::lower_bound(workflows_, workflow);
    RequestReading reading;
    reading.own_known = own != workflows_.end() && *own == workflow;
    const auto own_number = static_cast<std::size_t>(own - workflows_.begin());
    constexpr auto lowest = std::numeric_limits<double>::lowest();
    reading.best_score = lowest;
    reading.second_score = lowest;
    double best_other = lowest;
    for (std::size_t i = 0; i < workflows_.size(); ++i) {
        const double score = scores[i];
        if (score > reading.best_score) {
            reading.second_score = reading.best_score;
            reading.best_score = score;
            reading.best = workflows_[i];
        } else {
            reading.second_score = std::max(reading.second_score, score);
        }
        if (!reading.own_known || i != own_number) {
            best_other = std::max(best_other, score);
        }
    }
    if (reading.own_known) {
        reading.own_score = scores[own_number];
        reading.own_margin = reading.own_score - best_other;
    }
    return reading;
}

double RequestJudge::misfit_chance(double own_margin) const {
    return share_up_to(margins_, own_margin);
}

double RequestJudge::stranger_chance(double best_score) const {
    return share_up_to(bests_, best_score);
}

double RequestJudge::usual_fit() const noexcept {
    return bests_.empty() ? 0 : bests_[bests_.size() / 2];
}

double RequestJudge::taken_for(std::string_view workflow, std::string_view other) const {
    const auto number_of = [&](std::string_view name) {
        const auto found = std::ranges::lower_bound(workflows_, name);
        const bool known = found != workflows_.end() && *found == name;
        return known ? static_cast<std::size_t>(found - workflows_.begin()) : workflows_.size();
    };
    const std::size_t own = number_of(workflow);
    const std::size_t best = number_of(other);
    if (own == workflows_.size() || best == workflows_.size()) {
        return 0;
    }
    const auto row = std::span(taken_).subspan(own * workflows_.size(), workflows_.size());
    const auto all = std::accumulate(row.begin(), row.end(), 0U);
    return all == 0 ? 0 : static_cast<double>(row[best]) / static_cast<double>(all);
}

std::size_t RequestJudge::bytes() const noexcept {
    return weights_.size() + scales_.size() * sizeof(float) +
           request_buckets * (sizeof(std::uint16_t) + sizeof(float)) +
           (margins_.size() + bests_.size()) * sizeof(float) +
           taken_.size() * sizeof(std::uint16_t);
}

RequestTraining::RequestTraining(const RequestLessons& lessons, std::size_t requests_min) {
    choose_requests(lessons, requests_min);
    if (!finished()) {
        taken_.resize(workflows_.size() * workflows_.size());
        begin_part();
    }
}

RequestTraining::~RequestTraining() = default;

void RequestTraining::choose_requests(const RequestLessons& lessons, std::size_t requests_min) {
    const auto fits = [&](const auto& item) { return item.second.size() >= requests_min; };
    const auto workflows =
        static_cast<std::size_t>(std::ranges::count_if(lessons.workflows(), fits));
    if (workflows < workflows_min) {
        part_ = halves + 1;
        return;
    }
    const std::size_t each_max = requests_trained_max / workflows;
    for (const auto& [workflow, requests] : lessons.workflows()) {
        if (requests.size() < requests_min) {
            continue;
        }
        // In order of their hashes, so the first ones are a sample.
        for (std::size_t i = 0; i < std::min(requests.size(), each_max); ++i) {
            features_.push_back(requests[i].features);
            workflow_of_.push_back(workflows_.size());
        }
        workflows_.push_back(workflow);
    }
}

void RequestTraining::begin_part() {
    std::vector<TrainingRequest> requests;
    for (std::size_t i = 0; i < features_.size(); ++i) {
        if (part_ == halves || i % halves == static_cast<std::size_t>(part_)) {
            requests.push_back({.features = &features_[i], .workflow = workflow_of_[i]});
        }
    }
    linear_ = std::make_unique<LinearTraining>(std::move(requests), workflows_.size());
}

void RequestTraining::hold_out() {
    RequestJudge judge;
    judge.workflows_ = workflows_;
    linear_->give_to(judge);
    for (std::size_t i = 0; i < features_.size(); ++i) {
        if (i % halves == static_cast<std::size_t>(part_)) {
            continue;
        }
        const RequestReading reading = judge.read(features_[i], workflows_[workflow_of_[i]]);
        margins_.push_back(static_cast<float>(reading.own_margin));
        bests_.push_back(static_cast<float>(reading.best_score));
        const auto best = std::ranges::lower_bound(workflows_, reading.best) - workflows_.begin();
        ++taken_[workflow_of_[i] * workflows_.size() + static_cast<std::size_t>(best)];
    }
}

bool RequestTraining::finished() const noexcept {
    return part_ > halves;
}

std::shared_ptr<const RequestJudge> RequestTraining::step(std::uint64_t work) {
    if (finished() || !linear_->step(work)) {
        return nullptr;
    }
    if (part_ < halves) {
        hold_out();
        ++part_;
        begin_part();
        return nullptr;
    }
    ++part_;
    auto judge = std::make_shared<RequestJudge>();
    judge->workflows_ = workflows_;
    linear_->give_to(*judge);
    std::ranges::sort(margins_);
    std::ranges::sort(bests_);
    judge->margins_ = std::move(margins_);
    judge->bests_ = std::move(bests_);
    std::size_t right = 0;
    for (std::size_t i = 0; i < workflows_.size(); ++i) {
        right += taken_[i * workflows_.size() + i];
    }
    judge->accuracy_ = static_cast<double>(right) / static_cast<double>(judge->margins_.size());
    judge->taken_ = std::move(taken_);
    linear_.reset();
    return judge;
}

std::shared_ptr<const RequestJudge> train_request_judge(
    const RequestLessons& lessons, std::size_t requests_min
) {
    RequestTraining training(lessons, requests_min);
    std::shared_ptr<const RequestJudge> judge;
    while (!training.finished()) {
        judge = training.step(whole_training);
    }
    return judge;
}

}  // namespace tagout::detect
