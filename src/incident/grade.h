// How bad it is, from what is known of its impact, and in which words.
#pragma once

#include "catalog/catalog.h"
#include "incident/incident.h"

#include <string>

namespace tagout::incident {

struct Grade {
    Severity severity = Severity::Sev3;
    std::string reason;  ///< The rule that chose it, with its numbers.
};

/// The worst severity whose rule holds: the configuration's severity rules, or without any these:
///
///   SEV1  an irreversible or high-risk write was completed unsafely, or 100 sessions failed, or 50
///   writes SEV2  10 sessions failed, or any unasked-for write was completed SEV3  else
///
/// Duration plays no part: it does not tell severity (VOID report, operations reference 5.1).
[[nodiscard]] Grade grade(const Incident& incident, const catalog::Catalog& catalog);

/// "refund-agent: calls to payments.refund are refused: 37 of 40 sessions failed since 02:41 UTC"
[[nodiscard]] std::string title_of(const Incident& incident);

}  // namespace tagout::incident
