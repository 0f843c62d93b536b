#include "app/gate_rooms.h"

#include "recover/release_json.h"

#include <boost/json.hpp>

#include <map>

namespace tagout::app {

namespace {

/// Controls that may hold back this agent: all but those of other agents.
bool concerns(const Control& control, const AgentName& agent) {
    return agent.empty() || control.scope.kind != ScopeKind::Agent ||
           catalog::glob_matches(control.scope.name, agent.text());
}

std::vector<prevent::ControlFact> control_facts(
    const contain::Controls& controls, const AgentName& agent
) {
    std::vector<prevent::ControlFact> facts;
    for (const contain::ControlView& view : controls.list(false)) {
        if (concerns(view.control, agent)) {
            facts.push_back(prevent::ControlFact{
                view.control.id.text(),
                to_text(view.control.scope),
                std::string(name_of(view.control.mode)),
                view.control.incident,
                view.state == contain::ControlState::Proved,
                view.control.mode != ControlMode::Observe});
        }
    }
    return facts;
}

std::vector<prevent::JourneyFact> journey_facts(const recover::Journeys& journeys) {
    std::vector<prevent::JourneyFact> facts;
    for (const recover::JourneyView& view : journeys.list()) {
        prevent::JourneyFact fact{view.journey.name, std::nullopt, ""};
        // A run of what the journey was before it was changed proves nothing.
        if (!view.runs.empty() && view.runs.front().current) {
            const recover::JourneyRun& newest = view.runs.front();
            if (newest.passed) {
                fact.passed_at = newest.at;
            } else {
                fact.error = newest.sentence;
            }
        }
        facts.push_back(std::move(fact));
    }
    return facts;
}

/// Of each agent that has bundles; "" as soon as one has nothing to fall back to.
std::string last_known_good(const recover::Releases& releases, const AgentName& agent) {
    std::map<AgentName, std::string> good;
    for (const recover::BundleView& view : releases.bundles(agent)) {
        std::string& name = good[view.record.bundle.agent];
        if (view.last_known_good) {
            name = view.record.bundle.id;
        }
    }
    std::string names;
    for (const auto& [each, name] : good) {
        if (name.empty()) {
            return "";
        }
        names += (names.empty() ? "" : ", ") + name;
    }
    return names;
}

}  // namespace

void ask_rooms(
    GateSources& sources, const contain::Controls& controls, const recover::Releases& releases,
    const recover::Journeys& journeys
) {
    sources.controls = [&controls](const AgentName& agent) { return control_facts(controls, agent); };
    sources.journeys = [&journeys](const AgentName&) { return journey_facts(journeys); };
    sources.last_known_good = [&releases](const AgentName& agent) {
        return last_known_good(releases, agent);
    };
    sources.bundle = [&releases, &clock = sources.clock](
                         const AgentName& agent, const std::string& id
                     ) -> Result<std::string> {
        const recover::BundleContents contents = TAGOUT_TRY(releases.bundle(agent, id));
        return boost::json::serialize(recover::tree_of(contents, clock.now()));
    };
}

prevent::VersionsInForce released_at(
    const recover::Releases& releases, const incident::Incident& incident
) {
    prevent::VersionsInForce versions;
    for (const recover::BundleView& view : releases.bundles(incident.agent)) {
        const bool ran = view.record.blocked_by.contains(incident.id) ||
                         (view.record.in_force_since && incident.anchors.onset_at &&
                          *view.record.in_force_since <= *incident.anchors.onset_at);
        if (incident.agent.empty() || !ran) {
            continue;
        }
        for (const catalog::VersionRef& each : view.record.bundle.versions) {
            if (each.key.family == catalog::VersionFamily::Profile) {
                continue;
            }
            std::string& text = each.key.family == catalog::VersionFamily::Prompt ? versions.prompt
                                : each.key.family == catalog::VersionFamily::Policy
                                    ? versions.policy
                                    : versions.model_route;
            if (text.empty()) {
                text = each.key.name + "@" + std::to_string(each.number);
            }
        }
        break;
    }
    return versions;
}

}  // namespace tagout::app
