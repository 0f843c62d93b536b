// Spans as a fleet of support agents exports them, for the benchmarks of detection and of the whole
// server: sessions of eight spans (model calls, tool calls with results, HTTP calls, the agent's
// own), about 1.2 KB each.
#pragma once

#include "intake/otlp_encoder.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::detect {

inline constexpr std::size_t spans_per_session = 8;

/// A small seeded generator: the texts must compress like prose, not like noise or like one
/// sentence.
class Prose {
public:
    explicit Prose(std::uint64_t seed) : state_(seed * 2 + 1) {}

    std::uint64_t next() {
        state_ ^= state_ << 13U;
        state_ ^= state_ >> 7U;
        state_ ^= state_ << 17U;
        return state_;
    }

    std::string text(std::size_t bytes) {
        static constexpr std::array<std::string_view, 40> words{
            "order",     "the",     "customer", "has",      "a",         "refund", "for",
            "item",      "shipped", "and",      "delivery", "address",   "was",    "to",
            "changed",   "status",  "please",   "check",    "invoice",   "number", "account",
            "we",        "cannot",  "find",     "shipment", "date",      "of",     "amount",
            "confirmed", "email",   "returned", "in",       "warehouse", "with",   "tracking",
            "code",      "is",      "on",       "its",      "way"};
        std::string out;
        while (out.size() < bytes) {
            const std::uint64_t chance = next();
            if (chance % 9 == 0) {
                out += std::to_string(chance % 100'000);
            } else {
                out += words[chance % words.size()];
            }
            out += ' ';
        }
        return out;
    }

    TraceId trace() {
        TraceId id;
        for (std::uint8_t& byte : id.bytes) {
            byte = static_cast<std::uint8_t>(next() >> 24U);
        }
        return id;
    }
    SpanId span() {
        SpanId id;
        for (std::uint8_t& byte : id.bytes) {
            byte = static_cast<std::uint8_t>(next() >> 24U);
        }
        return id;
    }

private:
    std::uint64_t state_;
};

/// One of the spans of a session: chat, execute_tool, http and at last the agent.
inline otlp::SpanRecord make_span(
    Prose& prose, const TraceId& trace, const SpanId& root, std::size_t at, Instant start
) {
    otlp::SpanRecord span;
    span.trace_id = trace;
    const bool is_root = at + 1 == spans_per_session;
    span.span_id = is_root ? root : prose.span();
    span.parent_span_id = is_root ? SpanId{} : root;
    span.started_at = is_root ? start : start + std::chrono::milliseconds(100 * at);
    span.ended_at = start + std::chrono::milliseconds(100 * at + 90);
    const std::string conversation = "conv-" + to_hex(trace).substr(0, 12);
    span.attributes = {
        {"gen_ai.conversation.id", conversation},
        {"gen_ai.agent.name", std::string("support-agent")},
        {"session.id", conversation},
        {"user.id", "user-" + std::to_string(prose.next() % 5000)},
        {"gen_ai.provider.name", std::string("openai")},
        {"server.address", std::string("api.example")},
        {"server.port", std::int64_t{443}},
    };
    const auto add = [&](std::string key, otlp::AttributeValue value) {
        span.attributes.push_back({std::move(key), std::move(value)});
    };
    if (is_root) {
        span.name = "invoke_agent support-agent";
        add("gen_ai.operation.name", std::string("invoke_agent"));
        add("gen_ai.workflow.name", std::string("order_support"));
        add("input.value", prose.text(300));
        add("output.value", prose.text(500));
        span.status = SpanStatus::Ok;
    } else if (at % 3 == 1) {
        span.name = "execute_tool get_order";
        add("gen_ai.operation.name", std::string("execute_tool"));
        add("gen_ai.tool.name", std::string(at % 2 == 0 ? "get_order" : "search_orders"));
        add("gen_ai.tool.call.id", "call_" + std::to_string(prose.next() % 1'000'000));
        add("gen_ai.tool.call.arguments",
            "{\"order\":\"" + std::to_string(prose.next() % 1'000'000) + "\"}");
        add("gen_ai.tool.call.result", prose.text(850));
    } else if (at % 3 == 2) {
        span.name = "POST";
        span.kind = otlp::SpanKind::Client;
        add("http.request.method", std::string("POST"));
        add("http.response.status_code", std::int64_t{200});
        add("url.full", "https://api.example/v1/" + prose.text(60));
        add("user_agent.original", prose.text(400));
    } else {
        span.name = "chat gpt-x";
        span.kind = otlp::SpanKind::Client;
        add("gen_ai.operation.name", std::string("chat"));
        add("gen_ai.request.model", std::string("gpt-x"));
        add("gen_ai.response.model", std::string("gpt-x-2026"));
        add("gen_ai.usage.input_tokens", static_cast<std::int64_t>(400 + prose.next() % 100));
        add("gen_ai.usage.output_tokens", static_cast<std::int64_t>(60 + prose.next() % 20));
        add("gen_ai.input.messages",
            "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"" + prose.text(420) +
                "\"}]}]");
        add("gen_ai.output.messages",
            "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"" +
                prose.text(200) + "\"}]}]");
    }
    return span;
}

/// `sessions` whole sessions that began a second before `now`, span after span.
inline std::vector<otlp::SpanRecord> make_sessions(
    Prose& prose, std::size_t sessions, Instant now
) {
    std::vector<otlp::SpanRecord> spans;
    for (std::size_t i = 0; i < sessions; ++i) {
        const TraceId trace = prose.trace();
        const SpanId root = prose.span();
        for (std::size_t at = 0; at < spans_per_session; ++at) {
            spans.push_back(make_span(prose, trace, root, at, now - std::chrono::seconds(1)));
        }
    }
    return spans;
}

}  // namespace tagout::detect
