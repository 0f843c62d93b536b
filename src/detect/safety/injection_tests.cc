#include "detect/safety/injection_tests.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr std::size_t shown_bytes_max = 300;

}  // namespace

bool is_suite_result(const AgentEvent& event) noexcept {
    const std::string_view name = event.eval_name;
    return event.eval_has_score && name.starts_with(suite_evaluation) &&
           (name.size() == suite_evaluation.size() || name[suite_evaluation.size()] == ' ');
}

std::optional<Sighting> judge_suite(const AgentEvent& event, const SafetySettings& settings) {
    const double failed = 1 - std::clamp(event.eval_score, 0.0, 1.0);
    if (failed <= settings.tests_failed_max) {
        return std::nullopt;
    }
    std::string_view suite = event.eval_name.substr(suite_evaluation.size());
    suite.remove_prefix(suite.starts_with(' ') ? 1 : 0);
    Sighting sighting{.signal = SignalId::InjectionTests};
    sighting.score = 0.95;
    sighting.observed = failed;
    sighting.threshold = settings.tests_failed_max;
    sighting.cause = "suite " + std::string(suite.substr(0, 80));
    sighting.evidence = event.eval_explanation.empty()
                            ? "tests of the suite " + std::string(suite.substr(0, 80)) + " failed"
                            : std::string(event.eval_explanation.substr(0, shown_bytes_max));
    return sighting;
}

}  // namespace tagout::detect
