// Playbooks: what containment an incident's class and severity call for.
//
// A pure function of what is known of the incident and of the catalog: proposals, each with the rule
// that made it and a sentence that says what it would do and how to undo it. Where a rule cannot be
// carried out (no tool is named, no fallback is configured) the proposal has no draft and says why.
// Applying what `enforce` says, and nothing twice, is app/'s work.
#pragma once

#include "catalog/catalog.h"
#include "contain/controls.h"

#include <optional>
#include <string>
#include <vector>

namespace tagout::contain {

struct IncidentFacts {
    IncidentId id;
    FailureClass failure_class = FailureClass::Intent;
    Severity severity = Severity::Sev3;
    AgentName agent;
    WorkflowName workflow;
    ToolName tool;
};

struct Proposal {
    std::string rule;  ///< "playbook safety/SEV1"
    catalog::Enforcement enforcement = catalog::Enforcement::Observe;
    std::optional<ControlDraft> draft;  ///< Unset when the rule cannot be carried out.
    std::string sentence;               ///< "Stops tool:refund ... To undo it: ..."
};

/// A rule answers its class at its severity and worse. Without configured playbooks the built-in ones
/// propose and never enforce. The same scope and mode is proposed once, enforced if any rule says so.
[[nodiscard]] std::vector<Proposal> propose(
    const IncidentFacts& incident, const catalog::Catalog& catalog
);

/// What is proposed where tagout.yaml has no playbooks.
[[nodiscard]] const std::vector<catalog::Playbook>& default_playbooks();

}  // namespace tagout::contain
