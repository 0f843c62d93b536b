#include "contain/playbook.h"

#include "contain/reasons.h"

#include <algorithm>

namespace tagout::contain {

namespace {

using catalog::Enforcement;
using catalog::Playbook;

std::string rule_name(const Playbook& playbook) {
    return "playbook " + std::string(name_of(playbook.failure_class)) + "/" +
           std::string(name_of(playbook.severity));
}

/// The incident's tool, agent or workflow, or why there is none.
Result<Scope> scope_of(const Playbook& playbook, const IncidentFacts& incident) {
    const auto named = [&](ScopeKind kind, const std::string& name) -> Result<Scope> {
        if (name.empty()) {
            return fail(
                ErrorCode::NotFound,
                "the incident names no " + playbook.contain + ", so there is nothing to contain yet"
            );
        }
        if (!parse_scope(std::string(name_of(kind)) + ":" + name)) {
            return fail(
                ErrorCode::NotFound,
                "the incident's " + playbook.contain + " has a name that no control can carry"
            );
        }
        return Scope{kind, name};
    };
    if (playbook.contain == "tool") {
        return named(ScopeKind::Tool, incident.tool.text());
    }
    if (playbook.contain == "workflow") {
        return named(ScopeKind::Workflow, incident.workflow.text());
    }
    return named(ScopeKind::Agent, incident.agent.text());
}

Result<WorkflowName> fallback_of(const Scope& scope, const catalog::Catalog& catalog) {
    if (scope.kind != ScopeKind::Workflow) {
        return fail(ErrorCode::NotFound, "only a workflow can be routed to another one");
    }
    for (const catalog::Workflow& workflow : catalog.contents().workflows) {
        if (workflow.name.text() == scope.name && !workflow.fallback.empty()) {
            return workflow.fallback;
        }
    }
    return fail(
        ErrorCode::NotFound,
        "workflow " + scope.name + " has no fallback; write one under workflows in tagout.yaml"
    );
}

/// What the agent may go on using: its tools as configured, without the one that fails.
Result<std::vector<std::string>> allowed_for(
    const IncidentFacts& incident, const catalog::Catalog& catalog
) {
    std::vector<std::string> names;
    for (const catalog::Agent& agent : catalog.contents().agents) {
        if (agent.name == incident.agent) {
            for (const ToolName& tool : agent.tools) {
                if (tool != incident.tool && names.size() < Controls::allowed_max) {
                    names.push_back(tool.text());
                }
            }
        }
    }
    if (names.empty()) {
        return fail(
            ErrorCode::NotFound,
            "no other tools of agent " + incident.agent.text() +
                " are known; write them under agents in tagout.yaml"
        );
    }
    return names;
}

Result<ControlDraft> draft_for(
    const Playbook& playbook, const IncidentFacts& incident, const catalog::Catalog& catalog
) {
    ControlDraft draft;
    draft.scope = TAGOUT_TRY(scope_of(playbook, incident));
    const std::optional<ControlMode> mode = parse_control_mode(playbook.mode);
    if (!mode) {
        return fail(ErrorCode::InvalidArgument, "'" + playbook.mode + "' is no mode of a control");
    }
    draft.mode = *mode;
    draft.incident = incident.id;
    draft.rule = rule_name(playbook);
    if (draft.mode == ControlMode::Route) {
        draft.route_to = TAGOUT_TRY(fallback_of(draft.scope, catalog));
    }
    if (draft.mode == ControlMode::Allowlist) {
        draft.allowed = TAGOUT_TRY(allowed_for(incident, catalog));
    }
    return draft;
}

std::string effect_of_mode(const ControlDraft& draft) {
    const std::string subject = subject_of(draft.scope);
    switch (draft.mode) {
        case ControlMode::Observe:
            return "watches " + subject + " and refuses nothing";
        case ControlMode::Throttle:
            return "slows " + subject + " to " + rate_text(draft.terms);
        case ControlMode::Budget:
            return "holds " + subject + " to " + budget_text(draft.terms);
        case ControlMode::Pin:
            return "pins versions that " + subject + " is given";
        case ControlMode::Redact:
            return "redacts what passes of " + subject;
        case ControlMode::ReadOnly:
            return "denies writes and outgoing calls of " + subject;
        case ControlMode::Approvals:
            return "holds writes and outgoing calls of " + subject + " until a person approves each";
        case ControlMode::Allowlist:
            return "denies every tool of " + subject + " but " +
                   std::to_string(draft.allowed.size()) + " that are listed";
        case ControlMode::Stopped:
            return "stops " + subject + ": every call is denied and calls in flight are cancelled";
        case ControlMode::Route:
            return "moves requests of " + subject + " to workflow " + draft.route_to.text();
    }
    return subject;
}

std::string sentence_of(const Proposal& proposal) {
    const ControlDraft& draft = *proposal.draft;
    const bool enforce = proposal.enforcement == Enforcement::Enforce;
    const std::string what = effect_of_mode(draft);
    if (enforce) {
        return "By " + proposal.rule + " Tagout " + what +
               ". To undo it, one person asks with `tagout contain request-release` and another "
               "releases.";
    }
    std::string verb = "tagout contain set " + to_text(draft.scope) + " --mode " +
                       std::string(name_of(draft.mode));
    if (draft.mode == ControlMode::Route) {
        verb += " --route-to " + draft.route_to.text();
    }
    for (const std::string& name : draft.allowed) {
        verb += " --allowed " + name;
    }
    return "By " + proposal.rule + ", `" + verb + " --incident " + draft.incident.text() +
           "` " + what + "; nothing was done yet. To undo it, one person asks for its release and "
           "another releases.";
}

}  // namespace

const std::vector<Playbook>& default_playbooks() {
    using enum FailureClass;
    static const std::vector<Playbook> defaults{
        {Intent, Severity::Sev2, "workflow", "route", Enforcement::Observe},
        {Tool, Severity::Sev2, "tool", "stopped", Enforcement::Observe},
        {Context, Severity::Sev2, "agent", "approvals", Enforcement::Observe},
        {Safety, Severity::Sev2, "tool", "stopped", Enforcement::Observe},
        {Safety, Severity::Sev1, "agent", "read_only", Enforcement::Observe},
        {Cost, Severity::Sev2, "workflow", "route", Enforcement::Observe},
        {Cost, Severity::Sev1, "agent", "stopped", Enforcement::Observe},
    };
    return defaults;
}

std::vector<Proposal> propose(const IncidentFacts& incident, const catalog::Catalog& catalog) {
    const std::vector<Playbook>& configured = catalog.contents().playbooks;
    std::vector<Proposal> proposals;
    for (const Playbook& playbook : configured.empty() ? default_playbooks() : configured) {
        // Severity counts downwards: SEV1 is the worst.
        if (playbook.failure_class != incident.failure_class ||
            incident.severity > playbook.severity) {
            continue;
        }
        Proposal made{rule_name(playbook), playbook.enforcement, std::nullopt, ""};
        Result<ControlDraft> draft = draft_for(playbook, incident, catalog);
        if (!draft) {
            made.sentence = made.rule + " can do nothing: " + draft.error().message;
            proposals.push_back(std::move(made));
            continue;
        }
        made.draft = std::move(*draft);
        made.sentence = sentence_of(made);
        const auto same = std::ranges::find_if(proposals, [&](const Proposal& each) {
            return each.draft && each.draft->scope == made.draft->scope &&
                   each.draft->mode == made.draft->mode;
        });
        if (same == proposals.end()) {
            proposals.push_back(std::move(made));
        } else if (made.enforcement == Enforcement::Enforce) {
            *same = std::move(made);
        }
    }
    return proposals;
}

}  // namespace tagout::contain
