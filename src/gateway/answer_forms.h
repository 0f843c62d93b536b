// The three forms of an answer, one file each, and what they share. Only answer_edit.cc and they
// include it.
#pragma once

#include "gateway/answer_edit.h"

#include <charconv>
#include <cstdint>

namespace tagout::gateway {

[[nodiscard]] std::unique_ptr<AnswerEditor> make_chat_editor(JudgeProposed judge);
[[nodiscard]] std::unique_ptr<AnswerEditor> make_messages_editor(JudgeProposed judge);
[[nodiscard]] std::unique_ptr<AnswerEditor> make_responses_editor(JudgeProposed judge);

/// A member that is a string, undone of its escapes; "" if it is none.
[[nodiscard]] std::string text_of(RawJson json, std::string_view key);
[[nodiscard]] std::int64_t number_of(RawJson json, std::string_view key, std::int64_t otherwise);

}  // namespace tagout::gateway
