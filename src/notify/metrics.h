// Metrics of notices, defined once.
#pragma once

#include "base/metrics.h"

#include <array>

namespace tagout::notify {

inline constexpr MetricInfo notices_queued_total{
    "tagout_notices_queued_total", MetricType::Counter, "Notices queued for delivery", "type,event"
};
inline constexpr MetricInfo notices_dropped_total{
    "tagout_notices_dropped_total", MetricType::Counter,
    "Notices that could not be queued, for want of a channel, of room or of a journal", "reason"
};
inline constexpr MetricInfo notice_attempts_total{
    "tagout_notice_attempts_total", MetricType::Counter,
    "Delivery attempts by how they ended: delivered, retry or failed", "type,result"
};
inline constexpr MetricInfo notice_refreshes_total{
    "tagout_notice_refreshes_total", MetricType::Counter,
    "Open incidents sent again to Alertmanager, by how it ended", "result"
};
inline constexpr MetricInfo notices_pending{
    "tagout_notices_pending", MetricType::Gauge, "Notices waiting for delivery or a retry", ""
};
inline constexpr MetricInfo notice_channels_disabled{
    "tagout_notice_channels_disabled", MetricType::Gauge,
    "Channels switched off because their receiver answered 410 Gone", ""
};
inline constexpr MetricInfo notice_delivery_seconds{
    "tagout_notice_delivery_seconds", MetricType::Histogram,
    "Time from queueing a notice to its delivery, retries included", ""
};

inline constexpr std::array<MetricInfo, 7> metrics{
    notices_queued_total,   notices_dropped_total, notice_attempts_total,    notice_refreshes_total,
    notices_pending,        notice_channels_disabled, notice_delivery_seconds,
};

}  // namespace tagout::notify
