// The telling values of one call, each with its origin: what could have been put into the agent's
// mouth. Telling are identifiers (addresses, codes, hosts, long numbers) wherever they stand, and
// the few words of a short text ("admins", "13"). Dates and amounts are worked out, not copied, so
// they are none.
//
// They serve twice: the good sessions' values become the workflow's habit (profile facets
// argument_sources and values, by hash), and those of a call that a result named and nobody else
// are judged against it (value_habits.h).
//
// Pure. Bounds: values_max of a call. Cost: about 30 ns a value.
#pragma once

#include "catalog/workflow_profile.h"
#include "detect/session.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

struct CallValue {
    static constexpr std::size_t values_max = 24;

    std::uint32_t argument = 0;  ///< Index into PendingCall::values.
    std::uint64_t hash = 0;      ///< Of the atom, blind to case.
    AtomSight sight;             ///< Trusted, Result or Nobody.
};

/// Appends to `out`. The trail's values are read already. Of a call that only reads, words are not
/// telling.
void collect_values(const ValueIndex& values, const PendingCall& call, std::vector<CallValue>& out);

[[nodiscard]] std::string_view source_name(ValueOrigin origin) noexcept;  ///< user, result, nobody

/// Keys of profile facets, of an argument told as TOOL.a: "send_money.recipient" and
/// "send_money.recipient=3f0c51aa29de".
[[nodiscard]] std::string argument_key(std::string_view argument);
[[nodiscard]] std::string argument_value_key(std::string_view argument_key, std::uint64_t hash);

}  // namespace tagout::detect
