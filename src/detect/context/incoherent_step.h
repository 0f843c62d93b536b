// context.incoherent_step: a step does not follow from the ones before it. To a person on call: the
// agent is not working with what it has; its answer is not to be relied on.
//
// Three forms:
//   a result ignored    right after a call brought a long answer the agent says that it found
//   nothing an answered question the agent asks what it has asked before, in two thirds of the same
//   words, and
//                       the user has answered since
//   a plan dropped      its last words announce a step ("I will now cancel the order"), and the
//   request
//                       ends without any
//
// Questions that every conversation repeats ("anything else?", "shall I proceed?") do not count.
// Memory: Recollection. Cost: that of AnswerSigns and of the claims.
#pragma once

#include "detect/context/answer_signs.h"
#include "detect/context/recollection.h"
#include "detect/session.h"

#include <optional>
#include <string_view>

namespace tagout::detect {

/// Whether an answer that says that nothing was found would ignore what `newest`, the call before
/// it, brought.
[[nodiscard]] bool can_be_ignored(const Action& newest, std::string_view answer) noexcept;
/// Judges an answer that may say so.
[[nodiscard]] std::optional<Sighting> judge_ignored(
    const AnswerReading& reading, const Action& newest, std::string_view answer, const Names& names
);
/// Judges a question, which is not in `memory` yet.
[[nodiscard]] std::optional<Sighting> judge_question(
    const Recollection& memory, const Claim& question
);
/// The plan that `answer` ends with; "" if it ends with none.
[[nodiscard]] std::string_view plan_of(
    const AnswerReading& reading, std::string_view answer
) noexcept;
/// The request is over: judges what was announced last.
[[nodiscard]] std::optional<Sighting> judge_plan(const Recollection& memory);

}  // namespace tagout::detect
