// How deep queues are, from the metrics that measure it: the only metrics whose values are judged.
//
// Model servers and queues name theirs, and no convention does it for all of them, so the name's
// ending decides; punctuation between words does not count, because what a server calls
// vllm:num_requests_waiting may arrive with any of ':', '.' and '_'. Gauges and sums only; the
// points of one metric (a model or a partition each) are added up.
//
// Pure. Cost: a comparison of names for each metric; points are read of those that match.
#pragma once

#include "domain/event_batch.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::intake {

struct QueueDepth {
    std::string metric;
    std::string service;  ///< "" where the resource names none.
    Instant at;           ///< Of the newest point.
    double depth = 0;
};

[[nodiscard]] bool measures_a_queue(std::string_view metric) noexcept;
/// Of a decoded batch of metrics; empty for other signals.
[[nodiscard]] std::vector<QueueDepth> queue_depths(const EventBatch& batch);

}  // namespace tagout::intake
