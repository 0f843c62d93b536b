// The metrics of this room: what the evidence log did. Those of the journal are in journal/.
#pragma once

#include "base/metrics.h"

#include <array>

namespace tagout::store {

inline constexpr MetricInfo evidence_stored_items_total{
    "tagout_evidence_stored_items_total", MetricType::Counter,
    "Items made durable in the evidence log", ""
};
inline constexpr MetricInfo evidence_raw_bytes_total{
    "tagout_evidence_raw_bytes_total", MetricType::Counter,
    "Bytes of those items before compression", ""
};
inline constexpr MetricInfo evidence_written_bytes_total{
    "tagout_evidence_written_bytes_total", MetricType::Counter,
    "Bytes written to segments for those items", ""
};
inline constexpr MetricInfo evidence_commits_total{
    "tagout_evidence_commits_total", MetricType::Counter,
    "Group commits, each one write and one sync for many requests", ""
};
inline constexpr MetricInfo evidence_commit_seconds{
    "tagout_evidence_commit_seconds", MetricType::Histogram,
    "Time to compress, write and sync one group", ""
};
inline constexpr MetricInfo evidence_refused_items_total{
    "tagout_evidence_refused_items_total", MetricType::Counter,
    "Items that were not stored; their clients were told so", "reason"
};
inline constexpr MetricInfo evidence_retention_items_total{
    "tagout_evidence_retention_items_total", MetricType::Counter,
    "Items dropped by retention since this start", ""
};
inline constexpr MetricInfo evidence_damaged_reads_total{
    "tagout_evidence_damaged_reads_total", MetricType::Counter,
    "Blocks that a look-up had to pass over because a checksum was wrong", ""
};
inline constexpr MetricInfo evidence_queue_bytes{
    "tagout_evidence_queue_bytes", MetricType::Gauge,
    "Bytes of requests that wait for their group commit", ""
};
inline constexpr MetricInfo evidence_disk_bytes{
    "tagout_evidence_disk_bytes", MetricType::Gauge, "Bytes of segments and their indexes on disk", ""
};
inline constexpr MetricInfo evidence_segments{
    "tagout_evidence_segments", MetricType::Gauge, "Segments kept, the one being written included", ""
};
inline constexpr MetricInfo evidence_pinned_segments{
    "tagout_evidence_pinned_segments", MetricType::Gauge,
    "Sealed segments that an incident holds back from retention", ""
};

inline constexpr std::array metrics{
    evidence_stored_items_total,    evidence_raw_bytes_total,     evidence_written_bytes_total,
    evidence_commits_total,         evidence_commit_seconds,      evidence_refused_items_total,
    evidence_retention_items_total, evidence_damaged_reads_total, evidence_queue_bytes,
    evidence_disk_bytes,            evidence_segments,            evidence_pinned_segments,
};

}  // namespace tagout::store
