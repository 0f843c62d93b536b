#include "server/otlp_answer.h"

#include <boost/json.hpp>

namespace tagout::server {

namespace {

namespace json = boost::json;

constexpr std::string_view retry_info_type = "type.googleapis.com/google.rpc.RetryInfo";

void append_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out += static_cast<char>((value & 0x7FU) | 0x80U);
        value >>= 7U;
    }
    out += static_cast<char>(value);
}

/// Field of wire type 0; a zero is left out, as proto3 does.
void append_number(std::string& out, unsigned field, std::uint64_t value) {
    if (value > 0) {
        append_varint(out, field << 3U);
        append_varint(out, value);
    }
}

/// Field of wire type 2.
void append_bytes(std::string& out, unsigned field, std::string_view bytes) {
    append_varint(out, (field << 3U) | 2U);
    append_varint(out, bytes.size());
    out += bytes;
}

std::string_view rejected_name(Signal signal) {
    switch (signal) {
        case Signal::Traces:
            return "rejectedSpans";
        case Signal::Logs:
            return "rejectedLogRecords";
        case Signal::Metrics:
            return "rejectedDataPoints";
    }
    return "rejectedSpans";
}

}  // namespace

std::string export_response(
    intake::Encoding encoding, Signal signal, std::uint64_t rejected, std::string_view message
) {
    const bool empty = rejected == 0 && message.empty();
    if (encoding == intake::Encoding::Json) {
        json::object out;
        if (!empty) {
            // 64-bit numbers are strings in protobuf's JSON.
            json::object partial{
                {rejected_name(signal), std::to_string(rejected)}, {"errorMessage", message}};
            out["partialSuccess"] = std::move(partial);
        }
        return json::serialize(out);
    }
    std::string out;
    if (!empty) {
        std::string partial;
        append_number(partial, 1, rejected);
        if (!message.empty()) {
            append_bytes(partial, 2, message);
        }
        append_bytes(out, 1, partial);
    }
    return out;
}

std::string retry_info(unsigned retry_seconds) {
    std::string delay;
    append_number(delay, 1, retry_seconds);
    std::string info;
    append_bytes(info, 1, delay);
    return info;
}

std::string rpc_status(
    intake::Encoding encoding, int code, std::string_view message, unsigned retry_seconds
) {
    if (encoding == intake::Encoding::Json) {
        json::object out{{"code", code}, {"message", message}};
        if (retry_seconds > 0) {
            json::object info{
                {"@type", retry_info_type}, {"retryDelay", std::to_string(retry_seconds) + "s"}};
            out["details"] = json::array{std::move(info)};
        }
        return json::serialize(out);
    }
    std::string out;
    append_number(out, 1, static_cast<std::uint64_t>(code));
    if (!message.empty()) {
        append_bytes(out, 2, message);
    }
    if (retry_seconds > 0) {
        std::string detail;
        append_bytes(detail, 1, retry_info_type);
        append_bytes(detail, 2, retry_info(retry_seconds));
        append_bytes(out, 3, detail);
    }
    return out;
}

}  // namespace tagout::server
