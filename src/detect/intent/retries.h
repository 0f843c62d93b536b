// intent.retries_without_convergence: the same goal is tried again and again and nothing new comes
// back. To a person on call: the plan cannot reach what the user wants, however often it is tried.
//
// Three forms, each bounded to a counter in the session:
//   the same tool with other arguments, whose results are empty or were all seen before
//   the model gives the same answer again and again
//   the user asks for the same thing in other words (half of the words are the same)
// Calls that failed do not count, for those tries are the tool's fault; equal arguments do not
// count either, for that is context.duplicate_action. Why 5 tries: recorded good runs search up to
// three times. Cost: a scan of the session's actions a tool call, < 100 ns; 24 words compared a
// request.
#pragma once

#include "detect/message_words.h"
#include "detect/session.h"
#include "detect/settings.h"

#include <optional>
#include <string_view>

namespace tagout::detect {

/// True for results that say that there is nothing: "", "[]", "null", "no results", "not found".
[[nodiscard]] bool says_nothing(std::string_view result) noexcept;

/// Folds in a tool call; it stands in trail.actions already.
[[nodiscard]] std::optional<Sighting> note_try(
    Trail& trail, const Action& newest, const IntentSettings& settings, const Names& names
);
/// Folds in a model's answer by its hash, 0 if it was not captured.
[[nodiscard]] std::optional<Sighting> note_answer(
    Trail& trail, std::uint64_t answer, const IntentSettings& settings
);
/// Folds in a new thing that the user said.
[[nodiscard]] std::optional<Sighting> note_request(
    Trail& trail, const MessageWords& text, const IntentSettings& settings
);

}  // namespace tagout::detect
