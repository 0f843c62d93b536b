// Requests of GenAI-like spans for tests and benchmarks: 14 attributes, about 1.3 KB, text of
// words in Zipf's proportions, so that zstd level 1 shrinks them about 4.4 times like recorded
// ones.
#pragma once

#include "domain/event_batch.h"
#include "store/test_support.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tagout::store {

/// Thread-compatible. The same seed gives the same requests.
class SampleBatches {
public:
    explicit SampleBatches(std::uint64_t seed) : bits_(seed) {
        constexpr std::array<const char*, 24> syllables{
            "re",  "con", "ta", "tion", "er",  "lo",  "mi", "pro", "sta", "ment", "or", "de",
            "ble", "ing", "ca", "su",   "per", "ant", "in", "le",  "ver", "ou",   "ge", "ful"};
        for (std::size_t i = 0; i < 4096; ++i) {
            std::string word;
            for (std::uint64_t n = 1 + bits_.below(i < 100 ? 2 : 4); n > 0; --n) {
                word += syllables[bits_.below(syllables.size())];
            }
            words_.push_back(std::move(word));
        }
        for (int i = 0; i < 512; ++i) {  // people and models repeat themselves in whole phrases
            std::string phrase = word();
            for (std::uint64_t n = 2 + bits_.below(5); n > 0; --n) {
                phrase += " " + word();
            }
            phrases_.push_back(std::move(phrase));
        }
        resource_ = attribute("service.name", "order-desk") +
                    attribute("service.version", "4.2.1") +
                    attribute("deployment.environment.name", "production") +
                    attribute("telemetry.sdk.language", "python") +
                    attribute("host.name", "ip-10-0-3-17.internal");
        resource_ = tagged(1, resource_);
        scope_ = tagged(1, "opentelemetry.instrumentation.openai_v2") + tagged(2, "2.1b0");
    }

    /// One request of `spans` spans in traces of 8. `conversations`: else the trace id correlates.
    std::shared_ptr<EventBatch> batch(std::size_t spans, bool conversations = false) {
        auto batch = std::make_shared<EventBatch>();
        std::string bytes = resource_ + scope_;
        struct Made {
            std::size_t offset;
            std::size_t size;
            TraceId trace;
            std::int64_t at;
            std::string correlation;
        };
        std::vector<Made> made;
        for (std::size_t i = 0; i < spans; ++i) {
            if (span_in_trace_ % 8 == 0) {
                new_trace(conversations);
            }
            const std::string span = this->span(span_in_trace_++ % 8);
            made.push_back({bytes.size() + 4, span.size(), trace_, nanos_, correlation_});
            bytes += "\x12";  // the tag and length that stand between spans of a request
            bytes += std::string(3, 'l');
            bytes += span;
        }
        batch->bytes = PaddedBytes::copy_of(bytes);
        const std::string_view view = batch->bytes.view();
        std::string_view last;
        for (const Made& each : made) {
            RawItem& item = batch->items.emplace_back();
            item.resource = view.substr(0, resource_.size());
            item.scope = view.substr(resource_.size(), scope_.size());
            item.bytes = view.substr(each.offset, each.size);
            item.trace_id = each.trace;
            item.at = Instant(Duration(each.at));
            if (last != each.correlation) {
                last = batch->keep(each.correlation);
            }
            item.correlation = last;
        }
        return batch;
    }

private:
    static std::string varint(std::uint64_t value) {
        std::string text;
        for (; value >= 0x80; value >>= 7) {
            text += static_cast<char>(value | 0x80);
        }
        return text + static_cast<char>(value);
    }
    static std::string tagged(std::uint32_t field, std::string_view body) {
        return varint(field << 3 | 2) + varint(body.size()) + std::string(body);
    }
    static std::string fixed64(std::uint32_t field, std::uint64_t value) {
        std::string text = varint(field << 3 | 1);
        for (int shift = 0; shift < 64; shift += 8) {
            text += static_cast<char>(value >> shift & 0xff);
        }
        return text;
    }
    static std::string attribute(std::string_view key, std::string_view value) {
        return tagged(1, key) + tagged(2, tagged(1, value));
    }
    static std::string attribute(std::string_view key, std::uint64_t value) {
        return tagged(1, key) + tagged(2, varint(3 << 3) + varint(value));
    }
    std::string word() {
        // The fourth power of a uniform number gives roughly Zipf's proportions.
        const double u = static_cast<double>(bits_.below(1 << 20)) / (1 << 20);
        return words_[static_cast<std::size_t>(u * u * u * u * 4096)];
    }
    std::string text(std::size_t bytes) {
        std::string text;
        while (text.size() < bytes) {
            text += bits_.below(5) == 0 ? phrases_[bits_.below(phrases_.size())] : word();
            text += bits_.below(12) == 0 ? ". " : " ";
        }
        return text;
    }
    std::string hex(int digits) {
        std::string text;
        for (int i = 0; i < digits; ++i) {
            text += "0123456789abcdef"[bits_.below(16)];
        }
        return text;
    }
    void new_trace(bool conversation) {
        for (std::uint8_t& byte : trace_.bytes) {
            byte = static_cast<std::uint8_t>(bits_.next());
        }
        correlation_ = conversation ? "conv_" + hex(16) : to_hex(trace_);
        conversation_ = conversation ? correlation_ : "conv_" + hex(16);
        parent_ = std::string(8, 'p');
    }
    std::string span(std::uint64_t kind) {
        nanos_ += static_cast<std::int64_t>(bits_.below(40'000'000));
        std::string id;
        for (int i = 0; i < 8; ++i) {
            id += static_cast<char>(bits_.next());
        }
        std::string body(reinterpret_cast<const char*>(trace_.bytes.data()), trace_.bytes.size());
        body = tagged(1, body) + tagged(2, id) + tagged(4, parent_);
        const bool tool = kind % 3 == 1;
        const std::string name = kind == 7 ? "invoke_agent order-desk"
                                 : tool    ? "execute_tool refund.issue"
                                           : "chat gpt-4.1-mini";
        body += tagged(5, name) + varint(6 << 3) + varint(3);
        body += fixed64(7, static_cast<std::uint64_t>(nanos_) - 1'000'000 * bits_.below(900));
        body += fixed64(8, static_cast<std::uint64_t>(nanos_));
        const auto add = [&body](const std::string& one) { body += tagged(9, one); };
        add(attribute("gen_ai.operation.name", tool ? "execute_tool" : "chat"));
        add(attribute("gen_ai.provider.name", "openai"));
        add(attribute("gen_ai.agent.name", "order-desk"));
        add(attribute("gen_ai.conversation.id", conversation_));
        add(attribute("gen_ai.request.model", "gpt-4.1-mini"));
        add(attribute("gen_ai.response.model", "gpt-4.1-mini-2025-04-14"));
        add(attribute("gen_ai.response.id", "chatcmpl-" + hex(24)));
        add(attribute("gen_ai.usage.input_tokens", bits_.below(9'000)));
        add(attribute("gen_ai.usage.output_tokens", bits_.below(900)));
        add(attribute("server.address", "api.openai.com"));
        add(attribute("user.id", "user-" + std::to_string(bits_.below(100'000))));
        if (tool) {
            add(attribute("gen_ai.tool.call.id", "call_" + hex(20)));
            add(attribute(
                "gen_ai.tool.call.arguments",
                "{\"order\":\"" + hex(10) + "\",\"note\":\"" + text(200) + "\"}"
            ));
            add(attribute("gen_ai.tool.call.result", "{\"ok\":true,\"text\":\"" + text(420) + "\"}")
            );
        } else {
            add(attribute("gen_ai.output.type", "text"));
            add(attribute(
                "gen_ai.input.messages",
                "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"" + text(360) +
                    "\"}]}]"
            ));
            add(attribute(
                "gen_ai.output.messages",
                "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"" +
                    text(240) + "\"}]}]"
            ));
        }
        return body;
    }

    SeededBits bits_;
    std::vector<std::string> words_;
    std::vector<std::string> phrases_;
    std::string resource_;
    std::string scope_;
    std::uint64_t span_in_trace_ = 0;
    TraceId trace_;
    std::string correlation_;
    std::string conversation_;
    std::string parent_;
    std::int64_t nanos_ = 1'800'000'000'000'000'000;
};

}  // namespace tagout::store
