// RequestJudge: which workflow a request is made for, told by what good sessions were asked; behind
// intent.wrong_workflow and intent.out_of_scope.
//
// One linear model a workflow against all others (a support vector machine with squared hinge loss,
// trained by dual coordinate descent: Hsieh et al., "A dual coordinate descent method for
// large-scale linear SVM", ICML 2008), all of them at once, over weighted features: words with
// their pairs and characters weigh the same in sum, rare features more than common ones. Weights
// are a byte each.
//
// What a score is worth is not assumed but measured: half of the lessons train a model that judges
// the other half, and the other way round. A request is then compared with those held-out good
// ones: misfit_chance() is the share of good requests that looked as much as this one like another
// workflow's, stranger_chance() the share that looked as little like any. Models of half of the
// lessons know less than the one in use, so both are too high rather than too low.
//
// Deterministic: the same lessons give the same weights. Training goes in steps so that no caller
// waits long for it.
//
// RequestJudge: immutable, any thread. RequestTraining: confined to one thread. Bounds: of lessons
// in all, requests_trained_max; weights features_max times workflows bytes: 0.5 MiB for 16
// workflows, 8 MiB for 256. While training five times that. Cost of judging: 100 features times
// workflows / 16 instructions, about 1 us for 16 workflows, 6 us for 150.
#pragma once

#include "detect/intent/request_lessons.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

struct RequestReading {
    std::string_view best;    ///< The workflow that it fits best; valid while the judge lives.
    double best_score = 0;    ///< About 1: like what it is asked; about -1: not at all.
    double second_score = 0;  ///< Of the workflow that fits next best.
    double own_score = 0;     ///< Of the workflow that it was routed to, if `own_known`.
    double own_margin = 0;  ///< own_score less the best other one's: below 0, another fits better.
    bool own_known = false;
};

/// Which features are known, and how much each is worth: the rarer the more.
struct RequestVocabulary {
    std::vector<std::uint16_t> rows;  ///< By bucket, row of its weights; 0 for those without.
    std::vector<float> worth;         ///< By bucket.
};

class RequestJudge {
public:
    static constexpr std::size_t lane = 16;  ///< Weights are read so many at a time.

    [[nodiscard]] RequestReading read(std::string_view text, std::string_view workflow = {}) const;
    [[nodiscard]] RequestReading read(const RequestFeatures& features, std::string_view workflow)
        const;

    /// Of held-out good requests, the share with a margin as low; 1 if there are none.
    [[nodiscard]] double misfit_chance(double own_margin) const;
    /// Of held-out good requests, the share whose best score is as low; 1 if there are none.
    [[nodiscard]] double stranger_chance(double best_score) const;
    /// The best score of the middle one of held-out good requests; low where workflows overlap.
    [[nodiscard]] double usual_fit() const noexcept;
    /// Of the held-out good requests of `workflow`, the share that fits `other` best; of itself,
    /// how well it is known. 0 if either is unknown.
    [[nodiscard]] double taken_for(std::string_view workflow, std::string_view other) const;
    /// Of held-out good requests, the share that fits its own workflow best; 0 if there are none.
    [[nodiscard]] double accuracy() const noexcept { return accuracy_; }
    [[nodiscard]] std::size_t held_out() const noexcept { return margins_.size(); }
    /// Sorted.
    [[nodiscard]] const std::vector<std::string>& workflows() const noexcept { return workflows_; }
    [[nodiscard]] std::size_t bytes() const noexcept;

private:
    friend class RequestTraining;
    friend class LinearTraining;

    std::vector<std::string> workflows_;
    RequestVocabulary vocabulary_;
    std::vector<float> scales_;         ///< By row.
    std::vector<std::int8_t> weights_;  ///< Row by row, `width_` each; row 0 is the bias.
    std::size_t width_ = 0;             ///< Workflows, rounded up to whole lanes.
    std::vector<float> margins_;        ///< Of held-out requests, rising.
    std::vector<float> bests_;          ///< Likewise.
    std::vector<std::uint16_t> taken_;  ///< Held-out ones: own workflow by the best fitting one.
    double accuracy_ = 0;
};

class LinearTraining;

class RequestTraining {
public:
    static constexpr std::size_t requests_trained_max = 24'576;
    static constexpr std::size_t features_max = 32'768;
    static constexpr std::size_t workflows_min = 2;
    static_assert(RequestLessons::workflows_max * 2 <= requests_trained_max);

    /// Takes what it needs of `lessons`: of workflows with at least `requests_min`.
    RequestTraining(const RequestLessons& lessons, std::size_t requests_min);
    ~RequestTraining();

    /// Does about `work` multiplications more. The judge once it is trained; with fewer than
    /// workflows_min workflows to tell apart none ever comes, and finished() holds at once.
    [[nodiscard]] std::shared_ptr<const RequestJudge> step(std::uint64_t work);
    [[nodiscard]] bool finished() const noexcept;

private:
    void choose_requests(const RequestLessons& lessons, std::size_t requests_min);
    /// Two halves of the requests, then all.
    void begin_part();
    /// Judges the half that was not trained on.
    void hold_out();

    std::vector<std::string> workflows_;
    std::vector<RequestFeatures> features_;
    std::vector<std::size_t> workflow_of_;  ///< By request.
    std::vector<float> margins_;
    std::vector<float> bests_;
    std::vector<std::uint16_t> taken_;
    std::unique_ptr<LinearTraining> linear_;
    int part_ = 0;
};

/// Trains to the end at once: for replays and tests. Null: too few workflows.
[[nodiscard]] std::shared_ptr<const RequestJudge> train_request_judge(
    const RequestLessons& lessons, std::size_t requests_min = 1
);

}  // namespace tagout::detect
