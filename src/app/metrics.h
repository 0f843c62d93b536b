// Metrics of the pipeline.
#pragma once

#include "base/metrics.h"

#include <array>

namespace tagout::app {

inline constexpr MetricInfo events_total{
    "tagout_events_total", MetricType::Counter, "Normalised events that reached detection", "kind"};
inline constexpr MetricInfo items_total{
    "tagout_intake_items_total",
    MetricType::Counter,
    "Spans, log records and metrics accepted",
    "signal"};
inline constexpr MetricInfo items_rejected_total{
    "tagout_intake_items_rejected_total",
    MetricType::Counter,
    "Items refused inside accepted requests, each told to its client as partial success",
    "signal"};
inline constexpr MetricInfo items_shed_total{
    "tagout_intake_items_shed_total",
    MetricType::Counter,
    "Items refused for overload; their clients were told to retry",
    "reason"};
inline constexpr MetricInfo findings_total{
    "tagout_findings_total",
    MetricType::Counter,
    "Findings sent to the desk, repeats included",
    "class,signal"};
inline constexpr MetricInfo findings_dropped_total{
    "tagout_findings_dropped_total",
    MetricType::Counter,
    "Findings lost because joining fell behind or the journal was away",
    "reason"};
inline constexpr MetricInfo sessions_total{
    "tagout_sessions_total", MetricType::Counter, "Sessions ended, by outcome", "outcome"};
inline constexpr MetricInfo sessions_live{
    "tagout_sessions_live", MetricType::Gauge, "Sessions with recent events", ""};
inline constexpr MetricInfo profiles_saved_total{
    "tagout_profiles_saved_total",
    MetricType::Counter,
    "Versions of workflows' profiles saved from what was learned",
    ""};
inline constexpr MetricInfo profiles_not_saved_total{
    "tagout_profiles_not_saved_total",
    MetricType::Counter,
    "Learned profiles that found no room in the catalog and live in memory only",
    ""};
inline constexpr MetricInfo queue_batches{
    "tagout_detection_queue_batches",
    MetricType::Gauge,
    "Decoded requests waiting for detection, over all shards",
    ""};
inline constexpr MetricInfo late_events_total{
    "tagout_late_events_total",
    MetricType::Counter,
    "Events behind the watermark, kept in their session but in no window",
    ""};
inline constexpr MetricInfo repeated_calls_total{
    "tagout_repeated_calls_total",
    MetricType::Counter,
    "Tool spans that were told again after their session had them, and not counted",
    ""};
inline constexpr MetricInfo sessions_evicted_total{
    "tagout_sessions_evicted_total",
    MetricType::Counter,
    "Sessions closed early for want of room",
    ""};
inline constexpr MetricInfo keys_refused_total{
    "tagout_keys_refused_total",
    MetricType::Counter,
    "Events whose key found no room in the windows",
    ""};
inline constexpr MetricInfo traces_forgotten_total{
    "tagout_linker_traces_forgotten_total",
    MetricType::Counter,
    "Traces forgotten by the linker for want of room",
    ""};
inline constexpr MetricInfo duplicates_total{
    "tagout_intake_duplicates_total",
    MetricType::Counter,
    "Items that were sent again and not counted again",
    ""};
inline constexpr MetricInfo finding_seconds{
    "tagout_finding_seconds",
    MetricType::Histogram,
    "Time from receiving the event that completed a finding to the finding standing in the journal",
    ""};
inline constexpr MetricInfo durable_seconds{
    "tagout_durable_seconds",
    MetricType::Histogram,
    "Time from decoding a request to its telemetry being durable",
    ""};
inline constexpr MetricInfo evidence_items{
    "tagout_evidence_items", MetricType::Gauge, "Items in the evidence log", ""};
inline constexpr MetricInfo evidence_bytes{
    "tagout_evidence_bytes", MetricType::Gauge, "Size of the evidence log on disk", ""};
inline constexpr MetricInfo evidence_dropped_total{
    "tagout_evidence_dropped_total", MetricType::Counter, "Items removed by retention", ""};
inline constexpr MetricInfo incidents_open{
    "tagout_incidents_open", MetricType::Gauge, "Open incidents", "severity"};

inline constexpr MetricInfo agent_calls_total{
    "tagout_agent_calls_total",
    MetricType::Counter,
    "Tool calls that agents reported, by whether a gateway saw them: seen or unseen",
    "gateway"};
inline constexpr MetricInfo policy_count{
    "tagout_policies_in_force", MetricType::Gauge, "Policies that gateways decide by", ""};
inline constexpr MetricInfo gateway_calls_lost_total{
    "tagout_gateway_calls_lost_total",
    MetricType::Counter,
    "Calls that the gateway saw and that could not be recorded",
    "reason"};

inline constexpr std::array metric_list{
    events_total,
    items_total,
    items_rejected_total,
    items_shed_total,
    findings_total,
    findings_dropped_total,
    sessions_total,
    sessions_live,
    queue_batches,
    late_events_total,
    sessions_evicted_total,
    keys_refused_total,
    traces_forgotten_total,
    duplicates_total,
    finding_seconds,
    durable_seconds,
    evidence_items,
    evidence_bytes,
    evidence_dropped_total,
    incidents_open,
    agent_calls_total,
    policy_count,
    gateway_calls_lost_total,
    profiles_saved_total,
    profiles_not_saved_total,
    repeated_calls_total,
};

}  // namespace tagout::app
