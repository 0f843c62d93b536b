// Thresholds from the user's own history, to a budget of pages a week.
//
// The history is played under the configuration as it is. While it pages more often than the budget
// allows, the threshold that stands closest above is raised: of the pages, the one whose findings
// passed their thresholds by the smallest factor goes first, so that the strongest evidence pages to
// the last. Then the history is played again, because other findings may lead now. Nothing but
// thresholds is touched, none is lowered, and a signal without a threshold of its own keeps paging.
//
// Deliberately simple where it cannot know better: it takes no page of the history to have been
// right. So the pages that it expects are pages of a time like this one, false or not.
//
// Cost: the history once a round, at most rounds_max.
#pragma once

#include "app/config_file.h"
#include "app/offline.h"
#include "app/quality/quality_row.h"

#include <string>
#include <vector>

namespace tagout::app {

struct CalibrateOptions {
    std::vector<std::string> files;
    std::string config;
    double pages_per_week = 1;
    double sessions_per_week = 0;  ///< Needed where the history has no times of its own.
    cli::Format format = cli::Format::Table;
};

struct ThresholdChange {
    std::string path;    ///< "detection.cost.token_spike.ratio_min"
    std::string signal;
    std::string from;
    std::string to;
};

struct Calibration {
    std::vector<ThresholdChange> changes;  ///< In order of path; empty when nothing need change.
    double weeks = 0;                      ///< That the history covers.
    std::uint64_t sessions = 0;
    std::uint64_t pages_before = 0;
    std::uint64_t pages_after = 0;
    double per_week = 0;         ///< pages_after / weeks
    Interval per_week_interval;  ///< 95 %, of a Poisson count.
    std::vector<std::string> stay;  ///< Signals that still page and have no threshold to raise.
};

/// 95 % interval of the mean of a Poisson count that came out as `count`.
[[nodiscard]] Interval poisson_interval(std::uint64_t count) noexcept;

/// InvalidArgument: recorded runs without times and no sessions_per_week, a budget below zero.
Result<Calibration> calibrate(const CalibrateOptions& options, cli::Terminal& terminal);

/// The changes as a tagout.yaml that `tagout check` takes, what is expected in its comments.
[[nodiscard]] std::string yaml_of(const Calibration& calibration, double pages_per_week);

/// tagout calibrate: yaml_of() on standard output, or the same as JSON.
Result<int> print_calibration(const CalibrateOptions& options, cli::Terminal& terminal);

}  // namespace tagout::app
