// What a tool probably does to the world, told from its name alone.
//
// Used for tools that tagout.yaml does not describe, so that Tagout works on the first day without
// a configuration. A guess stays a guess: ToolFacts::configured is false and every page says so.
// The last part of a qualified name counts (`payments.refund`, `mcp__mail__send`, `server/tool`),
// split into words at _, -, blanks and camelCase; the first word that is surely a verb decides.
// Nothing recognised gives Unknown, never a friendly guess. Pure, thread-safe, no allocation; names
// past 160 bytes are judged by their first 160. Cost: a binary search of about 200 words for each
// word.
#pragma once

#include "catalog/catalog.h"

#include <string_view>

namespace tagout::catalog {

[[nodiscard]] ToolFacts infer_tool(std::string_view name) noexcept;

}  // namespace tagout::catalog
