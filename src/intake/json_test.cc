// OTLP/JSON: what is understood, what is refused, and where the sender is told to look.

#include "intake/intake.h"
#include "intake/json_place.h"
#include "intake/json_request.h"

#include "otlp_bytes.pb.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tagout::intake {
namespace {

namespace pb = tagout::otlp_bytes;

Result<TranscodedRequest> transcode(std::string_view json, Signal signal = Signal::Traces) {
    const PaddedBytes padded = PaddedBytes::copy_of(json);
    return transcode_json(padded.view(), signal, {});
}

template <class Request>
Request request_of(std::string_view json, Signal signal) {
    Request request;
    const auto made = transcode(json, signal);
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
    if (made) {
        EXPECT_EQ(made->rejected, 0U) << made->rejected_reason;
        EXPECT_TRUE(request.ParseFromString(std::string(made->bytes.view())));
    }
    return request;
}

std::string in_span(std::string_view fields) {
    return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + std::string(fields) + "}]}]}]}";
}

pb::Span span_of(std::string_view fields) {
    const auto request = request_of<pb::ExportTraceServiceRequest>(in_span(fields), Signal::Traces);
    if (request.resource_spans_size() != 1 || request.resource_spans(0).scope_spans_size() != 1 ||
        request.resource_spans(0).scope_spans(0).spans_size() != 1) {
        ADD_FAILURE() << "not one span: " << request.DebugString();
        return {};
    }
    return request.resource_spans(0).scope_spans(0).spans(0);
}

pb::AnyValue value_of(std::string_view value) {
    const std::string attribute = R"("attributes":[{"key":"k","value":)" + std::string(value) + "}]";
    const pb::Span span = span_of(attribute);
    return span.attributes_size() == 1 ? span.attributes(0).value() : pb::AnyValue{};
}

TEST(JsonRequest, ASpanWithEverythingIsTheSameInProtobuf) {
    const pb::Span span = span_of(R"(
        "traceId":"5B8EFFF798038103D269B633813FC60C", "spanId":"eee19b7ec3c1b174",
        "parentSpanId":"EEE19B7EC3C1B173", "traceState":"a=b", "name":"chat", "kind":3,
        "startTimeUnixNano":"1544712660000000000", "endTimeUnixNano":1544712661000000000,
        "droppedAttributesCount":1, "flags":257,
        "events":[{"timeUnixNano":"7","name":"exception","attributes":[]}],
        "links":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}],
        "status":{"code":2,"message":"429"}, "aFieldOfNextYear":{"deep":[1,{"x":null}]})");
    pb::Span want;
    want.set_trace_id("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c");
    want.set_span_id("\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74");
    want.set_parent_span_id("\xee\xe1\x9b\x7e\xc3\xc1\xb1\x73");
    want.set_trace_state("a=b");
    want.set_name("chat");
    want.set_kind(pb::Span::SPAN_KIND_CLIENT);
    want.set_start_time_unix_nano(1544712660000000000);
    want.set_end_time_unix_nano(1544712661000000000);
    want.set_dropped_attributes_count(1);
    want.set_flags(257);
    want.add_events()->set_time_unix_nano(7);
    want.mutable_events(0)->set_name("exception");
    want.add_links()->set_trace_id(want.trace_id());
    want.mutable_links(0)->set_span_id(want.span_id());
    want.mutable_status()->set_code(pb::Status::STATUS_CODE_ERROR);
    want.mutable_status()->set_message("429");
    EXPECT_EQ(span.SerializeAsString(), want.SerializeAsString());
}

TEST(JsonRequest, ValuesOfEveryType) {
    EXPECT_EQ(value_of(R"({"stringValue":"caf\u00e9 \ud83d\udd12"})").string_value(), "café 🔒");
    EXPECT_EQ(value_of(R"({"stringValue":""})").value_case(), pb::AnyValue::kStringValue);
    EXPECT_TRUE(value_of(R"({"boolValue":true})").bool_value());
    EXPECT_EQ(value_of(R"({"boolValue":false})").value_case(), pb::AnyValue::kBoolValue);
    EXPECT_EQ(value_of(R"({"intValue":-7})").int_value(), -7);
    EXPECT_EQ(value_of(R"({"intValue":"-7"})").int_value(), -7);
    EXPECT_EQ(value_of(R"({"intValue":7.0})").int_value(), 7);
    EXPECT_EQ(value_of(R"({"intValue":"9223372036854775807"})").int_value(), INT64_MAX);
    EXPECT_EQ(value_of(R"({"intValue":0})").value_case(), pb::AnyValue::kIntValue);
    EXPECT_EQ(value_of(R"({"doubleValue":1})").double_value(), 1.0);
    EXPECT_EQ(value_of(R"({"doubleValue":"-Infinity"})").double_value(), -INFINITY);
    EXPECT_TRUE(std::isnan(value_of(R"({"doubleValue":"NaN"})").double_value()));
    EXPECT_EQ(value_of(R"({"bytesValue":"AAH/"})").bytes_value(), std::string("\0\1\xff", 3));
    EXPECT_EQ(value_of(R"({"bytesValue":"_-8="})").bytes_value(), "\xff\xef");
    EXPECT_EQ(value_of(R"({"arrayValue":{"values":[{"intValue":1},{}]}})").array_value().values_size(), 2);
    EXPECT_EQ(value_of(R"({"arrayValue":{}})").value_case(), pb::AnyValue::kArrayValue);
    const auto list = value_of(R"({"kvlistValue":{"values":[{"key":"a","value":{"intValue":1}}]}})");
    EXPECT_EQ(list.kvlist_value().values(0).value().int_value(), 1);
}

TEST(JsonRequest, NoValueIsNull) {
    for (const char* const value : {"{}", "null", R"({"stringValue":null})", R"({"newValue":1})"}) {
        SCOPED_TRACE(value);
        EXPECT_EQ(value_of(value).value_case(), pb::AnyValue::VALUE_NOT_SET);
    }
}

TEST(JsonRequest, EnumsAreUnderstoodByNameToo) {
    EXPECT_EQ(span_of(R"("kind":"SPAN_KIND_SERVER")").kind(), pb::Span::SPAN_KIND_SERVER);
    EXPECT_EQ(span_of(R"("kind":"2")").kind(), pb::Span::SPAN_KIND_SERVER);
    EXPECT_EQ(span_of(R"("status":{"code":"ERROR"})").status().code(), 2);
    EXPECT_EQ(span_of(R"("kind":77)").kind(), 77) << "a kind of next year passes through";
}

TEST(JsonRequest, LogsAndMetrics) {
    const auto logs = request_of<pb::ExportLogsServiceRequest>(
        R"({"resourceLogs":[{"resource":{"attributes":[]},"scopeLogs":[{"scope":{"name":"s"},
            "logRecords":[{"timeUnixNano":"5","severityNumber":9,"body":{},"eventName":"e",
            "traceId":"","spanId":""}]}]}]})",
        Signal::Logs
    );
    const auto& record = logs.resource_logs(0).scope_logs(0).log_records(0);
    EXPECT_EQ(record.time_unix_nano(), 5U);
    EXPECT_EQ(record.severity_number(), 9);
    EXPECT_EQ(record.body().value_case(), pb::AnyValue::VALUE_NOT_SET);
    EXPECT_EQ(record.trace_id(), "");
    const auto metrics = request_of<pb::ExportMetricsServiceRequest>(
        R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[
            {"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"3","sum":0,
             "bucketCounts":[1,"2"],"explicitBounds":[1,2.5],"min":0,"timeUnixNano":"9"}]}},
            {"name":"e","exponentialHistogram":{"dataPoints":[{"scale":-3,
             "positive":{"offset":-1,"bucketCounts":["4",5]}}]}},
            {"name":"s","sum":{"isMonotonic":true,"dataPoints":[{"asInt":"-4"},{"asDouble":0}]}}
            ]}]}]})",
        Signal::Metrics
    );
    const auto& of_scope = metrics.resource_metrics(0).scope_metrics(0);
    const auto& histogram = of_scope.metrics(0).histogram().data_points(0);
    EXPECT_EQ(histogram.bucket_counts(1), 2U);
    EXPECT_EQ(histogram.explicit_bounds(1), 2.5);
    EXPECT_TRUE(histogram.has_sum());
    EXPECT_TRUE(histogram.has_min());
    EXPECT_FALSE(histogram.has_max());
    const auto& exponential = of_scope.metrics(1).exponential_histogram().data_points(0);
    EXPECT_EQ(exponential.scale(), -3);
    EXPECT_EQ(exponential.positive().offset(), -1);
    EXPECT_EQ(exponential.positive().bucket_counts(1), 5U);
    EXPECT_EQ(of_scope.metrics(2).sum().data_points(0).as_int(), -4);
    EXPECT_TRUE(of_scope.metrics(2).sum().data_points(1).has_as_double());
}

TEST(JsonRequest, ATextThatJavaScriptCutInsideAnEmojiDoesNotCostTheBatch) {
    EXPECT_EQ(span_of(R"("name":"cut \ud83d")").name(), "cut \xef\xbf\xbd");
    EXPECT_EQ(span_of(R"("name":"\\ud83d \ud83d\udd12 \ud83dx")").name(), "\\ud83d 🔒 \xef\xbf\xbdx");
}

TEST(JsonRequest, MessagesOverAByteOfLengthAreMovedIntoPlace) {
    for (const std::size_t size : {0U, 1U, 100U, 127U, 128U, 16'383U, 16'384U, 300'000U}) {
        const std::string text(size, 'x');
        EXPECT_EQ(value_of(R"({"stringValue":")" + text + R"("})").string_value(), text);
    }
}

// ---- refusals

struct ItemRow {
    const char* name;
    const char* fields;
    const char* reason;
};

TEST(JsonRefusal, OneWrongSpanDoesNotCostItsNeighbour) {
    const ItemRow rows[] = {
        {"an id that is no hex", R"("traceId":"xyz0")",
         "traceId: want an even number of hex digits, got other text"},
        {"a name that is a number", R"("name":5)", "name: want a string, got another number"},
        {"a time that is a date", R"("endTimeUnixNano":"2026-11-24")",
         "endTimeUnixNano: want an integer that fits, as number or string, got a string"},
        {"attributes as an object", R"("attributes":{"a":1})",
         "attributes: want an array, got an object"},
        {"an integer with a fraction", R"("attributes":[{"key":"k"},{"key":"k","value":{"intValue":1.5}}])",
         "attributes[1].value.intValue: want an integer that fits, as number or string, got "
         "another number"},
        {"a status that is text", R"("status":"ERROR")", "status: want an object, got a string"},
        {"base64 with a hole", R"("attributes":[{"value":{"bytesValue":"a b"}}])",
         "attributes[0].value.bytesValue: want base64, got other text"},
        {"an unknown kind", R"("kind":"SPAN_KIND_WEIRD")",
         "kind: want an integer that fits, as number or string, got a string"},
    };
    for (const ItemRow& row : rows) {
        SCOPED_TRACE(row.name);
        const std::string json = R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{)" +
                                 std::string(row.fields) + R"(},{"name":"b"}]}]}]})";
        const auto made = transcode(json);
        ASSERT_TRUE(made.has_value()) << made.error().message;
        EXPECT_EQ(made->rejected, 1U);
        EXPECT_EQ(
            made->rejected_reason,
            std::string("resourceSpans[0].scopeSpans[0].spans[1].") + row.reason
        );
        pb::ExportTraceServiceRequest request;
        ASSERT_TRUE(request.ParseFromString(std::string(made->bytes.view())));
        const auto& spans = request.resource_spans(0).scope_spans(0).spans();
        ASSERT_EQ(spans.size(), 2);
        EXPECT_EQ(spans.Get(1).name(), "b");
    }
}

struct BrokenRow {
    const char* name;
    std::string json;
    const char* message;
};

TEST(JsonRefusal, ABrokenRequestIsToldWhere) {
    const BrokenRow rows[] = {
        {"nothing", "", "byte 0: the text ends where a value is expected"},
        {"protobuf", "\x0a\x02\x12", "byte 1: expected a value"},
        {"a list of spans", "[]", "the document: want an object, got an array"},
        {"a group that is no object", R"({"resourceSpans":[7]})",
         "resourceSpans[0]: want an object, got another number"},
        {"groups that are no list", R"({"resourceSpans":{}})",
         "resourceSpans: want an array, got an object"},
        {"cut off", R"({"resourceSpans":[{"scopeSpans":[)",
         "resourceSpans[0].scopeSpans[0]: byte 33: the text ends where a value is expected"},
        {"a comma too many", R"({"a":[1,2,]})", "a[2]: byte 10: expected a value"},
        {"a bare NaN", R"({"a":{"b":NaN}})", "a.b: byte 10: expected a value"},
        {"single quotes", "{'a':1}", "byte 1: expected a name in quotes"},
        {"a line break in a string", "{\"a\":\"x\ny\"}", "a: byte 7: a control character in a string"},
        {"Latin-1", "{\"a\":\"caf\xe9\"}", "a: byte 9: bytes that are not UTF-8"},
        {"two documents", "{} {}", "byte 3: something stands behind the end"},
        {"a huge number", R"({"a":123456789012345678901234567890})",
         "a: byte 5: a number that no 64-bit number holds"},
        {"an escape of nothing", R"({"a":"\x"})", "a: byte 7: an escape that JSON does not have"},
    };
    for (const BrokenRow& row : rows) {
        SCOPED_TRACE(row.name);
        const auto made = transcode(row.json);
        ASSERT_FALSE(made.has_value());
        EXPECT_EQ(made.error().code, ErrorCode::InvalidArgument);
        EXPECT_NE(made.error().message.find(row.message), std::string::npos)
            << made.error().message;
    }
}

TEST(JsonRefusal, NestingAHundredThousandDeepIsACleanError) {
    const std::string open[] = {"[", R"({"resourceSpans":)", R"({"a":[)"};
    for (const std::string& level : open) {
        std::string json = R"({"resourceSpans":)";
        for (int index = 0; index < 100'000; ++index) {
            json += level;
        }
        const auto made = transcode(json);
        ASSERT_FALSE(made.has_value());
        EXPECT_EQ(made.error().code, ErrorCode::InvalidArgument);
        EXPECT_NE(made.error().message.find("nested too deep, at most 272 levels"), std::string::npos)
            << made.error().message;
        EXPECT_LT(made.error().message.size(), 400U);
    }
}

TEST(JsonRefusal, ValuesNestAsDeepAsInProtobuf) {
    const auto nested = [](int levels) {
        std::string value = R"({"intValue":1})";
        for (int level = 0; level < levels; ++level) {
            value = R"({"kvlistValue":{"values":[{"key":"k","value":)" + value + "}]}}";
        }
        const std::string json = in_span(
            R"("traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","attributes":[{"key":"k","value":)" +
            value + "}]"
        );
        return decode(PaddedBytes::copy_of(json), Signal::Traces, Encoding::Json, {});
    };
    const auto at_the_limit = nested(64);
    ASSERT_TRUE(at_the_limit.has_value());
    EXPECT_EQ((*at_the_limit)->rejected, 0U) << (*at_the_limit)->rejected_reason;
    EXPECT_EQ((*at_the_limit)->events.size(), 1U);
    const auto past_it = nested(65);
    EXPECT_TRUE(!past_it.has_value() || (*past_it)->rejected == 1U);
}

TEST(JsonPlace, WhatIsJsonHasNoFault) {
    const char* const texts[] = {
        "null", " [ ] ", "{}", R"({"a":{"b":[1,-0.5e+3,true,false,null,"\u00e9\\\"é"]},"c":[[],{}]})",
        "0", "-1", R"("")", "18446744073709551615",
    };
    for (const char* const text : texts) {
        EXPECT_FALSE(json::find_fault(text, 64).has_value()) << text;
    }
}

}  // namespace
}  // namespace tagout::intake
