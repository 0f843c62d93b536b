// Incidents as the JSON of api/openapi.yaml: what the API answers, the page reads and files keep.
#pragma once

#include "incident/incident.h"

#include <boost/json/object.hpp>

#include <string>

namespace tagout::incident {

enum class Detail : std::uint8_t {
    Summary,  ///< IncidentSummary
    Full,     ///< Incident: with findings, timeline and moves
};

/// Times are RFC 3339; what does not apply is absent. One line without breaks.
[[nodiscard]] std::string to_json(const Incident& incident, Detail detail);
[[nodiscard]] boost::json::object tree_of(const Incident& incident, Detail detail);
[[nodiscard]] boost::json::object tree_of(const Finding& finding);

/// Reads back what tree_of(Finding) wrote; members that are missing keep their default.
[[nodiscard]] Finding finding_of(const boost::json::object& tree);

}  // namespace tagout::incident
