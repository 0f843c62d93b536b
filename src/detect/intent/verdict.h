// Evaluations and feedback read as a verdict on a session: did it do what the user wanted?
//
// A label decides before a score. Scores from 0 to 1 fail below eval_fail_below; scores of names
// that measure harm (toxicity, hallucination) fail above the mirror of it; stars from 1 to 5 fail
// up to 2; negative numbers fail. An evaluation of one inner span says nothing about the session. A
// failing evaluation whose name speaks of routing or intent says that the workflow was wrong. Pure.
#pragma once

#include "domain/agent_event.h"

#include <cstdint>

namespace tagout::detect {

struct VerdictReading {
    std::int8_t verdict = 0;  ///< -1 failed, +1 succeeded, 0 says nothing.
    bool about_intent = false;
};

[[nodiscard]] VerdictReading read_verdict(const AgentEvent& event, double fail_below);

}  // namespace tagout::detect
