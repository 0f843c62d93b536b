// Metrics of incidents, and the observer that counts them from the desk's changes.
//
// Thread-safe as the registry is. Counters begin at 0 with the process; what happened since ever is
// in the journal (incident/statistics.h).
#pragma once

#include "base/metrics.h"
#include "incident/desk.h"

#include <array>

namespace tagout::incident {

inline constexpr MetricInfo opened_total{
    "tagout_incidents_opened_total",
    MetricType::Counter,
    "Incidents opened by failed outcomes or declared by hand",
    "class,kind"};
inline constexpr MetricInfo declared_total{
    "tagout_incidents_declared_total",
    MetricType::Counter,
    "Incidents declared, by rule or by a person, reopened ones included",
    "class,severity"};
inline constexpr MetricInfo escalated_total{
    "tagout_incidents_escalated_total",
    MetricType::Counter,
    "Times an open incident was graded higher",
    "severity"};
inline constexpr MetricInfo ended_total{
    "tagout_incidents_ended_total",
    MetricType::Counter,
    "Incidents resolved, or ended as false positive, cancelled or merged",
    "class,state"};
inline constexpr MetricInfo recurrences_total{
    "tagout_incidents_recurrences_total",
    MetricType::Counter,
    "Incidents of the same class, agent and cause as an earlier one that was over",
    "class"};

inline constexpr std::array metric_list{
    opened_total, declared_total, escalated_total, ended_total, recurrences_total,
};

/// Counts one change; call it from Desk::on_change.
void count_change(const Change& change, MetricRegistry& metrics);

}  // namespace tagout::incident
