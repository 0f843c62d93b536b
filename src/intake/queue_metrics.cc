#include "intake/queue_metrics.h"

#include "intake/wire.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>

namespace tagout::intake {

namespace {

using wire::Field;
using wire::Fields;
using wire::Fixed64;
using wire::Length;
using wire::tag;

constexpr std::array<std::string_view, 11> endings{
    "num_requests_waiting",   // vLLM
    "num_queue_reqs",         // SGLang
    "tgi_queue_size",         // Text Generation Inference
    "pending_request_count",  // Triton
    "queued_queries",         // Ray Serve
    "consumer_group_lag",     // Kafka, by the Collector's receiver
    "rabbitmq_message_current",
    "queue_depth",
    "queue_length",
    "queue_size",
    "queued_requests",
};

/// Of Resource{1 KeyValue{1 key, 2 AnyValue{1 text}}}.
std::string service_of(std::string_view resource) {
    wire::Fault fault;
    Fields attributes(resource, fault);
    Field attribute;
    while (attributes.next(attribute)) {
        if (attribute.tag != tag(1, Length)) {
            continue;
        }
        std::string_view key;
        std::string_view text;
        Fields parts(attribute.bytes, fault);
        Field part;
        while (parts.next(part)) {
            if (part.tag == tag(1, Length)) {
                key = part.bytes;
            } else if (part.tag == tag(2, Length)) {
                Fields value(part.bytes, fault);
                Field inside;
                while (value.next(inside)) {
                    text = inside.tag == tag(1, Length) ? inside.bytes : text;
                }
            }
        }
        if (key == "service.name") {
            return std::string(text);
        }
    }
    return {};
}

/// Of NumberDataPoint{4 double, 6 sfixed64}.
std::optional<double> number_of(std::string_view point, wire::Fault& fault) {
    Fields fields(point, fault);
    Field field;
    std::optional<double> number;
    while (fields.next(field)) {
        if (field.tag == tag(4, Fixed64)) {
            number = std::bit_cast<double>(field.number);
        } else if (field.tag == tag(6, Fixed64)) {
            number = static_cast<double>(static_cast<std::int64_t>(field.number));
        }
    }
    return number;
}

/// Of Metric{1 name, 5 Gauge{1 points}, 7 Sum{1 points}}.
std::optional<QueueDepth> depth_of(std::string_view metric) {
    wire::Fault fault;
    Fields fields(metric, fault);
    Field field;
    QueueDepth depth;
    std::uint64_t numbers = 0;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length)) {
            if (!measures_a_queue(field.bytes)) {
                return std::nullopt;
            }
            depth.metric = field.bytes;
        } else if (field.tag == tag(5, Length) || field.tag == tag(7, Length)) {
            Fields data(field.bytes, fault);
            Field point;
            while (data.next(point)) {
                if (point.tag != tag(1, Length)) {
                    continue;
                }
                const std::optional<double> number = number_of(point.bytes, fault);
                if (number && std::isfinite(*number)) {
                    depth.depth += std::max(*number, 0.0);
                    ++numbers;
                }
            }
        }
    }
    return fields.sound() && numbers > 0 && !depth.metric.empty() ? std::optional(depth)
                                                                  : std::nullopt;
}

}  // namespace

bool measures_a_queue(std::string_view metric) noexcept {
    const auto plain = [](char c) {
        return c == ':' || c == '.' || c == '-' || c == '/' ? '_' : c;
    };
    return std::ranges::any_of(endings, [&](std::string_view ending) {
        if (metric.size() < ending.size()) {
            return false;
        }
        const std::size_t from = metric.size() - ending.size();
        const bool whole = from == 0 || plain(metric[from - 1]) == '_';
        return whole && std::ranges::equal(metric.substr(from), ending, {}, plain);
    });
}

std::vector<QueueDepth> queue_depths(const EventBatch& batch) {
    std::vector<QueueDepth> depths;
    for (const RawItem& item : batch.items) {
        if (item.signal != Signal::Metrics) {
            return {};
        }
        if (std::optional<QueueDepth> depth = depth_of(item.bytes)) {
            depth->service = service_of(item.resource);
            depth->at = item.at;
            depths.push_back(std::move(*depth));
        }
    }
    return depths;
}

}  // namespace tagout::intake
