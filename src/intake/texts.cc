#include "intake/texts.h"

#include <simdjson.h>

#include <cstring>
#include <emmintrin.h>

namespace tagout::intake {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

/// Loads overlap instead of passing the end: texts lie anywhere, also at the end of the arena.
inline bool is_ascii(std::string_view text) noexcept {
    const char* at = text.data();
    const std::size_t size = text.size();
    if (size >= 16) {
        const auto load = [](const char* from) noexcept {
            __m128i bytes;
            std::memcpy(&bytes, from, sizeof bytes);
            return bytes;
        };
        const char* const last = at + size - 16;
        __m128i high = load(last);
        for (; at + 64 <= last; at += 64) {
            const __m128i one = _mm_or_si128(load(at), load(at + 16));
            const __m128i two = _mm_or_si128(load(at + 32), load(at + 48));
            high = _mm_or_si128(high, _mm_or_si128(one, two));
        }
        for (; at < last; at += 16) {
            high = _mm_or_si128(high, load(at));
        }
        return _mm_movemask_epi8(high) == 0;
    }
    std::uint64_t high = 0;
    if (size >= 8) {
        std::uint64_t one = 0;
        std::uint64_t two = 0;
        std::memcpy(&one, at, 8);
        std::memcpy(&two, at + size - 8, 8);
        high = one | two;
    } else if (size >= 4) {
        std::uint32_t one = 0;
        std::uint32_t two = 0;
        std::memcpy(&one, at, 4);
        std::memcpy(&two, at + size - 4, 4);
        high = one | two;
    } else {
        for (std::size_t index = 0; index < size; ++index) {
            high |= static_cast<std::uint8_t>(at[index]);
        }
    }
    return (high & 0x8080808080808080U) == 0;
}

/// Bytes of the well-formed character at `at`, or 0; then `skip` is how many to replace by one
/// U+FFFD: the longest start of a character, at least one byte.
std::size_t character_at(std::string_view text, std::size_t at, std::size_t& skip) noexcept {
    const auto byte = [text](std::size_t index) {
        return index < text.size() ? static_cast<std::uint8_t>(text[index]) : std::uint8_t{0};
    };
    const std::uint8_t lead = byte(at);
    skip = 1;
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    // The second byte's range is narrower after four leads: no overlong forms, no surrogates.
    const std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(at + 1) < low || byte(at + 1) > high) {
        return 0;
    }
    for (std::size_t index = 2; index < length; ++index) {
        if ((byte(at + index) & 0xc0) != 0x80) {
            skip = index;
            return 0;
        }
    }
    return length;
}

std::string_view repaired(std::string_view text, EventBatch& batch) {
    std::string copy;
    copy.reserve(text.size() + text.size() / 8 + replacement.size());
    for (std::size_t at = 0; at < text.size();) {
        std::size_t skip = 0;
        const std::size_t length = character_at(text, at, skip);
        copy.append(length != 0 ? text.substr(at, length) : replacement);
        at += length != 0 ? length : skip;
    }
    ++batch.texts_repaired;
    return batch.keep(copy);
}

struct Settling {
    std::size_t text_bytes_max;
    EventBatch& batch;

    [[gnu::always_inline]] void operator()(std::string_view& text) const {
        if (!text.empty()) {
            settle(text);
        }
    }
    [[gnu::noinline]] void settle(std::string_view& text) const {
        if (text.size() > text_bytes_max) [[unlikely]] {
            text = clipped(text, text_bytes_max);
            ++batch.texts_clipped;
        }
        if (!is_ascii(text)) [[unlikely]] {
            text = valid_text(text, batch);
        }
    }
};

}  // namespace

std::size_t character_length(std::string_view text, std::size_t at) noexcept {
    std::size_t skip = 0;
    return character_at(text, at, skip);
}

std::string_view clipped(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) {
        return text;
    }
    // At most three continuation bytes stand between a cut and the character's start.
    std::size_t cut = bytes_max;
    while (cut > 0 && bytes_max - cut < 3 && (static_cast<std::uint8_t>(text[cut]) & 0xc0) == 0x80) {
        --cut;
    }
    return text.substr(0, cut);
}

std::string_view valid_text(std::string_view text, EventBatch& batch) {
    return simdjson::validate_utf8(text) ? text : repaired(text, batch);
}

void settle_texts(AgentEvent& event, std::size_t text_bytes_max, EventBatch& batch) {
    const Settling settle{text_bytes_max, batch};
    const auto settle_all = [&settle](auto&... texts) { (settle(texts), ...); };
    AgentEvent& e = event;
    settle_all(e.correlation, e.formerly, e.name, e.event, e.scope, e.body);
    settle_all(e.error_type, e.error_message, e.rpc_status);
    settle_all(e.service_name, e.service_version, e.environment, e.tenant);
    settle_all(e.agent_name, e.agent_id, e.agent_version, e.workflow_name, e.workflow_version);
    settle_all(e.conversation_id, e.session_id, e.user_id, e.request_id);
    settle_all(e.prompt_name, e.prompt_version, e.policy_id, e.policy_version, e.route);
    settle_all(e.tool_name, e.tool_call_id, e.tool_type, e.tool_args, e.tool_result);
    settle_all(e.tool_definitions);
    settle_all(e.provider, e.model_request, e.model_response, e.response_id, e.finish_reason);
    settle_all(e.system_text, e.user_text, e.output_text);
    settle_all(e.guardrail_name, e.guardrail_action, e.guardrail_risk);
    settle_all(e.handoff_from, e.handoff_to);
    settle_all(e.eval_scope, e.eval_name, e.eval_label, e.eval_explanation, e.eval_annotator);
    settle_all(e.eval_target, e.flag, e.flag_variant, e.flag_version);
}

}  // namespace tagout::intake
