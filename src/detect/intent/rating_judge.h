// RatingJudge: how likely a user's turn shows displeasure, told by how users rated other turns of
// this deployment; behind the corrections that intent.user_corrections counts.
//
// A logistic regression over turn_features(), trained by dual coordinate descent (Yu, Huang, Lin:
// "Dual coordinate descent methods for logistic regression and maximum entropy models", Machine
// Learning 2011). Each group of features weighs what group_worth says, rare words more than
// common ones, facts fact_worth each. The penalty is as low as it is because ratings contradict
// each other: a stiffer model learns who rated and not what was said.
//
// What a score is worth is measured, not assumed: half of the lessons train a model that judges the
// other half, and the other way round. chance() is the share of held-out turns of contented users
// that scored as high.
//
// Deterministic: the same lessons give the same weights. Training goes in steps so that no caller
// waits long for it.
//
// RatingJudge: immutable, any thread; 460 KiB. RatingTraining: confined to one thread; twice that
// and four bytes a lesson. Cost of judging: turn_features() and 0.3 us.
#pragma once

#include "base/prng.h"
#include "detect/intent/rating_lessons.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tagout::detect {

struct WeighedTurn {
    std::uint16_t bucket = 0;
    float value = 0;
};

class RatingJudge {
public:
    /// Log-odds among the lessons: above 0, more like those that displeased.
    [[nodiscard]] double read(const TurnFeatures& features) const;
    /// Of held-out turns that did not displease, the share that scores as high; 1 if there are
    /// none.
    [[nodiscard]] double chance(double score) const;
    /// Of held-out turns that displeased, the share that scores as high; 0 if there are none.
    [[nodiscard]] double found(double score) const;
    [[nodiscard]] std::size_t held_out() const noexcept { return calm_.size() + upset_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept;

private:
    friend class RatingTraining;

    void weigh(const TurnFeatures& features, std::vector<WeighedTurn>& weighed) const;

    std::vector<float> worth_;    ///< By bucket: how rare it is.
    std::vector<float> weights_;  ///< By bucket.
    float bias_ = 0;
    std::vector<float> calm_;   ///< Scores of held-out turns that did not displease, rising.
    std::vector<float> upset_;  ///< Of those that did.
};

class RatingTraining {
public:
    static constexpr std::size_t turns_min = 20;  ///< Of either kind; fewer teach nothing.

    explicit RatingTraining(const RatingLessons& lessons);

    /// Does about `work` multiplications more. The judge once it is trained; with less than
    /// turns_min turns of either kind none ever comes, and finished() holds at once.
    [[nodiscard]] std::shared_ptr<const RatingJudge> step(std::uint64_t work);
    [[nodiscard]] bool finished() const noexcept { return part_ > halves; }

private:
    static constexpr int halves = 2;
    static constexpr int passes_max = 12;
    static constexpr float penalty = 0.15F;  ///< Of a turn on the wrong side; C of the paper.

    struct Turn {
        TurnFeatures features;
        bool displeased = false;
    };

    /// Two halves of the turns, then all.
    void begin_part();
    void shuffle();
    /// Returns the work done.
    std::uint64_t visit(std::size_t turn);
    void hold_out();

    std::vector<Turn> turns_;
    std::vector<std::uint32_t> order_;  ///< Turns of this part.
    std::vector<float> pulls_;          ///< Dual variables, by turn.
    std::vector<WeighedTurn> weighed_;  ///< Scratch, of one turn.
    std::unique_ptr<RatingJudge> judge_;
    std::vector<float> calm_;
    std::vector<float> upset_;
    std::size_t next_ = 0;  ///< In order_.
    int pass_ = 0;
    int part_ = 0;
    Prng chance_{0x7261746564};
};

/// Trains to the end at once: for replays and tests. Null: too few lessons.
[[nodiscard]] std::shared_ptr<const RatingJudge> train_rating_judge(const RatingLessons& lessons);

}  // namespace tagout::detect
