// Depths that metrics measured, as KeyStage takes them: no session has a part in them.
#pragma once

#include "base/clock.h"
#include "detect/key_partials.h"

#include <string_view>

namespace tagout::detect {

/// Adds one measurement. A metric comes sooner than spans of the same time do, so it moves no
/// watermark beyond `spans_late` before it; one from the future counts as of `now`.
void add_depth(
    KeyPartials& partials, std::string_view metric, std::string_view service, double depth,
    Instant at, Instant now, Duration pane
);

}  // namespace tagout::detect
