#include "recover/freeze.h"

#include "incident/transitions.h"

#include <algorithm>

namespace tagout::recover {

namespace {

std::string what_is_frozen(const incident::Incident& incident) {
    const bool agent = !incident.agent.empty();
    const bool workflow = !incident.workflow.empty();
    if (agent && workflow) {
        return "agent " + incident.agent.text() + " and workflow " + incident.workflow.text();
    }
    if (agent) {
        return "agent " + incident.agent.text();
    }
    if (workflow) {
        return "workflow " + incident.workflow.text();
    }
    return "every agent (the incident names none)";
}

bool lists(const catalog::Catalog& catalog, const AgentName& agent, const WorkflowName& workflow) {
    if (agent.empty() || workflow.empty()) {
        return false;
    }
    return std::ranges::any_of(catalog.contents().agents, [&](const catalog::Agent& each) {
        return each.name == agent && std::ranges::find(each.workflows, workflow) !=
                                         each.workflows.end();
    });
}

bool holds(const Freeze& freeze, const ChangeScope& change, const catalog::Catalog& catalog) {
    const bool reaches_all = change.agent.empty() && change.workflow.empty();
    const bool freezes_all = freeze.agent.empty() && freeze.workflow.empty();
    return reaches_all || freezes_all ||
           (!change.agent.empty() && change.agent == freeze.agent) ||
           (!change.workflow.empty() && change.workflow == freeze.workflow) ||
           lists(catalog, change.agent, freeze.workflow) ||
           lists(catalog, freeze.agent, change.workflow);
}

}  // namespace

std::vector<Freeze> freezes_in_force(std::span<const incident::Incident> incidents) {
    std::vector<Freeze> freezes;
    for (const incident::Incident& each : incidents) {
        if (each.kind != IncidentKind::Real || !incident::is_open(each.state) ||
            each.severity > Severity::Sev2) {
            continue;
        }
        const incident::Anchors& anchors = each.anchors;
        freezes.push_back(Freeze{
            .incident = each.id,
            .severity = each.severity,
            .title = each.title,
            .agent = each.agent,
            .workflow = each.workflow,
            .since = anchors.triage_at
                         .value_or(anchors.declared_at.value_or(anchors.onset_at.value_or(Instant{}))),
            .sentence = each.id.text() + " (" + std::string(name_of(each.severity)) +
                        ", open) freezes versions and labels of " + what_is_frozen(each) +
                        "; a change passes that names incident " + each.id.text() +
                        " or gives an emergency reason"});
    }
    std::ranges::stable_sort(freezes, [](const Freeze& a, const Freeze& b) {
        return a.severity != b.severity ? a.severity < b.severity : a.since < b.since;
    });
    return freezes;
}

FreezeVerdict judge(
    std::span<const Freeze> freezes, const ChangeScope& change, const catalog::Catalog& catalog
) {
    using Passed = FreezeVerdict::Passed;
    const Freeze* first = nullptr;
    for (const Freeze& each : freezes) {
        if (!holds(each, change, catalog)) {
            continue;
        }
        if (each.incident == change.incident) {
            return {Passed::OwnChange, each, "the change of " + each.incident.text() + " itself"};
        }
        first = first == nullptr ? &each : first;
    }
    if (first == nullptr) {
        return {};
    }
    if (!change.emergency.empty()) {
        return {
            Passed::Emergency,
            *first,
            "passed the freeze of " + first->incident.text() + " as an emergency: " +
                change.emergency};
    }
    std::string sentence = first->sentence;
    if (!change.incident.empty()) {
        sentence += "; " + change.incident.text() + " is not the incident that freezes it";
    }
    return {Passed::No, *first, std::move(sentence)};
}

}  // namespace tagout::recover
