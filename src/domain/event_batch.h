// EventBatch: what one received request became, and the bytes that all of it points into.
//
// A batch owns its bytes (the decompressed protobuf request) and a byte arena for the few texts
// that are not found verbatim in them. Events and items are views into both; the batch travels by
// shared_ptr<const EventBatch> from the receiving thread to the shards and to the evidence log, and
// the memory goes when the last of them is done.
#pragma once

#include "domain/agent_event.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

namespace tagout {

/// Bytes with readable, zeroed padding behind them, so that a reader may load 64 bytes at the end.
class PaddedBytes {
public:
    static constexpr std::size_t padding = 64;

    PaddedBytes() = default;
    /// `size` bytes, uninitialised; only the padding is zeroed.
    explicit PaddedBytes(std::size_t size)
        : data_(std::make_unique_for_overwrite<char[]>(size + padding)), size_(size) {
        std::fill_n(data_.get() + size, padding, '\0');
    }
    static PaddedBytes copy_of(std::string_view text) {
        PaddedBytes bytes(text.size());
        std::copy(text.begin(), text.end(), bytes.data());
        return bytes;
    }

    [[nodiscard]] char* data() noexcept { return data_.get(); }
    [[nodiscard]] const char* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }

private:
    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0;
};

/// One span, log record or metric as it came, in protobuf: the unit of evidence. Encoded bodies of
/// Resource, InstrumentationScope and Span (or LogRecord, Metric), without their outer tag.
struct RawItem {
    Signal signal = Signal::Traces;
    std::string_view resource;
    std::string_view scope;
    std::string_view bytes;
    TraceId trace_id;               ///< Zero where the item has none (most metrics).
    Instant at;                     ///< End of a span, time of a record.
    std::string_view correlation;   ///< Set by intake::Linker; "" for a metric.
};

struct EventBatch {
    EventBatch() = default;
    EventBatch(const EventBatch&) = delete;
    EventBatch& operator=(const EventBatch&) = delete;

    PaddedBytes bytes;
    std::pmr::monotonic_buffer_resource arena{4096};
    std::vector<AgentEvent> events;  ///< In order of ended_at, children before their parents.
    std::vector<RawItem> items;      ///< In the order of the request.
    std::uint64_t metric_points = 0;
    std::uint64_t rejected = 0;        ///< Items refused, each for the reason below.
    std::string rejected_reason;       ///< The first one's place and remedy; goes to the client.
    std::uint64_t texts_repaired = 0;  ///< Texts of events that were no UTF-8: U+FFFD where it broke.
    std::uint64_t texts_clipped = 0;   ///< Texts of events that were over the limit: the start stands.

    /// Copies `text` into the arena.
    [[nodiscard]] std::string_view keep(std::string_view text) {
        if (text.empty()) {
            return {};
        }
        char* const copy = static_cast<char*>(arena.allocate(text.size(), 1));
        std::copy(text.begin(), text.end(), copy);
        return {copy, text.size()};
    }
};

}  // namespace tagout
