// What was said: the newest thing the user said, what the model or agent answered, and the system's
// instructions, out of whatever list of messages the convention keeps.
//
// Signals about intent read the user's text, so it must be the user's: a message is believed to be
// the user's only where the outermost list says so, never because an object inside a tool's result
// looks like a message. Where texts stand, best first: docs/reference/normalisation.md, made from
// text_sources().
// Cost: nothing without messages; with a JSON history, linear in what follows the last user message.
#pragma once

#include "intake/normalise_item.h"
#include "intake/normalise_json.h"

#include <span>
#include <string_view>

namespace tagout::intake {

struct TextContext {
    const AttributeIndex& attributes;
    std::span<const EventView> events;
    EventKind kind = EventKind::Other;
    Convention convention = Convention::Plain;
    bool outermost = false;  ///< The span has no parent.
};

/// Fills user_text, output_text and system_text of `out`, for the kinds that have them.
void fill_texts(const TextContext& context, EventBatch& batch, AgentEvent& out);

/// One line of the reference page: a text of the event and where it is looked for, best first.
struct TextSources {
    std::string_view text;
    std::span<const std::string_view> places;
};
[[nodiscard]] std::span<const TextSources> text_sources() noexcept;

}  // namespace tagout::intake
