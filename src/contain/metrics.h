// Metrics of controls and approvals. Decisions are counted by the points that make them.
#pragma once

#include "base/metrics.h"

#include <array>

namespace tagout::contain {

inline constexpr MetricInfo controls_in_force{
    "tagout_controls_in_force", MetricType::Gauge, "Controls in force", "mode"};
inline constexpr MetricInfo controls_unproved{
    "tagout_controls_unproved",
    MetricType::Gauge,
    "Controls in force whose probe passed or could not be sent",
    ""};
inline constexpr MetricInfo points_behind{
    "tagout_points_behind",
    MetricType::Gauge,
    "Enforcement points that do not enforce the newest snapshot",
    ""};
inline constexpr MetricInfo control_changes_total{
    "tagout_control_changes_total", MetricType::Counter, "Changes of controls", "what"};
inline constexpr MetricInfo time_to_effect_seconds{
    "tagout_time_to_effect_seconds",
    MetricType::Histogram,
    "Time from asking for a control to the last enforcement point acknowledging it",
    ""};
inline constexpr MetricInfo point_failures_total{
    "tagout_point_failures_total",
    MetricType::Counter,
    "Times an enforcement point refused a snapshot or did not answer; it is asked again",
    "point"};
inline constexpr MetricInfo probes_total{
    "tagout_probes_total", MetricType::Counter, "Rounds of probes by what they showed", "result"};
inline constexpr MetricInfo approvals_pending{
    "tagout_approvals_pending", MetricType::Gauge, "Calls that wait for a person", ""};
inline constexpr MetricInfo approvals_total{
    "tagout_approvals_total",
    MetricType::Counter,
    "Calls that waited for a person, by how that ended",
    "answer"};

inline constexpr std::array metric_list{
    controls_in_force,
    controls_unproved,
    points_behind,
    control_changes_total,
    time_to_effect_seconds,
    point_failures_total,
    probes_total,
    approvals_pending,
    approvals_total,
};

}  // namespace tagout::contain
