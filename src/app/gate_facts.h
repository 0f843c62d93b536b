// What the release gate judges, gathered from the rooms that know it.
//
// Controls, journeys and releases are asked through functions, so that a server without them says
// "not known" and the gate is inconclusive; it never takes silence for a pass.
#pragma once

#include "app/candidate.h"
#include "app/config_file.h"
#include "app/directory.h"
#include "incident/desk.h"
#include "prevent/gate.h"
#include "prevent/regression_book.h"
#include "prevent/review.h"
#include "server/prevent_api.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tagout::app {

struct GateSources {
    const Clock& clock;
    const incident::Desk& desk;
    const Directory& directory;
    std::function<std::shared_ptr<const Configured>()> configured;
    /// Each may be empty: not known.
    std::function<std::vector<prevent::ControlFact>(const AgentName&)> controls = {};
    std::function<std::vector<prevent::JourneyFact>(const AgentName&)> journeys = {};
    /// Name of the agent's last-known-good bundle, "" if there is none.
    std::function<std::string(const AgentName&)> last_known_good = {};
    /// The file of the bundle with this id, of the one in force for "".
    std::function<Result<std::string>(const AgentName&, const std::string& id)> bundle = {};
    /// Sessions of an agent since a time.
    prevent::Exposure sessions_since = {};
    CompilePolicies compile = {};
};

/// InvalidArgument: the candidate does not read. NotFound: there is no such bundle.
[[nodiscard]] Result<prevent::Gate> judge_gate(
    const GateSources& sources, const prevent::RegressionBook& book, const prevent::Reviews& reviews,
    const prevent::Actions& actions, const server::GateQuestion& question
);

}  // namespace tagout::app
