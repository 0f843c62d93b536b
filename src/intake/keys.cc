#include "intake/keys.h"

namespace tagout::intake::key_table {

namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// True if `key` is `prefix`, then a number.
bool has_index(std::string_view key, std::string_view prefix) noexcept {
    return key.size() > prefix.size() && key.starts_with(prefix) && is_digit(key[prefix.size()]);
}

bool is_annotation(std::string_view key) noexcept {
    for (const std::string_view scope : {std::string_view("trace."), std::string_view("session.")}) {
        if (key.starts_with(scope)) {
            key.remove_prefix(scope.size());
            break;
        }
    }
    return has_index(key, "annotations.") || has_index(key, "evaluations.");
}

}  // namespace

KeyId family_of_unlisted(std::string_view key) noexcept {
    if (key.size() < 6) {
        return KeyId::Unknown;
    }
    switch (key[0]) {
        case 'g':
            if (!key.starts_with("gen_ai.")) {
                return KeyId::Unknown;
            }
            if (has_index(key, "gen_ai.prompt.")) {
                return KeyId::GenAiPromptItem;
            }
            return has_index(key, "gen_ai.completion.") ? KeyId::GenAiCompletionItem : KeyId::GenAi;
        case 'l':
            if (has_index(key, "llm.input_messages.")) {
                return KeyId::LlmInputMessage;
            }
            if (has_index(key, "llm.output_messages.")) {
                return KeyId::LlmOutputMessage;
            }
            if (has_index(key, "llm.tools.")) {
                return KeyId::LlmTool;
            }
            return key.starts_with("langsmith.") ? KeyId::LangSmith : KeyId::Unknown;
        case 't':
            if (key.starts_with("traceloop.")) {
                return KeyId::Traceloop;
            }
            [[fallthrough]];
        case 'a':
        case 'e':
        case 's':
            return is_annotation(key) ? KeyId::Annotation : KeyId::Unknown;
        default:
            return KeyId::Unknown;
    }
}

}  // namespace tagout::intake::key_table
