// The inside of SessionStage: what its three files share (stage_fold, stage_calls, stage_findings).
// Confined to its shard's thread, like the stage.
#pragma once

#include "detect/call_evidence.h"
#include "detect/context/answer_signs.h"
#include "detect/engine.h"
#include "detect/safety/call_values.h"
#include "detect/safety/changed_tools.h"
#include "detect/safety/guarded_text.h"
#include "detect/safety/instruction_text.h"
#include "detect/session_table.h"
#include "detect/stage_sums.h"
#include "detect/tool/call_form.h"

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::detect {

struct SessionStage::State {
    State(const Settings& settings_in, std::shared_ptr<const catalog::Catalog> catalog_in)
        : settings(settings_in), catalog(std::move(catalog_in)), names(settings_in.names_max) {}

    // --- stage_fold.cc: one event into its session
    void fold(const AgentEvent& event, Instant now, Output& out);
    void note_names(Session& session, const AgentEvent& event);
    void note_texts(Session& session, const AgentEvent& event, const StepPlace& place, Output& out);
    void note_user_turn(
        Session& session, std::string_view text, const StepPlace& place, Output& out
    );
    void note_model_call(
        Session& session, const AgentEvent& event, const StepPlace& place, Output& out
    );
    void note_judgement(
        Session& session, const AgentEvent& event, const StepPlace& place, Output& out
    );
    void note_root(Session& session, const AgentEvent& event, const StepPlace& place);
    void note_step_end(Session& session, const AgentEvent& event, Instant at);
    void note_rates(
        Session& session, const AgentEvent& event, const StepPlace& place, NameId key, bool tool
    );
    void count_rate(
        SumKind kind, NameId key, bool bad, Session& session, const AgentEvent& event,
        const StepPlace& place, NameId tool
    );
    /// Refused, throttled or cancelled by a control of Tagout's: the reason says so.
    [[nodiscard]] static bool is_stopped_by_control(const AgentEvent& event) noexcept;
    void note_refusals(
        Session& session, const AgentEvent& event, const StepPlace& place, NameId tool, bool refused
    );
    [[nodiscard]] Turn& turn_of(Session& session, const TraceId& trace);
    void absorb(Session& into, Session& from, Output& out);

    // --- stage_requests.cc: what it was asked, whom it was handed to
    void tell_request(Session& session);
    /// Sends the user's newest words to be learned from (rating -1 or +1) or to be judged (0).
    void tell_words(Session& session, const StepPlace& place, std::int8_t rating);
    /// A user rated what the agent did: of the words that reply to it, or else of the last ones
    /// before it, the rating tells what they are like.
    void note_rating(
        Session& session, const AgentEvent& event, const StepPlace& place, std::int8_t rating
    );
    void note_handed_over(
        Session& session, std::string_view from, std::string_view to, const StepPlace& place,
        Output& out
    );

    // --- stage_calls.cc: tool calls, their values and results
    void note_tool_call(
        Session& session, const AgentEvent& event, const StepPlace& place, Instant now, Output& out
    );
    void note_guarded(
        Session& session, const AgentEvent& event, NameId tool, const catalog::ToolFacts& facts,
        const StepPlace& place, Output& out
    );
    void note_changed_tools(
        Session& session, const OfferNews& news, const StepPlace& place, Output& out
    );
    void note_result(
        Session& session, std::string_view text, NameId tool, const StepPlace& place, Output& out
    );
    /// Judges waiting calls: those due by `now`, or those that ended by `until`.
    void settle(Session& session, Instant now, Instant until, Output& out);
    void judge_call(Session& session, const PendingCall& call, Output& out);
    /// What the key stage completes to a finding: all but id, class, signal, cause and numbers.
    [[nodiscard]] Finding draft_of(const Session& session, const PendingCall& call) const;
    /// Keeps the call's telling values for the profile and tells KeyStage what only habits can
    /// judge.
    void note_values(
        Session& session, const PendingCall& call, const CallEvidence& evidence, bool explained,
        const std::optional<Sighting>& weak
    );
    void append_tool_uses(const Trail& trail, std::vector<catalog::ProfileUse>& uses) const;
    void append_value_uses(std::span<const ValueUse> values, std::vector<catalog::ProfileUse>& uses)
        const;
    void note_written(Session& session, const PendingCall& call, const CallEvidence& evidence);
    void settle_due(Instant now, Output& out);
    [[nodiscard]] const catalog::ToolFacts& facts_of(NameId tool);
    template <class Change>
    void change_values(Trail& trail, Change&& change);
    void forget_values();

    // --- stage_context.cc: what the session did and said before
    /// The very span of an action that stands in the session: it counts no second time.
    [[nodiscard]] static bool is_second_telling(
        const Session& session, const AgentEvent& event
    ) noexcept;
    void note_action(
        Session& session, const AgentEvent& event, NameId tool, const StepPlace& place, Output& out
    );
    void note_write(
        Session& session, const AgentEvent& event, const Action& action, const StepPlace& place,
        Output& out
    );
    /// What the user said: the values in it are not to be asked for again.
    void note_told(Session& session, std::string_view text);
    void note_answer_words(
        Session& session, const AgentEvent& event, const StepPlace& place, Output& out
    );
    /// The request or the session is over: what was announced and never begun?
    void judge_end(Session& session, Output& out);

    // --- stage_findings.cc: findings, precedence, outcomes
    void raise(Session& session, Sighting sighting, Output& out);
    void choose_leader(Session& session, Output& out);
    void send(Session& session, LiveFinding& live, Output& out);
    /// NAME@VERSION of the prompt that the session runs under, "" when either is not told.
    [[nodiscard]] std::string prompt_of(const Session& session) const;
    void tell_outcome(Session& session, Output& out);
    /// What the session tells its workflow's profile and has not told yet, at most uses_max.
    [[nodiscard]] std::vector<catalog::ProfileUse> take_uses(Session& session) const;
    /// A good session goes on after it was told: its profile learns what came since.
    void tell_later_uses(Session& session, const JudgedOutcome& judged);
    void push_fact(const Session& session, SessionFact fact);
    /// Tells again what its findings and rates cost and whom they hit, if that became much more, or
    /// at the end anything more.
    void renew_impact(Session& session, bool ended, Output& out);
    void add_impact(const Session& session, AffectedKey& affected);
    void note_affected(Session& session, SumKind kind, NameId key);
    void close(Session& session, Output& out);
    /// The id of the finding that leads, "" if there is none.
    [[nodiscard]] static std::string leader_of(const Session& session);
    [[nodiscard]] static bool is_clean(const Session& session);

    [[nodiscard]] std::int64_t pane_of(Instant at) const noexcept {
        return unix_nanos(at) / settings.pane.count();
    }

    Settings settings;
    std::shared_ptr<const catalog::Catalog> catalog;
    Names names;
    SessionTable sessions;
    StageSums sums;
    InstructionText orders;
    GuardedText guarded{settings.safety};
    std::vector<CallValue> call_values;  ///< Scratch of one call.
    AnswerSigns answer_signs;
    std::vector<Claim> claims;  ///< Scratch of one answer.
    CallForm call_form;
    ChangedTools changed_tools;
    std::vector<bool> refusing;       ///< By NameId: tools that have refused a call as wrong.
    std::vector<TextRegion> regions;  ///< Scratch of one scan.
    std::vector<std::optional<catalog::ToolFacts>> tool_facts;  ///< By NameId; emptied by use().
    std::deque<std::pair<Instant, std::uint64_t>> due;  ///< Waiting calls: when, session key.
    StageStats stats;
    std::uint64_t value_bytes = 0;
    std::uint64_t values_forgotten = 0;
    std::uint64_t merges = 0;
    std::uint64_t merges_missed = 0;
};

template <class Change>
void SessionStage::State::change_values(Trail& trail, Change&& change) {
    const std::size_t before = trail.values.bytes();
    change(trail.values);
    value_bytes += trail.values.bytes() - before;  // wraps and comes back: sums of differences
}

}  // namespace tagout::detect
