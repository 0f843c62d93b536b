// Holds the wire reader against libprotobuf: for tests, fuzzers and benchmarks only.
//
// disagreement() decodes the same bytes both ways and tells the first difference in what is accepted
// or in its content, field by field. The differences that are meant (wire_items.h) are taken out:
// the oracle's strings are bytes, so it has no rule about UTF-8; limits are set out of reach; a
// request in which a value is set twice is compared in the form that libprotobuf writes it in.
#pragma once

#include "intake/intake.h"
#include "intake/wire_items.h"

#include "otlp_bytes.pb.h"

#include <google/protobuf/io/coded_stream.h>

#include <bit>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::intake::oracle {

namespace pb = tagout::otlp_bytes;

/// Nesting beyond which neither side is asked; libprotobuf's own default is 100.
inline constexpr int depth_max = 2'000;

inline DecodeLimits far_limits() {
    return {
        .attributes_max = 1'000'000,
        .value_bytes_max = 1 << 30,
        .depth_max = depth_max,
        .items_max = 1'000'000,
    };
}

template <class Request>
bool parse(std::string_view bytes, Request& request) {
    google::protobuf::io::CodedInputStream stream(
        reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size())
    );
    stream.SetRecursionLimit(4 * depth_max);
    return request.MergeFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

template <class Attributes>
bool same_attributes(std::span<const Attribute> ours, const Attributes& theirs);

inline bool same_value(const AnyValue& ours, const pb::AnyValue& theirs) {
    switch (theirs.value_case()) {
        case pb::AnyValue::VALUE_NOT_SET:
            return ours.empty();
        case pb::AnyValue::kStringValue:
            return ours.is_text() && ours.text() == theirs.string_value();
        case pb::AnyValue::kBoolValue:
            return ours.type() == ValueType::Bool && ours.boolean() == theirs.bool_value();
        case pb::AnyValue::kIntValue:
            return ours.type() == ValueType::Int && ours.integer() == theirs.int_value();
        case pb::AnyValue::kDoubleValue:
            return ours.type() == ValueType::Double &&
                   std::bit_cast<std::uint64_t>(ours.number()) ==
                       std::bit_cast<std::uint64_t>(theirs.double_value());
        case pb::AnyValue::kBytesValue:
            return ours.type() == ValueType::Bytes && ours.encoded() == theirs.bytes_value();
        case pb::AnyValue::kArrayValue: {
            if (ours.type() != ValueType::Array) {
                return false;
            }
            ArrayCursor cursor(ours);
            AnyValue element;
            for (const pb::AnyValue& want : theirs.array_value().values()) {
                if (!cursor.next(element) || !same_value(element, want)) {
                    return false;
                }
            }
            return !cursor.next(element);
        }
        case pb::AnyValue::kKvlistValue: {
            if (ours.type() != ValueType::KvList) {
                return false;
            }
            KvCursor cursor(ours);
            std::vector<Attribute> entries;
            for (Attribute entry; cursor.next(entry);) {
                entries.push_back(entry);
            }
            return same_attributes(entries, theirs.kvlist_value().values());
        }
    }
    return false;
}

template <class Attributes>
bool same_attributes(std::span<const Attribute> ours, const Attributes& theirs) {
    if (ours.size() != static_cast<std::size_t>(theirs.size())) {
        return false;
    }
    for (std::size_t index = 0; index < ours.size(); ++index) {
        const pb::KeyValue& want = theirs.Get(static_cast<int>(index));
        if (ours[index].key != want.key() || ours[index].key_id != key_id_of(want.key()) ||
            !same_value(ours[index].value, want.value())) {
            return false;
        }
    }
    return true;
}

template <class Id>
bool same_id(const Id& ours, const std::string& theirs) {
    return ours == id_of_bytes<Id>(theirs);
}

/// The name of the first field that differs, "" if none does.
inline std::string_view difference(const SpanView& ours, const pb::Span& theirs) {
    if (!same_id(ours.trace_id, theirs.trace_id())) return "trace_id";
    if (!same_id(ours.span_id, theirs.span_id())) return "span_id";
    if (!same_id(ours.parent_span_id, theirs.parent_span_id())) return "parent_span_id";
    if (ours.name != theirs.name()) return "name";
    if (ours.trace_state != theirs.trace_state()) return "trace_state";
    const bool known_kind = theirs.kind() >= 0 && theirs.kind() <= 5;
    if (static_cast<int>(ours.kind) != (known_kind ? theirs.kind() : 0)) return "kind";
    if (ours.start_unix_nanos != theirs.start_time_unix_nano()) return "start";
    if (ours.end_unix_nanos != theirs.end_time_unix_nano()) return "end";
    if (ours.flags != theirs.flags()) return "flags";
    if (ours.dropped_attributes != theirs.dropped_attributes_count()) return "dropped";
    const int code = theirs.status().code();
    if (static_cast<int>(ours.status) != (code >= 0 && code <= 2 ? code : 0)) return "status";
    if (ours.status_message != theirs.status().message()) return "status message";
    if (!same_attributes(ours.attributes, theirs.attributes())) return "attributes";
    if (ours.events.size() != static_cast<std::size_t>(theirs.events_size())) return "events";
    for (std::size_t index = 0; index < ours.events.size(); ++index) {
        const EventView& event = ours.events[index];
        const pb::Span::Event& want = theirs.events(static_cast<int>(index));
        if (event.unix_nanos != want.time_unix_nano() || event.name != want.name() ||
            !same_attributes(event.attributes, want.attributes())) {
            return "an event";
        }
    }
    if (ours.links.size() != static_cast<std::size_t>(theirs.links_size())) return "links";
    for (std::size_t index = 0; index < ours.links.size(); ++index) {
        const LinkView& link = ours.links[index];
        const pb::Span::Link& want = theirs.links(static_cast<int>(index));
        if (!same_id(link.trace_id, want.trace_id()) || !same_id(link.span_id, want.span_id()) ||
            link.trace_state != want.trace_state() ||
            !same_attributes(link.attributes, want.attributes())) {
            return "a link";
        }
    }
    return "";
}

inline std::string_view difference(const LogView& ours, const pb::LogRecord& theirs) {
    if (!same_id(ours.trace_id, theirs.trace_id())) return "trace_id";
    if (!same_id(ours.span_id, theirs.span_id())) return "span_id";
    if (ours.unix_nanos != theirs.time_unix_nano()) return "time";
    if (ours.observed_unix_nanos != theirs.observed_time_unix_nano()) return "observed";
    if (ours.severity_number != theirs.severity_number()) return "severity";
    if (ours.severity_text != theirs.severity_text()) return "severity text";
    if (!same_value(ours.body, theirs.body())) return "body";
    if (ours.event_name != theirs.event_name()) return "event name";
    if (ours.flags != theirs.flags()) return "flags";
    if (ours.dropped_attributes != theirs.dropped_attributes_count()) return "dropped";
    if (!same_attributes(ours.attributes, theirs.attributes())) return "attributes";
    return "";
}

inline std::uint64_t points_of(const pb::Metric& metric) {
    return static_cast<std::uint64_t>(
        metric.gauge().data_points_size() + metric.sum().data_points_size() +
        metric.histogram().data_points_size() +
        metric.exponential_histogram().data_points_size() + metric.summary().data_points_size()
    );
}

/// One item with what is around it, in libprotobuf's form.
template <class Item>
struct Theirs {
    const pb::Resource* resource;
    const pb::InstrumentationScope* scope;
    const Item* item;
};

// What differs between the signals: how the groups are called and what is refused by design.
struct Traces {
    using Request = pb::ExportTraceServiceRequest;
    using Item = pb::Span;
    static constexpr Signal signal = Signal::Traces;
    static const auto& groups(const Request& request) { return request.resource_spans(); }
    static const auto& scopes(const pb::ResourceSpans& group) { return group.scope_spans(); }
    static const auto& items(const pb::ScopeSpans& group) { return group.spans(); }
    static bool refused(const pb::Span& span) {
        constexpr std::uint64_t latest = std::numeric_limits<std::int64_t>::max();
        const bool parent_fits = span.parent_span_id().empty() || span.parent_span_id().size() == 8;
        return id_of_bytes<TraceId>(span.trace_id()).empty() || !parent_fits ||
               id_of_bytes<SpanId>(span.span_id()).empty() ||
               span.start_time_unix_nano() > latest || span.end_time_unix_nano() > latest;
    }
    static std::string_view difference_of(
        ItemReader& reader, std::string_view bytes, const pb::Span& want
    ) {
        SpanView view;
        return reader.read_span(bytes, view) == ItemReader::Outcome::Read ? difference(view, want)
                                                                          : "outcome";
    }
};

struct Logs {
    using Request = pb::ExportLogsServiceRequest;
    using Item = pb::LogRecord;
    static constexpr Signal signal = Signal::Logs;
    static const auto& groups(const Request& request) { return request.resource_logs(); }
    static const auto& scopes(const pb::ResourceLogs& group) { return group.scope_logs(); }
    static const auto& items(const pb::ScopeLogs& group) { return group.log_records(); }
    static bool refused(const pb::LogRecord& record) {
        constexpr std::uint64_t latest = std::numeric_limits<std::int64_t>::max();
        return record.time_unix_nano() > latest || record.observed_time_unix_nano() > latest;
    }
    static std::string_view difference_of(
        ItemReader& reader, std::string_view bytes, const pb::LogRecord& want
    ) {
        LogView view;
        return reader.read_log(bytes, view) == ItemReader::Outcome::Read ? difference(view, want)
                                                                         : "outcome";
    }
};

struct Metrics {
    using Request = pb::ExportMetricsServiceRequest;
    using Item = pb::Metric;
    static constexpr Signal signal = Signal::Metrics;
    static const auto& groups(const Request& request) { return request.resource_metrics(); }
    static const auto& scopes(const pb::ResourceMetrics& group) { return group.scope_metrics(); }
    static const auto& items(const pb::ScopeMetrics& group) { return group.metrics(); }
    static bool refused(const pb::Metric&) { return false; }
    static std::string_view difference_of(
        ItemReader& reader, std::string_view bytes, const pb::Metric& want
    ) {
        MetricView view;
        if (reader.read_metric(bytes, view) != ItemReader::Outcome::Read) return "outcome";
        if (view.name != want.name()) return "name";
        return view.points == points_of(want) ? "" : "points";
    }
};

template <class Of>
std::vector<Theirs<typename Of::Item>> flattened(const typename Of::Request& request) {
    std::vector<Theirs<typename Of::Item>> all;
    for (const auto& group : Of::groups(request)) {
        for (const auto& scope : Of::scopes(group)) {
            for (const auto& item : Of::items(scope)) {
                all.push_back({&group.resource(), &scope.scope(), &item});
            }
        }
    }
    return all;
}

/// What one item was read under, and itself.
template <class Of>
std::string item_difference(const RawItem& ours, const Theirs<typename Of::Item>& theirs) {
    thread_local ItemReader reader;
    reader.start(far_limits());
    std::vector<Attribute> attributes;
    if (reader.read_resource(ours.resource, attributes) != ItemReader::Outcome::Read ||
        !same_attributes(attributes, theirs.resource->attributes())) {
        return "resource";
    }
    attributes.clear();
    ScopeView scope;
    if (reader.read_scope(ours.scope, scope, attributes) != ItemReader::Outcome::Read ||
        scope.name != theirs.scope->name() || scope.version != theirs.scope->version() ||
        !same_attributes(attributes, theirs.scope->attributes())) {
        return "scope";
    }
    return std::string(Of::difference_of(reader, ours.bytes, *theirs.item));
}

inline std::string events_difference(const EventBatch& batch) {
    if (batch.items.size() != batch.events.size()) {
        return "an item without its event";
    }
    std::vector<bool> seen(batch.items.size());
    for (std::size_t index = 0; index < batch.events.size(); ++index) {
        const AgentEvent& event = batch.events[index];
        if (event.item >= seen.size() || seen[event.item]) {
            return "an event of no item, or of another's";
        }
        seen[event.item] = true;
        const RawItem& item = batch.items[event.item];
        if (event.trace_id != item.trace_id || event.signal != item.signal) {
            return "an event with another item's ids";
        }
        if (index > 0 && event.ended_at < batch.events[index - 1].ended_at) {
            return "events out of order";
        }
    }
    return "";
}

/// `exact`: no value is set twice, so everything that is not refused by rule must be there.
template <class Of>
std::string content_difference(
    const EventBatch& batch, const typename Of::Request& request, bool exact
) {
    std::vector<Theirs<typename Of::Item>> wanted;
    std::uint64_t refused = 0;
    for (const auto& theirs : flattened<Of>(request)) {
        if (Of::refused(*theirs.item)) {
            ++refused;
        } else {
            wanted.push_back(theirs);
        }
    }
    if (wanted.size() != batch.items.size() || refused != batch.rejected) {
        return exact ? "other items are refused: " + batch.rejected_reason : "";
    }
    std::uint64_t points = 0;
    for (std::size_t index = 0; index < wanted.size(); ++index) {
        const std::string found = item_difference<Of>(batch.items[index], wanted[index]);
        if (!found.empty()) {
            return "item " + std::to_string(index) + ": " + found;
        }
        if constexpr (Of::signal == Signal::Metrics) {
            points += points_of(*wanted[index].item);
        }
    }
    if (points != batch.metric_points) {
        return "points";
    }
    return Of::signal == Signal::Metrics ? "" : events_difference(batch);
}

template <class Of>
std::string disagreement(std::string_view bytes) {
    typename Of::Request request;
    const bool theirs = parse(bytes, request);
    const auto ours =
        decode(PaddedBytes::copy_of(bytes), Of::signal, Encoding::Protobuf, far_limits());
    if (!ours) {
        const bool deep = ours.error().message.find("nested deeper") != std::string::npos;
        return theirs && !deep ? "we refuse: " + ours.error().message : "";
    }
    if (!theirs) {
        return "libprotobuf refuses";
    }
    const std::string found = content_difference<Of>(**ours, request, false);
    if (!found.empty()) {
        return found;
    }
    const auto again = decode(
        PaddedBytes::copy_of(request.SerializeAsString()), Of::signal, Encoding::Protobuf,
        far_limits()
    );
    if (!again) {
        return "as libprotobuf writes it, we refuse: " + again.error().message;
    }
    const std::string rewritten = content_difference<Of>(**again, request, true);
    return rewritten.empty() ? "" : "as libprotobuf writes it: " + rewritten;
}

inline std::string disagreement(std::string_view bytes, Signal signal) {
    return signal == Signal::Traces ? disagreement<Traces>(bytes)
           : signal == Signal::Logs ? disagreement<Logs>(bytes)
                                    : disagreement<Metrics>(bytes);
}

}  // namespace tagout::intake::oracle
