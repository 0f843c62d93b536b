// Random OTLP requests and random damage to them, from a seed: for tests, fuzz corpora, benchmarks.
#pragma once

#include "base/prng.h"
#include "intake/intake.h"

#include "otlp_bytes.pb.h"

#include <string>

namespace tagout::intake::oracle {

/// Draws messages whose every field is now and then absent, empty, short, long or odd.
class RandomRequests {
public:
    explicit RandomRequests(std::uint64_t seed) : prng_(seed) {}

    std::string request(Signal signal) {
        if (signal == Signal::Traces) {
            return traces().SerializeAsString();
        }
        return signal == Signal::Logs ? logs().SerializeAsString() : metrics().SerializeAsString();
    }

    /// The same bytes with one to four accidents.
    std::string damaged(std::string bytes) {
        for (std::size_t left = 1 + prng_.below(4); left > 0 && !bytes.empty(); --left) {
            const std::size_t at = prng_.below(bytes.size());
            const std::size_t size = 1 + prng_.below(std::min<std::size_t>(64, bytes.size() - at));
            switch (prng_.below(8)) {
                case 0:
                    bytes[at] = static_cast<char>(prng_.next());
                    break;
                case 1:
                    bytes[at] = static_cast<char>(bytes[at] ^ (1 << prng_.below(8)));
                    break;
                case 2:
                    bytes.resize(at);
                    break;
                case 3:
                    bytes.erase(at, size);
                    break;
                case 4:
                    bytes.insert(at, bytes.substr(prng_.below(bytes.size()), size));
                    break;
                case 5:
                    bytes.insert(at, size, static_cast<char>(prng_.next()));
                    break;
                case 6:
                    bytes.append(bytes.substr(at, size));
                    break;
                default:
                    bytes.insert(at, odd_field());
                    break;
            }
        }
        return bytes;
    }

private:
    using Traces = tagout::otlp_bytes::ExportTraceServiceRequest;
    using Logs = tagout::otlp_bytes::ExportLogsServiceRequest;
    using Metrics = tagout::otlp_bytes::ExportMetricsServiceRequest;

    std::string odd_field() {
        static const std::string fields[] = {
            {"\x9b\x06\x08\x01\x9c\x06", 6},      // group 99 with a varint in it
            {"\x9b\x06\x93\x03\x94\x03\x9c\x06", 8},  // a group in a group
            {"\x98\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
            {"\x8a\x00\x00", 3},                  // field 1 with a tag of two bytes
            {"\x0a\x80\x80\x80\x80\x00", 6},      // an empty field 1 with a length of five bytes
            {"\x9d\x06\x01\x02\x03\x04", 6},
            {"\x0c", 1},
            {"\x00", 1},
        };
        return fields[prng_.below(std::size(fields))];
    }

    std::string text() {
        static constexpr std::string_view pieces[] = {
            "gen_ai.operation.name", "chat", "tool", "refund order ", "{\"id\":7}", "\xc3\xa9t\xc3\xa9 ",
            "\xe2\x82\xac", "\xf0\x9f\x94\x92", "\xff", "error.type", "a", "http.response.status_code",
        };
        std::string made;
        const std::size_t count = prng_.chance(0.02) ? 200 : prng_.below(5);
        for (std::size_t index = 0; index < count; ++index) {
            made += pieces[prng_.below(std::size(pieces))];
        }
        return made;
    }
    std::string id(std::size_t size) {
        if (prng_.chance(0.02)) {
            size = prng_.below(20);
        }
        std::string made(size, '\0');
        if (!prng_.chance(0.01)) {
            for (char& byte : made) {
                byte = static_cast<char>(prng_.next());
            }
        }
        return made;
    }
    std::uint64_t nanos() {
        return prng_.chance(0.02) ? prng_.next() : 1'764'000'000'000'000'000U + prng_.below(1000);
    }
    bool some() { return prng_.chance(0.8); }

    template <class Value>
    void value(Value& into, int depth) {
        switch (prng_.below(depth > 0 ? 8 : 6)) {
            case 0:
                break;
            case 1:
                into.set_bool_value(prng_.chance(0.5));
                break;
            case 2:
                into.set_int_value(static_cast<std::int64_t>(prng_.next() >> prng_.below(64)));
                break;
            case 3:
                into.set_double_value(prng_.unit() * 1e6);
                break;
            case 4:
                into.set_bytes_value(id(5));
                break;
            case 5:
                into.set_string_value(text());
                break;
            case 6:
                into.mutable_array_value();
                for (std::size_t left = prng_.below(4); left > 0; --left) {
                    value(*into.mutable_array_value()->add_values(), depth - 1);
                }
                break;
            default:
                into.mutable_kvlist_value();
                attributes(*into.mutable_kvlist_value()->mutable_values(), 4, depth - 1);
                break;
        }
    }
    template <class Attributes>
    void attributes(Attributes& into, std::size_t count, int depth = 3) {
        for (std::size_t left = prng_.below(count); left > 0; --left) {
            auto& entry = *into.Add();
            entry.set_key(text());
            if (some()) {
                value(*entry.mutable_value(), depth);
            }
        }
    }
    template <class Resource>
    void resource(Resource& into) {
        attributes(*into.mutable_attributes(), 4);
        if (prng_.chance(0.2)) {
            into.add_entity_refs()->set_type("service");
        }
    }
    template <class Scope>
    void scope(Scope& into) {
        into.set_name(text());
        into.set_version(text());
        attributes(*into.mutable_attributes(), 2);
    }

    Traces traces() {
        Traces made;
        for (std::size_t groups = prng_.below(3); groups > 0; --groups) {
            auto& group = *made.add_resource_spans();
            if (some()) {
                resource(*group.mutable_resource());
            }
            for (std::size_t scopes = prng_.below(3); scopes > 0; --scopes) {
                auto& of_scope = *group.add_scope_spans();
                if (some()) {
                    scope(*of_scope.mutable_scope());
                }
                for (std::size_t left = prng_.below(5); left > 0; --left) {
                    span(*of_scope.add_spans());
                }
                of_scope.set_schema_url(text());
            }
        }
        return made;
    }
    template <class Span>
    void span(Span& into) {
        into.set_trace_id(id(16));
        into.set_span_id(id(8));
        if (some()) {
            into.set_parent_span_id(id(8));
        }
        into.set_trace_state(text());
        into.set_name(text());
        into.set_kind(static_cast<tagout::otlp_bytes::Span::Kind>(prng_.below(8)));
        into.set_start_time_unix_nano(nanos());
        into.set_end_time_unix_nano(nanos());
        attributes(*into.mutable_attributes(), 12);
        into.set_dropped_attributes_count(static_cast<std::uint32_t>(prng_.below(3)));
        for (std::size_t left = prng_.below(3); left > 0; --left) {
            auto& event = *into.add_events();
            event.set_time_unix_nano(nanos());
            event.set_name(text());
            attributes(*event.mutable_attributes(), 4);
        }
        for (std::size_t left = prng_.below(3); left > 0; --left) {
            auto& link = *into.add_links();
            link.set_trace_id(id(16));
            link.set_span_id(id(8));
            attributes(*link.mutable_attributes(), 3);
        }
        if (some()) {
            into.mutable_status()->set_message(text());
            into.mutable_status()->set_code(
                static_cast<tagout::otlp_bytes::Status::Code>(prng_.below(4))
            );
        }
        into.set_flags(static_cast<std::uint32_t>(prng_.below(512)));
    }

    Logs logs() {
        Logs made;
        auto& group = *made.add_resource_logs();
        resource(*group.mutable_resource());
        auto& of_scope = *group.add_scope_logs();
        scope(*of_scope.mutable_scope());
        for (std::size_t left = prng_.below(6); left > 0; --left) {
            auto& record = *of_scope.add_log_records();
            record.set_time_unix_nano(some() ? nanos() : 0);
            record.set_observed_time_unix_nano(nanos());
            record.set_severity_number(static_cast<std::int32_t>(prng_.below(26)));
            record.set_severity_text(text());
            if (some()) {
                value(*record.mutable_body(), 4);
            }
            attributes(*record.mutable_attributes(), 8);
            record.set_flags(1);
            record.set_trace_id(some() ? id(16) : "");
            record.set_span_id(some() ? id(8) : "");
            record.set_event_name(text());
        }
        return made;
    }

    Metrics metrics() {
        Metrics made;
        auto& group = *made.add_resource_metrics();
        resource(*group.mutable_resource());
        auto& of_scope = *group.add_scope_metrics();
        for (std::size_t left = prng_.below(6); left > 0; --left) {
            metric(*of_scope.add_metrics());
        }
        return made;
    }
    template <class Metric>
    void metric(Metric& into) {
        into.set_name(text());
        into.set_unit("{token}");
        attributes(*into.mutable_metadata(), 3);
        for (std::size_t left = prng_.below(4); left > 0; --left) {
            switch (prng_.below(5)) {
                case 0:
                    point(*into.mutable_gauge()->add_data_points());
                    into.mutable_gauge()->mutable_data_points(0)->set_as_double(1.5);
                    break;
                case 1:
                    point(*into.mutable_sum()->add_data_points());
                    into.mutable_sum()->set_is_monotonic(true);
                    break;
                case 2: {
                    auto& added = *into.mutable_histogram()->add_data_points();
                    point(added);
                    added.add_bucket_counts(3);
                    added.add_explicit_bounds(0.5);
                    added.set_sum(7);
                    break;
                }
                case 3: {
                    auto& added = *into.mutable_exponential_histogram()->add_data_points();
                    point(added);
                    added.mutable_positive()->add_bucket_counts(prng_.next());
                    added.set_scale(-3);
                    break;
                }
                default: {
                    auto& added = *into.mutable_summary()->add_data_points();
                    added.set_time_unix_nano(nanos());
                    added.add_quantile_values()->set_quantile(0.99);
                    break;
                }
            }
        }
    }
    template <class Point>
    void point(Point& into) {
        into.set_time_unix_nano(nanos());
        attributes(*into.mutable_attributes(), 4);
        if (prng_.chance(0.3)) {
            auto& exemplar = *into.add_exemplars();
            exemplar.set_trace_id(id(16));
            attributes(*exemplar.mutable_filtered_attributes(), 3);
        }
    }

    Prng prng_;
};

}  // namespace tagout::intake::oracle
