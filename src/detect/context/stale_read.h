// context.stale_read: the agent writes a value that it read, though it has read since that it
// changed. To a person on call: what was written is out of date; somebody else's change may be
// lost.
//
// A call that changes or sends something is told if a value of it was first read in a reading that
// was made anew since and had another answer, if the newer answer has that value no more, and if
// neither the user nor the instructions named it. The newer answer must be the same record changed:
// a third longer or shorter at most, and seven in ten of its words known before; lists that shrink
// as they are worked off (an inbox, a queue) lose what was taken from them. Seen is what the agent
// saw: a change that it never read cannot be told from here, nor one that another tool or its own
// write told it of.
//
// Memory: three readings' words as 32-bit hashes, at most 1,024 each, made when a reading comes out
// otherwise than before. Cost: nothing for calls that are not made anew; then about 10 ns a word.
#pragma once

#include "detect/context/recollection.h"
#include "detect/session.h"

#include <optional>
#include <string_view>

namespace tagout::detect {

/// Folds in `newest`, which stands in `actions`, and what it read; `values`, which has been read,
/// does not know of it yet.
void note_reading(
    Recollection& memory, const std::vector<Action>& actions, const Action& newest,
    std::string_view result, const ValueIndex& values
);
/// Whether note_reading() has anything to do: it is a reading that was made before and came out
/// otherwise.
[[nodiscard]] const Action* older_reading(
    const std::vector<Action>& actions, const Action& newest
) noexcept;

/// Judges a call that changes or sends something; the trail's values have been read.
[[nodiscard]] std::optional<Sighting> judge_stale(
    const Recollection& memory, const Trail& trail, const PendingCall& call, const Names& names
);

}  // namespace tagout::detect
