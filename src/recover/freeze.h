// Freeze: while a SEV1 or SEV2 is open, what its agent runs is not changed by the way.
//
// A change passes when it names the incident (it is the incident's own change) or says why it is an
// emergency. Derived from the open incidents alone: nothing to set, nothing to forget to lift.
//
// Pure; thread-safe.
#pragma once

#include "catalog/catalog.h"
#include "incident/incident.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tagout::recover {

struct Freeze {
    IncidentId incident;
    Severity severity = Severity::Sev2;
    std::string title;
    AgentName agent;        ///< With `workflow` "": the incident names neither and freezes all.
    WorkflowName workflow;
    Instant since;
    std::string sentence;  ///< What is frozen, and what passes.
};

/// What is about to be changed, and what its author says about it.
struct ChangeScope {
    AgentName agent;  ///< Both "": it reaches every agent, so any freeze holds it.
    WorkflowName workflow;
    IncidentId incident;
    std::string emergency;
};

struct FreezeVerdict {
    enum class Passed : std::uint8_t { NothingFrozen, OwnChange, Emergency, No };
    Passed passed = Passed::NothingFrozen;
    std::optional<Freeze> freeze;  ///< The one that holds it, or that it passed.
    std::string sentence;          ///< For whoever asked: what holds it and what to do.
};

/// Of real incidents that are open and SEV1 or SEV2; worst first, then oldest.
[[nodiscard]] std::vector<Freeze> freezes_in_force(std::span<const incident::Incident> incidents);

/// An agent's workflows count as its own, as the catalog says.
[[nodiscard]] FreezeVerdict judge(
    std::span<const Freeze> freezes, const ChangeScope& change, const catalog::Catalog& catalog
);

}  // namespace tagout::recover
