// Lists of messages, in the shapes in which conventions keep them: one JSON text, or a list spread
// over attributes by index.
//
// A message is believed to be the user's only where the outermost list says so, and a part only if it
// is a text: neither an object inside a tool's result that looks like a message, nor a tool's result
// that travels in a message of role user, is what the user said.
// Cost: a short list is walked once; of a long one, what follows the message that is looked for.
#pragma once

#include "intake/normalise_item.h"
#include "intake/normalise_json.h"

#include <cstdint>
#include <string_view>

namespace tagout::intake {

/// The text of one message's content: a text, a part, or a list of parts.
[[nodiscard]] std::string_view text_of_content(const JsonView& content, EventBatch& batch);

/// `{"content": "hi"}` in a text, as some SDKs nest it, is looked into; other texts stand.
[[nodiscard]] std::string_view text_of_nested(std::string_view text, EventBatch& batch);

/// The text of one message: of OpenTelemetry's or Gemini's parts, else of the content.
[[nodiscard]] std::string_view text_of_message(
    const JsonView& parts, const JsonView& content, EventBatch& batch
);

/// The last user message that has a text; "" if none.
[[nodiscard]] std::string_view last_user_message(const JsonView& messages, EventBatch& batch);

/// The text of the last message that is the model's.
[[nodiscard]] std::string_view last_answer(const JsonView& messages, EventBatch& batch);

/// The first message of the list, if it is the system's.
[[nodiscard]] std::string_view leading_system_message(const JsonView& messages, EventBatch& batch);

/// Lists up to this size are walked once, from the front; longer ones from their end.
inline constexpr std::size_t short_list_bytes = 4096;

/// What one message of a list says, as slices.
struct MessageParts {
    JsonView role;
    JsonView parts;    ///< None if there is but one text among the parts: then `only_text`.
    JsonView content;
    JsonView only_text;
    [[nodiscard]] std::string_view text(EventBatch& batch) const;
};

/// The messages of a short list that matter, found in one pass over it.
struct MessageScan {
    MessageParts system;  ///< The first message, if it is the system's.
    MessageParts user;    ///< The last of each; without a role where there is none.
    MessageParts answer;
    bool plain = true;  ///< Every message was an object that says its role.
};
[[nodiscard]] MessageScan scan_messages(const JsonView& messages) noexcept;

/// A spread list: which keys, and what its role and its texts are called.
struct SpreadList {
    KeyId family;
    std::string_view prefix;
    std::string_view role;
    std::string_view content;
    std::string_view first_part;  ///< Where the text stands if content is a list of parts.
};
inline constexpr SpreadList inference_input{
    KeyId::LlmInputMessage, "llm.input_messages.", "message.role", "message.content",
    "message.contents.0.message_content.text"
};
inline constexpr SpreadList inference_output{
    KeyId::LlmOutputMessage, "llm.output_messages.", "message.role", "message.content",
    "message.contents.0.message_content.text"
};
inline constexpr SpreadList llmetry_prompt{
    KeyId::GenAiPromptItem, "gen_ai.prompt.", "role", "content", {}
};
inline constexpr SpreadList llmetry_completion{
    KeyId::GenAiCompletionItem, "gen_ai.completion.", "role", "content", {}
};

/// The text of the item with the highest index whose role is `role`, among those with a text.
[[nodiscard]] std::string_view last_item_of(
    const AttributeIndex& attributes, const SpreadList& list, std::string_view role
) noexcept;
/// The text of the first item, if that is its role.
[[nodiscard]] std::string_view first_item_of_role(
    const AttributeIndex& attributes, const SpreadList& list, std::string_view role
) noexcept;
/// The first of the answers that has a text.
[[nodiscard]] std::string_view first_answer_item(
    const AttributeIndex& attributes, const SpreadList& list
) noexcept;

}  // namespace tagout::intake
