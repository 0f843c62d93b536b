#include "intake/normalise_texts.h"

#include "intake/normalise_fields.h"
#include "intake/normalise_messages.h"
#include "intake/normalise_values.h"

#include <array>

namespace tagout::intake {

namespace {

constexpr Kinds user_kinds = kinds(
    {EventKind::Llm, EventKind::Agent, EventKind::Workflow, EventKind::Request, EventKind::Step}
);
constexpr Kinds session_kinds =
    kinds({EventKind::Workflow, EventKind::Agent, EventKind::Request, EventKind::Step});

constexpr Kinds asked_kinds = kinds({EventKind::Workflow, EventKind::Agent, EventKind::Request});

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
    "`input.value`, `langfuse.observation.input`, `traceloop.entity.input` (`messages`, also in "
    "`inputs`, first of `args`, the only text of `kwargs`, a plain text; of agents and workflows `task`, "
    "`input`, `question`, `query`, `prompt`, `message`): not of llm events",
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
constexpr std::array<std::string_view, 3> definitions_places{
    "`gen_ai.tool.definitions`",
    "`llm.tools.N.tool.json_schema`, joined",
    "of MCP's `tools/list`: `traceloop.entity.output`, `output.value` with `tools`",
};
constexpr std::array sources{
    TextSources{"user_text", user_places},
    TextSources{"output_text", output_places},
    TextSources{"system_text", system_places},
    TextSources{"tool_definitions", definitions_places},
};

/// Attributes and span events that hold whole histories as JSON, or as lists.
class TextFilling {
public:
    TextFilling(const TextContext& context, EventBatch& batch) noexcept
        : context_(context), attributes_(context.attributes), batch_(batch) {}

    [[nodiscard]] std::string_view user();
    [[nodiscard]] std::string_view output();
    [[nodiscard]] std::string_view system();  ///< After user().

private:
    /// User's and system's text of `gen_ai.input.messages`, if it is a short list in a text.
    void scan_input();

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
    [[nodiscard]] std::string_view only_text(const JsonView& arguments);
    [[nodiscard]] std::string_view request_of(const JsonView& inputs);
    [[nodiscard]] std::string_view user_of_io();
    [[nodiscard]] std::string_view output_of_events();
    [[nodiscard]] std::string_view output_of_value(const AnyValue& value);
    [[nodiscard]] AnyValue of_details(KeyId id) const noexcept;

    const TextContext& context_;
    const AttributeIndex& attributes_;
    EventBatch& batch_;
    std::string scratch_;
    std::string_view scanned_user_;
    std::string_view scanned_system_;
    bool input_scanned_ = false;  ///< Then these two are all that the list says.
};

void TextFilling::scan_input() {
    const std::string_view list = attributes_.text(key("gen_ai.input.messages"));
    if (list.empty() || list.size() > short_list_bytes) {
        return;
    }
    const MessageScan scan = scan_messages(json_container_of(list));
    if (!scan.plain) {
        return;
    }
    scanned_user_ = scan.user.text(batch_);
    if (scanned_user_.empty() && !scan.user.role.raw.empty()) {
        return;  // an older message of the user's may have a text
    }
    scanned_system_ = scan.system.text(batch_);
    input_scanned_ = true;
}

/// Of the events that tell a call's content: some SDKs tell all in one, some one for each direction.
AnyValue TextFilling::of_details(KeyId id) const noexcept {
    for (const EventView& event : context_.events) {
        if (event.name == "gen_ai.client.inference.operation.details") {
            const AnyValue found = find_attribute(event.attributes, id);
            if (!is_missing(found)) {
                return found;
            }
        }
    }
    return {};
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
    const AnyValue messages = of_details(key("gen_ai.input.messages"));
    return is_missing(messages)
        ? std::string_view{}
        : kept(last_user_message(container_of(messages, scratch_), batch_));
}

/// The input of an agent or workflow: a plain text, a history, or the arguments of a function.
std::string_view TextFilling::user_of_input(const AnyValue& input) {
    if (!input.is_text()) {
        return {};
    }
    JsonView whole = json_container_of(input.text());
    if (whole.type == JsonType::None) {
        return input.text();
    }
    if (const JsonView inputs = member(whole, "inputs"); inputs.type == JsonType::Object) {
        whole = inputs;  // what LangChain's callbacks tell, as OpenLLMetry keeps it
    }
    const JsonView messages = whole.type == JsonType::Array ? whole : member(whole, "messages");
    if (messages.type == JsonType::Array) {
        if (const auto text = last_user_message(messages, batch_); !text.empty()) {
            return text;
        }
    }
    const JsonView positional = member(whole, "args");
    JsonView first;
    if (JsonElements(positional).next(first)) {
        return text_of(first, batch_);
    }
    return positional.type == JsonType::Array ? only_text(member(whole, "kwargs"))
                                              : request_of(whole);
}

/// What an agent is asked, where it is one of several named inputs. Of agents and workflows only: a
/// step's input may be what a model made of it.
std::string_view TextFilling::request_of(const JsonView& inputs) {
    static constexpr std::array<std::string_view, 8> names{
        "task", "input", "question", "query", "prompt", "message", "user_input", "user_msg",
    };
    if (!has(asked_kinds, context_.kind) && !context_.outermost) {
        return {};
    }
    for (const std::string_view name : names) {
        const JsonView found = member(inputs, name);
        if (found.is_text()) {
            return text_of(found, batch_);
        }
    }
    return {};
}

/// The text among a function's arguments by name, if there is but one.
std::string_view TextFilling::only_text(const JsonView& arguments) {
    JsonView found;
    JsonMembers members(arguments);
    std::string_view name;
    for (JsonView value; members.next(name, value);) {
        if (value.is_text()) {
            if (found.is_text()) {
                return {};
            }
            found = value;
        }
    }
    return text_of(found, batch_);
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
    scan_input();
    std::string_view text =
        input_scanned_ ? scanned_user_ : last_user(key("gen_ai.input.messages"));
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
    const AnyValue messages = of_details(key("gen_ai.output.messages"));
    return is_missing(messages) ? std::string_view{}
                                : kept(last_answer(container_of(messages, scratch_), batch_));
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
    JsonView histories;  // LangChain's result of a model: lists of generations
    JsonView generation;
    if (JsonElements(member(whole, "generations")).next(histories)
        && JsonElements(histories).next(generation)) {
        return text_of(member(generation, "text"), batch_);
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
    otherwise([&] { return scanned_system_; });
    for (const KeyId id :
         {key("gen_ai.input.messages"), key("pydantic_ai.all_messages"),
          key("ai.prompt.messages")}) {
        if (attributes_.has(id) && !(input_scanned_ && id == key("gen_ai.input.messages"))) {
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
