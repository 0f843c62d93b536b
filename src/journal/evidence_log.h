// The evidence log: telemetry as it came, kept durably, found again by correlation and by time.
//
// The port; store/segment is the adapter on disk. Thread-safe. An append is acknowledged through its
// callback once the bytes are on disk (group commit: many appends share one fdatasync), and only
// then may a client be told that its telemetry was accepted. Whatever was acknowledged survives
// kill -9 and power loss; a half-written tail is cut at the next open and said so in the log.
#pragma once

#include "base/result.h"
#include "domain/event_batch.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tagout::journal {

/// One stored item: owned bytes, so that it outlives the segment it came from.
struct EvidenceItem {
    Signal signal = Signal::Traces;
    TraceId trace_id;
    Instant at;
    std::string correlation;
    std::string resource;
    std::string scope;
    std::string bytes;
};

/// The item as intake reads it back: views into `item`, which must outlive them.
[[nodiscard]] inline RawItem raw_of(const EvidenceItem& item) {
    return {
        item.signal,
        item.resource,
        item.scope,
        item.bytes,
        item.trace_id,
        item.at,
        item.correlation,
    };
}

struct EvidenceStats {
    std::uint64_t items = 0;
    std::uint64_t bytes_on_disk = 0;
    std::uint64_t segments = 0;
    std::uint64_t pinned_segments = 0;
    std::uint64_t dropped_by_retention = 0;  ///< Items, since the log was first opened.
    Instant oldest;  ///< Received; what stats().oldest says may be found, unless it is damaged.
    Instant newest;
    std::uint64_t unreadable_blocks = 0;  ///< Passed over by look-ups for damage, since this start.
};

struct EvidenceFault {
    std::string segment;
    std::uint64_t offset = 0;
    std::string what;
};

/// Of one conversation, whose earlier items a look-up adds; those of more traces are found by trace.
constexpr std::size_t traces_of_correlation_max = 1'024;

class EvidenceLog {
public:
    virtual ~EvidenceLog() = default;

    /// Queues every item of `batch`. `done` is called once, on the log's own thread, when the batch
    /// is durable or with why it is not. LimitExceeded at once if the queue is full: the caller sheds.
    virtual Result<void> append(
        std::shared_ptr<const EventBatch> batch, std::function<void(Result<void>)> done
    ) = 0;

    /// Items of one correlation in order of time, at most `limit`. `trace_id` may stand in for the
    /// correlation (the 32 hex digits). To a conversation belong the items of its traces that came
    /// before the conversation was told and are filed under the trace id.
    virtual Result<std::vector<EvidenceItem>> find(std::string_view correlation, std::size_t limit) = 0;

    /// Calls `visit` for each item of every stored block that was received in [from, to) or holds an
    /// item timed within, in order of arrival, until it returns false: a little more than asked for.
    virtual Result<void> scan(
        Instant from, Instant to, const std::function<bool(const EvidenceItem&)>& visit
    ) = 0;

    /// Keeps the segments that hold `correlation` past retention until unpinned, under `pin` (an
    /// incident id). Pins are durable when this returns.
    virtual Result<void> pin(std::string_view correlation, std::string_view pin) = 0;
    virtual Result<void> unpin(std::string_view pin) = 0;

    [[nodiscard]] virtual EvidenceStats stats() const = 0;
    /// Reads every block and checksum. Empty when all is whole.
    virtual Result<std::vector<EvidenceFault>> verify() = 0;
};

}  // namespace tagout::journal
