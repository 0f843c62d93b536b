// What an operator may set about detection. The initialisers are the defaults, and the only place
// where they are written; describe() adds bounds, units and the sentence shown to people.
#pragma once

#include "base/clock.h"
#include "base/settings.h"

#include <cstdint>

namespace tagout::detect {

struct Settings {
    Duration session_idle = std::chrono::minutes(5);  ///< Without events for this long, a session ended.
    std::uint32_t sessions_max = 200'000;             ///< Of one shard; the idlest is closed early past it.
};

}  // namespace tagout::detect
