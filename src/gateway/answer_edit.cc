#include "gateway/answer_edit.h"

#include "gateway/answer_forms.h"

#include <utility>

namespace tagout::gateway {

std::unique_ptr<AnswerEditor> AnswerEditor::make(ModelApi api, JudgeProposed judge) {
    switch (api) {
        case ModelApi::Chat:
            return make_chat_editor(std::move(judge));
        case ModelApi::Responses:
            return make_responses_editor(std::move(judge));
        case ModelApi::Messages:
            return make_messages_editor(std::move(judge));
        case ModelApi::Other:
            return nullptr;
    }
    return nullptr;
}

std::string text_of(RawJson json, std::string_view key) {
    return string_of(member(json, key)).value_or("");
}

std::int64_t number_of(RawJson json, std::string_view key, std::int64_t otherwise) {
    const RawJson value = member(json, key);
    std::int64_t number = otherwise;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    return read.ec == std::errc{} ? number : otherwise;
}

}  // namespace tagout::gateway
