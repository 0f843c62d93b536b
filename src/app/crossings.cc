#include "app/crossings.h"

#include "base/log.h"
#include "contain/control_json.h"
#include "contain/policy.h"
#include "contain/unknown_arguments.h"
#include "detect/signal_id.h"
#include "detect/signals.h"
#include "intake/texts.h"
#include "recover/release_json.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::app {

namespace {

namespace json = boost::json;

/// Tools that a control closes, as the catalog knows them; a tool that it does not know closes itself.
std::vector<std::string> tools_behind(const Scope& scope, const catalog::Catalog& catalog) {
    if (scope.kind == ScopeKind::Tool) {
        return {scope.name};
    }
    const catalog::Contents& contents = catalog.contents();
    std::vector<std::string> tools;
    if (scope.kind == ScopeKind::Agent || scope.kind == ScopeKind::Workflow) {
        for (const catalog::Agent& agent : contents.agents) {
            const bool runs =
                scope.kind == ScopeKind::Agent
                    ? catalog::glob_matches(scope.name, agent.name.text())
                    : std::ranges::any_of(agent.workflows, [&](const WorkflowName& workflow) {
                          return catalog::glob_matches(scope.name, workflow.text());
                      });
            for (const ToolName& tool : agent.tools) {
                if (runs) {
                    tools.push_back(tool.text());
                }
            }
        }
        return tools;
    }
    for (const catalog::Tool& tool : contents.tools) {
        const catalog::ToolFacts facts = catalog.tool(tool.name.text());
        const bool closed =
            scope.kind == ScopeKind::Global || scope.kind == ScopeKind::Tenant ||
            scope.kind == ScopeKind::Environment ||
            (scope.kind == ScopeKind::McpServer && catalog::glob_matches(scope.name, tool.server)) ||
            (scope.kind == ScopeKind::ToolClass &&
             (scope.name == name_of(facts.effect) ||
              (scope.name == "high_risk" && facts.risk == ToolRisk::High)));
        if (closed) {
            tools.push_back(tool.name.text());
        }
    }
    return tools;
}

bool closes_a_capability(const Control& control) {
    switch (control.scope.kind) {
        case ScopeKind::Session:
        case ScopeKind::User:
        case ScopeKind::Model:
        case ScopeKind::PromptVersion:
            return false;
        case ScopeKind::Global:
        case ScopeKind::Tenant:
        case ScopeKind::Environment:
        case ScopeKind::Agent:
        case ScopeKind::Workflow:
        case ScopeKind::Tool:
        case ScopeKind::ToolClass:
        case ScopeKind::McpServer:
            break;
    }
    return control.mode != ControlMode::Observe && control.mode != ControlMode::Route &&
           control.mode != ControlMode::Throttle && control.mode != ControlMode::Redact &&
           control.mode != ControlMode::Budget && control.mode != ControlMode::Pin;
}

Result<void> may_release(
    const contain::ControlView& view, std::string_view without_journeys,
    const catalog::Catalog& catalog, const recover::Journeys& journeys
) {
    if (!closes_a_capability(view.control)) {
        return {};
    }
    const Instant since =
        std::max(view.release_requested_at.value_or(Instant{}), view.stage_since.value_or(Instant{}));
    bool named = false;
    std::vector<std::string> missing;
    for (const std::string& tool : tools_behind(view.control.scope, catalog)) {
        const recover::JourneyProof proof = journeys.passed_since(tool, since);
        named = named || proof.any();
        for (const std::string& each : proof.missing) {
            if (std::ranges::find(missing, each) == missing.end()) {
                missing.push_back(each);
            }
        }
    }
    if (!missing.empty()) {
        std::string text;
        for (const std::string& each : missing) {
            text += (text.empty() ? "" : "; ") + each;
        }
        return fail(
            ErrorCode::Conflict,
            "journeys have not proved " + to_text(view.control.scope) +
                (view.stages.empty() && view.put_back.empty()
                     ? " since its release was asked for: "
                     : " since its stage began (" + to_rfc3339(since) + "): ") +
                text + ". Run `tagout journeys run`, then release again"
        );
    }
    if (!named && without_journeys.empty()) {
        return fail(
            ErrorCode::Conflict,
            "no journey names what " + to_text(view.control.scope) +
                " closed: add one under journeys in tagout.yaml, or say why none is needed "
                "(--without-journeys REASON)"
        );
    }
    return {};
}

}  // namespace

std::string journey_against(
    const contain::ControlView& view, const catalog::Catalog& catalog,
    const recover::Journeys& journeys
) {
    if (view.control.opening.is_shut() || !closes_a_capability(view.control)) {
        return "";
    }
    const std::vector<std::string> tools = tools_behind(view.control.scope, catalog);
    for (const recover::JourneyView& each : journeys.list()) {
        const bool concerned = std::ranges::any_of(each.journey.tools, [&](const ToolName& named) {
            return std::ranges::any_of(tools, [&](const std::string& tool) {
                return catalog::glob_matches(named.text(), tool) ||
                       catalog::glob_matches(tool, named.text()) ||
                       tool.ends_with("." + named.text());
            });
        });
        if (concerned && !each.runs.empty() && !each.runs.front().passed &&
            each.runs.front().at > *view.stage_since) {
            return "journey " + each.journey.name + ": " + each.runs.front().sentence;
        }
    }
    return "";
}

std::string finding_against(
    const contain::ControlView& view, const catalog::Catalog& catalog,
    const incident::Incident& incident
) {
    if (view.control.opening.is_shut() || incident.kind == IncidentKind::Backfilled) {
        return "";
    }
    const Scope& scope = view.control.scope;
    const std::vector<std::string> tools = tools_behind(scope, catalog);
    const auto is_about = [&](const Finding& finding) {
        const auto named = [&](const std::string& name) {
            return !name.empty() && catalog::glob_matches(scope.name, name);
        };
        const std::string& tool = finding.tool.text();
        const bool of_tool =
            !tool.empty() && std::ranges::any_of(tools, [&](const std::string& each) {
                return catalog::glob_matches(each, tool) || each.ends_with("." + tool);
            });
        return scope.kind == ScopeKind::Global ||
               (scope.kind == ScopeKind::Agent && named(finding.agent.text())) ||
               (scope.kind == ScopeKind::Workflow && named(finding.workflow.text())) ||
               (scope.kind == ScopeKind::Model && named(finding.model)) ||
               (scope.kind == ScopeKind::Session && named(finding.correlation.text())) ||
               (scope.kind != ScopeKind::Agent && scope.kind != ScopeKind::Workflow && of_tool);
    };
    const bool mine = !incident.id.empty() && view.control.incident == incident.id;
    bool about = mine;
    for (const Finding& finding : incident.findings) {
        const bool this_one = mine || is_about(finding);
        about = about || this_one;
        if (this_one && finding.seen_at > *view.stage_since) {
            return incident.id.text() + ": " + finding.signal + ": " + finding.evidence;
        }
    }
    // Of many only the first are kept: the rest are known by their number and the newest time.
    if (about && incident.finding_count > incident.findings.size() &&
        incident.last_finding_at > *view.stage_since) {
        return incident.id.text() + ": " + incident.title;
    }
    return "";
}

contain::ReleaseCheck release_check(CatalogNow catalog, recover::Journeys& journeys) {
    return [catalog = std::move(catalog), &journeys](
               const contain::ControlView& view, std::string_view without_journeys
           ) { return may_release(view, without_journeys, *catalog(), journeys); };
}

Finding finding_of(const contain::PinnedTool& tool) {
    constexpr std::size_t quoted_max = 160;
    const detect::SignalInfo& info = detect::info_of(detect::SignalId::ChangedTool);
    const std::string name = tool.server + "." + tool.tool;
    Finding finding;
    finding.id = detect::finding_id(info.name, name + "@" + tool.offered->hash);
    finding.failure_class = info.failure_class;
    finding.signal = info.name;
    finding.rate = true;
    finding.agent = AgentName(tool.offered_to);
    finding.tool = ToolName(tool.tool);
    finding.cause = tool.tool;
    finding.seen_at = tool.offered->at;
    finding.score = 1;
    finding.observed = 1;
    finding.threshold = 1;
    finding.unit = info.unit;
    finding.evidence = "MCP server " + tool.server + " offers " + tool.tool +
                       " with another definition (" + tool.offered->hash.substr(0, 12) +
                       ") than the pinned one (" + tool.pinned.hash.substr(0, 12) + "); " +
                       (tool.refused ? "its calls are refused" : "its calls pass") + ": " +
                       std::string(intake::clipped(tool.offered->text, quoted_max));
    return finding;
}

std::vector<contain::Policy> policies_in_force(const recover::Releases& releases) {
    std::vector<contain::Policy> policies;
    for (const catalog::Version& version : releases.policies_in_force()) {
        Result<contain::Policy> policy = contain::parse_policy(
            version.key.name, "v" + std::to_string(version.number), version.content
        );
        if (policy) {
            policies.push_back(*std::move(policy));
        } else {
            log::error(
                "policy_left_out",
                {{"policy", version.key.name},
                 {"version", version.number},
                 {"error", policy.error().message}}
            );
        }
    }
    return policies;
}

std::function<verify::Today(const ToolCall&)> decide_today(
    contain::Controls& controls, CatalogNow catalog
) {
    return [&controls, catalog = std::move(catalog)](const ToolCall& asked) {
        const std::shared_ptr<const contain::ControlSnapshot> snapshot = controls.snapshot();
        ToolCall call = asked;
        if (call.arguments.empty()) {  // Of the past, and recorded without.
            call.arguments = contain::unknown_arguments;
        }
        contain::add_facts(*catalog(), call);
        const Decision decision = contain::decide(*snapshot, call);
        verify::Today today{decision.verdict, {}, {}, {}};
        if (decision.by != nullptr) {
            today.by = decision.by->id;
            today.reason = decision.by->reason_for_person;
            today.incident = decision.by->incident;
        }
        return today;
    };
}

Result<std::vector<verify::TarFile>> pack_documents(
    const incident::Incident& incident, contain::Controls& controls, recover::Releases& releases,
    prevent::Reviews& reviews, Instant now
) {
    std::vector<verify::TarFile> files;
    json::array versions;
    std::size_t total = 0;
    constexpr std::size_t versions_max = 1'000;
    for (const catalog::Version& version : releases.list({}, "", versions_max, total)) {
        const bool concerns = version.agent.empty() || incident.agent.empty() ||
                              version.agent == incident.agent;
        if (concerns) {
            const Result<catalog::Version> whole = releases.by_hash(version.hash);
            versions.push_back(recover::tree_of(whole ? *whole : version));
        }
    }
    json::array bundles;
    for (const recover::BundleView& bundle : releases.bundles(incident.agent)) {
        bundles.push_back(recover::tree_of(bundle, now));
    }
    files.push_back(
        {"versions.json", json::serialize(json::object{
                              {"versions", std::move(versions)},
                              {"versions_total", total},
                              {"bundles", std::move(bundles)},
                          })}
    );
    json::array mine;
    for (const contain::ControlView& view : controls.list(true)) {
        if (view.control.incident == incident.id) {
            mine.push_back(contain::tree_of(view));
        }
    }
    files.push_back(
        {"controls.json", json::serialize(json::object{{"controls", std::move(mine)}})}
    );
    if (const Result<std::string> review = reviews.json(incident.id)) {
        files.push_back({"review.json", *review});
    }
    return files;
}

}  // namespace tagout::app
