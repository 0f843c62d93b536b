// A value that a tool's result named, in an argument where the workflow's good sessions make it
// news: the recipient that is always one of three, now a fourth that stood in a web page.
//
//   safety.new_tool         where the value is a host that calls of this workflow never named
//   safety.untrusted_value  else, by habit. Needs no phrase list: what an obeyed text looks like
//                           is no matter, only that a call carries something foreign and unheard of
//
// News is what is rare, and how rare is asked of the argument itself: of n good sessions that used
// it, f saw a value that no other session showed, so the next one is new with a chance of about
// (f + 1/2) / (n + 1) (Good and Turing's estimate). Order ids are always new and never news;
// recipients that are always one of three are. Two bounds keep it calm: chance_max, 0.1, and
// singles_max, 4, because with many sessions a small chance is many sessions. An argument that good
// sessions hardly used is judged by how rarely they use new tools, 1 in 20 at least.
//
// A weak sighting of the session (a foreign text asked for something like this, and the user did
// not) is raised only where the habit does not know the call, or there is no habit yet.
//
// Pure. Cost: a look-up a value; of an unknown one a walk through the profile's values, 10 us at
// most.
#pragma once

#include "catalog/catalog.h"
#include "catalog/workflow_profile.h"
#include "detect/key_partials.h"
#include "detect/settings.h"

#include <optional>

namespace tagout::detect {

/// The chance that a good session shows a value of `argument` (TOOL.a) that none showed before.
[[nodiscard]] double chance_of_new_value(
    const catalog::WorkflowProfile& profile, std::string_view argument, std::uint32_t singles_max
);

/// The finding that `fact` makes against `profile` (nullptr: nothing is known), all but its number
/// on boards.
[[nodiscard]] std::optional<Finding> judge_new_value(
    const CallFact& fact, const catalog::WorkflowProfile* profile, const SafetySettings& settings
);

}  // namespace tagout::detect
