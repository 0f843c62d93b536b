#include "intake/normalise_messages.h"

#include <charconv>
#include <optional>
#include <string>

namespace tagout::intake {

namespace {

/// Joins texts with a blank; one alone is no copy.
class Joined {
public:
    explicit Joined(EventBatch& batch) noexcept : batch_(batch) {}
    void add(std::string_view text) {
        if (text.empty()) {
            return;
        }
        if (!first_.empty()) {
            if (all_.empty()) {
                all_ = first_;
            }
            all_ += ' ';
            all_ += text;
        } else {
            first_ = text;
        }
    }
    [[nodiscard]] std::string_view take() { return all_.empty() ? first_ : batch_.keep(all_); }

private:
    EventBatch& batch_;
    std::string_view first_;
    std::string all_;
};

/// True for parts that people or models wrote: a tool's result inside a message is neither.
bool is_speech(const JsonView& type) noexcept {
    return type.type == JsonType::None || is_word(type, "text") || is_word(type, "input_text")
        || is_word(type, "output_text");
}

/// One part of a message; its text, if it is speech. The cursor stands in the part.
JsonView take_part(JsonCursor& cursor) noexcept {
    JsonView type;
    JsonView content;
    JsonView text;
    for (std::string_view name; cursor.next_key(name);) {
        const JsonView value = cursor.take();
        if (same(name, "type")) {
            type = value;
        } else if (same(name, "content")) {
            content = value;
        } else if (same(name, "text")) {
            text = value;
        }
    }
    const JsonView& said = content.is_text() ? content : text;
    return is_speech(type) && said.is_text() && said.raw.size() > 2 ? said : JsonView{};
}

/// The text parts of OpenTelemetry's `parts`, and Gemini's, which have no type.
std::string_view text_of_parts(const JsonView& parts, EventBatch& batch) {
    Joined joined(batch);
    JsonCursor cursor(parts.raw);
    if (cursor.enter_list()) {
        while (cursor.next_object()) {
            joined.add(text_of(take_part(cursor), batch));
        }
    }
    return joined.take();
}

/// One message; the cursor stands in it.
MessageParts take_message(JsonCursor& cursor) noexcept {
    MessageParts message;
    for (std::string_view name; cursor.next_key(name);) {
        if (!same(name, "parts")) {
            const JsonView value = cursor.take();
            if (same(name, "role")) {
                message.role = value;
            } else if (same(name, "content")) {
                message.content = value;
            }
            continue;
        }
        JsonCursor whole = cursor;
        if (!cursor.enter_list()) {
            message.parts = cursor.take();
            continue;
        }
        std::size_t texts = 0;
        while (cursor.next_object()) {
            const JsonView text = take_part(cursor);
            if (text.is_text()) {
                message.only_text = text;
                ++texts;
            }
        }
        if (texts > 1) {
            message.parts = whole.take();
            message.only_text = {};
        }
    }
    return message;
}

/// One key of a list that a convention spreads over attributes: its index and what follows it.
struct ItemKey {
    std::uint32_t index = 0;
    std::string_view rest;
};
std::optional<ItemKey> item_key(std::string_view key_text, std::string_view prefix) noexcept {
    ItemKey item;
    const char* const begin = key_text.data() + prefix.size();
    const char* const end = key_text.data() + key_text.size();
    const auto [stop, error] = std::from_chars(begin, end, item.index);
    if (error != std::errc{} || stop == end || *stop != '.') {
        return std::nullopt;
    }
    item.rest = {stop + 1, static_cast<std::size_t>(end - stop - 1)};
    return item;
}

std::string_view text_of_item(
    const AttributeIndex& attributes, const SpreadList& list, std::uint32_t index
) noexcept {
    std::string_view part;
    for (const Attribute& attribute : attributes.all()) {
        if (attribute.key_id != list.family) {
            continue;
        }
        const auto item = item_key(attribute.key, list.prefix);
        if (!item || item->index != index) {
            continue;
        }
        if (item->rest == list.content && !attribute.value.text().empty()) {
            return attribute.value.text();
        }
        if (!list.first_part.empty() && item->rest == list.first_part) {
            part = attribute.value.text();
        }
    }
    return part;
}

}  // namespace

std::string_view text_of_nested(std::string_view text, EventBatch& batch) {
    const JsonView inner = json_container_of(text);
    if (inner.type == JsonType::None) {
        return text;
    }
    const std::string_view found = text_of_content(inner, batch);
    const bool is_message = inner.type == JsonType::Array || !member(inner, "content").raw.empty()
        || !member(inner, "text").raw.empty() || !member(inner, "parts").raw.empty();
    return is_message ? found : text;
}

std::string_view text_of_message(
    const JsonView& parts, const JsonView& content, EventBatch& batch
) {
    if (parts.type == JsonType::Array) {
        if (const std::string_view text = text_of_parts(parts, batch); !text.empty()) {
            return text;
        }
    }
    return text_of_content(content, batch);
}

std::string_view MessageParts::text(EventBatch& batch) const {
    return only_text.is_text() ? text_of(only_text, batch)
                               : text_of_message(parts, content, batch);
}

std::string_view leading_system_message(const JsonView& messages, EventBatch& batch) {
    JsonCursor cursor(messages.raw);
    if (!cursor.enter_list() || !cursor.next_object()) {
        return {};
    }
    const JsonCursor first = cursor;
    std::string_view name;
    if (cursor.next_key(name) && same(name, "role") && !is_word(cursor.take(), "system")) {
        return {};  // as nearly always: a history's first message need not be walked
    }
    cursor = first;
    const MessageParts message = take_message(cursor);
    return is_word(message.role, "system") ? message.text(batch) : std::string_view{};
}

MessageScan scan_messages(const JsonView& messages) noexcept {
    MessageScan scan;
    JsonCursor cursor(messages.raw);
    if (!cursor.enter_list()) {
        return scan;
    }
    for (bool first = true; cursor.next_object(); first = false) {
        const MessageParts message = take_message(cursor);
        if (is_word(message.role, "user")) {
            scan.user = message;
        } else if (is_word(message.role, "assistant") || is_word(message.role, "model")) {
            scan.answer = message;
        } else if (first && is_word(message.role, "system")) {
            scan.system = message;
        } else if (!message.role.is_text()) {
            scan.plain = false;
        }
    }
    return scan;
}

std::string_view last_item_of(
    const AttributeIndex& attributes, const SpreadList& list, std::string_view role
) noexcept {
    if (!attributes.has(list.family)) {
        return {};
    }
    std::uint32_t below = 0xffffffff;
    constexpr int tries_max = 16;  // each walks all attributes
    for (int i = 0; i < tries_max; ++i) {
        std::optional<std::uint32_t> highest;
        for (const Attribute& attribute : attributes.all()) {
            if (attribute.key_id != list.family || attribute.value.text() != role) {
                continue;
            }
            const auto item = item_key(attribute.key, list.prefix);
            if (item && item->rest == list.role && item->index < below
                && (!highest || item->index > *highest)) {
                highest = item->index;
            }
        }
        if (!highest) {
            return {};
        }
        if (const auto text = text_of_item(attributes, list, *highest); !text.empty()) {
            return text;
        }
        below = *highest;
    }
    return {};
}

std::string_view first_item_of_role(
    const AttributeIndex& attributes, const SpreadList& list, std::string_view role
) noexcept {
    if (!attributes.has(list.family)) {
        return {};
    }
    for (const Attribute& attribute : attributes.all()) {
        if (attribute.key_id == list.family && attribute.value.text() == role) {
            const auto item = item_key(attribute.key, list.prefix);
            if (item && item->rest == list.role && item->index == 0) {
                return text_of_item(attributes, list, 0);
            }
        }
    }
    return {};
}

std::string_view first_answer_item(
    const AttributeIndex& attributes, const SpreadList& list
) noexcept {
    if (!attributes.has(list.family)) {
        return {};
    }
    constexpr std::uint32_t answers_max = 4;  // choices asked of one call
    for (std::uint32_t index = 0; index < answers_max; ++index) {
        if (const auto text = text_of_item(attributes, list, index); !text.empty()) {
            return text;
        }
    }
    return {};
}

std::string_view text_of_content(const JsonView& content, EventBatch& batch) {
    switch (content.type) {
        case JsonType::String: {
            const std::string_view text = text_of(content, batch);
            return text.starts_with('{') || text.starts_with('[') ? text_of_nested(text, batch)
                                                                  : text;
        }
        case JsonType::Object: {
            for (const std::string_view name : {"content", "text", "parts"}) {
                const JsonView inner = member(content, name);
                if (inner.is_text()) {
                    return text_of(inner, batch);
                }
                if (inner.type == JsonType::Array) {
                    return text_of_content(inner, batch);
                }
            }
            return {};
        }
        case JsonType::Array: {
            Joined joined(batch);
            JsonElements elements(content);
            for (JsonView element; elements.next(element);) {
                if (element.is_text()) {
                    joined.add(text_of(element, batch));
                    continue;
                }
                if (is_speech(member(element, "type"))) {
                    const JsonView text = member(element, "text");
                    joined.add(text_of(text.is_text() ? text : member(element, "content"), batch));
                }
            }
            return joined.take();
        }
        default:
            return {};
    }
}

namespace {

/// LangChain's messages say a type instead of a role, and serialised ones a class. The content of
/// `message` if it is of that type or class.
std::optional<JsonView> content_of_type(
    const JsonObjectsFromBack::Message& message, std::string_view type, std::string_view of_class
) noexcept {
    const JsonView said = member(message.whole, "type");
    if (said.is_text() && said.raw.substr(1, said.raw.size() - 2) == type) {
        return message.content;
    }
    if (member(message.whole, "id").raw.find(of_class) != std::string_view::npos) {
        return member(member(message.whole, "kwargs"), "content");
    }
    return std::nullopt;
}

/// A list of lists: LangChain takes messages as pairs, `["user", "hello"]`, and its models take
/// batches of histories, of which the last that has a user's text counts.
std::string_view last_user_of_lists(const JsonView& lists, EventBatch& batch) {
    std::string_view last;
    JsonElements elements(lists);
    for (JsonView element; elements.next(element);) {
        JsonElements inner(element);
        JsonView first;
        JsonView content;
        if (element.type != JsonType::Array || !inner.next(first)) {
            continue;
        }
        std::string_view text;
        if (first.type == JsonType::Object) {
            text = last_user_message(element, batch);
        } else if ((is_word(first, "user") || is_word(first, "human")) && inner.next(content)) {
            text = text_of_content(content, batch);
        }
        last = text.empty() ? last : text;
    }
    return last;
}

}  // namespace

std::string_view last_user_message(const JsonView& messages, EventBatch& batch) {
    if (messages.type != JsonType::Array) {
        return {};
    }
    JsonObjectsFromBack walk(messages.raw);
    JsonObjectsFromBack::Message message;
    while (walk.next(message)) {
        if (is_word(message.role, "user")) {
            const auto text = text_of_message(message.parts, message.content, batch);
            if (!text.empty()) {
                return text;
            }
        } else if (message.role.type == JsonType::None) {
            if (const auto content = content_of_type(message, "human", "HumanMessage")) {
                return text_of_content(*content, batch);
            }
        }
    }
    return messages.raw.starts_with("[[") ? last_user_of_lists(messages, batch) : std::string_view{};
}

std::string_view last_answer(const JsonView& messages, EventBatch& batch) {
    if (messages.type != JsonType::Array) {
        return {};
    }
    if (messages.raw.size() <= short_list_bytes) {
        const MessageScan scan = scan_messages(messages);
        if (scan.plain) {
            return scan.answer.text(batch);
        }
    }
    JsonObjectsFromBack walk(messages.raw);
    JsonObjectsFromBack::Message message;
    while (walk.next(message)) {
        if (message.role.is_text()) {
            if (is_word(message.role, "assistant") || is_word(message.role, "model")) {
                return text_of_message(message.parts, message.content, batch);
            }
        } else if (message.role.type == JsonType::None) {
            if (const auto content = content_of_type(message, "ai", "AIMessage")) {
                return text_of_content(*content, batch);
            }
        }
    }
    return {};
}

}  // namespace tagout::intake
