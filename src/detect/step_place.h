// Where in a session something happened: what a finding points at. A value.
#pragma once

#include "base/clock.h"
#include "domain/agent_event.h"

#include <cstdint>

namespace tagout::detect {

struct StepPlace {
    Instant at;
    TraceId trace_id;
    SpanId span_id;
    std::uint32_t step = 0;
};

}  // namespace tagout::detect
