#include "intake/normalise_texts.h"

#include "intake/normalise_fields.h"
#include "intake/normalise_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tagout::intake {

namespace {

constexpr Kinds user_kinds = kinds(
    {EventKind::Llm, EventKind::Agent, EventKind::Workflow, EventKind::Request, EventKind::Step}
);
constexpr Kinds session_kinds =
    kinds({EventKind::Workflow, EventKind::Agent, EventKind::Request, EventKind::Step});

constexpr std::array<std::string_view, 12> user_places{
    "`gen_ai.input.messages`: last message of role user, its text parts",
    "`pydantic_ai.all_messages`: likewise",
    "`llm.input_messages.N.message`: highest N of role user",
    "`gen_ai.prompt.N`: highest N of role user",
    "`ai.prompt.messages`, `ai.prompt` (`messages`, `prompt`)",
    "`gcp.vertex.agent.llm_request` (`contents`)",
    "span event `gen_ai.user.message`, the last; span event "
    "`gen_ai.client.inference.operation.details`",
    "`user_prompt`; of logs `prompt`, and the body of `gen_ai.user.message`",
    "`mastra.agent_run.input`, `mastra.workflow_run.input`",
    "`input.value`, `langfuse.observation.input`, `traceloop.entity.input` (`messages`, first of "
    "`args`, or a plain text): not of llm events",
    "`langfuse.trace.input`, of a span without parent",
    "`gen_ai.prompt`: JSON with `messages`, or a plain text",
};
constexpr std::array<std::string_view, 9> output_places{
    "`gen_ai.output.messages`: text parts of the last message",
    "`llm.output_messages.N.message`: lowest N with a text",
    "`gen_ai.completion.N.content`, `gen_ai.completion`",
    "`ai.response.text`; of logs `response`, and the body of `gen_ai.choice`",
    "`gcp.vertex.agent.llm_response` (`content`)",
    "`final_result`, `pydantic_ai.all_messages`: last answer",
    "span event `gen_ai.choice`, the last; span event "
    "`gen_ai.client.inference.operation.details`",
    "`mastra.agent_run.output`, `mastra.workflow_run.output`, `mastra.model_generation.output`",
    "`langfuse.observation.output`, `traceloop.entity.output`, `output.value`: the answer in a known "
    "shape, else as it came",
};
constexpr std::array<std::string_view, 6> system_places{
    "`gen_ai.system_instructions`",
    "`gen_ai.input.messages`, `pydantic_ai.all_messages`: first message of role system",
    "`llm.input_messages.0`, `gen_ai.prompt.0` of role system",
    "`ai.prompt` (`system`), `ai.prompt.messages`: first message of role system",
    "span event `gen_ai.system.message`; of logs its body",
    "`system_prompt`",
};
constexpr std::array sources{
    TextSources{"user_text", user_places},
    TextSources{"output_text", output_places},
    TextSources{"system_text", system_places},
};

/// `{"content": "hi"}` in a text, as some SDKs nest it, is looked into; other texts stand.
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

/// The text parts of OpenTelemetry's `parts`.
std::string_view text_of_parts(const JsonView& parts, EventBatch& batch) {
    Joined joined(batch);
    JsonElements elements(parts);
    for (JsonView part; elements.next(part);) {
        if (is_word(member(part, "type"), "text")) {
            joined.add(text_of(member(part, "content"), batch));
        }
    }
    return joined.take();
}

/// The text of one message, whichever of the shapes it has.
std::string_view text_of_message(
    const JsonView& parts, const JsonView& content, EventBatch& batch
) {
    if (parts.type == JsonType::Array) {
        if (const std::string_view text = text_of_parts(parts, batch); !text.empty()) {
            return text;
        }
        if (content.type == JsonType::None) {  // Gemini: parts without a type
            return text_of_content(parts, batch);
        }
    }
    return text_of_content(content, batch);
}

/// The first message of the list, if it is the system's.
std::string_view leading_system_message(const JsonView& messages, EventBatch& batch) {
    JsonView first;
    if (!JsonElements(messages).next(first) || !is_word(member(first, "role"), "system")) {
        return {};
    }
    return text_of_message(member(first, "parts"), member(first, "content"), batch);
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

/// A spread list: which keys, and what its role and its texts are called.
struct SpreadList {
    KeyId family;
    std::string_view prefix;
    std::string_view role;
    std::string_view content;
    std::string_view first_part;  ///< Where the text stands if content is a list of parts.
};
constexpr SpreadList inference_input{
    KeyId::LlmInputMessage, "llm.input_messages.", "message.role", "message.content",
    "message.contents.0.message_content.text"
};
constexpr SpreadList inference_output{
    KeyId::LlmOutputMessage, "llm.output_messages.", "message.role", "message.content",
    "message.contents.0.message_content.text"
};
constexpr SpreadList llmetry_prompt{
    KeyId::GenAiPromptItem, "gen_ai.prompt.", "role", "content", {}
};
constexpr SpreadList llmetry_completion{
    KeyId::GenAiCompletionItem, "gen_ai.completion.", "role", "content", {}
};

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

/// The text of the item with the highest index whose role is `role`.
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

/// Attributes and span events that hold whole histories as JSON, or as lists.
class TextFilling {
public:
    TextFilling(const TextContext& context, EventBatch& batch) noexcept
        : context_(context), attributes_(context.attributes), batch_(batch) {}

    [[nodiscard]] std::string_view user();
    [[nodiscard]] std::string_view output();
    [[nodiscard]] std::string_view system();

private:
    /// The attribute as JSON; what views into a list written out anew must be kept by kept().
    [[nodiscard]] JsonView json(KeyId id) {
        return attributes_.has(id) ? container_of(attributes_[id], scratch_) : JsonView{};
    }
    /// A view that outlives the scratch text.
    [[nodiscard]] std::string_view kept(std::string_view text) {
        const bool in_scratch = !scratch_.empty() && text.data() >= scratch_.data()
            && text.data() < scratch_.data() + scratch_.size();
        return in_scratch ? batch_.keep(text) : text;
    }
    [[nodiscard]] std::string_view last_user(KeyId id) {
        return attributes_.has(id) ? kept(last_user_message(json(id), batch_)) : std::string_view{};
    }
    [[nodiscard]] std::string_view user_of_vercel();
    [[nodiscard]] std::string_view user_of_gemini();
    [[nodiscard]] std::string_view user_of_events();
    [[nodiscard]] std::string_view user_of_input(const AnyValue& input);
    [[nodiscard]] std::string_view user_of_io();
    [[nodiscard]] std::string_view output_of_events();
    [[nodiscard]] std::string_view output_of_value(const AnyValue& value);
    [[nodiscard]] const EventView* details_event() const noexcept;

    const TextContext& context_;
    const AttributeIndex& attributes_;
    EventBatch& batch_;
    std::string scratch_;
};

const EventView* TextFilling::details_event() const noexcept {
    for (const EventView& event : context_.events) {
        if (event.name == "gen_ai.client.inference.operation.details") {
            return &event;
        }
    }
    return nullptr;
}

std::string_view TextFilling::user_of_vercel() {
    if (!attributes_.has(key("ai.prompt.messages")) && !attributes_.has(key("ai.prompt"))) {
        return {};
    }
    if (const auto text = last_user(key("ai.prompt.messages")); !text.empty()) {
        return text;
    }
    const JsonView prompt = json(key("ai.prompt"));
    if (const auto text = kept(last_user_message(member(prompt, "messages"), batch_));
        !text.empty()) {
        return text;
    }
    return kept(text_of(member(prompt, "prompt"), batch_));
}

std::string_view TextFilling::user_of_gemini() {
    return attributes_.has(key("gcp.vertex.agent.llm_request"))
        ? kept(last_user_message(
              member(json(key("gcp.vertex.agent.llm_request")), "contents"), batch_
          ))
        : std::string_view{};
}

std::string_view TextFilling::user_of_events() {
    for (std::size_t i = context_.events.size(); i-- > 0;) {
        const EventView& event = context_.events[i];
        if (event.name == "gen_ai.user.message") {
            return text_of_nested(
                find_attribute(event.attributes, key("content")).text(), batch_
            );
        }
    }
    if (const EventView* const details = details_event()) {
        const AnyValue messages = find_attribute(details->attributes, key("gen_ai.input.messages"));
        return kept(last_user_message(container_of(messages, scratch_), batch_));
    }
    return {};
}

/// The input of an agent or workflow: a plain text, a history, or the arguments of a function.
std::string_view TextFilling::user_of_input(const AnyValue& input) {
    if (!input.is_text()) {
        return {};
    }
    const JsonView whole = json_container_of(input.text());
    if (whole.type == JsonType::None) {
        return input.text();
    }
    const JsonView messages = whole.type == JsonType::Array ? whole : member(whole, "messages");
    if (messages.type == JsonType::Array) {
        if (const auto text = last_user_message(messages, batch_); !text.empty()) {
            return text;
        }
    }
    JsonView first;
    if (JsonElements(member(whole, "args")).next(first)) {
        return text_of(first, batch_);
    }
    return {};
}

std::string_view TextFilling::user_of_io() {
    static constexpr std::array inputs{
        key("input.value"), key("langfuse.observation.input"), key("traceloop.entity.input")
    };
    if (has(session_kinds, context_.kind) || context_.outermost) {
        for (const KeyId id : inputs) {
            if (attributes_.has(id)) {
                if (const auto text = user_of_input(attributes_[id]); !text.empty()) {
                    return text;
                }
            }
        }
    }
    return context_.outermost ? user_of_input(attributes_[key("langfuse.trace.input")])
                              : std::string_view{};
}

std::string_view TextFilling::user() {
    std::string_view text = last_user(key("gen_ai.input.messages"));
    const auto otherwise = [&text](auto&& find) {
        if (text.empty()) {
            text = find();
        }
    };
    otherwise([&] { return last_user(key("pydantic_ai.all_messages")); });
    otherwise([&] { return last_item_of(attributes_, inference_input, "user"); });
    otherwise([&] { return last_item_of(attributes_, llmetry_prompt, "user"); });
    otherwise([&] { return user_of_vercel(); });
    otherwise([&] { return user_of_gemini(); });
    if (!context_.events.empty()) {
        otherwise([&] { return user_of_events(); });
    }
    otherwise([&] { return attributes_.text(key("user_prompt")); });
    for (const KeyId id : {key("mastra.agent_run.input"), key("mastra.workflow_run.input")}) {
        otherwise([&]() -> std::string_view {
            const auto found = user_of_input(attributes_[id]);
            return found.empty() ? attributes_.text(id) : found;
        });
    }
    otherwise([&] { return user_of_io(); });
    otherwise([&] { return user_of_input(attributes_[key("gen_ai.prompt")]); });
    return text;
}

std::string_view TextFilling::output_of_events() {
    for (std::size_t i = context_.events.size(); i-- > 0;) {
        const EventView& event = context_.events[i];
        if (event.name == "gen_ai.choice") {
            const std::string_view message =
                find_attribute(event.attributes, key("message")).text();
            return text_of_nested(
                message.empty() ? find_attribute(event.attributes, key("content")).text() : message,
                batch_
            );
        }
    }
    if (const EventView* const details = details_event()) {
        const AnyValue messages =
            find_attribute(details->attributes, key("gen_ai.output.messages"));
        return kept(last_answer(container_of(messages, scratch_), batch_));
    }
    return {};
}

/// An output in a shape that is known, else as it came.
std::string_view TextFilling::output_of_value(const AnyValue& value) {
    if (!value.is_text()) {
        return {};
    }
    const JsonView whole = json_container_of(value.text());
    if (whole.type == JsonType::None) {
        return value.text();
    }
    const JsonView messages = whole.type == JsonType::Array ? whole : member(whole, "messages");
    if (const auto text = last_answer(messages, batch_); !text.empty()) {
        return text;
    }
    static constexpr std::array<std::string_view, 6> members{
        "content", "text", "output", "result", "answer", "response",
    };
    for (const std::string_view name : members) {
        const JsonView found = member(whole, name);
        if (found.is_text() || (name == "content" && found.type == JsonType::Array)) {
            if (const auto text = text_of_content(found, batch_); !text.empty()) {
                return text;
            }
        }
    }
    JsonView choice;  // OpenAI's response, as OpenInference keeps it
    if (JsonElements(member(whole, "choices")).next(choice)) {
        return text_of_content(member(member(choice, "message"), "content"), batch_);
    }
    return has(session_kinds, context_.kind) ? value.text() : std::string_view{};
}

std::string_view TextFilling::output() {
    std::string_view text;
    const auto otherwise = [&text](auto&& find) {
        if (text.empty()) {
            text = find();
        }
    };
    if (attributes_.has(key("gen_ai.output.messages"))) {
        text = kept(last_answer(json(key("gen_ai.output.messages")), batch_));
    }
    otherwise([&] { return first_answer_item(attributes_, inference_output); });
    otherwise([&] { return first_answer_item(attributes_, llmetry_completion); });
    otherwise([&] { return attributes_.text(key("ai.response.text")); });
    if (attributes_.has(key("gcp.vertex.agent.llm_response"))) {
        otherwise([&] {
            const JsonView content =
                member(json(key("gcp.vertex.agent.llm_response")), "content");
            return kept(text_of_content(member(content, "parts"), batch_));
        });
    }
    otherwise([&] { return output_of_value(attributes_[key("final_result")]); });
    if (attributes_.has(key("pydantic_ai.all_messages"))) {
        otherwise([&] { return kept(last_answer(json(key("pydantic_ai.all_messages")), batch_)); });
    }
    if (!context_.events.empty()) {
        otherwise([&] { return output_of_events(); });
    }
    static constexpr std::array outputs{
        key("mastra.agent_run.output"),     key("mastra.workflow_run.output"),
        key("mastra.model_generation.output"), key("langfuse.observation.output"),
        key("traceloop.entity.output"),     key("output.value"),
        key("gen_ai.completion"),
    };
    for (const KeyId id : outputs) {
        if (attributes_.has(id)) {
            otherwise([&] { return output_of_value(attributes_[id]); });
        }
    }
    return text;
}

std::string_view TextFilling::system() {
    std::string_view text;
    const auto otherwise = [&text](auto&& find) {
        if (text.empty()) {
            text = find();
        }
    };
    if (attributes_.has(key("gen_ai.system_instructions"))) {
        const JsonView parts = json(key("gen_ai.system_instructions"));
        text = parts.type == JsonType::None
            ? attributes_.text(key("gen_ai.system_instructions"))
            : kept(text_of_content(parts, batch_));
    }
    for (const KeyId id :
         {key("gen_ai.input.messages"), key("pydantic_ai.all_messages"),
          key("ai.prompt.messages")}) {
        if (attributes_.has(id)) {
            otherwise([&] { return kept(leading_system_message(json(id), batch_)); });
        }
    }
    otherwise([&] { return first_item_of_role(attributes_, inference_input, "system"); });
    otherwise([&] { return first_item_of_role(attributes_, llmetry_prompt, "system"); });
    if (attributes_.has(key("ai.prompt"))) {
        otherwise([&] { return kept(text_of(member(json(key("ai.prompt")), "system"), batch_)); });
    }
    for (const EventView& event : context_.events) {
        if (event.name == "gen_ai.system.message") {
            otherwise([&] {
                return text_of_nested(
                    find_attribute(event.attributes, key("content")).text(), batch_
                );
            });
        }
    }
    otherwise([&] { return attributes_.text(key("system_prompt")); });
    return text;
}

}  // namespace

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
                const JsonView text = member(element, "text");
                joined.add(text_of(text.is_text() ? text : member(element, "content"), batch));
            }
            return joined.take();
        }
        default:
            return {};
    }
}

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
            // LangChain's serialised messages name a class instead of a role.
            const JsonView id = member(message.whole, "id");
            if (id.raw.find("HumanMessage") != std::string_view::npos) {
                return text_of_content(
                    member(member(message.whole, "kwargs"), "content"), batch
                );
            }
        }
    }
    return {};
}

std::string_view last_answer(const JsonView& messages, EventBatch& batch) {
    if (messages.type != JsonType::Array) {
        return {};
    }
    JsonObjectsFromBack walk(messages.raw);
    JsonObjectsFromBack::Message message;
    while (walk.next(message)) {
        if (message.role.is_text()) {
            if (is_word(message.role, "assistant") || is_word(message.role, "model")) {
                return text_of_message(message.parts, message.content, batch);
            }
        } else if (message.role.type == JsonType::None) {
            const JsonView id = member(message.whole, "id");
            if (id.raw.find("AIMessage") != std::string_view::npos) {
                return text_of_content(
                    member(member(message.whole, "kwargs"), "content"), batch
                );
            }
        }
    }
    return {};
}

void fill_texts(const TextContext& context, EventBatch& batch, AgentEvent& out) {
    // A span without a kind of its own may be promoted to the session's workflow: its texts then
    // are the session's.
    const bool session_root = context.kind == EventKind::Other && context.outermost
        && context.convention != Convention::Plain;
    if (!has(user_kinds, context.kind) && !session_root) {
        return;
    }
    TextFilling filling(context, batch);
    out.user_text = filling.user();
    out.output_text = filling.output();
    out.system_text = filling.system();
}

std::span<const TextSources> text_sources() noexcept {
    return sources;
}

}  // namespace tagout::intake
