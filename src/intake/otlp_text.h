// OTLP/JSON requests for tests, written span by span. Test code only.
#pragma once

#include "intake/normalise_json.h"
#include "intake/otlp_file.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::intake::otlp_text {

inline std::string json_text(std::string_view text) {
    std::string out;
    append_quoted(text, out);
    return out;
}

/// One attribute, already written.
struct Attr {
    Attr(std::string_view key, std::string_view value)
        : text(entry(key, "\"stringValue\":" + json_text(value))) {}
    Attr(std::string_view key, const char* value) : Attr(key, std::string_view(value)) {}
    Attr(std::string_view key, int value)
        : text(entry(key, "\"intValue\":" + std::to_string(value))) {}
    Attr(std::string_view key, double value)
        : text(entry(key, "\"doubleValue\":" + std::to_string(value))) {}
    Attr(std::string_view key, bool value)
        : text(entry(key, value ? "\"boolValue\":true" : "\"boolValue\":false")) {}
    Attr(std::string_view key, const std::vector<std::string>& values) {
        std::string list = "\"arrayValue\":{\"values\":[";
        for (const std::string& value : values) {
            list += (&value == values.data() ? "" : ",");
            list += "{\"stringValue\":" + json_text(value) + "}";
        }
        text = entry(key, list + "]}");
    }
    std::string text;

private:
    static std::string entry(std::string_view key, const std::string& value) {
        return "{\"key\":" + json_text(key) + ",\"value\":{" + value + "}}";
    }
};

inline std::string list_of(const std::vector<Attr>& attributes) {
    std::string list = "[";
    for (const Attr& attribute : attributes) {
        list += (&attribute == attributes.data() ? "" : ",") + attribute.text;
    }
    return list + "]";
}

struct Event {
    std::string name = {};
    std::vector<Attr> attributes = {};
};

inline std::string padded_hex(std::uint64_t number, std::size_t digits) {
    std::string hex(digits, '0');
    for (std::size_t i = digits; i-- > 0 && number != 0; number >>= 4U) {
        hex[i] = "0123456789abcdef"[number & 15U];
    }
    return hex;
}

/// Ids are small numbers; times are seconds.
struct Span {
    std::string name = {};
    std::vector<Attr> attributes = {};
    int id = 1;
    int parent = 0;  ///< 0 for none.
    int trace = 1;
    int start = 100;
    int end = 101;
    int kind = 1;
    int status = 0;
    std::string message = {};
    std::vector<Event> events = {};

    [[nodiscard]] std::string text() const {
        std::string out = "{\"traceId\":\"" + padded_hex(static_cast<std::uint64_t>(trace), 32)
            + "\",\"spanId\":\"" + padded_hex(static_cast<std::uint64_t>(id), 16) + "\"";
        if (parent != 0) {
            out += ",\"parentSpanId\":\"" + padded_hex(static_cast<std::uint64_t>(parent), 16) + "\"";
        }
        out += ",\"name\":" + json_text(name) + ",\"kind\":" + std::to_string(kind)
            + ",\"startTimeUnixNano\":\"" + std::to_string(start) + "000000000\""
            + ",\"endTimeUnixNano\":\"" + std::to_string(end) + "000000000\""
            + ",\"attributes\":" + list_of(attributes) + ",\"events\":[";
        for (const Event& event : events) {
            out += &event == events.data() ? "{\"name\":" : ",{\"name\":";
            out += json_text(event.name)
                + ",\"attributes\":" + list_of(event.attributes) + "}";
        }
        out += "],\"status\":{\"code\":" + std::to_string(status);
        if (!message.empty()) {
            out += ",\"message\":" + json_text(message);
        }
        return out + "}}";
    }
};

/// One log record.
struct Record {
    std::string event = {};
    std::vector<Attr> attributes = {};
    int span = 1;
    int trace = 1;  ///< 0 for none.
    int at = 101;
    std::string body = {};

    [[nodiscard]] std::string text() const {
        std::string out = "{\"timeUnixNano\":\"" + std::to_string(at) + "000000000\"";
        if (trace != 0) {
            out += ",\"traceId\":\"" + padded_hex(static_cast<std::uint64_t>(trace), 32)
                + "\",\"spanId\":\"" + padded_hex(static_cast<std::uint64_t>(span), 16) + "\"";
        }
        if (!event.empty()) {
            out += ",\"eventName\":" + json_text(event);
        }
        return out + ",\"body\":{\"stringValue\":" + json_text(body)
            + "},\"attributes\":" + list_of(attributes) + "}";
    }
};

template <class Item>
[[nodiscard]] std::string items_text(const std::vector<Item>& items) {
    std::string out;
    for (const Item& item : items) {
        out += (&item == items.data() ? "" : ",") + item.text();
    }
    return out;
}

[[nodiscard]] inline std::string traces(const std::vector<Span>& spans, std::string_view scope) {
    return "{\"resourceSpans\":[{\"resource\":{\"attributes\":"
        + list_of({{"service.name", "shop"}}) + "},\"scopeSpans\":[{\"scope\":{\"name\":"
        + json_text(scope) + "},\"spans\":[" + items_text(spans) + "]}]}]}";
}

[[nodiscard]] inline std::string logs(const std::vector<Record>& records, std::string_view scope) {
    return "{\"resourceLogs\":[{\"resource\":{\"attributes\":"
        + list_of({{"service.name", "shop"}}) + "},\"scopeLogs\":[{\"scope\":{\"name\":"
        + json_text(scope) + "},\"logRecords\":[" + items_text(records) + "]}]}]}";
}

/// What a request becomes before it is linked.
[[nodiscard]] inline std::shared_ptr<EventBatch> decoded(const std::string& text, Signal signal) {
    auto batch = decode(PaddedBytes::copy_of(text), signal, Encoding::Json, DecodeLimits{});
    EXPECT_TRUE(batch.has_value()) << (batch ? "" : batch.error().message);
    if (!batch) {
        return std::make_shared<EventBatch>();
    }
    EXPECT_EQ((*batch)->rejected, 0U) << (*batch)->rejected_reason;
    return *batch;
}
[[nodiscard]] inline std::shared_ptr<EventBatch> decoded(
    const std::vector<Span>& spans, std::string_view scope = "test"
) {
    return decoded(traces(spans, scope), Signal::Traces);
}
[[nodiscard]] inline std::shared_ptr<EventBatch> decoded(
    const std::vector<Record>& records, std::string_view scope = "test"
) {
    return decoded(logs(records, scope), Signal::Logs);
}

/// All of one run in one file, linked.
[[nodiscard]] inline std::shared_ptr<EventBatch> linked(
    const std::vector<Span>& spans, std::string_view scope = "test",
    const std::vector<Record>& records = {}
) {
    const std::string text = traces(spans, scope) + "\n" + logs(records, scope);
    const OtlpFile file{"fixture", text};
    const auto batch = read_otlp_files({&file, 1}, DecodeLimits{});
    EXPECT_TRUE(batch.has_value()) << (batch ? "" : batch.error().message);
    return batch.value_or(std::make_shared<EventBatch>());
}

/// The event of the span with that id, or the first with that name; a failed test without one.
[[nodiscard]] inline const AgentEvent& event_named(const EventBatch& batch, std::string_view name) {
    for (const AgentEvent& event : batch.events) {
        if (event.name == name || event.event == name) {
            return event;
        }
    }
    static const AgentEvent missing;
    ADD_FAILURE() << "no event " << name;
    return missing;
}

[[nodiscard]] inline std::int64_t tokens_counted(const EventBatch& batch) {
    std::int64_t sum = 0;
    for (const AgentEvent& event : batch.events) {
        sum += event.tokens.counted();
    }
    return sum;
}

[[nodiscard]] inline double cost_counted(const EventBatch& batch) {
    double sum = 0;
    for (const AgentEvent& event : batch.events) {
        sum += event.counted_cost_usd();
    }
    return sum;
}

}  // namespace tagout::intake::otlp_text
