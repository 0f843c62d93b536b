#include "detect/cost/queue_points.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr Duration spans_late = std::chrono::seconds(15);

}  // namespace

void add_depth(
    KeyPartials& partials, std::string_view metric, std::string_view service, double depth,
    Instant at, Instant now, Duration pane
) {
    at = std::min(at, now);
    std::string key(metric.substr(0, name_bytes_max));
    if (!service.empty()) {
        key += " of " + std::string(service.substr(0, name_bytes_max));
    }
    LoadPane& load =
        partials.loads[{{LoadKind::Depth, std::move(key)}, at.time_since_epoch() / pane}];
    load.depths.add(depth + 1);
    if (depth >= load.worst) {
        load.worst = depth;
        load.exemplar.at = at;
        load.exemplar.service = service.substr(0, name_bytes_max);
    }
    partials.newest = std::max(partials.newest, at - spans_late);
}

}  // namespace tagout::detect
