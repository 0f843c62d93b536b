// cost.runaway_session: one request passed its budget of steps, tokens or money. To a person on
// call: stop this session, it will not stop by itself.
//
// Budgets are a request's (a trace's), not a conversation's: long conversations are normal. Tokens
// that came from a cache are not counted. Why 150 steps and 400,000 fresh tokens: coding agents
// take 20 to 80 steps for a request and re-read their context from the cache. Cost: three
// comparisons an event.
#pragma once

#include "detect/session.h"
#include "detect/settings.h"

#include <optional>

namespace tagout::detect {

[[nodiscard]] std::optional<Sighting> judge_budget(const Turn& turn, const CostSettings& settings);

}  // namespace tagout::detect
