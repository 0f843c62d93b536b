// Every signal of the engine, once: its name in settings, findings and pages, its failure class,
// the one sentence that it means to a person on call, and its place when signals compete.
//
// Precedence. One fault shows in several signals: an obeyed injection makes an unexpected write, a
// loop burns tokens, a wrong plan makes users complain. So the findings of one session have one
// leader, the most probable cause, and the others name it in Finding::explained_by. Lower numbers
// lead, because causes come before their consequences:
//
//   1 safety.untrusted_value         a foreign text took the wheel: whatever followed is its doing
//   2 intent.wrong_workflow          the wrong plan; its calls, loops and complaints follow from it
//   3 tool.unexpected_write          one call did harm; complaints and corrections follow from it
//   4 safety.new_tool                as 3, but told by habit alone, so weaker evidence
//   5 context.circular_actions       stuck; retries, steps and tokens follow from it
//   6 context.duplicate_action       a weaker form of 5
//   7 intent.retries_without_convergence   tries that differ and lead nowhere; tokens follow
//   8 intent.user_corrections        a user's word about something above, or about the plan
//   9 cost.runaway_session           the last in every chain: everything that goes wrong costs
//  10 safety.instruction_in_result   seen and not obeyed: explains nothing, is explained by all
//
// A leader that was told with a failed outcome stays the leader, so that no second incident is
// opened for the same session. Rates compete too (key_stage.cc): tool.4xx_spike, then
// cost.timeout_rate, then cost.token_spike, then intent.user_corrections, where they share the tool
// or the agent. Repetition that only answers errors (4xx, timeouts) is no signal of context or
// intent at all.
#pragma once

#include "domain/vocabulary.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tagout::detect {

enum class SignalId : std::uint8_t {
    UserCorrections = 0,
    RetriesWithoutConvergence = 1,
    WrongWorkflow = 2,
    ClientErrorSpike = 3,
    UnexpectedWrite = 4,
    DuplicateAction = 5,
    CircularActions = 6,
    UntrustedValue = 7,
    NewTool = 8,
    InstructionInResult = 9,
    TokenSpike = 10,
    RunawaySession = 11,
    TimeoutRate = 12,
};
inline constexpr std::size_t signal_count = 13;

struct SignalInfo {
    SignalId id;
    FailureClass failure_class;
    std::string_view name;
    std::string_view meaning;
    std::string_view unit;
    int precedence;  ///< Within a session, see above; rates have their own order.
};

inline constexpr std::array<SignalInfo, signal_count> signal_table{{
    {SignalId::UserCorrections,
     FailureClass::Intent,
     "intent.user_corrections",
     "Users keep telling this workflow that it got them wrong",
     "share of answers",
     8},
    {SignalId::RetriesWithoutConvergence,
     FailureClass::Intent,
     "intent.retries_without_convergence",
     "The same goal is tried again and again in other words and nothing new comes back",
     "tries",
     7},
    {SignalId::WrongWorkflow,
     FailureClass::Intent,
     "intent.wrong_workflow",
     "The request went to a workflow that is not made for it",
     "mentions",
     2},
    {SignalId::ClientErrorSpike,
     FailureClass::Tool,
     "tool.4xx_spike",
     "A tool refuses far more calls as wrong than it usually does",
     "share of calls",
     1},
    {SignalId::UnexpectedWrite,
     FailureClass::Tool,
     "tool.unexpected_write",
     "An agent changed something that nobody asked for, or with a value that nobody named",
     "score",
     3},
    {SignalId::DuplicateAction,
     FailureClass::Context,
     "context.duplicate_action",
     "The agent repeats a call that it already has the answer of",
     "calls",
     6},
    {SignalId::CircularActions,
     FailureClass::Context,
     "context.circular_actions",
     "The agent goes round in a circle of calls and learns nothing",
     "rounds",
     5},
    {SignalId::UntrustedValue,
     FailureClass::Safety,
     "safety.untrusted_value",
     "A call that changes or sends something followed the text of a tool's result, not the user",
     "score",
     1},
    {SignalId::NewTool,
     FailureClass::Safety,
     "safety.new_tool",
     "A tool was used that this workflow has never used, after reading foreign text",
     "score",
     4},
    {SignalId::InstructionInResult,
     FailureClass::Safety,
     "safety.instruction_in_result",
     "A tool's result contains text that gives the agent orders",
     "score",
     10},
    {SignalId::TokenSpike,
     FailureClass::Cost,
     "cost.token_spike",
     "An agent needs far more tokens for the same work than it usually does",
     "times usual",
     3},
    {SignalId::RunawaySession,
     FailureClass::Cost,
     "cost.runaway_session",
     "One session passed its budget of steps, tokens or money",
     "share of budget",
     9},
    {SignalId::TimeoutRate,
     FailureClass::Cost,
     "cost.timeout_rate",
     "Calls time out far more often than usual",
     "share of calls",
     2},
}};

[[nodiscard]] constexpr const SignalInfo& info_of(SignalId id) noexcept {
    return signal_table[static_cast<std::size_t>(id)];
}
static_assert([] {
    for (std::size_t i = 0; i < signal_count; ++i) {
        if (static_cast<std::size_t>(signal_table[i].id) != i) {
            return false;
        }
    }
    return true;
}());

}  // namespace tagout::detect
