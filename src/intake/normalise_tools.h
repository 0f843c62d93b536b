// Which tools a model was offered, or a server listed: their names and JSON Schemas, as one JSON text.
// Where that stands: docs/reference/normalisation.md, from text_sources().
// Cost: three bit tests for a span that says nothing of tools; a view where one attribute holds them
// all; a copy where they are spread.
#pragma once

#include "domain/event_batch.h"
#include "intake/normalise_item.h"

#include <string_view>

namespace tagout::intake {

/// Fills tool_definitions of `out`, whose kind is known. `name` is the span's.
void fill_tool_definitions(
    const AttributeIndex& attributes, std::string_view name, EventBatch& batch, AgentEvent& out
);

}  // namespace tagout::intake
