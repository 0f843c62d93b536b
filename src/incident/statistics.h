// How long things took, from the anchors of incidents: never one lone mean.
//
// Formulas: operations reference 5.2. Durations of incidents are skewed, so a mean says nothing
// (VOID report); each measure comes as a distribution with its n. An incident in which the end of a
// measure has not come yet is not left out, which would flatter: it is censored, counted as `open`,
// and the quantiles are Kaplan and Meier's (1958), which without censoring are the plain
// nearest-rank ones. A quantile that too many open incidents hide is absent. Drills, chaos runs and
// backfilled incidents never count, nor do signals, merged, cancelled and falsely opened ones.
//
// Pure functions. Cost: n log n in the incidents for each measure, class and severity.
#pragma once

#include "incident/incident.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tagout::incident {

enum class Measure : std::uint8_t {
    Detect,       ///< onset to signal
    Acknowledge,  ///< paged to acknowledged
    Contain,      ///< signal to contained: decide and activate together
    Decide,       ///< signal to containment requested
    Activate,     ///< containment requested to in effect and proved
    Recover,      ///< signal to recovered
    Resolve,      ///< declared to resolved
};

inline constexpr std::array measures{
    Measure::Detect,
    Measure::Acknowledge,
    Measure::Contain,
    Measure::Decide,
    Measure::Activate,
    Measure::Recover,
    Measure::Resolve,
};

/// "detect", "acknowledge", ...
[[nodiscard]] std::string_view name_of(Measure measure) noexcept;

struct Distribution {
    std::uint64_t n = 0;      ///< Incidents in which it is known.
    std::uint64_t open = 0;   ///< Begun and not ended, in an incident that is still open: censored.
    std::uint64_t never = 0;  ///< Begun, and the incident was over without the end: left out.
    std::uint64_t backwards =
        0;  ///< The end lies before the begin (anchors were corrected): left out.
    std::optional<Duration> median;
    std::optional<Duration> p75;
    std::optional<Duration> p90;
    std::optional<Duration> max;  ///< Of those known.
};

struct Statistic {
    Measure measure = Measure::Detect;
    std::optional<FailureClass> failure_class;  ///< Unset: of every class.
    std::optional<Severity> severity;           ///< Unset: of every severity.
    Distribution distribution;
};

struct Recurrence {
    std::optional<FailureClass> failure_class;
    std::uint64_t incidents = 0;
    std::uint64_t recurrences = 0;  ///< Those that are a recurrence of an earlier one.
};

struct Period {
    Instant from;
    Instant to;  ///< Excluded.
};

/// Every measure for all, for each class and for each severity that has incidents in `period` (by
/// the time they were first seen). `now` ends what is still open.
[[nodiscard]] std::vector<Statistic> statistics(
    std::span<const Incident> incidents, const Period& period, Instant now
);
/// First the row for every class, then one for each class.
[[nodiscard]] std::vector<Recurrence> recurrences(
    std::span<const Incident> incidents, const Period& period
);

}  // namespace tagout::incident
