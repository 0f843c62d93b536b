// The metrics of this room: what the journal itself did.
#pragma once

#include "base/metrics.h"

#include <array>

namespace tagout::journal {

inline constexpr MetricInfo entries_total{
    "tagout_journal_entries_total", MetricType::Counter, "Entries written to the journal", ""
};
inline constexpr MetricInfo append_failures_total{
    "tagout_journal_append_failures_total", MetricType::Counter,
    "Batches that the journal could not take, so that the change did not happen", "code"
};
inline constexpr MetricInfo append_seconds{
    "tagout_journal_append_seconds", MetricType::Histogram,
    "Time to chain one batch and make it durable", ""
};
inline constexpr MetricInfo head_sequence{
    "tagout_journal_head_sequence", MetricType::Gauge, "Sequence of the newest journal entry", ""
};

inline constexpr std::array metrics{
    entries_total, append_failures_total, append_seconds, head_sequence,
};

}  // namespace tagout::journal
