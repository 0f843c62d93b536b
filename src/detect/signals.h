// Every signal of the engine, once: its name in settings, findings and pages, its failure class,
// the one sentence that it means to a person on call, and its place when signals compete.
//
// Precedence. One fault shows in several signals: an obeyed injection makes an unexpected write, a
// loop burns tokens, a wrong plan makes users complain. So the findings of one session have one
// leader, the most probable cause, and the others name it in Finding::explained_by. Lower numbers
// lead, because causes come before their consequences:
//
//   1 safety.untrusted_value             a foreign text took the wheel: whatever followed is its
//   doing 2 safety.secret_leaving              what leaves cannot be called back, whoever asked for
//   it 3 safety.changed_tool                the tool is not what was approved; its calls follow
//   from that 4 intent.wrong_workflow              the wrong plan; its calls, loops and complaints
//   follow from it 5 intent.out_of_scope                as 4, with no right plan to be had 6
//   tool.unknown_tool                  the agent works with tools that are not there 7
//   tool.schema_violation              the call could not work; retries and refusals follow from it
//   8 tool.unexpected_write              one call did harm; complaints and corrections follow from
//   it 9 safety.new_tool                    as 8, but told by habit alone, so weaker evidence
//  10 safety.unusual_sequence            as 9, told by order alone
//  11 safety.escalation                  more power than the task needs, reached step by step
//  12 safety.sensitive_endpoint          tried and perhaps refused
//  13 context.lost_context               what follows it asks, repeats and contradicts
//  14 context.stale_read                 the write is wrong because the reading was old
//  15 intent.handoff_loop                nobody keeps the request; its rounds follow
//  16 context.circular_actions           stuck; retries, steps and tokens follow from it
//  17 context.duplicate_action           a weaker form of 16
//  18 context.contradiction              said or done and undone
//  19 context.incoherent_step            a weaker form of 13 to 18
//  20 intent.retries_without_convergence tries that differ and lead nowhere; tokens follow
//  21 intent.user_corrections            a user's word about something above, or about the plan
//  22 cost.runaway_session               the last in every chain: everything that goes wrong costs
//  23 safety.instruction_in_result       seen and not obeyed: explains nothing, is explained by all
//
// A leader that was told with a failed outcome stays the leader, so that no second incident is
// opened for the same session. Rates compete too, where they share the tool or the agent
// (key_findings.cc): tool.4xx_spike, tool.policy_denials, cost.timeout_rate, cost.tail_latency,
// cost.queue_depth, cost.token_spike, cost.outcome_cost, intent.user_corrections. Repetition that
// only answers errors (4xx, timeouts) is no signal of context or intent at all.
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
    OutOfScope = 13,
    HandoffLoop = 14,
    SchemaViolation = 15,
    UnknownTool = 16,
    PolicyDenials = 17,
    Contradiction = 18,
    IncoherentStep = 19,
    StaleRead = 20,
    LostContext = 21,
    UnusualSequence = 22,
    Escalation = 23,
    SensitiveEndpoint = 24,
    SecretLeaving = 25,
    ChangedTool = 26,
    InjectionTests = 27,
    TailLatency = 28,
    QueueDepth = 29,
    OutcomeCost = 30,
};
inline constexpr std::size_t signal_count = 31;

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
     21},
    {SignalId::RetriesWithoutConvergence,
     FailureClass::Intent,
     "intent.retries_without_convergence",
     "The same goal is tried again and again in other words and nothing new comes back",
     "tries",
     20},
    {SignalId::WrongWorkflow,
     FailureClass::Intent,
     "intent.wrong_workflow",
     "The request went to a workflow that is not made for it",
     "mentions",
     4},
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
     8},
    {SignalId::DuplicateAction,
     FailureClass::Context,
     "context.duplicate_action",
     "The agent repeats a call that it already has the answer of",
     "calls",
     17},
    {SignalId::CircularActions,
     FailureClass::Context,
     "context.circular_actions",
     "The agent goes round in a circle of calls and learns nothing",
     "rounds",
     16},
    {SignalId::UntrustedValue,
     FailureClass::Safety,
     "safety.untrusted_value",
     "A call that changes or sends something followed the text of a tool's result, not the user",
     "score",
     1},
    {SignalId::NewTool,
     FailureClass::Safety,
     "safety.new_tool",
     "A tool or host was used that this workflow has never used, after reading foreign text",
     "score",
     9},
    {SignalId::InstructionInResult,
     FailureClass::Safety,
     "safety.instruction_in_result",
     "A tool's result contains text that gives the agent orders",
     "score",
     23},
    {SignalId::TokenSpike,
     FailureClass::Cost,
     "cost.token_spike",
     "An agent needs far more tokens for the same work than it usually does",
     "times usual",
     6},
    {SignalId::RunawaySession,
     FailureClass::Cost,
     "cost.runaway_session",
     "One session passed its budget of steps, tokens or money",
     "share of budget",
     22},
    {SignalId::TimeoutRate,
     FailureClass::Cost,
     "cost.timeout_rate",
     "Calls time out far more often than usual",
     "share of calls",
     3},
    {SignalId::OutOfScope,
     FailureClass::Intent,
     "intent.out_of_scope",
     "The request fits no workflow that this deployment has",
     "score",
     5},
    {SignalId::HandoffLoop,
     FailureClass::Intent,
     "intent.handoff_loop",
     "Agents hand the same request back and forth and none of them keeps it",
     "rounds",
     15},
    {SignalId::SchemaViolation,
     FailureClass::Tool,
     "tool.schema_violation",
     "A call's arguments break the schema that the tool publishes",
     "violations",
     7},
    {SignalId::UnknownTool,
     FailureClass::Tool,
     "tool.unknown_tool",
     "The agent called a tool that it was never offered",
     "calls",
     6},
    {SignalId::PolicyDenials,
     FailureClass::Tool,
     "tool.policy_denials",
     "Policy denies far more of this agent's calls than usual",
     "share of calls",
     2},
    {SignalId::Contradiction,
     FailureClass::Context,
     "context.contradiction",
     "The agent denied what it had itself reported, or undid what it had just written",
     "score",
     18},
    {SignalId::IncoherentStep,
     FailureClass::Context,
     "context.incoherent_step",
     "A step does not follow from the ones before: a result ignored, a known answer asked for "
     "again, a plan dropped",
     "score",
     19},
    {SignalId::StaleRead,
     FailureClass::Context,
     "context.stale_read",
     "The agent wrote from a reading that something had changed since",
     "score",
     14},
    {SignalId::LostContext,
     FailureClass::Context,
     "context.lost_context",
     "The agent no longer knows what it was told earlier in the session",
     "score",
     13},
    {SignalId::UnusualSequence,
     FailureClass::Safety,
     "safety.unusual_sequence",
     "Calls that are each allowed were made in an order that no good session ever had",
     "score",
     10},
    {SignalId::Escalation,
     FailureClass::Safety,
     "safety.escalation",
     "Step by step the agent reached for more power than its task needs",
     "score",
     11},
    {SignalId::SensitiveEndpoint,
     FailureClass::Safety,
     "safety.sensitive_endpoint",
     "The agent tried a place that it has no business at",
     "score",
     12},
    {SignalId::SecretLeaving,
     FailureClass::Safety,
     "safety.secret_leaving",
     "A secret or a planted canary is on its way out in a call",
     "score",
     2},
    {SignalId::ChangedTool,
     FailureClass::Safety,
     "safety.changed_tool",
     "A tool's definition is no longer the one that was approved",
     "score",
     3},
    {SignalId::InjectionTests,
     FailureClass::Safety,
     "safety.injection_tests",
     "The agent failed prompt-injection tests that it has to pass",
     "share of tests",
     10},
    {SignalId::TailLatency,
     FailureClass::Cost,
     "cost.tail_latency",
     "The slowest calls became far slower than usual",
     "times usual",
     4},
    {SignalId::QueueDepth,
     FailureClass::Cost,
     "cost.queue_depth",
     "Work waits in a queue that keeps growing",
     "times usual",
     5},
    {SignalId::OutcomeCost,
     FailureClass::Cost,
     "cost.outcome_cost",
     "A good outcome costs far more than it usually does",
     "times usual",
     7},
}};

[[nodiscard]] constexpr const SignalInfo& info_of(SignalId id) noexcept {
    return signal_table[static_cast<std::size_t>(id)];
}
/// Of a name that stands in the table.
[[nodiscard]] constexpr SignalId signal_named(std::string_view name) noexcept {
    for (const SignalInfo& info : signal_table) {
        if (info.name == name) {
            return info.id;
        }
    }
    return SignalId::UserCorrections;
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
