// Stored items as one OTLP message that any OTLP tool reads: TracesData or LogsData in protobuf.
#pragma once

#include "journal/evidence_log.h"

#include <span>
#include <string>

namespace tagout::verify {

/// The items of `signal` (traces or logs) in their order; neighbours of one resource and scope share
/// a group. The items' own bytes are copied as they came. "" without items.
[[nodiscard]] std::string otlp_message(std::span<const journal::EvidenceItem> items, Signal signal);

}  // namespace tagout::verify
