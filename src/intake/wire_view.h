// Zero-copy views of one OTLP item: what the wire reader hands to the normaliser.
//
// Every view points into the request's bytes and is valid as long as the EventBatch; the spans of
// attributes, events and links only until the reader goes on to the next item. Texts are as the
// sender wrote them: they may be invalid UTF-8 and longer than the limits; decode() repairs and
// clips what an AgentEvent keeps. Keys may repeat: OTLP asks senders not to, nobody stops them.
//
// The reader has walked every nested value before it hands out a view, so the cursors below cannot
// fail; they stop at the end. Lists nest at most DecodeLimits::depth_max deep.
// Field numbers and meanings: reference/telemetry 3.2 (opentelemetry-proto ac2c4b5).
#pragma once

#include "base/assert.h"
#include "domain/agent_event.h"
#include "intake/keys.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace tagout::intake {

enum class ValueType : std::uint8_t {
    Empty = 0,  ///< An AnyValue without a value: null.
    Text = 1,
    Bool = 2,
    Int = 3,
    Double = 4,
    Array = 5,
    KvList = 6,
    Bytes = 7,
};

/// One OTLP AnyValue. Accessors of another type than type() are mistakes of ours.
class AnyValue {
public:
    constexpr AnyValue() noexcept : bits_{.integer = 0} {}
    static AnyValue text(std::string_view text) noexcept { return {ValueType::Text, text}; }
    static AnyValue bytes(std::string_view bytes) noexcept { return {ValueType::Bytes, bytes}; }
    /// `encoded` is the body of an ArrayValue, already walked.
    static AnyValue array(std::string_view encoded) noexcept { return {ValueType::Array, encoded}; }
    /// `encoded` is the body of a KeyValueList, already walked.
    static AnyValue kvlist(std::string_view encoded) noexcept {
        return {ValueType::KvList, encoded};
    }
    static AnyValue boolean(bool value) noexcept {
        AnyValue made(ValueType::Bool);
        made.bits_.boolean = value;
        return made;
    }
    static AnyValue integer(std::int64_t value) noexcept {
        AnyValue made(ValueType::Int);
        made.bits_.integer = value;
        return made;
    }
    static AnyValue number(double value) noexcept {
        AnyValue made(ValueType::Double);
        made.bits_.number = value;
        return made;
    }

    [[nodiscard]] ValueType type() const noexcept { return type_; }
    [[nodiscard]] bool empty() const noexcept { return type_ == ValueType::Empty; }
    [[nodiscard]] bool is_text() const noexcept { return type_ == ValueType::Text; }

    /// The text, or "" of any other type: most readers want just that.
    [[nodiscard]] std::string_view text() const noexcept {
        return is_text() ? view() : std::string_view{};
    }
    /// Of Bytes the bytes, of Array and KvList the encoded body.
    [[nodiscard]] std::string_view encoded() const noexcept {
        TAGOUT_ASSERT(type_ >= ValueType::Array, "asked of bytes, arrays and lists only");
        return view();
    }
    [[nodiscard]] bool boolean() const noexcept {
        TAGOUT_ASSERT(type_ == ValueType::Bool, "asked after type() said so");
        return bits_.boolean;
    }
    [[nodiscard]] std::int64_t integer() const noexcept {
        TAGOUT_ASSERT(type_ == ValueType::Int, "asked after type() said so");
        return bits_.integer;
    }
    [[nodiscard]] double number() const noexcept {
        TAGOUT_ASSERT(type_ == ValueType::Double, "asked after type() said so");
        return bits_.number;
    }

private:
    constexpr explicit AnyValue(ValueType type) noexcept : bits_{.integer = 0}, type_(type) {}
    AnyValue(ValueType type, std::string_view view) noexcept
        : bits_{.data = view.data()}, size_(static_cast<std::uint32_t>(view.size())), type_(type) {}
    [[nodiscard]] std::string_view view() const noexcept { return {bits_.data, size_}; }

    union {
        const char* data;
        std::int64_t integer;
        double number;
        bool boolean;
    } bits_;
    std::uint32_t size_ = 0;  ///< A request is smaller than 2 GiB: the reader refuses larger ones.
    ValueType type_ = ValueType::Empty;
};
static_assert(sizeof(AnyValue) == 16);

struct Attribute {
    std::string_view key;
    AnyValue value;
    KeyId key_id = KeyId::Unknown;  ///< Of `key`; entries of nested lists have it too.
};

/// Walks the values of an Array.
class ArrayCursor {
public:
    explicit ArrayCursor(const AnyValue& array) noexcept : rest_(array.encoded()) {
        TAGOUT_ASSERT(array.type() == ValueType::Array, "asked after type() said so");
    }
    /// False at the end.
    [[nodiscard]] bool next(AnyValue& value) noexcept;

private:
    std::string_view rest_;
};

/// Walks the entries of a KvList.
class KvCursor {
public:
    explicit KvCursor(const AnyValue& list) noexcept : rest_(list.encoded()) {
        TAGOUT_ASSERT(list.type() == ValueType::KvList, "asked after type() said so");
    }
    /// False at the end.
    [[nodiscard]] bool next(Attribute& entry) noexcept;

private:
    std::string_view rest_;
};

/// A span event: something that happened during the span.
struct EventView {
    std::uint64_t unix_nanos = 0;
    std::string_view name;
    std::span<const Attribute> attributes;
};

struct LinkView {
    TraceId trace_id;  ///< Zero if the sender's was no valid id; so the next.
    SpanId span_id;
    std::string_view trace_state;
    std::span<const Attribute> attributes;
};

/// Span.SpanKind, by its wire numbers.
enum class SpanKind : std::uint8_t {
    Unspecified = 0,
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
};

struct SpanView {
    TraceId trace_id;
    SpanId span_id;
    SpanId parent_span_id;  ///< Zero for a root.
    std::string_view name;
    std::string_view trace_state;
    SpanKind kind = SpanKind::Unspecified;  ///< Numbers that OTLP does not define arrive as this.
    SpanStatus status = SpanStatus::Unset;  ///< Likewise. As sent, not derived.
    std::string_view status_message;
    std::uint64_t start_unix_nanos = 0;  ///< At most the largest Instant; so is the end.
    std::uint64_t end_unix_nanos = 0;    ///< 0 if the sender left it out.
    std::uint32_t flags = 0;
    std::uint32_t dropped_attributes = 0;
    std::span<const Attribute> attributes;
    std::span<const EventView> events;
    std::span<const LinkView> links;
};

struct LogView {
    TraceId trace_id;  ///< Zero if none, or if the sender's was no valid id (as OTLP asks); so the next.
    SpanId span_id;
    std::uint64_t unix_nanos = 0;           ///< When it happened; 0 if unknown.
    std::uint64_t observed_unix_nanos = 0;  ///< When the collector saw it.
    std::int32_t severity_number = 0;
    std::string_view severity_text;
    AnyValue body;
    std::string_view event_name;
    std::uint32_t flags = 0;
    std::uint32_t dropped_attributes = 0;
    std::span<const Attribute> attributes;
};

struct ScopeView {
    std::string_view name;
    std::string_view version;
    std::span<const Attribute> attributes;
};

struct ResourceView {
    std::span<const Attribute> attributes;
};

}  // namespace tagout::intake
