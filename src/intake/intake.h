// From received bytes to AgentEvents: the two calls that everything outside this room makes.
//
//   decode()        one OTLP request (protobuf or JSON, already decompressed) -> EventBatch
//   Linker::link()  neighbours known from earlier batches: double counting, roots, correlation
//
// decode is a pure function and runs on the thread that received the bytes; a Linker belongs to one
// shard of traces. Untrusted input: any bytes give either a batch or an Error whose message names
// the place ("resourceSpans[0].scopeSpans[2].spans[7].traceId: 15 bytes, want 16") and the remedy.
#pragma once

#include "base/result.h"
#include "domain/event_batch.h"

#include <cstddef>
#include <memory>

namespace tagout::intake {

enum class Encoding : std::uint8_t { Protobuf = 1, Json = 2 };

struct DecodeLimits {
    std::size_t attributes_max = 1024;           ///< Of one item; past it the item is rejected.
    std::size_t value_bytes_max = 32 * 1024;     ///< Of one text that an event keeps; longer is clipped.
    std::size_t depth_max = 64;                  ///< Of nested AnyValues and of JSON.
    std::size_t items_max = 100'000;             ///< Of one request.
};

/// Decodes one ExportTraceServiceRequest, ExportLogsServiceRequest or ExportMetricsServiceRequest.
/// JSON is first written as protobuf, so that evidence has one form. Items that break a limit or
/// have no valid ids are counted in `rejected` (OTLP partial success) and the others stand; bytes
/// that are no such message at all give InvalidArgument and nothing.
/// `events` come out normalised, ordered by ended_at, not yet linked.
[[nodiscard]] Result<std::shared_ptr<EventBatch>> decode(
    PaddedBytes bytes, Signal signal, Encoding encoding, const DecodeLimits& limits
);

/// Appends the events of one stored item (its resource, scope and body bytes, encoded as RawItem
/// says) to `batch`, for reading evidence back. The views must outlive the batch.
[[nodiscard]] Result<void> decode_item(const RawItem& item, const DecodeLimits& limits, EventBatch& batch);

/// What a batch holds: a file has whole traces, so a parent that is not in it never comes and its
/// children are roots; a live batch has pieces, and only a span without a parent is a root.
enum class BatchScope : std::uint8_t { Pieces = 0, WholeTraces = 1 };

struct LinkerOptions {
    std::size_t traces_max = 100'000;        ///< Least recently seen are forgotten past this.
    std::size_t spans_per_trace_max = 4'096; ///< Past it, relations within that trace are not looked up.
    std::size_t spans_max = 1'000'000;       ///< Of all traces together; then traces are forgotten.
    std::size_t records_max = 65'536;        ///< Log records remembered to know them if sent again.
    BatchScope batches = BatchScope::Pieces;
};

struct LinkerStats {
    std::uint64_t traces = 0;
    std::uint64_t traces_forgotten = 0;
    std::uint64_t duplicates = 0;       ///< Items sent again (same ids and end): marked Drop.
    std::uint64_t spans = 0;            ///< Remembered now.
    std::uint64_t spans_unrelated = 0;  ///< Past spans_per_trace_max: linked to nothing.
};

/// Confined to its shard's thread. Fills in what one span cannot tell alone: correlation, root,
/// wrapper, merged, absorbed, token accounting of repeats, workflow promotion of roots, outcome where
/// a child decides it (reference/telemetry 5.1 post-passes, 5.3, 5.4). Children normally come first;
/// whatever order they come in, each token is counted once. Cost: O(1) a span, two hash look-ups.
class Linker {
public:
    explicit Linker(const LinkerOptions& options);
    ~Linker();
    Linker(Linker&&) noexcept;
    Linker& operator=(Linker&&) noexcept;

    void link(EventBatch& batch);
    [[nodiscard]] LinkerStats stats() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tagout::intake
