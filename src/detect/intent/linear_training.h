// The training of RequestJudge's weights: see request_judge.h for the method and its source.
//
// Confined to one thread. Memory: four bytes for each weight, and for each pair of request and
// workflow. Cost: about a million requests times workflows times passes a second and core.
#pragma once

#include "base/prng.h"
#include "detect/intent/request_judge.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tagout::detect {

struct TrainingRequest {
    const RequestFeatures* features = nullptr;
    std::size_t workflow = 0;  ///< Its number.
};

struct WeighedFeature {
    std::uint32_t row = 0;  ///< Of its weights, 0 if it has none.
    float value = 0;
};

/// Of words and of characters the squares of values sum up to one half: replaces what stands in
/// `weighed`. Features without weights count in that sum: much unknown makes the rest say less.
void weigh_features(
    const RequestFeatures& features, const RequestVocabulary& vocabulary,
    std::vector<WeighedFeature>& weighed
);

class LinearTraining {
public:
    /// `requests` is kept; what it points at must outlive this. `workflows` of them.
    LinearTraining(std::vector<TrainingRequest> requests, std::size_t workflows);

    /// Goes on for about `work` multiplications; true once it is done.
    bool step(std::uint64_t work);
    /// Puts what was trained into `judge`.
    void give_to(RequestJudge& judge) const;

private:
    static constexpr int passes_max = 8;
    static constexpr float penalty = 2.0F;  ///< Of a request on the wrong side; C of the paper.

    void choose_rows();
    [[nodiscard]] bool visit_lane(std::size_t request, std::size_t at, float square);
    [[nodiscard]] std::uint64_t visit(std::size_t request);
    void shuffle();

    std::vector<TrainingRequest> requests_;
    RequestVocabulary vocabulary_;
    std::size_t rows_ = 1;  ///< Row 0 is the bias.
    std::size_t width_ = 0;
    std::vector<float> weights_;  ///< Row by row.
    std::vector<float> pulls_;    ///< Dual variables: request by request, workflow by workflow.
    std::vector<WeighedFeature> weighed_;  ///< Scratch, of one request.
    std::vector<std::uint32_t> order_;
    std::size_t next_ = 0;  ///< In order_.
    int pass_ = 0;
    Prng chance_{0x7461676f7574};
};

}  // namespace tagout::detect
