// The metric half of ItemReader: everything is walked and checked, points are counted, none is kept.
// Numbers: reference/telemetry 3.2, opentelemetry/proto/metrics/v1.

#include "intake/wire_items.h"
#include "intake/wire_values.h"

#include <algorithm>

namespace tagout::intake {

using wire::Field;
using wire::Fields;
using wire::Fixed64;
using wire::Length;
using wire::tag;
using wire::Varint;

namespace {

/// Field numbers of Metric's oneof, which tell the kind of its data.
enum Kind : std::uint32_t { Gauge = 5, Sum = 7, Histogram = 9, Exponential = 10, Summary = 11 };

/// What the numbers inside a data point mean; 0: it has no such field.
struct PointNumbers {
    std::uint32_t attributes = 0;
    std::uint32_t exemplars = 0;
    std::uint32_t packed_fixed64[2] = {0, 0};
    std::uint32_t buckets[2] = {0, 0};
    std::uint32_t quantiles = 0;
};

PointNumbers numbers_of(std::uint32_t kind) noexcept {
    switch (kind) {
        case Histogram:
            return {.attributes = 9, .exemplars = 8, .packed_fixed64 = {6, 7}};
        case Exponential:
            return {.attributes = 1, .exemplars = 11, .buckets = {8, 9}};
        case Summary:
            return {.attributes = 7, .quantiles = 6};
        default:
            return {.attributes = 7, .exemplars = 5};
    }
}

bool walk_flat(std::string_view body, wire::Fault& fault) noexcept {
    Fields fields(body, fault);
    Field field;
    while (fields.next(field)) {
    }
    return fields.sound();
}

/// ExponentialHistogramDataPoint.Buckets{1 sint32 offset, 2 packed varints}.
bool walk_buckets(std::string_view body, wire::Fault& fault) noexcept {
    Fields fields(body, fault);
    Field field;
    while (fields.next(field)) {
        if (field.tag != tag(2, Length)) {
            continue;
        }
        const char* at = field.bytes.data();
        const char* const end = at + field.bytes.size();
        while (at < end) {
            std::uint64_t count = 0;
            const char* const behind = wire::read_varint(at, count);
            if (behind == nullptr || behind > end) {
                wire::fail_at(at, "bucket counts that are no varints", fault);
                return false;
            }
            at = behind;
        }
    }
    return fields.sound();
}

}  // namespace

ItemReader::Outcome ItemReader::read_metric(std::string_view body, MetricView& view) {
    begin();
    Fields fields(body, fault_);
    Field field;
    std::uint32_t kind = 0;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length)) {
            view.name = field.bytes;
            continue;
        }
        const std::uint32_t number = field.tag >> 3;
        if ((field.tag & 7) != Length) {
            continue;
        }
        if (number == 12) {  // metadata
            nested_.clear();
            if (!add_attribute(field.bytes, nested_)) {
                return Outcome::Broken;
            }
        } else if (number == Gauge || number == Sum || (number >= Histogram && number <= Summary)) {
            if (kind != number) {  // a oneof: the last kind is the metric's
                view.points = 0;
                kind = number;
            }
            if (!read_data(field.bytes, number, view)) {
                return Outcome::Broken;
            }
        }
    }
    return fields.sound() ? finish() : Outcome::Broken;
}

bool ItemReader::read_data(std::string_view body, std::uint32_t kind, MetricView& view) {
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length)) {
            ++view.points;
            if (!read_point(field.bytes, kind, view)) {
                return false;
            }
        }
    }
    return fields.sound();
}

bool ItemReader::read_point(std::string_view body, std::uint32_t kind, MetricView& view) {
    const PointNumbers numbers = numbers_of(kind);
    attributes_left_ = limits_.attributes_max;  // each point may have as many as a span
    nested_.clear();
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(3, Fixed64)) {
            view.newest_unix_nanos = std::max(view.newest_unix_nanos, field.number);
        }
        if ((field.tag & 7) != Length) {
            continue;
        }
        const std::uint32_t number = field.tag >> 3;
        bool sound = true;
        if (number == numbers.attributes) {
            sound = add_attribute(field.bytes, nested_);
        } else if (number == numbers.exemplars) {
            sound = read_exemplar(field.bytes);
        } else if (number == numbers.packed_fixed64[0] || number == numbers.packed_fixed64[1]) {
            sound = field.bytes.size() % 8 == 0;
            if (!sound) {
                wire::fail_at(field.bytes.data(), "packed numbers of a broken length", fault_);
            }
        } else if (number == numbers.buckets[0] || number == numbers.buckets[1]) {
            sound = walk_buckets(field.bytes, fault_);
        } else if (number == numbers.quantiles) {
            sound = walk_flat(field.bytes, fault_);
        }
        if (!sound) {
            return false;
        }
    }
    return fields.sound();
}

bool ItemReader::read_exemplar(std::string_view body) {
    Fields fields(body, fault_);
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(7, Length) && !add_attribute(field.bytes, nested_)) {
            return false;
        }
    }
    return fields.sound();
}

}  // namespace tagout::intake
