// What a policy or a control would have done to the calls of the last hours, as numbers.
//
//   evidence --verify::read_past_calls--> calls --contain::admit--> by tool and agent, with examples
//
// Only the candidate judges: what else was in force then is told beside (`refused_then`). Limits and
// sessions' marks start empty at the beginning of the stretch. Calls whose arguments nobody recorded
// are judged without; where a rule asked for them they are counted as unsure.
//
// Pure but for the evidence that is handed in. Cost: that of reading, and a decision a call.
#pragma once

#include "base/clock.h"
#include "catalog/catalog.h"
#include "contain/decide.h"
#include "verify/past_calls.h"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace tagout::app {

inline constexpr std::size_t backtest_rows_max = 200;
inline constexpr std::size_t backtest_examples_max = 20;
inline constexpr Duration backtest_since_max = std::chrono::hours(24 * 31);

/// Calls of one agent to one tool that one rule or control decided alike.
struct BacktestRow {
    std::string tool;
    std::string agent;
    std::string by;
    Verdict verdict = Verdict::Allow;
    bool shadow = false;  ///< It would only have been recorded.
    std::uint64_t calls = 0;
    std::uint64_t refused_then = 0;  ///< Of these, what was refused when it happened.
};

struct BacktestExample {
    Instant at;
    std::string tool;
    std::string agent;
    std::string session;
    std::string arguments;  ///< Clipped.
    std::string by;
    Verdict verdict = Verdict::Allow;
    bool shadow = false;
    std::string reason;
};

struct Backtest {
    Instant from;
    Instant to;
    std::uint64_t calls = 0;
    std::uint64_t denied = 0;
    std::uint64_t asked = 0;
    std::uint64_t changed = 0;   ///< Would have passed with something taken out of their arguments.
    bool results_unseen = false; ///< Results would be redacted too, and those are not looked at.
    std::uint64_t shadow = 0;    ///< Would have been recorded by a shadow rule.
    std::uint64_t faulted = 0;   ///< Denied or asked because a condition had no answer.
    std::uint64_t newly = 0;     ///< Of denied and asked, what passed then.
    std::uint64_t unsure = 0;    ///< A rule asked for arguments that nobody recorded.
    std::uint64_t unreadable = 0;
    std::vector<BacktestRow> rows;  ///< Refusals, most calls first; at most backtest_rows_max.
    std::vector<BacktestExample> examples;
    std::vector<std::string> cut;
};

[[nodiscard]] Backtest backtest(
    const contain::ControlSnapshot& candidate, const catalog::Catalog& catalog,
    const verify::PastCalls& past, Instant from, Instant to
);

/// "Of 1,204 calls in the last hour 31 would have been denied, 29 of which passed then."
[[nodiscard]] std::string sentence_of(const Backtest& result);
/// The Backtest of api/openapi.yaml.
[[nodiscard]] boost::json::object tree_of(const Backtest& result);

}  // namespace tagout::app
