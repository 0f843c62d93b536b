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
inline constexpr MetricInfo controls_overdue{
    "tagout_controls_overdue",
    MetricType::Gauge,
    "Controls in force whose review date passed",
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
inline constexpr MetricInfo point_connected{
    "tagout_point_connected",
    MetricType::Gauge,
    "1 while an enforcement point is heard of, else 0",
    "point"};
inline constexpr MetricInfo point_revision{
    "tagout_point_revision",
    MetricType::Gauge,
    "Newest revision of the controls that a point said it enforces",
    "point"};
inline constexpr MetricInfo point_silent_seconds{
    "tagout_point_silent_seconds",
    MetricType::Gauge,
    "Time since a point was last heard of; 0 for the gateway of this process",
    "point"};
inline constexpr MetricInfo point_time_to_effect_seconds{
    "tagout_point_time_to_effect_seconds",
    MetricType::Histogram,
    "Time from asking for a control to one point acknowledging it",
    "point"};
inline constexpr MetricInfo point_rules{
    "tagout_point_rules",
    MetricType::Gauge,
    "Policy rules in force at a point; 0 is a gateway with no policy loaded",
    "point"};
inline constexpr MetricInfo point_calls_denied{
    "tagout_point_calls_denied",
    MetricType::Gauge,
    "Calls that a point refused since its start",
    "point"};
inline constexpr MetricInfo point_records_dropped{
    "tagout_point_records_dropped",
    MetricType::Gauge,
    "Calls whose records a point lost since its start because it could keep no more",
    "point"};
inline constexpr MetricInfo tools_pinned{
    "tagout_tools_pinned", MetricType::Gauge, "Tools whose definition is pinned", ""};
inline constexpr MetricInfo tools_changed{
    "tagout_tools_changed",
    MetricType::Gauge,
    "Tools that are offered with another definition than the pinned one",
    ""};
inline constexpr MetricInfo approvals_pending{
    "tagout_approvals_pending", MetricType::Gauge, "Calls that wait for a person", ""};
inline constexpr MetricInfo approvals_total{
    "tagout_approvals_total",
    MetricType::Counter,
    "Calls that waited for a person, by how that ended",
    "answer"};

inline constexpr MetricInfo refused_callers_total{
    "tagout_refused_callers_total",
    MetricType::Counter,
    "Requests refused for who sent them (no credential, a revoked one, another agent's name), by "
    "road and why",
    "road,why"};

inline constexpr MetricInfo fallbacks_total{
    "tagout_upstream_fallbacks_total",
    MetricType::Counter,
    "Requests that went to an upstream's fallback, by why (failed: it failed and the request was sent "
    "again, open: its circuit is open, share: the configured share)",
    "upstream,why"};
inline constexpr MetricInfo circuit_state{
    "tagout_upstream_circuit_state",
    MetricType::Gauge,
    "0: requests go to the upstream, 1: one of them tries it again, 2: it fails and they go to its "
    "fallback",
    "upstream"};

inline constexpr std::array metric_list{
    controls_in_force,
    controls_unproved,
    controls_overdue,
    points_behind,
    control_changes_total,
    time_to_effect_seconds,
    point_failures_total,
    probes_total,
    point_connected,
    point_revision,
    point_silent_seconds,
    point_time_to_effect_seconds,
    point_rules,
    point_calls_denied,
    point_records_dropped,
    tools_pinned,
    tools_changed,
    approvals_pending,
    approvals_total,
    refused_callers_total,
    fallbacks_total,
    circuit_state,
};

}  // namespace tagout::contain
