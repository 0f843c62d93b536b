// The series behind the class dashboards: one point a minute, two hours of them.
//
// Thread-compatible. Bound: minutes_max minutes of event time; older ones are dropped, and numbers
// for minutes older than that are ignored.
#pragma once

#include "detect/engine.h"
#include "detect/key_partials.h"

#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace tagout::detect {

class KeyBoards {
public:
    static constexpr std::int64_t minutes_max = 120;

    void add(const KeyPartials& partials);
    void count_finding(SignalId signal, Instant at);
    /// A rate's number in that minute; the one that is closest to its threshold is shown.
    void observe(SignalId signal, Instant at, double observed, double threshold);
    [[nodiscard]] std::vector<ClassBoard> boards() const;

private:
    struct Point {
        std::uint64_t findings = 0;
        double observed = 0;
        double threshold = 0;
    };
    struct Minute {
        std::array<Point, signal_count> signals{};
        std::array<std::int64_t, outcome_count> outcomes{};
    };
    [[nodiscard]] Minute* minute_of(std::int64_t minute);

    std::map<std::int64_t, Minute> minutes_;
};

}  // namespace tagout::detect
