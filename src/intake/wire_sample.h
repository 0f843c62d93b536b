// Batches like those of a fleet of agents, for benchmarks: 512 spans of about 1,274 bytes and 14
// attributes each. The mix of reference/performance.md: an agent's invocation, model calls with
// usage, tool calls with 150-1,200 bytes of arguments and 200-2,000 of result, HTTP calls below.
#pragma once

#include "base/prng.h"

#include "otlp_bytes.pb.h"

#include <string>

namespace tagout::intake::oracle {

class AgentTraffic {
public:
    static constexpr std::size_t spans_a_batch = 512;

    explicit AgentTraffic(std::uint64_t seed) : prng_(seed) {}

    std::string batch() {
        tagout::otlp_bytes::ExportTraceServiceRequest request;
        auto& group = *request.add_resource_spans();
        auto& resource = *group.mutable_resource();
        text(resource, "service.name", "support-desk");
        text(resource, "service.version", "4.11.2");
        text(resource, "deployment.environment.name", "production");
        text(resource, "telemetry.sdk.language", "python");
        text(resource, "telemetry.sdk.version", "1.39.0");
        text(resource, "host.name", "worker-17");
        auto& scope = *group.add_scope_spans();
        scope.mutable_scope()->set_name("opentelemetry.instrumentation.genai");
        scope.mutable_scope()->set_version("1.0b0");
        for (std::size_t index = 0; index < spans_a_batch; ++index) {
            if (index % 12 == 0) {
                trace_id_ = random_bytes(16);
                conversation_ = "conv-" + digits(12);
            }
            span(*scope.add_spans(), index % 12);
        }
        return request.SerializeAsString();
    }

private:
    using Span = tagout::otlp_bytes::Span;

    std::string random_bytes(std::size_t size) {
        std::string made(size, '\0');
        for (char& byte : made) {
            byte = static_cast<char>(1 + prng_.below(255));
        }
        return made;
    }
    std::string digits(std::size_t count) {
        std::string made;
        while (made.size() < count) {
            made += static_cast<char>('0' + prng_.below(10));
        }
        return made;
    }
    std::string prose(std::size_t low, std::size_t high) {
        static constexpr std::string_view words[] = {
            "the ", "order ", "was ", "shipped ", "to ", "a ", "customer ", "who ", "asks ", "for ",
            "refund ", "because ", "parcel ", "never ", "arrived ", "please ", "check ", "carrier ",
            "status, ", "then ", "answer ", "in ", "two ", "sentences. ", "invoice ", "amount ",
        };
        const auto size = static_cast<std::size_t>(
            prng_.between(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high))
        );
        std::string made;
        while (made.size() < size) {
            made += words[prng_.below(std::size(words))];
        }
        made.resize(size);
        return made;
    }

    template <class To>
    static void text(To& to, const std::string& key, const std::string& value) {
        auto& entry = *to.add_attributes();
        entry.set_key(key);
        entry.mutable_value()->set_string_value(value);
    }
    static void number(Span& to, const std::string& key, std::int64_t value) {
        auto& entry = *to.add_attributes();
        entry.set_key(key);
        entry.mutable_value()->set_int_value(value);
    }
    std::int64_t count(std::size_t below) { return static_cast<std::int64_t>(prng_.below(below)); }

    void span(Span& to, std::size_t place) {
        to.set_trace_id(trace_id_);
        to.set_span_id(random_bytes(8));
        if (place != 11) {
            to.set_parent_span_id(random_bytes(8));
        }
        now_ += 1'000'000 + prng_.below(50'000'000);
        to.set_start_time_unix_nano(now_ - 1'000'000'000);
        to.set_end_time_unix_nano(now_);
        to.set_flags(257);
        if (place == 11) {
            agent(to);
        } else if (place % 3 == 0) {
            chat(to);
        } else if (place % 3 == 1 && place != 10) {
            tool(to);
        } else {
            http(to);
        }
        if (prng_.chance(0.03)) {
            to.mutable_status()->set_code(tagout::otlp_bytes::Status::STATUS_CODE_ERROR);
            to.mutable_status()->set_message("upstream answered 503");
            text(to, "error.type", "503");
        }
    }

    void common(Span& to, const char* operation) {
        text(to, "gen_ai.operation.name", operation);
        text(to, "gen_ai.provider.name", "openai");
        text(to, "gen_ai.agent.name", "refund-agent");
        text(to, "gen_ai.agent.id", "agent-" + digits(6));
        text(to, "gen_ai.conversation.id", conversation_);
        text(to, "user.id", "customer-" + digits(5));
    }
    void agent(Span& to) {
        to.set_name("invoke_agent refund-agent");
        to.set_kind(Span::SPAN_KIND_INTERNAL);
        common(to, "invoke_agent");
        text(to, "gen_ai.workflow.name", "refund-request");
        text(to, "gen_ai.agent.version", "2026-11-02");
        text(to, "gen_ai.prompt.name", "refund-system");
        text(to, "gen_ai.prompt.version", "17");
        number(to, "gen_ai.usage.input_tokens", 2'000 + count(9'000));
        number(to, "gen_ai.usage.output_tokens", 200 + count(900));
        text(to, "gen_ai.input.messages", message("user", 60, 340));
        text(to, "gen_ai.output.messages", message("assistant", 100, 500));
    }
    void chat(Span& to) {
        to.set_name("chat gpt-4o-mini");
        to.set_kind(Span::SPAN_KIND_CLIENT);
        common(to, "chat");
        text(to, "gen_ai.request.model", "gpt-4o-mini");
        text(to, "gen_ai.response.model", "gpt-4o-mini-2024-07-18");
        text(to, "gen_ai.response.id", "chatcmpl-" + digits(24));
        number(to, "gen_ai.usage.input_tokens", 500 + count(3'000));
        number(to, "gen_ai.usage.output_tokens", 50 + count(400));
        number(to, "gen_ai.usage.cache_read.input_tokens", count(400));
        auto& reasons = *to.add_attributes();
        reasons.set_key("gen_ai.response.finish_reasons");
        reasons.mutable_value()->mutable_array_value()->add_values()->set_string_value("stop");
        text(to, "gen_ai.input.messages", message("user", 60, 340));
        text(to, "gen_ai.output.messages", message("assistant", 100, 500));
    }
    void tool(Span& to) {
        to.set_name("execute_tool orders_lookup");
        to.set_kind(Span::SPAN_KIND_INTERNAL);
        common(to, "execute_tool");
        text(to, "gen_ai.tool.name", "orders_lookup");
        text(to, "gen_ai.tool.call.id", "call_" + digits(20));
        text(to, "gen_ai.tool.type", "function");
        text(to, "gen_ai.tool.call.arguments", "{\"query\":\"" + prose(150, 1'190) + "\"}");
        text(to, "gen_ai.tool.call.result", "{\"order\":\"" + prose(200, 1'990) + "\"}");
    }
    void http(Span& to) {
        to.set_name("POST");
        to.set_kind(Span::SPAN_KIND_CLIENT);
        text(to, "http.request.method", "POST");
        text(to, "url.full", "https://orders.internal.example/v2/lookup?order=" + digits(9));
        text(to, "server.address", "orders.internal.example");
        number(to, "server.port", 443);
        number(to, "http.response.status_code", 200);
        text(to, "network.protocol.version", "1.1");
        text(to, "network.peer.address", "10.3.17.20");
        text(to, "user_agent.original", "python-httpx/0.28.1");
        text(to, "url.scheme", "https");
        text(to, "http.request.header.x-request-id", digits(32));
        text(to, "thread.name", "worker-3");
        number(to, "thread.id", 140'000 + count(999));
        text(to, "code.function.name", "orders.client.lookup");
    }
    std::string message(const char* role, std::size_t low, std::size_t high) {
        return std::string(R"([{"role":")") + role + R"(","parts":[{"type":"text","content":")" +
               prose(low, high) + R"("}]}])";
    }

    Prng prng_;
    std::uint64_t now_ = 1'764'000'000'000'000'000U;
    std::string trace_id_;
    std::string conversation_;
};

}  // namespace tagout::intake::oracle
