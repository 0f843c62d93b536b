// Recorded runs of agents: one JSON object a line, the form in which labelled recordings are kept.
//
//   {"id","source","split","agent","task","turns":[{"role","content","name","tool_calls":[{"id",
//   "name","arguments"}],"tool_call_id","error"}],"tools_ref","labels":{...}}
//
// A run becomes the AgentEvents that its telemetry would have become, so that replay judges it with
// the very same engine. Labels are carried as text for whoever scores findings; nothing here reads
// them. Lines of two other kinds are told apart and kept empty: series of numbers ("kind":"series")
// and bare request traces ("t","in","out").
//
// Untrusted input: any line gives a run or an Error whose message names the member. Thread-safe.
#pragma once

#include "base/result.h"
#include "domain/event_batch.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::intake {

enum class RecordKind : std::uint8_t { Run, Series, RequestTrace };
enum class TurnRole : std::uint8_t { System, User, Assistant, Tool };

struct RecordedCall {
    std::string id;  ///< "" where the recording has none.
    std::string name;
    std::string arguments;  ///< JSON.
};

struct RecordedTurn {
    TurnRole role = TurnRole::User;
    std::string content;
    std::string name;  ///< Which of several agents spoke, or which tool answered; "" if not said.
    std::vector<RecordedCall> tool_calls;
    std::string tool_call_id;  ///< Of a tool's answer: the call it answers, "" if not said.
    bool error = false;        ///< Of a tool's answer: it is an error.
};

struct RecordedRun {
    RecordKind kind = RecordKind::Run;
    std::string id;
    std::string source;
    std::string split;
    std::string agent;
    std::string task;
    std::string tools_ref;
    std::string tools;  ///< The definitions that tools_ref names, put here by whoever has the file.
    std::vector<RecordedTurn> turns;
    std::string labels;  ///< JSON, not looked into; "" without labels.
};

inline constexpr std::size_t recorded_line_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t recorded_turns_max = 100'000;

/// InvalidArgument: no JSON, or a member that is missing or of a wrong type: "turns[3].role: ...".
/// LimitExceeded: longer than the limits above.
[[nodiscard]] Result<RecordedRun> parse_recorded_run(std::string_view line);

/// Appends the run's events, ordered by ended_at, turns one second apart from `start` on. Texts are
/// copied into the arena. `step` is the turn's index; of a tool event, that of the turn with the call.
///   user turn       -> request, user_text
///   assistant turn  -> llm, output_text, and a tool event for each call with the answer to it
///   tool turn       -> into the call's event; without a call a tool event of its own
///   end             -> workflow, the root
/// An answer belongs to the call with its id, else to the oldest call that has no answer yet.
void append_events(const RecordedRun& run, Instant start, EventBatch& batch);

}  // namespace tagout::intake
