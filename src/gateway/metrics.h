// Metrics of the data plane, defined once.
#pragma once

#include "base/metrics.h"

#include <array>

namespace tagout::gateway {

inline constexpr MetricInfo gateway_requests_total{
    "tagout_gateway_requests_total",
    MetricType::Counter,
    "Requests of agents by road (mcp, model, workflow, decide, versions, other) and outcome (forwarded, "
    "refused, "
    "invalid, failed, cancelled, gone, answered, probe)",
    "road,outcome"};
inline constexpr MetricInfo gateway_decisions_total{
    "tagout_gateway_decisions_total",
    MetricType::Counter,
    "Decisions on calls of agents by kind of call and verdict",
    "kind,verdict"};
inline constexpr MetricInfo gateway_in_flight{
    "tagout_gateway_in_flight",
    MetricType::Gauge,
    "Requests that wait for an upstream, a person or the end of a stream",
    ""};
inline constexpr MetricInfo gateway_cancelled_total{
    "tagout_gateway_cancelled_total",
    MetricType::Counter,
    "Calls stopped while in flight by a control, by road",
    "road"};
inline constexpr MetricInfo gateway_upstream_seconds{
    "tagout_gateway_upstream_seconds",
    MetricType::Histogram,
    "Time from sending a request to an upstream to the end of its answer, by road",
    "road"};
inline constexpr MetricInfo gateway_added_seconds{
    "tagout_gateway_added_seconds",
    MetricType::Histogram,
    "Time a request spent in the gateway before it was sent on, without waiting for a person",
    ""};
inline constexpr MetricInfo gateway_limits_total{
    "tagout_gateway_limits_total",
    MetricType::Counter,
    "Times a bound of the gateway was met, by its name",
    "limit"};
inline constexpr MetricInfo gateway_hidden_tools_total{
    "tagout_gateway_hidden_tools_total",
    MetricType::Counter,
    "Tools left out of lists because they are stopped",
    ""};
inline constexpr MetricInfo gateway_shadow_total{
    "tagout_gateway_shadow_total",
    MetricType::Counter,
    "Calls that an observing control or a shadow rule would have refused, by which (control, rule)",
    "by"};
inline constexpr MetricInfo gateway_condition_faults_total{
    "tagout_gateway_condition_faults_total",
    MetricType::Counter,
    "Calls refused because a rule's condition had no answer for their arguments",
    ""};
inline constexpr MetricInfo gateway_memory_forgotten_total{
    "tagout_gateway_memory_forgotten_total",
    MetricType::Counter,
    "Limits' keys and sessions' marks that were forgotten to make room for others",
    ""};
inline constexpr MetricInfo gateway_budget_tokens_total{
    "tagout_gateway_budget_tokens_total", MetricType::Counter,
    "Tokens that were counted for budgets, as the model API told them or estimated", "counted"};

inline constexpr MetricInfo gateway_probes_total{
    "tagout_gateway_probes_total",
    MetricType::Counter,
    "Probes sent through the gateway's own roads, by what they met: refused, passed, unreachable",
    "result"};

// Of a gateway that is a process of its own.
inline constexpr MetricInfo gateway_link_connected{
    "tagout_gateway_link_connected",
    MetricType::Gauge,
    "1 while this gateway holds a stream from its control server, else 0",
    ""};
inline constexpr MetricInfo gateway_link_revision{
    "tagout_gateway_link_revision",
    MetricType::Gauge,
    "Revision of the control server's controls that this gateway enforces; 0 for none yet",
    ""};
inline constexpr MetricInfo gateway_link_silent_seconds{
    "tagout_gateway_link_silent_seconds",
    MetricType::Gauge,
    "Time since the control server said that what this gateway enforces is the newest",
    ""};
inline constexpr MetricInfo gateway_lease_over{
    "tagout_gateway_lease_over",
    MetricType::Gauge,
    "1 while this gateway has stopped classes of tools because its lease is over",
    ""};
inline constexpr MetricInfo gateway_policy_rules{
    "tagout_gateway_policy_rules",
    MetricType::Gauge,
    "Policy rules in force at this gateway; 0 is a gateway with no policy loaded",
    ""};
inline constexpr MetricInfo gateway_local_controls{
    "tagout_gateway_local_controls",
    MetricType::Gauge,
    "Controls that were applied at this gateway's host and are not the control server's yet",
    ""};
inline constexpr MetricInfo gateway_records_waiting{
    "tagout_gateway_records_waiting",
    MetricType::Gauge,
    "Batches of records that wait on this gateway's disk for its control server",
    ""};
inline constexpr MetricInfo gateway_records_dropped_total{
    "tagout_gateway_records_dropped_total",
    MetricType::Counter,
    "Calls whose records were lost because no more could be kept",
    ""};
inline constexpr MetricInfo gateway_records_refused_total{
    "tagout_gateway_records_refused_total",
    MetricType::Counter,
    "Batches of records that the control server could not read",
    ""};

inline constexpr std::array metrics{
    gateway_requests_total,
    gateway_decisions_total,
    gateway_in_flight,
    gateway_cancelled_total,
    gateway_upstream_seconds,
    gateway_added_seconds,
    gateway_limits_total,
    gateway_hidden_tools_total,
    gateway_shadow_total,
    gateway_condition_faults_total,
    gateway_memory_forgotten_total,
    gateway_budget_tokens_total,
    gateway_probes_total,
    gateway_link_connected,
    gateway_link_revision,
    gateway_link_silent_seconds,
    gateway_lease_over,
    gateway_policy_rules,
    gateway_local_controls,
    gateway_records_waiting,
    gateway_records_dropped_total,
    gateway_records_refused_total,
};

}  // namespace tagout::gateway
