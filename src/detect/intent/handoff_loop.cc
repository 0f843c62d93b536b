#include "detect/intent/handoff_loop.h"

#include <algorithm>
#include <array>

namespace tagout::detect {

std::string_view handed_over_to(std::string_view tool) noexcept {
    constexpr std::array starts{
        std::string_view{"transfer_to_"},
        std::string_view{"handoff_to_"},
        std::string_view{"hand_off_to_"},
        std::string_view{"delegate_to_"},
    };
    for (const std::string_view start : starts) {
        if (tool.starts_with(start)) {
            return tool.substr(start.size());
        }
    }
    return {};
}

std::optional<Sighting> note_handoff(
    Trail& trail, NameId from, NameId to, const IntentSettings& settings, const Names& names
) {
    if (from == 0 || to == 0 || from == to) {
        return std::nullopt;
    }
    std::vector<Handoff>& handoffs = trail.handoffs;
    auto known = std::ranges::find_if(handoffs, [&](const Handoff& handoff) {
        return handoff.from == from && handoff.to == to;
    });
    if (known == handoffs.end()) {
        if (handoffs.size() == Trail::handoffs_max) {
            handoffs.erase(handoffs.begin());
        }
        known = handoffs.insert(handoffs.end(), {.from = from, .to = to, .times = 0});
    }
    ++known->times;
    const bool returned = std::ranges::any_of(handoffs, [&](const Handoff& handoff) {
        return handoff.to == from && handoff.times + 1 >= known->times;
    });
    if (!returned || known->times < settings.handoff_rounds_min) {
        return std::nullopt;
    }
    Sighting sighting{.signal = SignalId::HandoffLoop};
    sighting.observed = known->times;
    sighting.threshold = settings.handoff_rounds_min;
    sighting.score = std::min(0.95, 0.6 + 0.05 * known->times);
    sighting.evidence = names.text(from) + " handed the request to " + names.text(to) + " " +
                        std::to_string(known->times) +
                        " times, got it back each time, and no tool was used in between";
    return sighting;
}

}  // namespace tagout::detect
