// The wire reader: the body of one Span, LogRecord, Metric, Resource or InstrumentationScope
// becomes a view (wire_view.h).
//
// Thread-compatible; one per request, or one a thread kept for many: the scratch that views point
// into is reused, so nothing is allocated per item. Every nested value is walked and bounds-checked
// here, so cursors over them cannot fail.
//
// Three answers: the item is Read; it is Refused, breaking a limit or a rule of OTLP, with the
// reason, and its request stands; or it is Broken, no protobuf message, and so is its request.
// What libprotobuf accepts and we refuse item by item: a value set twice in one AnyValue or KeyValue
// (it merges them; no encoder writes that), lists nested deeper than the limit, more attributes than
// the limit, ids of the wrong length, times after the year 2262. What it refuses and we do not:
// texts that are no UTF-8, which it makes the end of the whole request; decode() repairs those kept.
#pragma once

#include "intake/intake.h"
#include "intake/key_memory.h"
#include "intake/wire.h"
#include "intake/wire_view.h"

#include <string>
#include <vector>

namespace tagout::intake {

/// Why one item is refused: "spanId" and "7 bytes, want 8".
struct Refusal {
    std::string_view field;
    std::string reason;
};

/// A metric is stored, its points are counted; nothing else is read of it.
struct MetricView {
    std::string_view name;
    std::uint64_t points = 0;
    std::uint64_t newest_unix_nanos = 0;  ///< Of its points.
};

class ItemReader {
public:
    enum class Outcome : std::uint8_t { Read, Refused, Broken };

    /// Begins a request: forgets the fault of the last one.
    void start(const DecodeLimits& limits) {
        limits_ = limits;
        fault_ = {};
    }

    [[nodiscard]] Outcome read_span(std::string_view body, SpanView& view);
    [[nodiscard]] Outcome read_log(std::string_view body, LogView& view);
    [[nodiscard]] Outcome read_metric(std::string_view body, MetricView& view);
    /// Attributes are appended to `attributes`, which may move: the caller makes the view.
    [[nodiscard]] Outcome read_resource(
        std::string_view body, std::vector<Attribute>& attributes
    );
    [[nodiscard]] Outcome read_scope(
        std::string_view body, ScopeView& view, std::vector<Attribute>& attributes
    );

    [[nodiscard]] const Refusal& refusal() const noexcept { return refusal_; }
    /// Of the whole request: its outline is walked with the same one.
    [[nodiscard]] wire::Fault& fault() noexcept { return fault_; }

private:
    enum class Flaw : std::uint8_t { None, ValueTwice, TooDeep, TooManyAttributes };
    /// Which of nested_ belong to one event or link.
    struct Extent {
        std::size_t first = 0;
        std::size_t count = 0;
    };

    void begin() noexcept;
    [[nodiscard]] Outcome finish();
    [[nodiscard]] Outcome refuse(std::string_view field, std::string reason);

    void make_room(std::string_view body);
    bool walk_span(std::string_view body, SpanView& view);
    const char* read_attributes(const char* at, const char* end) noexcept;
    bool add_attribute(std::string_view body);
    bool add_attribute(std::string_view body, std::vector<Attribute>& into);
    bool read_key_value(std::string_view body, Attribute& attribute);
    bool walk_values(const AnyValue& value, int depth);
    bool walk_every_value(std::string_view body, std::uint32_t number, int depth);
    bool apply_span_field(const wire::Field& field, SpanView& view);
    bool apply_log_field(const wire::Field& field, LogView& view);
    bool read_status(std::string_view body, SpanView& view);
    bool read_event(std::string_view body);
    bool read_link(std::string_view body);
    void attach_nested(SpanView& view);
    bool read_data(std::string_view body, std::uint32_t kind, MetricView& view);
    bool read_point(std::string_view body, std::uint32_t kind, MetricView& view);
    bool read_exemplar(std::string_view body);

    DecodeLimits limits_;
    wire::Fault fault_;
    Refusal refusal_;
    Flaw flaw_ = Flaw::None;
    std::size_t attributes_left_ = 0;  ///< That may still be put into a list.
    bool body_set_ = false;
    std::string_view trace_id_;
    std::string_view span_id_;
    std::string_view parent_id_;

    KeyMemory keys_;
    std::vector<Attribute> attributes_;  ///< Room for the item's own, not its count of them.
    std::size_t attributes_count_ = 0;
    std::vector<Attribute> nested_;      ///< Of its events and links, one after the other.
    std::vector<EventView> events_;
    std::vector<LinkView> links_;
    std::vector<Extent> event_extents_;
    std::vector<Extent> link_extents_;
};

/// The bytes of an id, or zeros if there are not as many as it needs.
template <class Id>
[[nodiscard]] Id id_of_bytes(std::string_view bytes) noexcept {
    Id id;
    if (bytes.size() == id.bytes.size()) {
        std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
    }
    return id;
}

}  // namespace tagout::intake
