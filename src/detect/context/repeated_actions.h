// context.duplicate_action and context.circular_actions: the agent does again what it has done, and
// learns nothing from it. To a person on call: it lost its place, or it forgot what it already
// knows.
//
// A call repeats another if it began after that one was answered, worked and brought the very same
// result: polling that sees a change, pages that differ and retries after an error are no drift
// (retries belong to the tool). Its arguments are equal, or say the same in other words: another
// order, case or spelling of a value, a number in quotes, an empty member more (ArgumentDigest). Of
// a reading whose answer is long, so that it is not equal by chance, half of the members are
// enough: a limit, a format or a reason more asks for nothing else. After an answer that says
// nothing, other words are another try and no repetition.
//
// When it is repeated well, and not told: after another call that may have changed something (tests
// run after every edit), after the user spoke again (he wants it looked at again), a write whose
// answer says that it was not done ("verification required"), and writes that the user wants
// several of ("in two transfers": then writes_min is told as twice as many). Where telemetry does
// not tell the user's words, nobody knows when a request ends: reads count from
// duplicates_unheard_min on.
//
// Why one repetition is told: 0.9 % of good recorded runs make one within a request, and few agents
// that lost their place make many. It is a finding; an incident takes a failed outcome, too. Two
// equal rounds of A-B, A-B-C, ... are a circle; it leads the duplicates that it is made of.
//
// Memory: the session's actions, actions_max of 72 bytes. Cost: one scan of them a tool call, < 100
// ns, and the digest of the arguments, about 1 ns a byte.
#pragma once

#include "detect/message_words.h"
#include "detect/session.h"
#include "detect/settings.h"

#include <optional>
#include <string_view>

namespace tagout::detect {

struct Repetition {
    std::optional<Sighting> sighting;
    std::uint32_t wasted_calls =
        0;  ///< Newest calls in a row, or equal ones, that brought nothing new.
};

/// Judges `newest`, which stands in `actions` already.
[[nodiscard]] Repetition find_repetition(
    const Trail& trail, const Action& newest, const ContextSettings& settings, const Names& names
);

/// The same call of the same tool, in the same or in other words.
[[nodiscard]] bool asks_the_same(const Action& a, const Action& b) noexcept;

/// What a short answer says of the call itself; a long one is a record and says nothing of it.
struct AnswerTone {
    bool unfinished = false;  ///< It was not done, or not yet: "please verify your account".
    bool withheld = false;    ///< The agent was not shown the answer: "omitted", "blocked".
};
[[nodiscard]] AnswerTone read_answer(std::string_view result) noexcept;

/// True if the user wants something done more than once: "twice", "in two transfers".
[[nodiscard]] bool wants_repeats(const MessageWords& words) noexcept;

}  // namespace tagout::detect
