// RegressionCase: what was recorded of one incident, and what must not happen again. It is a value
// and a JSON file (api/regression.schema.json) that lives beside the agent it is about.
//
// A case holds the recorded turns and calls of some of the incident's sessions, redacted
// (prevent/redact.h), the versions that were in force, the facts of the tools that were called, and
// `must_not`: harmful calls, each a tool and matchers on its arguments, and signals that must not
// fire when the recording is replayed. Each session is a recorded run, so `tagout replay` reads it.
//
// run_case() is the judgement, pure: what a configuration would decide and what a replay would find
// it asks through the Candidate, because decisions and detection are rooms beside this one.
//
//   a harmful call is mended when it would now be denied or wait for a person, or when it was made
//   under a prompt or model route that this configuration no longer selects
//   a signal is mended when it no longer fires on the recording, or for the same second reason
//
// So the configuration that caused the incident fails, and one that mended it passes, whichever way.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/agent_event.h"
#include "domain/vocabulary.h"
#include "intake/recorded_run.h"
#include "prevent/judgement.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::prevent {

inline constexpr std::string_view case_format = "tagout.regression/1";
inline constexpr std::size_t case_bytes_max = 768 * 1024;  ///< As JSON: a case is one journal entry.
inline constexpr std::size_t case_file_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t case_sessions_max = 5;
inline constexpr std::size_t harmful_calls_max = 50;
inline constexpr std::size_t argument_matchers_max = 16;

/// NAME@VERSION each; "" where nobody told. A version without a known name is "@VERSION".
struct VersionsInForce {
    std::string prompt;
    std::string policy;
    std::string model_route;
    friend bool operator==(const VersionsInForce&, const VersionsInForce&) = default;
};

/// A tool as it was known when the case was made: a run without a catalog decides by this.
struct RecordedTool {
    std::string name;
    std::string server;
    ToolEffect effect = ToolEffect::Unknown;
    ToolRisk risk = ToolRisk::Low;
};

struct RecordedSession {
    intake::RecordedRun run;
    VersionsInForce versions;
    SessionOutcome outcome = SessionOutcome::Unknown;
};

/// One condition on a call's arguments.
struct ArgumentMatcher {
    enum class Kind : std::uint8_t { Equals, Matches, Above, Below };
    std::string at;  ///< JSON pointer (RFC 6901) into the arguments, "/amount".
    Kind kind = Kind::Equals;
    std::string text;   ///< Of Equals: the value as JSON. Of Matches: a glob.
    double number = 0;  ///< Of Above and Below.
    friend bool operator==(const ArgumentMatcher&, const ArgumentMatcher&) = default;
};

struct HarmfulCall {
    std::string tool;  ///< Name or glob.
    std::string why;   ///< What was wrong with it, as the finding said.
    std::vector<ArgumentMatcher> arguments;  ///< All must hold.
    friend bool operator==(const HarmfulCall&, const HarmfulCall&) = default;
};

struct MustNot {
    std::vector<HarmfulCall> calls;
    std::vector<std::string> signals;
    [[nodiscard]] bool empty() const noexcept { return calls.empty() && signals.empty(); }
};

struct RegressionCase {
    std::string id;  ///< "REG-1"
    IncidentId incident;
    std::string title;
    FailureClass failure_class = FailureClass::Intent;
    std::string cause;
    AgentName agent;
    WorkflowName workflow;
    std::string environment;
    Instant created_at;
    Actor created_by;
    std::string reason;
    std::vector<std::string> signals;
    VersionsInForce versions;  ///< Of the first session that tells.
    std::vector<RecordedTool> tools;
    std::vector<RecordedSession> sessions;
    std::uint64_t sessions_left_out = 0;  ///< Sessions of the incident for which there was no room.
    std::uint64_t values_redacted = 0;    ///< Different values that were replaced.
    MustNot must_not;

    [[nodiscard]] const RecordedTool* tool(std::string_view name) const noexcept;
};

/// One line. parse_case() reads it back; what a hand changed is checked: InvalidArgument names the
/// member ("must_not.calls[2].arguments[0]: ...") and what to write.
[[nodiscard]] std::string to_json(const RegressionCase& regression);
[[nodiscard]] Result<RegressionCase> parse_case(std::string_view text);
/// A must_not as the API takes it.
[[nodiscard]] Result<MustNot> parse_must_not(std::string_view json);

[[nodiscard]] bool matches(const HarmfulCall& harmful, const intake::RecordedCall& call);

/// A version that a configuration selects; "13" and "v13" are the same version.
struct SelectedVersion {
    std::string name;
    std::string version;
    std::string hash;  ///< Content address, "" if unknown.
};

struct JudgedCall {
    const RegressionCase& regression;
    const RecordedSession& session;
    const intake::RecordedCall& call;
};

struct CallAnswer {
    Verdict verdict = Verdict::Allow;
    std::string by;      ///< Rule that decided, "" if nothing was against it.
    std::string shadow;  ///< Rule that would have refused and only observes.
};

/// The configuration that a case is run against.
struct Candidate {
    std::string name;  ///< For sentences: "bundle refund.json, policy strict.yaml".
    std::vector<SelectedVersion> prompts;       ///< One of each name; empty: it does not say.
    std::vector<SelectedVersion> model_routes;  ///< As prompts.
    /// Empty: there is no policy in this configuration.
    std::function<CallAnswer(const JudgedCall&)> decide;
    /// Names of the signals that fire on these sessions with this configuration's thresholds.
    /// Empty: not to be had.
    std::function<Result<std::vector<std::string>>(std::span<const RecordedSession>)> replay;
    /// Whether the configuration says anything at all about prompts, routes, policies or thresholds.
    [[nodiscard]] bool says_nothing() const noexcept {
        return prompts.empty() && model_routes.empty() && !decide && !replay;
    }
};

/// The check's name is the case's id.
[[nodiscard]] Check run_case(const RegressionCase& regression, const Candidate& candidate);

/// Whether `told` (NAME@VERSION of telemetry) is among what is selected; nothing if that cannot be
/// told. A name of which nothing is selected is no longer selected.
[[nodiscard]] std::optional<bool> is_selected(
    std::string_view told, std::span<const SelectedVersion> selected
);

}  // namespace tagout::prevent
