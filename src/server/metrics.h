// Metrics of the HTTP and gRPC doors.
#pragma once

#include "base/metrics.h"

#include <array>

namespace tagout::server {

inline constexpr MetricInfo api_requests_total{
    "tagout_api_requests_total",
    MetricType::Counter,
    "Requests to the control API by answer",
    "operation,status"};
inline constexpr MetricInfo api_refused_total{
    "tagout_api_refused_total",
    MetricType::Counter,
    "Requests refused before any handler: unknown host, foreign origin, missing token",
    "reason"};
inline constexpr MetricInfo stream_clients{
    "tagout_stream_clients", MetricType::Gauge, "Open event streams of pages", ""};
inline constexpr MetricInfo stream_lagged_total{
    "tagout_stream_lagged_total",
    MetricType::Counter,
    "Event streams closed because their client fell behind; it connects again",
    ""};
inline constexpr MetricInfo otlp_requests_total{
    "tagout_otlp_requests_total",
    MetricType::Counter,
    "OTLP requests by answer",
    "protocol,signal,status"};

inline constexpr MetricInfo fleet_gateways_connected{
    "tagout_fleet_gateways_connected",
    MetricType::Gauge,
    "Gateways of the fleet that hold a stream to this control server and are heard of",
    ""};
inline constexpr MetricInfo fleet_gateways_lost_total{
    "tagout_fleet_gateways_lost_total",
    MetricType::Counter,
    "Times a gateway of the fleet was lost: its stream ended, or it was not heard of any more",
    ""};

inline constexpr std::array metric_list{
    api_requests_total,
    api_refused_total,
    stream_clients,
    stream_lagged_total,
    otlp_requests_total,
    fleet_gateways_connected,
    fleet_gateways_lost_total,
};

}  // namespace tagout::server
