// cost.outcome_cost: what a workflow spends for one good outcome. To a person on call: the work
// still gets done, but each success costs far more - dearer sessions, or more of them that lead
// nowhere.
//
// Judged by count and not by time, so that a quiet workflow is judged like a busy one: all that the
// newest outcome_sessions_min ended sessions took, over how many of them were good, against what is
// usual for such batches. It fires when two batches in a row cost outcome_ratio times the usual,
// beyond what batches stray by themselves. Why twice: one batch with a long session or two in it is
// chance. Money where all sessions of a batch have a price, else tokens. Sessions that another
// finding explains are not counted.
//
// Thread-compatible. Memory: 1 kB a workflow. Cost: some ns a session.
#pragma once

#include "base/distinct_count.h"
#include "detect/key_partials.h"
#include "detect/settings.h"

#include <cstdint>
#include <string>

namespace tagout::detect {

class OutcomeCostWatch {
public:
    static constexpr double usual_batches = 50;
    static constexpr std::uint64_t usual_batches_min = 3;
    static constexpr std::uint32_t raised_batches_min = 2;
    static constexpr std::uint32_t calm_batches = 2;  ///< In a row end an episode.

    /// A session ended; true if an episode began or ended. `workflows`: how many are watched.
    bool add(const SessionFact& session, const CostSettings& settings, std::size_t workflows);

    [[nodiscard]] bool active() const noexcept { return active_; }
    [[nodiscard]] std::uint64_t began() const noexcept { return began_; }  ///< Batch number.
    [[nodiscard]] Instant last_at() const noexcept { return last_at_; }
    [[nodiscard]] double ratio() const noexcept { return ratio_; }
    [[nodiscard]] double observed() const noexcept { return observed_; }  ///< For one good outcome.
    [[nodiscard]] double usual() const noexcept { return usual_; }
    [[nodiscard]] bool in_usd() const noexcept { return in_usd_; }
    [[nodiscard]] std::uint32_t sessions() const noexcept { return sessions_; }  ///< Of the batch,
    [[nodiscard]] std::uint32_t good() const noexcept { return good_; }  ///< ... so many good.
    [[nodiscard]] const SessionFact& dearest() const noexcept { return dearest_; }
    [[nodiscard]] std::int64_t tokens() const noexcept { return tokens_; }  ///< Of the episode.
    [[nodiscard]] double cost_usd() const noexcept { return cost_usd_; }
    [[nodiscard]] const DistinctCount& users() const noexcept { return users_; }

private:
    /// What is usual, in one unit.
    struct Usual {
        double mean = 0;  ///< Of logarithms.
        double variance = 0;
        std::uint64_t batches = 0;
        void learn(double log);
    };
    struct Batch {
        std::uint32_t sessions = 0;
        std::uint32_t good = 0;
        std::uint32_t priced = 0;
        std::int64_t tokens = 0;
        double cost_usd = 0;
        DistinctCount users;
        SessionFact dearest;
    };
    bool judge(const CostSettings& settings, std::size_t workflows);

    Batch batch_;
    Usual usd_;
    Usual token_;
    std::uint64_t batches_ = 0;
    std::uint32_t raised_ = 0;  ///< Batches of the episode.
    std::uint32_t calm_ = 0;    ///< Batches in a row.
    bool active_ = false;
    std::uint64_t began_ = 0;
    Instant last_at_;
    double ratio_ = 0;
    double observed_ = 0;
    double usual_ = 0;
    bool in_usd_ = false;
    std::uint32_t sessions_ = 0;
    std::uint32_t good_ = 0;
    SessionFact dearest_;
    std::int64_t tokens_ = 0;
    double cost_usd_ = 0;
    DistinctCount users_;
};

}  // namespace tagout::detect
