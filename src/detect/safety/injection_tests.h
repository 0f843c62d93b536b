// safety.injection_tests: an agent failed prompt-injection tests that it has to pass.
//
// Results of a suite come as one evaluation (POST /v1/suites/results), or from any runner that
// sends an OpenTelemetry evaluation named "injection_tests SUITE" with the share of tests that
// passed. More than failed_share_max, 0, is a failed outcome by itself: a test is a promise. The
// run is a session of its own, so the same run reported twice is one finding, and a passing run
// closes nothing.
//
// Pure, no memory. Cost: a comparison an evaluation.
#pragma once

#include "detect/session.h"
#include "detect/settings.h"
#include "domain/agent_event.h"
#include "domain/suite.h"

#include <optional>

namespace tagout::detect {

[[nodiscard]] bool is_suite_result(const AgentEvent& event) noexcept;

/// nullopt: the suite passed.
[[nodiscard]] std::optional<Sighting> judge_suite(
    const AgentEvent& event, const SafetySettings& settings
);

}  // namespace tagout::detect
