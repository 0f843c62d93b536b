#include "intake/json_fields.h"

namespace tagout::intake::json {

namespace {

constexpr Zero written = Zero::Written;

constexpr std::string_view kinds[] = {"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"};
constexpr EnumNames span_kinds{"SPAN_KIND_", kinds};
constexpr std::string_view codes[] = {"UNSET", "OK", "ERROR"};
constexpr EnumNames status_codes{"STATUS_CODE_", codes};
constexpr std::string_view severities[] = {
    "UNSPECIFIED", "TRACE", "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO",        "INFO2", "INFO3",  "INFO4",  "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
    "ERROR2",      "ERROR3", "ERROR4", "FATAL", "FATAL2", "FATAL3", "FATAL4"
};
constexpr EnumNames severity_numbers{"SEVERITY_NUMBER_", severities};
constexpr std::string_view sums[] = {"UNSPECIFIED", "DELTA", "CUMULATIVE"};
constexpr EnumNames temporalities{"AGGREGATION_TEMPORALITY_", sums};

// ---- values: AnyValue and its lists contain each other

extern const Message any_value;
extern const Message key_value;

constexpr FieldRule array_fields[] = {{"values", 1, Form::Messages, &any_value}};
constexpr Message array_value{array_fields};
constexpr FieldRule list_fields[] = {{"values", 1, Form::Messages, &key_value}};
constexpr Message key_value_list{list_fields};
constexpr FieldRule any_fields[] = {
    {"stringValue", 1, Form::Text, nullptr, written},
    {"intValue", 3, Form::Signed, nullptr, written},
    {"boolValue", 2, Form::Bool, nullptr, written},
    {"doubleValue", 4, Form::Double, nullptr, written},
    {"arrayValue", 5, Form::Message, &array_value},
    {"kvlistValue", 6, Form::Message, &key_value_list},
    {"bytesValue", 7, Form::Base64, nullptr, written},
};
constexpr FieldRule key_value_fields[] = {
    {"key", 1, Form::Text},
    {"value", 2, Form::Message, &any_value},
};
constexpr Message any_value{any_fields};
constexpr Message key_value{key_value_fields};

// ---- what is around every item

constexpr FieldRule entity_fields[] = {
    {"schemaUrl", 1, Form::Text},
    {"type", 2, Form::Text},
    {"idKeys", 3, Form::Texts},
    {"descriptionKeys", 4, Form::Texts},
};
constexpr Message entity_ref{entity_fields};
constexpr FieldRule resource_fields[] = {
    {"attributes", 1, Form::Messages, &key_value},
    {"droppedAttributesCount", 2, Form::Unsigned},
    {"entityRefs", 3, Form::Messages, &entity_ref},
};
constexpr Message resource{resource_fields};
constexpr FieldRule scope_fields[] = {
    {"name", 1, Form::Text},
    {"version", 2, Form::Text},
    {"attributes", 3, Form::Messages, &key_value},
    {"droppedAttributesCount", 4, Form::Unsigned},
};
constexpr Message scope{scope_fields};

// ---- traces

constexpr FieldRule status_fields[] = {
    {"message", 2, Form::Text},
    {"code", 3, Form::Enum, nullptr, Zero::Omitted, &status_codes},
};
constexpr Message status{status_fields};
constexpr FieldRule event_fields[] = {
    {"timeUnixNano", 1, Form::Fixed64},
    {"name", 2, Form::Text},
    {"attributes", 3, Form::Messages, &key_value},
    {"droppedAttributesCount", 4, Form::Unsigned},
};
constexpr Message event{event_fields};
constexpr FieldRule link_fields[] = {
    {"traceId", 1, Form::Hex},
    {"spanId", 2, Form::Hex},
    {"traceState", 3, Form::Text},
    {"attributes", 4, Form::Messages, &key_value},
    {"droppedAttributesCount", 5, Form::Unsigned},
    {"flags", 6, Form::Fixed32},
};
constexpr Message link{link_fields};
constexpr FieldRule span_fields[] = {
    {"traceId", 1, Form::Hex},
    {"spanId", 2, Form::Hex},
    {"traceState", 3, Form::Text},
    {"parentSpanId", 4, Form::Hex},
    {"name", 5, Form::Text},
    {"kind", 6, Form::Enum, nullptr, Zero::Omitted, &span_kinds},
    {"startTimeUnixNano", 7, Form::Fixed64},
    {"endTimeUnixNano", 8, Form::Fixed64},
    {"attributes", 9, Form::Messages, &key_value},
    {"droppedAttributesCount", 10, Form::Unsigned},
    {"events", 11, Form::Messages, &event},
    {"droppedEventsCount", 12, Form::Unsigned},
    {"links", 13, Form::Messages, &link},
    {"droppedLinksCount", 14, Form::Unsigned},
    {"status", 15, Form::Message, &status},
    {"flags", 16, Form::Fixed32},
};
constexpr Message span{span_fields, true};
constexpr FieldRule scope_spans_fields[] = {
    {"scope", 1, Form::Message, &scope},
    {"spans", 2, Form::Messages, &span},
    {"schemaUrl", 3, Form::Text},
};
constexpr Message scope_spans{scope_spans_fields, false, true};
constexpr FieldRule resource_spans_fields[] = {
    {"resource", 1, Form::Message, &resource},
    {"scopeSpans", 2, Form::Messages, &scope_spans},
    {"schemaUrl", 3, Form::Text},
};
constexpr Message resource_spans{resource_spans_fields, false, true};
constexpr FieldRule traces_fields[] = {{"resourceSpans", 1, Form::Messages, &resource_spans}};

// ---- logs

constexpr FieldRule log_fields[] = {
    {"timeUnixNano", 1, Form::Fixed64},
    {"severityNumber", 2, Form::Enum, nullptr, Zero::Omitted, &severity_numbers},
    {"severityText", 3, Form::Text},
    {"body", 5, Form::Message, &any_value},
    {"attributes", 6, Form::Messages, &key_value},
    {"droppedAttributesCount", 7, Form::Unsigned},
    {"flags", 8, Form::Fixed32},
    {"traceId", 9, Form::Hex},
    {"spanId", 10, Form::Hex},
    {"observedTimeUnixNano", 11, Form::Fixed64},
    {"eventName", 12, Form::Text},
};
constexpr Message log_record{log_fields, true};
constexpr FieldRule scope_logs_fields[] = {
    {"scope", 1, Form::Message, &scope},
    {"logRecords", 2, Form::Messages, &log_record},
    {"schemaUrl", 3, Form::Text},
};
constexpr Message scope_logs{scope_logs_fields, false, true};
constexpr FieldRule resource_logs_fields[] = {
    {"resource", 1, Form::Message, &resource},
    {"scopeLogs", 2, Form::Messages, &scope_logs},
    {"schemaUrl", 3, Form::Text},
};
constexpr Message resource_logs{resource_logs_fields, false, true};
constexpr FieldRule logs_fields[] = {{"resourceLogs", 1, Form::Messages, &resource_logs}};

// ---- metrics

constexpr FieldRule exemplar_fields[] = {
    {"timeUnixNano", 2, Form::Fixed64},
    {"asDouble", 3, Form::Double, nullptr, written},
    {"spanId", 4, Form::Hex},
    {"traceId", 5, Form::Hex},
    {"asInt", 6, Form::SignedFixed64, nullptr, written},
    {"filteredAttributes", 7, Form::Messages, &key_value},
};
constexpr Message exemplar{exemplar_fields};
constexpr FieldRule number_fields[] = {
    {"startTimeUnixNano", 2, Form::Fixed64},
    {"timeUnixNano", 3, Form::Fixed64},
    {"asDouble", 4, Form::Double, nullptr, written},
    {"exemplars", 5, Form::Messages, &exemplar},
    {"asInt", 6, Form::SignedFixed64, nullptr, written},
    {"attributes", 7, Form::Messages, &key_value},
    {"flags", 8, Form::Unsigned},
};
constexpr Message number_point{number_fields};
constexpr FieldRule histogram_point_fields[] = {
    {"startTimeUnixNano", 2, Form::Fixed64},
    {"timeUnixNano", 3, Form::Fixed64},
    {"count", 4, Form::Fixed64},
    {"sum", 5, Form::Double, nullptr, written},
    {"bucketCounts", 6, Form::PackedFixed64},
    {"explicitBounds", 7, Form::PackedDoubles},
    {"exemplars", 8, Form::Messages, &exemplar},
    {"attributes", 9, Form::Messages, &key_value},
    {"flags", 10, Form::Unsigned},
    {"min", 11, Form::Double, nullptr, written},
    {"max", 12, Form::Double, nullptr, written},
};
constexpr Message histogram_point{histogram_point_fields};
constexpr FieldRule buckets_fields[] = {
    {"offset", 1, Form::ZigZag},
    {"bucketCounts", 2, Form::PackedVarints},
};
constexpr Message buckets{buckets_fields};
constexpr FieldRule exponential_point_fields[] = {
    {"attributes", 1, Form::Messages, &key_value},
    {"startTimeUnixNano", 2, Form::Fixed64},
    {"timeUnixNano", 3, Form::Fixed64},
    {"count", 4, Form::Fixed64},
    {"sum", 5, Form::Double, nullptr, written},
    {"scale", 6, Form::ZigZag},
    {"zeroCount", 7, Form::Fixed64},
    {"positive", 8, Form::Message, &buckets},
    {"negative", 9, Form::Message, &buckets},
    {"flags", 10, Form::Unsigned},
    {"exemplars", 11, Form::Messages, &exemplar},
    {"min", 12, Form::Double, nullptr, written},
    {"max", 13, Form::Double, nullptr, written},
    {"zeroThreshold", 14, Form::Double},
};
constexpr Message exponential_point{exponential_point_fields};
constexpr FieldRule quantile_fields[] = {
    {"quantile", 1, Form::Double},
    {"value", 2, Form::Double},
};
constexpr Message quantile{quantile_fields};
constexpr FieldRule summary_point_fields[] = {
    {"startTimeUnixNano", 2, Form::Fixed64},
    {"timeUnixNano", 3, Form::Fixed64},
    {"count", 4, Form::Fixed64},
    {"sum", 5, Form::Double},
    {"quantileValues", 6, Form::Messages, &quantile},
    {"attributes", 7, Form::Messages, &key_value},
    {"flags", 8, Form::Unsigned},
};
constexpr Message summary_point{summary_point_fields};

constexpr FieldRule gauge_fields[] = {{"dataPoints", 1, Form::Messages, &number_point}};
constexpr Message gauge{gauge_fields};
constexpr FieldRule sum_fields[] = {
    {"dataPoints", 1, Form::Messages, &number_point},
    {"aggregationTemporality", 2, Form::Enum, nullptr, Zero::Omitted, &temporalities},
    {"isMonotonic", 3, Form::Bool},
};
constexpr Message sum{sum_fields};
constexpr FieldRule histogram_fields[] = {
    {"dataPoints", 1, Form::Messages, &histogram_point},
    {"aggregationTemporality", 2, Form::Enum, nullptr, Zero::Omitted, &temporalities},
};
constexpr Message histogram{histogram_fields};
constexpr FieldRule exponential_fields[] = {
    {"dataPoints", 1, Form::Messages, &exponential_point},
    {"aggregationTemporality", 2, Form::Enum, nullptr, Zero::Omitted, &temporalities},
};
constexpr Message exponential{exponential_fields};
constexpr FieldRule summary_fields[] = {{"dataPoints", 1, Form::Messages, &summary_point}};
constexpr Message summary{summary_fields};
constexpr FieldRule metric_fields[] = {
    {"name", 1, Form::Text},
    {"description", 2, Form::Text},
    {"unit", 3, Form::Text},
    {"gauge", 5, Form::Message, &gauge},
    {"sum", 7, Form::Message, &sum},
    {"histogram", 9, Form::Message, &histogram},
    {"exponentialHistogram", 10, Form::Message, &exponential},
    {"summary", 11, Form::Message, &summary},
    {"metadata", 12, Form::Messages, &key_value},
};
constexpr Message metric{metric_fields, true};
constexpr FieldRule scope_metrics_fields[] = {
    {"scope", 1, Form::Message, &scope},
    {"metrics", 2, Form::Messages, &metric},
    {"schemaUrl", 3, Form::Text},
};
constexpr Message scope_metrics{scope_metrics_fields, false, true};
constexpr FieldRule resource_metrics_fields[] = {
    {"resource", 1, Form::Message, &resource},
    {"scopeMetrics", 2, Form::Messages, &scope_metrics},
    {"schemaUrl", 3, Form::Text},
};
constexpr Message resource_metrics{resource_metrics_fields, false, true};
constexpr FieldRule metrics_fields[] = {{"resourceMetrics", 1, Form::Messages, &resource_metrics}};

}  // namespace

constinit const Message traces_request{traces_fields};
constinit const Message logs_request{logs_fields};
constinit const Message metrics_request{metrics_fields};

}  // namespace tagout::intake::json
