#include "intake/otlp_encoder.h"

#include <array>
#include <bit>

namespace tagout::otlp {

namespace {

enum class Wire : std::uint32_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// Appends one message's fields in order; a message within is another Writer's bytes.
class Writer {
public:
    void varint(std::uint32_t field, std::uint64_t value) {
        tag(field, Wire::Varint);
        raw_varint(value);
    }
    void fixed64(std::uint32_t field, std::uint64_t value) {
        tag(field, Wire::Fixed64);
        little_endian(value, 8);
    }
    void fixed32(std::uint32_t field, std::uint32_t value) {
        tag(field, Wire::Fixed32);
        little_endian(value, 4);
    }
    void bytes(std::uint32_t field, std::string_view value) {
        tag(field, Wire::Bytes);
        raw_varint(value.size());
        out_.append(value);
    }
    void text(std::uint32_t field, std::string_view value) {
        if (!value.empty()) {
            bytes(field, value);
        }
    }
    template <std::size_t N>
    void id(std::uint32_t field, const std::array<std::uint8_t, N>& value) {
        bytes(field, {reinterpret_cast<const char*>(value.data()), N});
    }
    [[nodiscard]] const std::string& done() const noexcept { return out_; }

private:
    void tag(std::uint32_t field, Wire wire) {
        raw_varint((field << 3) | static_cast<std::uint32_t>(wire));
    }
    void raw_varint(std::uint64_t value) {
        while (value >= 0x80) {
            out_.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        out_.push_back(static_cast<char>(value));
    }
    void little_endian(std::uint64_t value, int count) {
        for (int i = 0; i < count; ++i) {
            out_.push_back(static_cast<char>(value >> (8 * i)));
        }
    }

    std::string out_;
};

// AnyValue: 1 string, 2 bool, 3 int64, 4 double, 5 ArrayValue{1 repeated AnyValue}.
struct AnyValue {
    std::string operator()(const std::string& value) const {
        Writer out;
        out.bytes(1, value);
        return out.done();
    }
    std::string operator()(bool value) const {
        Writer out;
        out.varint(2, value ? 1 : 0);
        return out.done();
    }
    std::string operator()(std::int64_t value) const {
        Writer out;
        out.varint(3, static_cast<std::uint64_t>(value));
        return out.done();
    }
    std::string operator()(double value) const {
        Writer out;
        out.fixed64(4, std::bit_cast<std::uint64_t>(value));
        return out.done();
    }
    std::string operator()(const std::vector<std::string>& values) const {
        Writer list;
        for (const std::string& value : values) {
            list.bytes(1, (*this)(value));
        }
        Writer out;
        out.bytes(5, list.done());
        return out.done();
    }
};

void write_attributes(Writer& out, std::uint32_t field, const Attributes& attributes) {
    for (const Attribute& attribute : attributes) {
        Writer pair;
        pair.bytes(1, attribute.key);
        pair.bytes(2, std::visit(AnyValue{}, attribute.value));
        out.bytes(field, pair.done());
    }
}

std::uint64_t nanos(Instant at) { return static_cast<std::uint64_t>(unix_nanos(at)); }

std::string encode(const SpanRecord& span) {
    Writer out;
    out.id(1, span.trace_id.bytes);
    out.id(2, span.span_id.bytes);
    if (!span.parent_span_id.empty()) {
        out.id(4, span.parent_span_id.bytes);
    }
    out.text(5, span.name);
    out.varint(6, static_cast<std::uint64_t>(span.kind));
    out.fixed64(7, nanos(span.started_at));
    out.fixed64(8, nanos(span.ended_at));
    write_attributes(out, 9, span.attributes);
    if (span.status != SpanStatus::Unset) {
        Writer status;
        status.text(2, span.status_message);
        status.varint(3, static_cast<std::uint64_t>(span.status));
        out.bytes(15, status.done());
    }
    constexpr std::uint32_t sampled_with_local_parent = 0x101;
    out.fixed32(16, sampled_with_local_parent);
    return out.done();
}

std::string encode(const LogEvent& event) {
    Writer out;
    out.fixed64(1, nanos(event.at));
    out.varint(2, static_cast<std::uint64_t>(event.severity_number));
    write_attributes(out, 6, event.attributes);
    out.id(9, event.trace_id.bytes);
    out.id(10, event.span_id.bytes);
    out.fixed64(11, nanos(event.at));
    out.text(12, event.event_name);
    return out.done();
}

/// Resource and scope around the items; spans and logs have the same frame.
template <class Item>
std::string encode_request(const Reporter& from, std::span<const Item> items) {
    Writer resource;
    write_attributes(resource, 1, from.resource);
    Writer scope;
    scope.text(1, from.scope);
    scope.text(2, from.scope_version);
    Writer in_scope;
    in_scope.bytes(1, scope.done());
    for (const Item& item : items) {
        in_scope.bytes(2, encode(item));
    }
    Writer in_resource;
    in_resource.bytes(1, resource.done());
    in_resource.bytes(2, in_scope.done());
    Writer request;
    request.bytes(1, in_resource.done());
    return request.done();
}

}  // namespace

std::string encode_spans(const Reporter& from, std::span<const SpanRecord> spans) {
    return encode_request(from, spans);
}

std::string encode_logs(const Reporter& from, std::span<const LogEvent> events) {
    return encode_request(from, events);
}

}  // namespace tagout::otlp
