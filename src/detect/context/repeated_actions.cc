#include "detect/context/repeated_actions.h"

#include <algorithm>

namespace tagout::detect {

namespace {

bool is_same(const Action& a, const Action& b) noexcept {
    return a.worked && b.worked && a.call == b.call && a.result == b.result;
}

struct Circle {
    std::size_t length = 0;
    std::uint32_t rounds = 0;
};

/// The shortest circle of at least two different calls that the newest actions went round.
Circle find_circle(const std::vector<Action>& actions, const ContextSettings& settings) {
    const std::size_t size = actions.size();
    for (std::size_t length = 2; length <= settings.circle_max && length * 2 <= size; ++length) {
        const auto* const last = actions.data() + size - length;
        const bool moves = std::any_of(last, last + length, [&](const Action& action) {
            return action.call != last->call;
        });
        if (!moves) {
            continue;
        }
        std::size_t equal = 0;
        while (equal + length < size &&
               is_same(actions[size - 1 - equal], actions[size - 1 - equal - length])) {
            ++equal;
        }
        const auto rounds = static_cast<std::uint32_t>(equal / length + 1);
        if (rounds >= settings.rounds_min) {
            return {length, rounds};
        }
    }
    return {};
}

/// Equal calls up to `newest`. Looking again after something may have changed is no repetition, even
/// if it had not: tests are run after every edit. So reads count since the last other call of that
/// kind.
std::uint32_t count_equal(const std::vector<Action>& actions, const Action& newest) {
    std::uint32_t equal = 0;
    for (const Action& action : actions) {
        if (is_same(action, newest)) {
            ++equal;
        } else if (!newest.writes && action.worked && action.may_change && action.call != newest.call &&
                   action.began <= newest.began) {
            equal = 0;
        }
    }
    return equal;
}

/// The tools of a circle in order of name: the same fault found at another point has the same
/// cause.
std::string circle_cause(
    const std::vector<Action>& actions, std::size_t length, const Names& names
) {
    std::vector<std::string> tools;
    for (std::size_t i = actions.size() - length; i < actions.size(); ++i) {
        tools.push_back(names.text(actions[i].tool));
    }
    std::ranges::sort(tools);
    tools.erase(std::unique(tools.begin(), tools.end()), tools.end());
    std::string cause;
    for (std::size_t i = 0; i < std::min<std::size_t>(tools.size(), 3); ++i) {
        cause += (i == 0 ? "" : "+") + tools[i];
    }
    return cause;
}

}  // namespace

Repetition find_repetition(
    const std::vector<Action>& actions, const Action& newest, const ContextSettings& settings,
    const Names& names
) {
    Repetition found;
    if (!newest.worked || newest.call == 0) {
        return found;
    }
    const Circle circle = find_circle(actions, settings);
    if (circle.rounds > 0) {
        found.wasted_calls = static_cast<std::uint32_t>((circle.rounds - 1) * circle.length);
        Sighting sighting{.signal = SignalId::CircularActions};
        sighting.tool = newest.tool;
        sighting.observed = circle.rounds;
        sighting.threshold = settings.rounds_min;
        sighting.score = std::min(0.97, 0.55 + 0.1 * circle.rounds);
        sighting.write_completed = newest.writes;
        sighting.cause = circle_cause(actions, circle.length, names);
        sighting.evidence = "went round the same " + std::to_string(circle.length) + " calls " +
                            std::to_string(circle.rounds) +
                            " times with the same results: " + sighting.cause;
        found.sighting = std::move(sighting);
        return found;
    }
    const std::uint32_t equal = count_equal(actions, newest);
    found.wasted_calls = equal > 0 ? equal - 1 : 0;
    const std::uint32_t bound =
        newest.writes ? settings.duplicate_writes_min : settings.duplicates_min;
    if (equal >= bound) {
        Sighting sighting{.signal = SignalId::DuplicateAction};
        sighting.tool = newest.tool;
        sighting.observed = equal;
        sighting.threshold = bound;
        sighting.score = std::min(0.97, 0.5 + 0.1 * (equal - bound + 1));
        sighting.write_completed = newest.writes;
        sighting.cause = names.text(newest.tool);
        sighting.evidence = "called " + names.text(newest.tool) + " " + std::to_string(equal) +
                            " times with the same arguments and got the same result each time";
        found.sighting = std::move(sighting);
    }
    return found;
}

}  // namespace tagout::detect
