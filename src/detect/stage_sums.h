// What a shard adds up for KeyStage between two calls of take(): like KeyPartials, but with names
// as numbers, so that an event costs a hash look-up and a few adds.
//
// Confined to its shard's thread. Bound: the names of the shard times the panes between two takes;
// take() empties it.
#pragma once

#include "detect/key_partials.h"
#include "detect/names.h"
#include "detect/session.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <memory>

namespace tagout::detect {

enum class SumKind : std::uint8_t {
    ClientErrors = 0,
    ToolTimeouts = 1,
    ModelTimeouts = 2,
    Corrections = 3,
    ClientErrorShapes = 4,
    PolicyDenials = 5,
};

[[nodiscard]] RateKey rate_key(SumKind kind, NameId key, const Names& names);
[[nodiscard]] Exemplar exemplar_of(
    const Session& session, const StepPlace& place, NameId tool, std::string_view text,
    const Names& names
);

class StageSums {
public:
    static constexpr double slow_millis_min = 500;  ///< Faster calls are nobody's slowest.

    void count(SumKind kind, NameId key, std::int64_t pane) { rate(kind, key, pane).sums.total += 1; }
    /// count(), and how long the call took.
    void count_timed(
        SumKind kind, NameId key, std::int64_t pane, double millis, const Session& session,
        const StepPlace& place, NameId tool, const Names& names
    );
    /// A bad event; count() is called for it as well.
    void count_bad(
        SumKind kind, NameId key, std::int64_t pane, const Session& session,
        const StepPlace& place, NameId tool, std::string_view text, const Names& names
    );
    void spend(
        const Session& session, const StepPlace& place, std::int64_t pane, std::int64_t tokens,
        double cost_usd, const Names& names
    );
    void end_turn(NameId agent, std::int64_t pane, std::int64_t tokens);
    void saw(Instant at) noexcept { rest_.newest = std::max(rest_.newest, at); }
    /// Everything that is rare enough to be kept in its final form at once.
    [[nodiscard]] KeyPartials& rest() noexcept { return rest_; }
    [[nodiscard]] KeyPartials take(const Names& names);

private:
    struct Rate {
        SumKind kind = SumKind::ClientErrors;
        NameId key = 0;
        std::int64_t pane = 0;
        RatePane sums;
        std::unique_ptr<LoadPane> load;  ///< Of timed calls.
    };
    struct Spending {
        NameId agent = 0;
        std::int64_t pane = 0;
        SpendingPane sums;
        boost::unordered_flat_map<NameId, std::uint64_t> models;
    };

    [[nodiscard]] Rate& rate(SumKind kind, NameId key, std::int64_t pane);
    [[nodiscard]] Spending& spending(NameId agent, std::int64_t pane);

    boost::unordered_flat_map<std::uint64_t, Rate, HashedKey> rates_;
    boost::unordered_flat_map<std::uint64_t, Spending, HashedKey> spending_;
    KeyPartials rest_;
};

}  // namespace tagout::detect
