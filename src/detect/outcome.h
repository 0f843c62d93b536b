// What a session amounted to, told from what is known of it so far.
//
// The first rule that holds decides; each gives its reason in words.
//   1 the latest verdict of an evaluation or of the user's feedback     failed or succeeded
//   2 harm: a write completed that nobody asked for                     failed
//   3 the plan was wrong, as a user or an evaluation said               failed
//   4 a budget is exhausted, or calls go on that bring nothing new      failed
//   5 users corrected the agent several times in a row                  failed
//   6 its root step failed; was denied; was cancelled                   failed, denied, abandoned
//   7 its root step ended well, but the last call had been denied       denied
//   8 its root step ended well                                          succeeded
//   9 it went silent: after a denial, after an error that was not mended, or with no root at all
//                                                                       denied, failed, abandoned
// Before the root step has come, 6 to 9 say nothing: unknown. So an error that was retried into
// success never fails a session. Pure; the marks are order-independent (each keeps its latest
// time).
#pragma once

#include "base/clock.h"
#include "detect/names.h"
#include "domain/vocabulary.h"

#include <cstdint>
#include <string>

namespace tagout::detect {

enum class RootEnd : std::uint8_t { NotSeen, Ok, Failed, Denied, Cancelled };

struct OutcomeMarks {
    RootEnd root = RootEnd::NotSeen;
    std::int8_t verdict = 0;  ///< -1 failed, 0 none, +1 succeeded.
    bool harm = false;
    bool wrong_plan = false;
    bool stuck = false;
    bool over_budget = false;
    bool log_only = false;  ///< Its source sends no spans, so no root can be missed.
    bool ended = false;     ///< Went silent, or the replay is over.
    std::uint8_t corrections_in_a_row = 0;
    NameId root_detail = 0;
    NameId verdict_detail = 0;
    NameId harm_detail = 0;
    NameId stuck_detail = 0;
    Instant root_at;
    Instant verdict_at;
    Instant error_at;    ///< Of the last step that failed,
    Instant denied_at;   ///< was denied,
    Instant success_at;  ///< or worked (model and tool calls).
};

struct JudgedOutcome {
    SessionOutcome outcome = SessionOutcome::Unknown;
    std::string reason;
};

[[nodiscard]] JudgedOutcome judge_outcome(
    const OutcomeMarks& marks, std::uint32_t corrections_max, const Names& names
);

}  // namespace tagout::detect
