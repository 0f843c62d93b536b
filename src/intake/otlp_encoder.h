// Writes OTLP export requests in protobuf, as an OpenTelemetry SDK does: what Tagout itself has to
// report (the gateway's calls, the simulated fleet) goes through this and so meets the same intake as
// everybody else.
//
// Field numbers: opentelemetry-proto 1.x, telemetry reference 3.2. Only what an SDK sets is written;
// nothing is read here. Strings must be valid UTF-8 (proto3); the caller owns that.
#pragma once

#include "base/clock.h"
#include "domain/agent_event.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tagout::otlp {

using AttributeValue =
    std::variant<std::string, std::int64_t, double, bool, std::vector<std::string>>;

struct Attribute {
    std::string key;
    AttributeValue value;
};
using Attributes = std::vector<Attribute>;

/// Values of opentelemetry.proto.trace.v1.Span.SpanKind.
enum class SpanKind : std::uint8_t { Internal = 1, Server = 2, Client = 3 };

struct SpanRecord {
    TraceId trace_id;
    SpanId span_id;
    SpanId parent_span_id;  ///< Zero for a root.
    std::string name;
    SpanKind kind = SpanKind::Internal;
    Instant started_at;
    Instant ended_at;
    Attributes attributes;
    SpanStatus status = SpanStatus::Unset;
    std::string status_message;
};

struct LogEvent {
    TraceId trace_id;
    SpanId span_id;
    Instant at;
    std::string event_name;
    std::int32_t severity_number = 9;  ///< INFO
    Attributes attributes;
};

/// Who reports: the resource and the instrumentation scope of one process.
struct Reporter {
    Attributes resource;
    std::string scope;
    std::string scope_version;
};

/// ExportTraceServiceRequest.
[[nodiscard]] std::string encode_spans(const Reporter& from, std::span<const SpanRecord> spans);
/// ExportLogsServiceRequest.
[[nodiscard]] std::string encode_logs(const Reporter& from, std::span<const LogEvent> events);

}  // namespace tagout::otlp
