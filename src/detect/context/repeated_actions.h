// context.duplicate_action and context.circular_actions: the agent does again what it has done, and
// learns nothing from it. To a person on call: it lost its place, or it forgot what it already
// knows.
//
// A repeated call counts only if it worked and brought the very same result: polling that sees a
// change and retries after an error are no drift (retries belong to the tool). Calls whose
// arguments and results were not captured are not compared at all. Why 4 equal reads: recordings of
// good runs repeat a call once or twice; 2 equal writes, because a second refund is harm. A read
// counts only since the last other call that may have changed something: tests run after every edit
// and are no drift. Three
// equal rounds of A-B, A-B-C, ... are a circle; a circle is told before the duplicates that it is
// made of.
//
// Memory: the session's actions, actions_max of 40 bytes. Cost: one scan of them a tool call, < 100
// ns.
#pragma once

#include "detect/session.h"
#include "detect/settings.h"

#include <optional>

namespace tagout::detect {

struct Repetition {
    std::optional<Sighting> sighting;
    std::uint32_t wasted_calls =
        0;  ///< Newest calls in a row, or equal ones, that brought nothing new.
};

/// Judges `newest`, which stands in `actions` already.
[[nodiscard]] Repetition find_repetition(
    const std::vector<Action>& actions, const Action& newest, const ContextSettings& settings,
    const Names& names
);

}  // namespace tagout::detect
