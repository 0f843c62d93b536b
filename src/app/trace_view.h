// One correlation's stored telemetry as a waterfall: events in a tree, findings on their steps.
#pragma once

#include "base/result.h"
#include "domain/finding.h"
#include "journal/evidence_log.h"

#include <boost/json/object.hpp>

#include <span>
#include <string_view>

namespace tagout::app {

/// The Trace of api/openapi.yaml. `findings` are those of this correlation. NotFound if nothing is
/// stored. Cost: decodes up to `limit` items.
[[nodiscard]] Result<boost::json::object> trace_json(
    journal::EvidenceLog& evidence, std::span<const Finding> findings, std::string_view correlation,
    std::size_t limit
);

}  // namespace tagout::app
