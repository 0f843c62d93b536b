// The side-effect ledger of an incident: every write-class call of its window, and what speaks
// against it.
//
// Judged on demand from the evidence log, never kept: an incident's findings, its window and today's
// policy change, and the telemetry does not. A row is one call that may have changed or sent
// something (effect write, egress or unknown), whoever told of it. Nothing is lost silently:
// evidence that no longer reads is counted, every bound that cut something says so.
//
//   1  scan the window                       -> the sessions that made write-class calls
//   2  find each session as a whole          -> its calls, each once (session_calls.h)
//   3  is it the incident's, is it suspect   -> rows, with reasons in words
//
// Pure but for the evidence that is handed in: same evidence, same incident, same `now`, same ledger.
// Cost: decodes the window once and each session once more, about 0.5 us a span each time.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "domain/control.h"
#include "incident/incident.h"
#include "journal/evidence_log.h"

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tagout::verify {

enum class CallSource : std::uint8_t { Telemetry = 1, Gateway = 2, Both = 3 };

/// What is known of a side effect. Confirmed and Disproved need a second witness.
enum class EffectState : std::uint8_t {
    Requested = 1,  ///< Asked for; no answer was seen.
    Recorded = 2,   ///< Answered as done.
    Confirmed = 3,
    Disproved = 4,
    Failed = 5,   ///< Answered as an error.
    Unknown = 6,  ///< Cancelled or timed out in flight: it may have happened.
    Refused = 7,  ///< Not let through.
};

TAGOUT_NAMED_ENUM(CallSource, parse_call_source);    // telemetry gateway both
TAGOUT_NAMED_ENUM(EffectState, parse_effect_state);  // requested recorded confirmed ...

struct LedgerRow {
    Instant at;
    Instant ended_at;
    std::string tool;
    std::string agent;
    std::string workflow;
    std::string user;
    std::string tenant;
    std::string environment;
    std::string correlation;
    std::string trace_id;
    std::string span_id;
    std::string tool_call_id;
    ToolEffect effect = ToolEffect::Unknown;
    bool effect_configured = false;  ///< False: inferred from the name.
    Reversibility reversibility = Reversibility::Unknown;
    std::string arguments;
    std::string result;
    bool clipped = false;
    StepOutcome outcome = StepOutcome::Ok;
    SessionOutcome session_outcome = SessionOutcome::Unknown;
    std::string prompt_version;  ///< NAME@VERSION where both are told.
    std::string policy;
    std::string route;
    CallSource source = CallSource::Telemetry;
    EffectState state = EffectState::Requested;
    std::string decided_by;  ///< Then.
    std::vector<std::string> reasons;
    Verdict verdict_today = Verdict::None;
    std::string verdict_reason;
    std::string compensating_tool;

    [[nodiscard]] bool suspect() const noexcept { return !reasons.empty(); }
};

struct LedgerTotal {
    std::uint64_t calls = 0;
    std::uint64_t suspects = 0;
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
};

struct Ledger {
    IncidentId incident;
    Instant from;
    Instant to;
    Instant judged_at;
    std::vector<LedgerRow> rows;  ///< In order of time.
    std::uint64_t calls = 0;      ///< All of the window, also those past rows_max.
    std::uint64_t suspects = 0;
    std::array<LedgerTotal, 5> totals{};  ///< By Reversibility.
    std::uint64_t unreadable = 0;         ///< Stored items that no longer decode.
    std::vector<std::string> cut;         ///< What a bound left out, in words.
};

/// What today's controls and policy say of a call. `incident`: of the control that decided.
struct Today {
    Verdict verdict = Verdict::None;
    std::string by;
    std::string reason;
    IncidentId incident;
};

struct LedgerParts {
    const catalog::Catalog& catalog;
    std::function<Result<void>(
        Instant from, Instant to, const std::function<bool(const journal::EvidenceItem&)>& visit
    )>
        scan;
    std::function<Result<std::vector<journal::EvidenceItem>>(std::string_view correlation, std::size_t)>
        find;
    std::function<Today(const ToolCall&)> decide_today;  ///< Empty: the verdict is unknown.
};

struct LedgerOptions {
    Duration margin = std::chrono::minutes(10);  ///< Before onset; and a minute's grace at the end.
    std::size_t rows_max = 10'000;
    std::size_t sessions_max = 5'000;
    std::size_t items_max = 2'000'000;  ///< Read in the scan.
    std::size_t session_items_max = 5'000;
    std::size_t text_bytes_max = 4'096;  ///< Of arguments and of a result; the evidence has them whole.
};

/// The window that the ledger is about.
[[nodiscard]] std::pair<Instant, Instant> window_of(
    const incident::Incident& incident, Duration margin, Instant now
);

/// Unavailable or Corrupt when the evidence log does not answer.
[[nodiscard]] Result<Ledger> judge_ledger(
    const LedgerParts& parts, const incident::Incident& incident, const LedgerOptions& options,
    Instant now
);

/// What a person must know first.
[[nodiscard]] std::string sentence_of(const Ledger& ledger);

enum class LedgerRows : std::uint8_t { All, Suspect };
/// The Ledger of api/openapi.yaml, at most `limit` rows.
[[nodiscard]] boost::json::object tree_of(const Ledger& ledger, LedgerRows which, std::size_t limit);

}  // namespace tagout::verify
