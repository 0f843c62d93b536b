// Journeys and their runs as the JSON of api/openapi.yaml, and runs as bodies of journal entries.
#pragma once

#include "recover/journeys.h"

#include <boost/json/object.hpp>

#include <optional>

namespace tagout::recover {

[[nodiscard]] boost::json::object tree_of(const JourneyRun& run);
[[nodiscard]] boost::json::object tree_of(const JourneyView& view);
/// Nothing if `entry` is no journey.ran that reads.
[[nodiscard]] std::optional<JourneyRun> run_of(const journal::JournalEntry& entry);
[[nodiscard]] std::string body_of(const JourneyRun& run);

}  // namespace tagout::recover
