// What is known of one call that changes or sends something, once the texts around it have arrived:
// where its values come from, and whether the user asked for it. Two signals read it, and a call is
// told by at most one of them:
//
//   safety.untrusted_value   it followed foreign text. Orders stood in an earlier result, and the
//                            call carries a value out of them or was not asked for; or it carries
//                            a value out of a result's request ("please pay ...") and was not asked
//                            for; or it carries a result's value, and the user, who spoke once,
//                            only asked to be told something (read_request.h) and used no word for
//                            what the tool does
//   tool.unexpected_write    nobody named its value, or nobody asked for it
//
// A value out of a result alone is everyday work (pay the bill in this file: 31 to 70 % of good
// recorded runs do it), so it never fires alone. Where a workflow's habits are known, they have the
// last word on all but values out of orders (value_habits.h). Nothing is concluded where texts were
// not captured. Options: tool.unexpected_write.score_min, safety.untrusted_value.score_min, 0.6
// each: one strong witness or two weak ones.
#pragma once

#include "catalog/catalog.h"
#include "detect/session.h"
#include "detect/settings.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tagout::detect {

struct CallEvidence {
    bool texts_known = false;    ///< The user's words were captured.
    bool results_known = false;  ///< So were all results before, and none was forgotten.
    bool asked = false;
    bool confirmed = false;
    bool high_risk = false;
    bool orders_before = false;     ///< An earlier result reads like orders.
    bool value_of_orders = false;   ///< A value stands in those very words.
    bool value_of_request = false;  ///< One stands in a result's words that ask for something.
    bool requested = false;         ///< A result's orders or requests use words for this tool.
    bool only_read = false;         ///< The user asked for knowledge alone, and once.
    bool delegated = false;         ///< The user told the agent to do what somebody's text says.
    bool value_of_that_result = false;  ///< A value stands in a result that has orders in it.
    std::uint32_t not_trusted = 0;      ///< Bit i: value i came from a result or from nobody.
    std::uint32_t from_results = 0;     ///< Identifiers known from results alone.
    bool told_by_result = false;        ///< A value, its words at least, stands in a result alone.
    std::uint32_t from_nobody = 0;      ///< Identifiers that nobody ever named.
    std::string value;                  ///< The most telling one that a result named, clipped.
    NameId source_tool = 0;             ///< Of it.
    std::uint32_t source_step = 0;
    std::string value_of_nobody;  ///< The first one that nobody named.
    NameId orders_tool = 0;  ///< Whose result gave orders first: the one cause of what follows.
    std::uint32_t orders_step = 0;
};

/// The trail's values are read already.
[[nodiscard]] CallEvidence examine_call(
    const Trail& trail, const PendingCall& call, const catalog::ToolFacts& facts, const Names& names
);

[[nodiscard]] std::optional<Sighting> judge_untrusted(
    const CallEvidence& evidence, const PendingCall& call, const SafetySettings& settings,
    const Names& names
);
[[nodiscard]] std::optional<Sighting> judge_unexpected(
    const CallEvidence& evidence, const PendingCall& call, const ToolSettings& settings,
    const Names& names
);

}  // namespace tagout::detect
