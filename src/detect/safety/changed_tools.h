// safety.changed_tool: a tool is no longer what it was when it was first offered. Its description
// or its arguments changed
//
//   within a session        the agent planned with one tool and calls another: score 0.7, or 0.9
//                           where the new description gives the agent orders
//   since it was first seen only where the new description gives orders: 0.9. That a new release
//                           words its tools anew is everyday work.
//
// Compared are lists of the same agent that share half their tools, and of these the definitions
// that both lists tell: conventions leave out descriptions or schemas. Where more than half of what
// is shared differs, it is another form of writing and no change.
//
// Confined to its shard's thread. Memory: known_max first definitions at 16 bytes and poisoned_max
// lists; past them nothing new is known, and so never called changed. A restart forgets: what holds
// for good is a pin at the gateway. Cost: nothing for a list that the session has; else a look-up a
// tool of a list that the shard never saw, and where the session had another list of the agent, a
// comparison of the two, some 20 ns a tool.
#pragma once

#include "detect/safety/instruction_text.h"
#include "detect/session.h"
#include "detect/settings.h"
#include "detect/tool/call_form.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tagout::detect {

class ChangedTools {
public:
    static constexpr std::size_t known_max = 16'384;
    static constexpr std::size_t poisoned_max = 256;

    /// Of the offer that `trail` got last; all but place and tool, which is `cause`.
    [[nodiscard]] std::optional<Sighting> judge(
        const Trail& trail, const OfferNews& news, const ToolLists& lists, InstructionText& orders,
        const SafetySettings& settings
    );

private:
    void learn(
        const Offer& offer, const std::vector<OfferedTool>& tools, InstructionText& orders,
        const SafetySettings& settings
    );
    [[nodiscard]] bool gives_orders(
        const OfferedTool& tool, InstructionText& orders, const SafetySettings& settings
    );

    boost::unordered_flat_map<std::uint64_t, std::uint64_t> known_;   ///< By agent and tool.
    boost::unordered_flat_map<std::uint64_t, std::size_t> poisoned_;  ///< Lists: which tool.
    std::vector<TextRegion> regions_;                                 ///< Scratch.
};

}  // namespace tagout::detect
