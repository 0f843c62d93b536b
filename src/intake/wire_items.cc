#include "intake/wire_items.h"

#include "intake/wire_values.h"

#include <algorithm>
#include <limits>

namespace tagout::intake {

using wire::Field;
using wire::Fields;
using wire::Fixed32;
using wire::Fixed64;
using wire::Length;
using wire::tag;
using wire::Varint;

namespace {

constexpr std::uint64_t unix_nanos_max = std::numeric_limits<std::int64_t>::max();

/// Open enums of proto3: the low 32 bits, and a number of ours only if OTLP defines it.
template <class Enum>
Enum enum_of(std::uint64_t number, Enum largest) noexcept {
    const auto low = static_cast<std::uint32_t>(number);
    return low <= static_cast<std::uint32_t>(largest) ? static_cast<Enum>(low) : Enum{};
}

std::string wrong_length(std::string_view bytes, std::size_t want, std::string_view what_else) {
    return std::to_string(bytes.size()) + " bytes, want " + std::to_string(want) +
           std::string(what_else);
}

}  // namespace

void ItemReader::begin() noexcept {
    flaw_ = Flaw::None;
    attributes_left_ = limits_.attributes_max;
    body_set_ = false;
    trace_id_ = span_id_ = parent_id_ = {};
    attributes_count_ = 0;
    nested_.clear();
    events_.clear();
    links_.clear();
    event_extents_.clear();
    link_extents_.clear();
}

ItemReader::Outcome ItemReader::refuse(std::string_view field, std::string reason) {
    refusal_ = {field, std::move(reason)};
    return Outcome::Refused;
}

/// What a whole item's walk came to, before its own rules are looked at.
ItemReader::Outcome ItemReader::finish() {
    switch (flaw_) {
        case Flaw::None:
            return Outcome::Read;
        case Flaw::ValueTwice:
            return refuse("attributes", "a value is set twice; send each value once");
        case Flaw::TooDeep:
            return refuse(
                "attributes", "values nested deeper than " + std::to_string(limits_.depth_max) +
                                  "; send them flatter or as JSON text"
            );
        case Flaw::TooManyAttributes:
            return refuse(
                "attributes", "more than " + std::to_string(limits_.attributes_max) +
                                  "; send fewer or raise the limit"
            );
    }
    TAGOUT_ASSERT(false, "every flaw is in the switch");
    return Outcome::Read;
}

// ---- attributes

/// The shortest attribute takes two bytes: an item never needs more slots than this makes.
void ItemReader::make_room(std::string_view body) {
    const std::size_t needed = std::min(limits_.attributes_max, body.size() / 2);
    if (attributes_.size() < needed) [[unlikely]] {
        attributes_.resize(needed);
    }
}

/// Any attribute, from its length on, for the item's own list.
bool ItemReader::add_attribute(std::string_view body) {
    Attribute entry;
    if (!read_key_value(body, entry)) {
        return false;
    }
    if (attributes_count_ == limits_.attributes_max) {
        flaw_ = Flaw::TooManyAttributes;
        return true;
    }
    attributes_[attributes_count_++] = entry;
    return true;
}

/// Likewise for a list of an event, a link, a resource.
bool ItemReader::add_attribute(std::string_view body, std::vector<Attribute>& into) {
    Attribute entry;
    if (!read_key_value(body, entry)) {
        return false;
    }
    if (attributes_left_ == 0) {
        flaw_ = Flaw::TooManyAttributes;
        return true;
    }
    --attributes_left_;
    into.push_back(entry);
    return true;
}

bool ItemReader::read_key_value(std::string_view body, Attribute& entry) {
    bool twice = false;
    if (!wire::parse_key_value(body, entry, twice, fault_)) {
        return false;
    }
    if (twice) {
        flaw_ = Flaw::ValueTwice;
        return walk_every_value(body, 2, 1);
    }
    return walk_values(entry.value, 1);
}

/// Of a body in which values are set more than once: also those that the last one hides. `number`:
/// of the field that holds an AnyValue, 0 if the body is one itself.
bool ItemReader::walk_every_value(std::string_view body, std::uint32_t number, int depth) {
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        bool sound = true;
        if (number != 0) {
            sound = field.tag != tag(number, Length) || walk_every_value(field.bytes, 0, depth);
        } else if (field.tag == tag(5, Length)) {
            sound = walk_values(AnyValue::array(field.bytes), depth);
        } else if (field.tag == tag(6, Length)) {
            sound = walk_values(AnyValue::kvlist(field.bytes), depth);
        }
        if (!sound) {
            return false;
        }
    }
    return fields.sound();
}

/// Everything inside a list, so that the cursors need no checks. `depth` counts from 1.
bool ItemReader::walk_values(const AnyValue& value, int depth) {
    if (value.type() != ValueType::Array && value.type() != ValueType::KvList) {
        return true;
    }
    if (static_cast<std::size_t>(depth) > limits_.depth_max) {
        flaw_ = Flaw::TooDeep;
        return true;
    }
    const bool array = value.type() == ValueType::Array;
    Fields fields(value.encoded(), fault_);
    Field field;
    while (fields.next(field)) {
        if (field.tag != tag(1, Length)) {
            continue;
        }
        Attribute element;
        bool twice = false;
        bool sound = array ? wire::parse_any_value(field.bytes, element.value, twice, fault_)
                           : wire::parse_key_value(field.bytes, element, twice, fault_);
        if (twice) {
            flaw_ = Flaw::ValueTwice;
            sound = sound && walk_every_value(field.bytes, array ? 0 : 2, depth + 1);
        } else {
            sound = sound && walk_values(element.value, depth + 1);
        }
        if (!sound) {
            return false;
        }
    }
    return fields.sound();
}

// ---- spans

ItemReader::Outcome ItemReader::read_span(std::string_view body, SpanView& view) {
    begin();
    make_room(body);
    if (!walk_span(body, view)) [[unlikely]] {
        return Outcome::Broken;
    }
    if (attributes_count_ + nested_.size() > limits_.attributes_max) [[unlikely]] {
        flaw_ = Flaw::TooManyAttributes;
    }
    if (flaw_ != Flaw::None) [[unlikely]] {
        return finish();
    }
    if (trace_id_.size() != sizeof view.trace_id) [[unlikely]] {
        return refuse("traceId", wrong_length(trace_id_, sizeof view.trace_id, ""));
    }
    if (span_id_.size() != sizeof view.span_id) [[unlikely]] {
        return refuse("spanId", wrong_length(span_id_, sizeof view.span_id, ""));
    }
    if (!parent_id_.empty() && parent_id_.size() != sizeof view.span_id) [[unlikely]] {
        return refuse(
            "parentSpanId", wrong_length(parent_id_, sizeof view.span_id, " or none for a root")
        );
    }
    view.trace_id = id_of_bytes<TraceId>(trace_id_);
    view.span_id = id_of_bytes<SpanId>(span_id_);
    view.parent_span_id = id_of_bytes<SpanId>(parent_id_);
    if (view.trace_id.empty()) [[unlikely]] {
        return refuse("traceId", "all zeros, want an id");
    }
    if (view.span_id.empty()) [[unlikely]] {
        return refuse("spanId", "all zeros, want an id");
    }
    if (view.start_unix_nanos > unix_nanos_max || view.end_unix_nanos > unix_nanos_max)
        [[unlikely]] {
        const bool start = view.start_unix_nanos > unix_nanos_max;
        return refuse(
            start ? "startTimeUnixNano" : "endTimeUnixNano", "after the year 2262, want nanoseconds"
        );
    }
    view.attributes = {attributes_.data(), attributes_count_};
    if (!events_.empty() || !links_.empty()) [[unlikely]] {
        attach_nested(view);
    }
    return Outcome::Read;
}

/// The fields in the form that encoders write them are read here, all others by apply_span_field.
bool ItemReader::walk_span(std::string_view body, SpanView& view) {
    const char* at = body.data();
    const char* const end = at + body.size();
    keys_.begin_item();
    while (at < end) {
        const std::ptrdiff_t left = end - at;
        switch (wire::byte_at(at)) {
            case tag(9, Length):
                at = read_attributes(at, end);
                if (at == end) {
                    return true;
                }
                break;
            case tag(1, Length):
                if (at[1] == 16 && left >= 18) [[likely]] {
                    trace_id_ = {at + 2, 16};
                    at += 18;
                    continue;
                }
                break;
            case tag(2, Length):
                if (at[1] == 8 && left >= 10) [[likely]] {
                    span_id_ = {at + 2, 8};
                    at += 10;
                    continue;
                }
                break;
            case tag(4, Length):
                if (at[1] == 8 && left >= 10) [[likely]] {
                    parent_id_ = {at + 2, 8};
                    at += 10;
                    continue;
                }
                break;
            case tag(7, Fixed64):
                if (left >= 9) [[likely]] {
                    view.start_unix_nanos = wire::load<std::uint64_t>(at + 1);
                    at += 9;
                    continue;
                }
                break;
            case tag(8, Fixed64):
                if (left >= 9) [[likely]] {
                    view.end_unix_nanos = wire::load<std::uint64_t>(at + 1);
                    at += 9;
                    continue;
                }
                break;
            default:
                break;
        }
        Field field;
        at = wire::read_field(at, end, field, fault_);
        if (at == nullptr || !apply_span_field(field, view)) [[unlikely]] {
            return false;
        }
    }
    return true;
}

/// As many plain attributes as stand here one after the other; behind the last of them.
const char* ItemReader::read_attributes(const char* at, const char* end) noexcept {
    Attribute* slot = attributes_.data() + attributes_count_;
    const Attribute* const slots_end =
        attributes_.data() + std::min(attributes_.size(), limits_.attributes_max);
    while (at < end && wire::byte_at(at) == tag(9, Length) && slot < slots_end) {
        const char* const behind = wire::read_plain_key_value(at + 1, end, *slot);
        if (behind == nullptr) [[unlikely]] {
            break;
        }
        slot->key_id = keys_.id_of(slot->key);
        ++slot;
        at = behind;
    }
    attributes_count_ = static_cast<std::size_t>(slot - attributes_.data());
    return at;
}

bool ItemReader::apply_span_field(const Field& field, SpanView& view) {
    switch (field.tag) {
        case tag(1, Length):
            trace_id_ = field.bytes;
            return true;
        case tag(2, Length):
            span_id_ = field.bytes;
            return true;
        case tag(3, Length):
            view.trace_state = field.bytes;
            return true;
        case tag(4, Length):
            parent_id_ = field.bytes;
            return true;
        case tag(5, Length):
            view.name = field.bytes;
            return true;
        case tag(6, Varint):
            view.kind = enum_of(field.number, SpanKind::Consumer);
            return true;
        case tag(7, Fixed64):
            view.start_unix_nanos = field.number;
            return true;
        case tag(8, Fixed64):
            view.end_unix_nanos = field.number;
            return true;
        case tag(9, Length):
            return add_attribute(field.bytes);
        case tag(10, Varint):
            view.dropped_attributes = static_cast<std::uint32_t>(field.number);
            return true;
        case tag(11, Length):
            return read_event(field.bytes);
        case tag(13, Length):
            return read_link(field.bytes);
        case tag(15, Length):
            return read_status(field.bytes, view);
        case tag(16, Fixed32):
            view.flags = static_cast<std::uint32_t>(field.number);
            return true;
        default:
            return true;
    }
}

bool ItemReader::read_status(std::string_view body, SpanView& view) {
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(2, Length)) {
            view.status_message = field.bytes;
        } else if (field.tag == tag(3, Varint)) {
            view.status = enum_of(field.number, SpanStatus::Error);
        }
    }
    return fields.sound();
}

bool ItemReader::read_event(std::string_view body) {
    EventView& event = events_.emplace_back();
    const std::size_t first = nested_.size();
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(1, Fixed64)) {
            event.unix_nanos = field.number;
        } else if (field.tag == tag(2, Length)) {
            event.name = field.bytes;
        } else if (field.tag == tag(3, Length) && !add_attribute(field.bytes, nested_)) {
            return false;
        }
    }
    event_extents_.push_back({first, nested_.size() - first});
    return fields.sound();
}

bool ItemReader::read_link(std::string_view body) {
    LinkView& link = links_.emplace_back();
    const std::size_t first = nested_.size();
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length)) {
            link.trace_id = id_of_bytes<TraceId>(field.bytes);
        } else if (field.tag == tag(2, Length)) {
            link.span_id = id_of_bytes<SpanId>(field.bytes);
        } else if (field.tag == tag(3, Length)) {
            link.trace_state = field.bytes;
        } else if (field.tag == tag(4, Length) && !add_attribute(field.bytes, nested_)) {
            return false;
        }
    }
    link_extents_.push_back({first, nested_.size() - first});
    return fields.sound();
}

/// nested_ no longer moves: now the views may point into it.
void ItemReader::attach_nested(SpanView& view) {
    const std::span<const Attribute> nested(nested_);
    for (std::size_t index = 0; index < events_.size(); ++index) {
        const Extent& extent = event_extents_[index];
        events_[index].attributes = nested.subspan(extent.first, extent.count);
    }
    for (std::size_t index = 0; index < links_.size(); ++index) {
        const Extent& extent = link_extents_[index];
        links_[index].attributes = nested.subspan(extent.first, extent.count);
    }
    view.events = events_;
    view.links = links_;
}

// ---- log records

ItemReader::Outcome ItemReader::read_log(std::string_view body, LogView& view) {
    begin();
    make_room(body);
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        if (!apply_log_field(field, view)) {
            return Outcome::Broken;
        }
    }
    if (!fields.sound()) {
        return Outcome::Broken;
    }
    if (flaw_ != Flaw::None) {
        return finish();
    }
    if (view.unix_nanos > unix_nanos_max || view.observed_unix_nanos > unix_nanos_max) {
        const bool time = view.unix_nanos > unix_nanos_max;
        return refuse(
            time ? "timeUnixNano" : "observedTimeUnixNano", "after the year 2262, want nanoseconds"
        );
    }
    view.trace_id = id_of_bytes<TraceId>(trace_id_);
    view.span_id = id_of_bytes<SpanId>(span_id_);
    view.attributes = {attributes_.data(), attributes_count_};
    return Outcome::Read;
}

bool ItemReader::apply_log_field(const Field& field, LogView& view) {
    switch (field.tag) {
        case tag(1, Fixed64):
            view.unix_nanos = field.number;
            return true;
        case tag(2, Varint):
            view.severity_number = static_cast<std::int32_t>(field.number);
            return true;
        case tag(3, Length):
            view.severity_text = field.bytes;
            return true;
        case tag(5, Length): {
            bool twice = body_set_;
            body_set_ = true;
            view.body = {};
            if (!wire::parse_any_value(field.bytes, view.body, twice, fault_)) {
                return false;
            }
            if (twice) {
                flaw_ = Flaw::ValueTwice;
                return walk_every_value(field.bytes, 0, 1);
            }
            return walk_values(view.body, 1);
        }
        case tag(6, Length):
            return add_attribute(field.bytes);
        case tag(7, Varint):
            view.dropped_attributes = static_cast<std::uint32_t>(field.number);
            return true;
        case tag(8, Fixed32):
            view.flags = static_cast<std::uint32_t>(field.number);
            return true;
        case tag(9, Length):
            trace_id_ = field.bytes;
            return true;
        case tag(10, Length):
            span_id_ = field.bytes;
            return true;
        case tag(11, Fixed64):
            view.observed_unix_nanos = field.number;
            return true;
        case tag(12, Length):
            view.event_name = field.bytes;
            return true;
        default:
            return true;
    }
}

// ---- resource and scope

ItemReader::Outcome ItemReader::read_resource(
    std::string_view body, std::vector<Attribute>& attributes
) {
    begin();
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length) && !add_attribute(field.bytes, attributes)) {
            return Outcome::Broken;
        }
    }
    return fields.sound() ? finish() : Outcome::Broken;
}

ItemReader::Outcome ItemReader::read_scope(
    std::string_view body, ScopeView& view, std::vector<Attribute>& attributes
) {
    begin();
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length)) {
            view.name = field.bytes;
        } else if (field.tag == tag(2, Length)) {
            view.version = field.bytes;
        } else if (field.tag == tag(3, Length) && !add_attribute(field.bytes, attributes)) {
            return Outcome::Broken;
        }
    }
    return fields.sound() ? finish() : Outcome::Broken;
}

}  // namespace tagout::intake
