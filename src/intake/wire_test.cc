// What is refused, what is repaired, and what the sender is told.

#include "intake/wire_random.h"
#include "intake/wire_view.h"

#include "otlp.pb.h"

#include <gtest/gtest.h>

namespace tagout::intake {
namespace {

namespace pb = tagout::otlp_bytes;

constexpr char trace_id[] = "0123456789abcdef";
constexpr char span_id[] = "01234567";

pb::Span* add_span(pb::ExportTraceServiceRequest& request, std::uint64_t end = 2'000) {
    auto* const group = request.resource_spans_size() == 0
                            ? request.add_resource_spans()->add_scope_spans()
                            : request.mutable_resource_spans(0)->mutable_scope_spans(0);
    pb::Span* const span = group->add_spans();
    span->set_trace_id(trace_id);
    span->set_span_id(span_id);
    span->set_name("chat gpt-4o");
    span->set_start_time_unix_nano(1'000);
    span->set_end_time_unix_nano(end);
    return span;
}

void add_text(pb::Span& span, const std::string& key, const std::string& text) {
    auto& entry = *span.add_attributes();
    entry.set_key(key);
    entry.mutable_value()->set_string_value(text);
}

Result<std::shared_ptr<EventBatch>> decode_bytes(
    std::string_view bytes, Signal signal = Signal::Traces, const DecodeLimits& limits = {}
) {
    return decode(PaddedBytes::copy_of(bytes), signal, Encoding::Protobuf, limits);
}

std::shared_ptr<EventBatch> batch_of(
    const pb::ExportTraceServiceRequest& request, const DecodeLimits& limits = {}
) {
    auto batch = decode_bytes(request.SerializeAsString(), Signal::Traces, limits);
    EXPECT_TRUE(batch.has_value());
    return batch ? *batch : std::make_shared<EventBatch>();
}

// ---- one item refused, the others stand

struct RefusedRow {
    const char* name;
    void (*damage)(pb::Span&);
    const char* reason;
};

void nest_lists(pb::Span& span, int levels) {
    pb::AnyValue* value = span.add_attributes()->mutable_value();
    for (int level = 0; level < levels; ++level) {
        value = value->mutable_array_value()->add_values();
    }
}

const RefusedRow refused_rows[] = {
    {"a trace id cut short", [](pb::Span& span) { span.set_trace_id("0123456789abcde"); },
     "traceId: 15 bytes, want 16"},
    {"no trace id", [](pb::Span& span) { span.clear_trace_id(); }, "traceId: 0 bytes, want 16"},
    {"a trace id of zeros", [](pb::Span& span) { span.set_trace_id(std::string(16, '\0')); },
     "traceId: all zeros, want an id"},
    {"a span id as hex text", [](pb::Span& span) { span.set_span_id("0123456701234567"); },
     "spanId: 16 bytes, want 8"},
    {"a span id of zeros", [](pb::Span& span) { span.set_span_id(std::string(8, '\0')); },
     "spanId: all zeros, want an id"},
    {"a broken parent", [](pb::Span& span) { span.set_parent_span_id("012"); },
     "parentSpanId: 3 bytes, want 8 or none for a root"},
    {"an end in microfortnights", [](pb::Span& span) { span.set_end_time_unix_nano(~0ULL); },
     "endTimeUnixNano: after the year 2262, want nanoseconds"},
    {"one attribute too many",
     [](pb::Span& span) {
         for (int index = 0; index <= 1024; ++index) {
             add_text(span, "k", "v");
         }
     },
     "attributes: more than 1024; send fewer or raise the limit"},
    {"lists in lists in lists", [](pb::Span& span) { nest_lists(span, 65); },
     "attributes: values nested deeper than 64; send them flatter or as JSON text"},
};

TEST(WireRefusal, OneBadSpanDoesNotCostItsNeighbours) {
    for (const RefusedRow& row : refused_rows) {
        SCOPED_TRACE(row.name);
        pb::ExportTraceServiceRequest request;
        add_span(request);
        row.damage(*add_span(request));
        add_span(request, 3'000);
        const auto batch = batch_of(request);
        EXPECT_EQ(batch->rejected, 1U);
        EXPECT_EQ(
            batch->rejected_reason,
            std::string("resourceSpans[0].scopeSpans[0].spans[1].") + row.reason
        );
        ASSERT_EQ(batch->events.size(), 2U);
        ASSERT_EQ(batch->items.size(), 2U);
        EXPECT_EQ(batch->events[1].item, 1U) << "events follow their items";
        EXPECT_EQ(batch->items[1].at, instant_of_nanos(3'000));
    }
}

TEST(WireRefusal, WhatIsAtTheLimitStands) {
    pb::ExportTraceServiceRequest request;
    pb::Span& span = *add_span(request);
    for (int index = 0; index < 1023; ++index) {
        add_text(span, "k", "v");
    }
    nest_lists(span, 64);
    const auto batch = batch_of(request);
    EXPECT_EQ(batch->rejected, 0U) << batch->rejected_reason;
    EXPECT_EQ(batch->events.size(), 1U);
}

TEST(WireRefusal, AttributesOfEventsCountToo) {
    pb::ExportTraceServiceRequest request;
    pb::Span& span = *add_span(request);
    add_text(span, "k", "v");
    span.add_events()->add_attributes()->set_key("k");
    EXPECT_EQ(batch_of(request, {.attributes_max = 2})->rejected, 0U);
    EXPECT_EQ(batch_of(request, {.attributes_max = 1})->rejected, 1U);
}

TEST(WireRefusal, AResourceOverTheLimitTakesItsSpansWithIt) {
    pb::ExportTraceServiceRequest request;
    add_span(request);
    add_span(request);
    for (int index = 0; index < 3; ++index) {
        request.mutable_resource_spans(0)->mutable_resource()->add_attributes()->set_key("k");
    }
    const auto batch = batch_of(request, {.attributes_max = 2});
    EXPECT_EQ(batch->rejected, 2U);
    EXPECT_TRUE(batch->events.empty());
    EXPECT_TRUE(batch->items.empty());
    EXPECT_NE(batch->rejected_reason.find("resource"), std::string::npos);
}

TEST(WireRefusal, ItemsPastTheLimitAreCounted) {
    pb::ExportTraceServiceRequest request;
    for (int index = 0; index < 5; ++index) {
        add_span(request);
    }
    const auto batch = batch_of(request, {.items_max = 3});
    EXPECT_EQ(batch->events.size(), 3U);
    EXPECT_EQ(batch->rejected, 2U);
    EXPECT_EQ(
        batch->rejected_reason,
        "resourceSpans[0].scopeSpans[0].spans[3]: more than 3 items in one request; send smaller "
        "batches"
    );
}

TEST(WireRefusal, AValueSetTwiceRefusesItsSpan) {
    pb::ExportTraceServiceRequest request;
    pb::Span& span = *add_span(request);
    // KeyValue{key "k", value AnyValue{"a" and then 7}}, which no encoder writes.
    const std::string twice("\x0a\x01k\x12\x05\x0a\x01" "a\x18\x07", 10);
    span.GetReflection()->MutableUnknownFields(&span)->AddLengthDelimited(9, twice);
    const auto batch = batch_of(request);
    EXPECT_EQ(batch->rejected, 1U);
    EXPECT_NE(batch->rejected_reason.find("a value is set twice"), std::string::npos);
}

TEST(WireRefusal, AHiddenValueMustBeSoundToo) {
    // AnyValue{kvlist that is no message, then "a"}: libprotobuf refuses the request, so do we.
    const std::string hidden("\x32\x02\x16\x00\x0a\x01" "a", 7);
    pb::ExportTraceServiceRequest request;
    pb::Span& span = *add_span(request);
    pb::KeyValue entry;
    entry.GetReflection()->MutableUnknownFields(&entry)->AddLengthDelimited(2, hidden);
    span.GetReflection()->MutableUnknownFields(&span)->AddLengthDelimited(
        9, entry.SerializeAsString()
    );
    EXPECT_FALSE(decode_bytes(request.SerializeAsString()).has_value());
}

TEST(WireRefusal, ALogRecordWithABrokenIdOnlyLosesTheId) {
    pb::ExportLogsServiceRequest request;
    auto& record = *request.add_resource_logs()->add_scope_logs()->add_log_records();
    record.set_trace_id("short");
    record.set_span_id(span_id);
    record.set_time_unix_nano(5);
    const auto batch = decode_bytes(request.SerializeAsString(), Signal::Logs);
    ASSERT_TRUE(batch.has_value());
    EXPECT_EQ((*batch)->rejected, 0U);
    ASSERT_EQ((*batch)->events.size(), 1U);
    EXPECT_TRUE((*batch)->items[0].trace_id.empty());
}

// ---- what is no message

struct BrokenRow {
    const char* name;
    std::string bytes;
    const char* message;
};

TEST(WireBroken, TheByteIsNamed) {
    const BrokenRow rows[] = {
        {"a length past the end", {"\x0a\x05" "ab", 4}, "byte 1: a length that passes the end"},
        {"field number 0", {"\x0a\x00\x02\x00", 4}, "byte 2: field number 0"},
        {"text instead of protobuf", "hello", "byte "},
        {"a group left open", {"\x9b\x06\x08\x01", 4}, "a group without an end"},
        {"a group never begun", {"\x0c", 1}, "the end of a group that is not open"},
        {"wire type 6", {"\x0e", 1}, "a wire type that protobuf does not have"},
        {"a varint without an end", std::string("\x10") + std::string(11, '\xff'),
         "byte 0: a varint of more than 10 bytes"},
        {"a tag without an end", std::string(8, '\xff'), "byte 0: a tag of more than 5 bytes"},
        {"broken inside a span", {"\x0a\x06\x12\x04\x12\x02\x09\x01", 8}, "byte 6: a field that"},
    };
    for (const BrokenRow& row : rows) {
        SCOPED_TRACE(row.name);
        const auto batch = decode_bytes(row.bytes);
        ASSERT_FALSE(batch.has_value());
        EXPECT_EQ(batch.error().code, ErrorCode::InvalidArgument);
        EXPECT_NE(batch.error().message.find(row.message), std::string::npos)
            << batch.error().message;
        EXPECT_NE(batch.error().message.find("send one whole message"), std::string::npos);
    }
}

TEST(WireBroken, GroupsNestedWithoutEndAreRefusedEarly) {
    std::string bytes;
    for (int index = 0; index < 100'000; ++index) {
        bytes.append("\x9b\x06", 2);
    }
    const auto batch = decode_bytes(bytes);
    ASSERT_FALSE(batch.has_value());
    EXPECT_NE(batch.error().message.find("nested deeper than 64"), std::string::npos);
}

TEST(WireBroken, NothingIsARequestWithoutItems) {
    for (const Signal signal : {Signal::Traces, Signal::Logs, Signal::Metrics}) {
        const auto batch = decode(PaddedBytes(), signal, Encoding::Protobuf, {});
        ASSERT_TRUE(batch.has_value());
        EXPECT_TRUE((*batch)->items.empty());
        EXPECT_EQ((*batch)->rejected, 0U);
    }
}

TEST(WireBroken, AStoredItemThatRottedSaysSo) {
    RawItem item;
    item.bytes = "\x0a\x7f";
    EventBatch batch;
    const auto read = decode_item(item, {}, batch);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, ErrorCode::Corrupt);
    EXPECT_TRUE(batch.events.empty());
    EXPECT_TRUE(batch.items.empty());
}

// ---- what is read although it is odd

TEST(WireReader, EventsAreInOrderOfTheirEndsAndItemsInTheRequests) {
    pb::ExportTraceServiceRequest request;
    for (const std::uint64_t end : {5'000, 2'000, 9'000, 2'000, 1'000}) {
        add_span(request, end)->set_name("end " + std::to_string(end));
    }
    const auto batch = batch_of(request);
    ASSERT_EQ(batch->events.size(), 5U);
    const std::uint32_t order[] = {4, 1, 3, 0, 2};
    for (std::size_t index = 0; index < 5; ++index) {
        EXPECT_EQ(batch->events[index].item, order[index]);
    }
    EXPECT_EQ(batch->items[0].at, instant_of_nanos(5'000));
    EXPECT_EQ(batch->items[4].at, instant_of_nanos(1'000));
}

TEST(WireReader, TheEndMayStandAnywhereInASpan) {
    // The end of the first span is repeated at its very end: the last one counts.
    pb::ExportTraceServiceRequest request;
    pb::Span& span = *add_span(request, 1'000);
    span.GetReflection()->MutableUnknownFields(&span)->AddFixed64(8, 7'000);
    add_span(request, 2'000);
    const auto batch = batch_of(request);
    ASSERT_EQ(batch->events.size(), 2U);
    EXPECT_EQ(batch->events[0].ended_at, instant_of_nanos(2'000));
    EXPECT_EQ(batch->events[1].ended_at, instant_of_nanos(7'000));
    EXPECT_EQ(batch->events[1].item, 0U);
}

TEST(WireReader, AResourceBehindItsSpansAndInTwoPartsIsWhole) {
    pb::ExportTraceServiceRequest request;
    add_span(request);
    const auto part = [](const char* key, const char* text) {
        pb::ResourceSpans group;
        auto& entry = *group.mutable_resource()->add_attributes();
        entry.set_key(key);
        entry.mutable_value()->set_string_value(text);
        return group.SerializeAsString();
    };
    const std::string group = request.resource_spans(0).SerializeAsString() +
                              part("service.name", "shop") + part("service.version", "1.2");
    pb::ExportTraceServiceRequest wrapped;
    wrapped.GetReflection()->MutableUnknownFields(&wrapped)->AddLengthDelimited(1, group);
    const auto batch = batch_of(wrapped);
    ASSERT_EQ(batch->events.size(), 1U);
    EXPECT_EQ(batch->events[0].service_name, "shop");
    EXPECT_EQ(batch->events[0].service_version, "1.2");
    pb::Resource resource;
    ASSERT_TRUE(resource.ParseFromString(std::string(batch->items[0].resource)));
    EXPECT_EQ(resource.attributes_size(), 2);
}

TEST(WireReader, ATextCutInsideACharacterIsMendedAndCounted) {
    pb::ExportTraceServiceRequest request;
    add_span(request)->set_name("caf\xc3");
    const std::string bytes = request.SerializeAsString();
    const auto batch = batch_of(request);
    ASSERT_EQ(batch->events.size(), 1U);
    EXPECT_EQ(batch->events[0].name, "caf\xef\xbf\xbd");
    EXPECT_EQ(batch->texts_repaired, 1U);
    EXPECT_NE(batch->items[0].bytes.find("caf\xc3"), std::string_view::npos)
        << "evidence stays as it came";
    tagout::otlp::ExportTraceServiceRequest strict;
    EXPECT_FALSE(strict.ParseFromString(bytes)) << "libprotobuf would refuse the whole request";
}

TEST(WireReader, ALongTextIsClippedAtACharacterAndCounted) {
    pb::ExportTraceServiceRequest request;
    add_span(request)->set_name("12345\xe2\x82\xac" "9");
    const auto clipped_at = [&request](std::size_t bytes_max) {
        const auto batch = batch_of(request, {.value_bytes_max = bytes_max});
        EXPECT_EQ(batch->texts_clipped, bytes_max < 9 ? 1U : 0U);
        return std::string(batch->events.at(0).name);
    };
    EXPECT_EQ(clipped_at(9), "12345\xe2\x82\xac" "9");
    EXPECT_EQ(clipped_at(8), "12345\xe2\x82\xac");
    EXPECT_EQ(clipped_at(7), "12345");
    EXPECT_EQ(clipped_at(6), "12345");
    EXPECT_EQ(clipped_at(5), "12345");
}

TEST(WireReader, MetricsAreStoredAndTheirPointsCounted) {
    pb::ExportMetricsServiceRequest request;
    auto& metrics = *request.add_resource_metrics()->add_scope_metrics();
    auto& sum = *metrics.add_metrics();
    sum.set_name("gen_ai.client.token.usage");
    for (const std::uint64_t at : {30, 10, 20}) {
        sum.mutable_sum()->add_data_points()->set_time_unix_nano(at);
    }
    metrics.add_metrics()->mutable_histogram()->add_data_points()->add_bucket_counts(1);
    const auto batch = decode_bytes(request.SerializeAsString(), Signal::Metrics);
    ASSERT_TRUE(batch.has_value());
    EXPECT_EQ((*batch)->metric_points, 4U);
    EXPECT_TRUE((*batch)->events.empty());
    ASSERT_EQ((*batch)->items.size(), 2U);
    EXPECT_EQ((*batch)->items[0].at, instant_of_nanos(30));
    EXPECT_EQ((*batch)->items[0].signal, Signal::Metrics);
}

TEST(WireReader, ARefusedMetricIsCountedInPoints) {
    pb::ExportMetricsServiceRequest request;
    auto& gauge = *request.add_resource_metrics()->add_scope_metrics()->add_metrics();
    for (int index = 0; index < 3; ++index) {
        gauge.mutable_gauge()->add_data_points()->add_attributes()->set_key("k");
    }
    const auto batch =
        decode_bytes(request.SerializeAsString(), Signal::Metrics, {.attributes_max = 0});
    ASSERT_TRUE(batch.has_value());
    EXPECT_EQ((*batch)->rejected, 3U) << "OTLP's partial success counts data points";
    EXPECT_EQ((*batch)->metric_points, 0U);
    EXPECT_TRUE((*batch)->items.empty());
}

}  // namespace
}  // namespace tagout::intake
