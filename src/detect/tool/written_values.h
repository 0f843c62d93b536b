// tool.unexpected_write from habit: a call that changed something wrote another identifier than
// every good session of this workflow did, and the user did not name it.
//
// Some arguments are the same whenever a workflow goes well: the account that refunds are paid
// from, the list that an onboarding adds to, or, where a workflow is one recorded task, the very
// order it is about. Most are not: then two good sessions differ, and the argument is open for
// good. So an argument counts only while all of at least habit_sessions_min good sessions that
// wrote it wrote the same, only identifiers count (habit_id: six characters or more with three
// digits or more, no blanks), and only those that came from results or from nowhere: what the user
// names is the user's business.
//
// It accuses less than the other rules: the session's outcome stays what it is, and a session that
// ended well teaches its value all the same, so that an argument which only looked settled opens up
// after one.
//
// Memory: in a profile values_per_argument_max values an argument; written_max of a session. Cost:
// a look-up a written value; for a completed write with an identifier that the user did not name, a
// fact of some 400 bytes to the key stage.
#pragma once

#include "catalog/workflow_profile.h"
#include "detect/key_partials.h"
#include "detect/settings.h"

#include <optional>
#include <string>
#include <string_view>

namespace tagout::detect {

[[nodiscard]] bool is_habit_id(std::string_view value) noexcept;

/// Keys of ProfileFacet::WrittenValues: an argument, and one value of it as a hash.
[[nodiscard]] std::string value_key(std::string_view argument, std::uint64_t value);

/// The finding that `fact` makes against `profile` (nullptr: nothing is known).
[[nodiscard]] std::optional<Finding> judge_written_values(
    const WriteFact& fact, const catalog::WorkflowProfile* profile, const ToolSettings& settings
);

/// Whether a session with this finding may still teach its workflow's profile.
[[nodiscard]] bool teaches_all_the_same(const Finding& finding) noexcept;

}  // namespace tagout::detect
