// context.lost_context: the agent no longer knows what it was told earlier in the session. To a
// person on call: its context was cut or mixed up; whatever it does from here on is guesswork.
//
// Five forms, each held against what the session has seen:
//   it says so       "I don't have any record of an earlier conversation", after work was done
//   it greets again  as at a beginning, after calls were made
//   it asks          for an e-mail address, a zip code, a number, ... that the user told before,
//   and
//                    calls have worked since
//   it begins again  its first calls of the session once more, in order and with the same answers,
//                    when it had long gone on to others
//   a placeholder    stands where a call needs a value: "<order_id>", "YOUR_EMAIL"
//
// Why calls must lie between: an agent that asks right after it was told may not have found it, and
// a greeting before the first call is manners. Memory: Recollection. Cost: that of AnswerSigns.
#pragma once

#include "detect/context/answer_signs.h"
#include "detect/context/recollection.h"
#include "detect/session.h"

#include <optional>
#include <string_view>

namespace tagout::detect {

/// Before so many calls worked, there is nothing that could be lost.
inline constexpr std::uint32_t lost_calls_min = 1;
/// Judges what the agent says, of which `reading` was made, after so many `calls` that worked.
[[nodiscard]] std::optional<Sighting> judge_lost_words(
    const Recollection& memory, const AnswerReading& reading, std::string_view answer,
    std::uint32_t calls
);
/// Judges the newest call, which stands in `actions`; `all_known`: none of them was forgotten.
[[nodiscard]] std::optional<Sighting> judge_restart(
    const std::vector<Action>& actions, const Action& newest, bool all_known, const Names& names
);
/// Judges a call's arguments.
[[nodiscard]] std::optional<Sighting> judge_placeholder(std::string_view arguments);
/// True for "<id>", "{{id}}", "[ORDER ID]", "YOUR_KEY", "order_id_here".
[[nodiscard]] bool is_placeholder(std::string_view value) noexcept;

}  // namespace tagout::detect
