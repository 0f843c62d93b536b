// What the verify step reads of a running server: incident, telemetry, journal, key.
#pragma once

#include "incident/desk.h"
#include "journal/evidence_log.h"
#include "journal/journal.h"
#include "verify/verifier.h"

#include <functional>
#include <memory>
#include <string>

namespace tagout::app {

struct EvidenceSourceParts {
    const Clock& clock;
    const incident::Desk& desk;
    journal::Journal& journal;
    journal::EvidenceLog& evidence;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    std::string data_dir;  ///< Where the signing key is.
};

/// `decide_today` and `documents` are left empty: other rooms' to fill.
[[nodiscard]] verify::PackSources evidence_sources(const EvidenceSourceParts& parts);

}  // namespace tagout::app
