// Metrics of versions, rollbacks and journeys.
#pragma once

#include "base/metrics.h"

#include <array>

namespace tagout::recover {

inline constexpr MetricInfo versions_published_total{
    "tagout_versions_published_total", MetricType::Counter, "Versions published", "family"};
inline constexpr MetricInfo labels_moved_total{
    "tagout_labels_moved_total", MetricType::Counter, "Labels pointed at another version", "family"};
inline constexpr MetricInfo rollbacks_total{
    "tagout_rollbacks_total",
    MetricType::Counter,
    "Rollbacks by how their target was chosen",
    "target"};
inline constexpr MetricInfo frozen_changes_total{
    "tagout_frozen_changes_total",
    MetricType::Counter,
    "Changes that met a freeze: refused, passed as the incident's own, or as an emergency",
    "answer"};
inline constexpr MetricInfo bundle_sessions_total{
    "tagout_bundle_sessions_total",
    MetricType::Counter,
    "Ended sessions by what they said about a bundle: counted, of another version, or of no bundle",
    "counted"};
inline constexpr MetricInfo journey_runs_total{
    "tagout_journey_runs_total", MetricType::Counter, "Journeys run, by result", "passed"};
inline constexpr MetricInfo journey_seconds{
    "tagout_journey_seconds", MetricType::Histogram, "Time that a journey took", ""};
inline constexpr MetricInfo release_entries_unreadable_total{
    "tagout_release_entries_unreadable_total",
    MetricType::Counter,
    "Journal entries about versions or journeys that could not be read and were passed over",
    ""};

inline constexpr std::array metric_list{
    versions_published_total, labels_moved_total, rollbacks_total, frozen_changes_total,
    bundle_sessions_total,    journey_runs_total, journey_seconds, release_entries_unreadable_total,
};

}  // namespace tagout::recover
