// What is recorded of a session, read back: as linked events, and run through the engine again.
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "detect/settings.h"
#include "domain/event_batch.h"
#include "journal/evidence_log.h"
#include "prevent/regression.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tagout::app {

/// Events of one session as the evidence log holds it, linked, at most `limit` items; an empty batch
/// when nothing is stored. Items that no longer read are left out; `journal verify` tells of them.
[[nodiscard]] Result<std::shared_ptr<const EventBatch>> recorded_session(
    journal::EvidenceLog& evidence, const CorrelationId& correlation, std::size_t limit
);

/// Names of the signals that fire when `sessions` are run through the engine; distinct, sorted. Pure.
[[nodiscard]] std::vector<std::string> signals_of(
    std::span<const prevent::RecordedSession> sessions, const detect::Settings& settings,
    const std::shared_ptr<const catalog::Catalog>& catalog
);

}  // namespace tagout::app
