// The detection engine: a fold from AgentEvents to Findings, in two stages that both merge.
//
//   SessionStage  per correlation: one bounded state machine a live session -> findings about it,
//                 its outcome, and partial sums per key
//   KeyStage      per key (agent, workflow, tool, model, ...): windows of mergeable sketches, fed
//   by
//                 the partial sums of every shard -> findings about rates and spikes
//
// A fold reads no clock, opens no file and logs nothing: the same events with the same `now` give
// the same findings, live, in replay and in a Kafka group. `now` is the arrival time and only
// closes what is idle; windows and order use event time with a watermark.
#pragma once

#include "catalog/catalog.h"
#include "detect/profiles.h"
#include "detect/settings.h"
#include "domain/agent_event.h"
#include "domain/finding.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tagout::detect {

/// What a session amounted to, told once it ended and again if later words change it.
struct SessionSummary {
    CorrelationId correlation;
    AgentName agent;
    WorkflowName workflow;
    std::string service;
    std::string prompt;  ///< NAME@VERSION, "" when telemetry does not tell both.
    SessionOutcome outcome = SessionOutcome::Unknown;
    std::string outcome_reason;
    Instant started_at;
    Instant ended_at;
    std::uint32_t steps = 0;
    std::uint32_t tool_calls = 0;
    std::uint32_t writes = 0;
    std::int64_t tokens = 0;
    double cost_usd = 0;
    bool revised = false;  ///< Replaces an earlier summary of the same correlation ...
    SessionOutcome before = SessionOutcome::Unknown;  ///< ... which said so.
};

struct KeyPartials;  ///< Opaque, mergeable, serialisable: detect/key_partials.h.

/// Everything one call produced, appended to; the caller clears it.
struct Output {
    std::vector<Finding> findings;
    std::vector<SessionSummary> sessions;
};

struct StageStats {
    std::uint64_t events = 0;
    std::uint64_t late_events =
        0;  ///< Behind the watermark: counted in the session, not in windows.
    std::uint64_t repeated_calls = 0;  ///< Tool spans that were told again: counted once.
    std::uint64_t sessions_live = 0;
    std::uint64_t sessions_evicted = 0;  ///< Closed early because sessions_max was reached.
    std::uint64_t keys_live = 0;
    std::uint64_t keys_refused = 0;  ///< Events whose key found no room.
    std::uint64_t bytes = 0;         ///< Approximate memory of the state.
    std::uint64_t sessions_merged =
        0;  ///< Filed under a trace id first, then joined to a conversation.
    std::uint64_t sessions_not_merged = 0;  ///< Their trace's part is in another shard, or gone.
    std::uint64_t values_forgotten = 0;  ///< Sessions whose values were dropped for want of memory.
};

/// Confined to its shard's thread.
class SessionStage {
public:
    SessionStage(const Settings& settings, std::shared_ptr<const catalog::Catalog> catalog);
    ~SessionStage();
    SessionStage(SessionStage&&) noexcept;

    /// Folds in linked events. Cost: amortised constant an event.
    void observe(std::span<const AgentEvent> events, Instant now, Output& out);
    /// Ends sessions that were idle for settings.session_idle. Call about once a second.
    void tick(Instant now, Output& out);
    /// Ends every session: the end of a replay.
    void finish(Output& out);
    /// Moves out what KeyStage needs since the last call.
    [[nodiscard]] std::unique_ptr<KeyPartials, void (*)(KeyPartials*)> take_partials();
    /// New configuration, between two calls; live sessions go on under it.
    void use(const Settings& settings, std::shared_ptr<const catalog::Catalog> catalog);
    [[nodiscard]] StageStats stats() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// One point of a class dashboard's series.
struct SignalPoint {
    Instant at;
    double observed = 0;
    double threshold = 0;
    std::uint64_t findings = 0;
};

struct SignalBoard {
    std::string signal;
    std::string meaning;  ///< One sentence for a person on call.
    std::string unit;
    double threshold = 0;
    std::vector<SignalPoint> points;  ///< Oldest first, one a minute, at most two hours.
};

struct OutcomePoint {
    Instant at;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::uint64_t abandoned = 0;
    std::uint64_t denied = 0;
    std::uint64_t unknown = 0;
};

struct ClassBoard {
    FailureClass failure_class = FailureClass::Intent;
    std::vector<SignalBoard> signals;
    std::vector<OutcomePoint> outcomes;  ///< Of all sessions, same minutes as the signals.
};

/// Confined to one thread; all shards' partials meet here.
class KeyStage {
public:
    KeyStage(const Settings& settings, std::shared_ptr<const catalog::Catalog> catalog);
    ~KeyStage();
    KeyStage(KeyStage&&) noexcept;

    void merge(const KeyPartials& partials);
    void merge(KeyPartials&& partials);  ///< The same without copying every session's facts.
    /// Judges every window that the watermark has closed since the last call.
    void evaluate(Instant now, Output& out);
    void finish(Output& out);
    void use(const Settings& settings, std::shared_ptr<const catalog::Catalog> catalog);
    [[nodiscard]] std::vector<ClassBoard> boards() const;
    [[nodiscard]] StageStats stats() const;

    /// Profiles of workflows, see detect/profiles.h. `since`: sessions up to it are in `profile`.
    void adopt_profile(
        const std::string& workflow, catalog::WorkflowProfile profile, Instant since
    );
    void hold_learning(std::vector<LearningHold> holds);
    /// Judges by `source` and learns nothing, from now on.
    void judge_by(std::shared_ptr<const ProfileSource> source);
    [[nodiscard]] std::vector<LearnedProfile> take_changed_profiles();
    [[nodiscard]] std::vector<ProfileBrief> profile_briefs(std::size_t limit) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tagout::detect
