// The inside of KeyStage: what its two files share (key_stage, key_findings).
// Confined to KeyStage's thread.
#pragma once

#include "detect/cost/load_watch.h"
#include "detect/cost/outcome_cost.h"
#include "detect/cost/token_spike.h"
#include "detect/engine.h"
#include "detect/intent/rating_habits.h"
#include "detect/intent/request_habits.h"
#include "detect/key_boards.h"
#include "detect/key_partials.h"
#include "detect/profiles.h"
#include "detect/rate_watch.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tagout::detect {

void point_at(Finding& finding, const Exemplar& exemplar);

/// What a rate or a spike came to so far.
struct Extent {
    std::uint64_t sessions = 1;
    DistinctCount users;
    std::int64_t tokens = 0;
    double cost_usd = 0;
};

/// A finding of this stage that lasts: what was told last, so that only changes are told.
struct StandingFinding {
    Finding finding;
    Extent extent;  ///< Now; told when it grew much, and at the end.
    bool active = false;
    bool changed = false;

    /// True if `extent` is much more than what was told.
    [[nodiscard]] bool grew() const;
    void tell_extent();
    /// The episode is over: whatever of it was not told is told now.
    void end();
};

struct KeyStage::State {
    static constexpr std::size_t habit_findings_max = 20'000;
    static constexpr std::size_t lessons_max = 50'000;

    State(const Settings& settings_in, std::shared_ptr<const catalog::Catalog> catalog_in)
        : settings(settings_in), catalog(std::move(catalog_in)) {}

    // --- key_stage.cc: partials in, panes closed
    void merge(KeyPartials&& partials);
    void evaluate(Instant now, bool all, Output& out);
    void take_facts(Output& out);
    void take_correction(const CorrectionFact& fact);
    /// Learns from rated words, judges others by what ratings taught.
    void take_ratings();
    void take_rating(const RatingFact& fact);
    /// Judges a call by its workflow's habits.
    void take_call(const CallFact& fact, Output& out);
    /// What a lesson is made of is moved out of `fact`.
    void take_outcome(SessionFact& fact, Output& out);
    void learn_habits();
    /// Tells a finding about one session and keeps it, to tell again what becomes of the session.
    /// Of several about one session only that which leads is kept.
    void tell_habit(SignalId signal, Finding finding, Output& out);
    void close_panes(std::int64_t pane);
    void sweep(std::int64_t pane);
    [[nodiscard]] RateWatch* watch_of(const RateKey& key);
    [[nodiscard]] RateBounds bounds_of(RateKind kind) const;

    // --- key_findings.cc: findings of rates, precedence
    void renew_rate(const RateKey& key, const RateWatch& watch);
    [[nodiscard]] bool is_told_by_tool(const RateKey& key, const RateWatch& watch) const;
    /// The id of the finding about a form of `tool`'s arguments that stands, else "".
    [[nodiscard]] std::string form_told_of(const std::string& tool) const;
    void renew_spending(const std::string& agent, const SpendingWatch& watch);
    void explain();
    void explain_loads();
    void tell(Output& out);

    // --- key_loads.cc: latency, queues, cost of outcomes
    void take_load(const LoadKey& key, std::int64_t pane_number, const LoadPane& pane);
    void take_outcome_cost(const SessionFact& fact);
    void close_loads(std::int64_t pane);
    void renew_load(SignalId signal, const LoadKey& key, const LoadEpisode& episode);
    void renew_outcome_cost(const std::string& key, const OutcomeCostWatch& watch);

    /// Everything that keys_max bounds.
    [[nodiscard]] std::size_t keys_live() const noexcept {
        return watches.size() + spending.size() + loads.size() + outcome_costs.size();
    }

    [[nodiscard]] Instant end_of(std::int64_t pane) const noexcept {
        return Instant(settings.pane * (pane + 1));
    }

    Settings settings;
    std::shared_ptr<const catalog::Catalog> catalog;
    std::map<RateKey, RateWatch> watches;
    std::map<std::string, SpendingWatch> spending;
    std::map<LoadKey, LoadWatch> loads;
    std::map<std::string, OutcomeCostWatch> outcome_costs;  ///< By workflow, else agent.
    std::map<RateKey, StandingFinding> rate_findings;
    std::map<std::string, StandingFinding> spending_findings;
    /// Of latency, queues and cost of outcomes: by signal and key.
    std::map<std::pair<SignalId, std::string>, StandingFinding> load_findings;
    Profiles profiles;
    std::map<std::string, Finding>
        habit_findings;                   ///< By correlation: findings that profiles made.
    std::deque<std::string> habit_order;  ///< Oldest first; bounds habit_findings.
    /// Good sessions, held back until their calls have been judged: a fault must not teach itself.
    std::map<std::string, SessionFact> lessons;                ///< By correlation.
    std::deque<std::pair<Instant, std::string>> lesson_order;  ///< Bounds `lessons`; oldest first.
    RequestHabits requests;
    RatingHabits ratings;
    std::vector<CallFact> calls;
    std::vector<WriteFact> writes;
    std::vector<RequestFact> request_facts;
    std::vector<CorrectionFact> corrections;
    std::vector<RatingFact> rating_facts;
    std::vector<SessionFact> session_facts;
    KeyBoards boards;
    StageStats stats;
    Instant newest;                  ///< Event time.
    Instant newest_before;           ///< At the last evaluate.
    Instant quiet_since;             ///< Arrival time since which nothing newer came.
    std::int64_t closed_before = 0;  ///< Panes below are judged.
};

}  // namespace tagout::detect
