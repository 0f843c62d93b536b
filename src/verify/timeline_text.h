// An incident for reading on paper: timeline.md of an evidence pack.
#pragma once

#include "incident/incident.h"
#include "verify/ledger.h"

#include <string>

namespace tagout::verify {

/// Markdown. Texts of people and telemetry are made harmless: no line breaks, no table bars.
[[nodiscard]] std::string timeline_text(const incident::Incident& incident, const Ledger& ledger);

}  // namespace tagout::verify
