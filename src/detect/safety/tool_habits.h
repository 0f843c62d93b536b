// Which tools a workflow uses when it goes well, and what a tool means that is none of them:
//
//   safety.new_tool        orders stood in an earlier result: foreign text may have chosen the tool
//   tool.unexpected_write  none stood there, the tool is a high-risk one and the user did not ask
//   for
//                          it: the agent chose wrongly. Steps on the way (create a folder, copy a
//                          file) are new in one of six good recorded runs, so low-risk ones pass.
//
// Only tools that change or send something are judged. Habits are learned from sessions that
// succeeded and that no finding of safety, tool or context is about, so an attack does not become a
// habit. Cold start: before sessions_min good sessions nothing is new. A tool that tagout.yaml
// lists for the agent is never new. A tool that the user asked for is new only after orders.
//
// Confined to KeyStage's thread. Bounds: workflows_max habits (the caller's keys_max), tools_max
// tools of each; past them nothing new is learned, and what is not known of a full habit is not
// judged. Cost: two look-ups a first use of a tool in a session.
#pragma once

#include "catalog/catalog.h"
#include "detect/key_partials.h"
#include "detect/settings.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace tagout::detect {

class ToolHabits {
public:
    static constexpr std::size_t tools_max = 256;

    void learn(const SessionFact& fact, std::size_t workflows_max);
    /// The finding that `fact` makes, all but its number on boards.
    [[nodiscard]] std::optional<Finding> judge(
        const DebutFact& fact, const SafetySettings& settings, const catalog::Catalog& catalog
    ) const;
    [[nodiscard]] std::size_t workflows() const noexcept { return habits_.size(); }

private:
    struct Habit {
        std::uint64_t good_sessions = 0;
        std::map<std::string, std::uint64_t, std::less<>> tools;
    };
    std::map<std::string, Habit, std::less<>> habits_;
};

}  // namespace tagout::detect
