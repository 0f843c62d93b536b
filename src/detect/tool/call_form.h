// Two signals about the form of a call, both told against what the agent was offered:
//
//   tool.schema_violation  the arguments break the schema that the tool publishes, and the call
//   failed
//                          for it, or it changed something all the same
//   tool.unknown_tool      no list that the agent was offered has a tool of that name, and the call
//                          failed, or it changed something all the same
//
// A reading call that worked is not judged: tools are more lenient than their schemas (a zip code
// sent as a number), and what worked and changed nothing did no harm. Nothing is judged where the
// list is not known, where the arguments were not captured or cut, or where the schema cannot be
// compiled.
//
// Memory: the lists of a session are offers_max hashes. Cost: nothing for calls that worked and
// read; for the others reading and checking the arguments, about 1 us for six.
#pragma once

#include "detect/names.h"
#include "detect/session.h"
#include "detect/tool/tool_lists.h"
#include "domain/agent_event.h"
#include "schema/check.h"

#include <optional>
#include <string_view>

namespace tagout::detect {

/// Whom a call is of and what came of it.
struct JudgedCall {
    NameId agent = 0;  ///< As the call's own span names it, else 0.
    std::string_view tool;
    std::string_view arguments;
    bool worked = false;
    bool writes = false;
    NameId tool_id = 0;
};

/// Of a list of tools that a span carried.
struct OfferNews {
    std::uint64_t list = 0;
    bool new_to_session = false;  ///< Then it is the last of Trail::offers.
    bool new_to_shard = false;
};

/// Confined to its shard's thread.
class CallForm {
public:
    CallForm();
    /// A span of the session carried a list of tools: all that the agent has, or what one server
    /// has.
    OfferNews note_offer(Trail& trail, NameId agent, std::string_view definitions, bool all);
    /// All but the place.
    [[nodiscard]] std::optional<Sighting> judge(const Trail& trail, const JudgedCall& call);
    [[nodiscard]] const ToolLists& lists() const noexcept { return lists_; }

private:
    [[nodiscard]] std::optional<Sighting> judge_unknown(const Trail& trail, const JudgedCall& call)
        const;
    [[nodiscard]] std::optional<Sighting> judge_arguments(
        std::uint64_t list, OfferedTool& offered, const JudgedCall& call
    );

    ToolLists lists_;
    schema::Instance instance_;
};

}  // namespace tagout::detect
