// From one item as it was sent to one AgentEvent, whatever convention the sender speaks.
//
// Called by decode() for every span and log record, in order of the request or of their ends.
// `out` comes in as AgentEvent's initialisers left it and goes out complete, but for two things that
// decode() does for every text afterwards: repairing invalid UTF-8 and clipping to the limits; and
// for `item`, which decode() sets. Views in `out` may point into what the views point into, into the
// batch's arena and at string literals, never at the spans of attributes themselves.
// Pure, thread-compatible, cannot fail: whatever the attributes say, the worst event is kind other.
#pragma once

#include "domain/event_batch.h"
#include "intake/wire_view.h"

namespace tagout::intake {

void normalise_span(
    const SpanView& span, const ScopeView& scope, const ResourceView& resource, EventBatch& batch,
    AgentEvent& out
);

void normalise_log(
    const LogView& log, const ScopeView& scope, const ResourceView& resource, EventBatch& batch,
    AgentEvent& out
);

}  // namespace tagout::intake
