#include "intake/normalise_fields.h"

#include "intake/normalise_sources.h"
#include "intake/normalise_values.h"

#include <bit>

namespace tagout::intake {

namespace {

constexpr std::uint16_t no_row = 0xffff;
constexpr auto& table = sources::table;
static_assert(table.size() < no_row);

[[nodiscard]] constexpr bool reads_attributes(const Source& source) noexcept {
    return source.from == From::Attribute || source.from == From::Milliseconds
        || source.from == From::Json;
}

/// The rows that read each key, key by key: rows[begin[id]] to rows[begin[id + 1]].
template <std::size_t N>
struct RowsOfKeys {
    std::array<std::uint16_t, key_ids_count + 1> begin{};
    std::array<std::uint16_t, N> rows{};
};

template <bool (*Reads)(const Source&), std::size_t N>
[[nodiscard]] consteval RowsOfKeys<N> rows_of_keys() {
    RowsOfKeys<N> by_key;
    for (const Source& source : table) {
        if (Reads(source)) {
            ++by_key.begin[static_cast<std::size_t>(source.key) + 1];
        }
    }
    for (std::size_t id = 0; id < key_ids_count; ++id) {
        by_key.begin[id + 1] = static_cast<std::uint16_t>(by_key.begin[id + 1] + by_key.begin[id]);
    }
    std::array<std::uint16_t, key_ids_count + 1> next = by_key.begin;
    for (std::size_t row = 0; row < table.size(); ++row) {
        if (Reads(table[row])) {
            by_key.rows[next[static_cast<std::size_t>(table[row].key)]++] =
                static_cast<std::uint16_t>(row);
        }
    }
    return by_key;
}

[[nodiscard]] constexpr bool reads_resource(const Source& source) noexcept {
    return source.from == From::Resource;
}

constexpr auto attribute_rows = rows_of_keys<reads_attributes, table.size()>();
constexpr auto resource_rows = rows_of_keys<reads_resource, 16>();

template <std::size_t N>
[[nodiscard]] std::span<const std::uint16_t> rows_for(
    const RowsOfKeys<N>& by_key, KeyId id
) noexcept {
    const auto number = static_cast<std::size_t>(id);
    return {by_key.rows.data() + by_key.begin[number], by_key.rows.data() + by_key.begin[number + 1]};
}

/// What the pass over the attributes asks of a row, in four bytes.
struct CompactRow {
    Field field;
    From from;
    Only only;
    FieldForm form;
};
[[nodiscard]] consteval std::array<CompactRow, table.size()> compact_rows() {
    std::array<CompactRow, table.size()> rows{};
    for (std::size_t row = 0; row < table.size(); ++row) {
        rows[row] = {
            table[row].field, table[row].from, table[row].only,
            field_rows[static_cast<std::size_t>(table[row].field)].form
        };
    }
    return rows;
}
constexpr auto compact = compact_rows();

/// Rows that read neither attributes nor the resource are few and tried one by one.
template <bool (*Wanted)(From)>
[[nodiscard]] consteval auto rows_from() {
    constexpr std::size_t count = [] {
        std::size_t rows = 0;
        for (const Source& source : table) {
            rows += Wanted(source.from);
        }
        return rows;
    }();
    std::array<std::uint16_t, count> rows{};
    std::size_t next = 0;
    for (std::size_t row = 0; row < table.size(); ++row) {
        if (Wanted(table[row].from)) {
            rows[next++] = static_cast<std::uint16_t>(row);
        }
    }
    return rows;
}
[[nodiscard]] constexpr bool is_name(From from) noexcept {
    return from == From::Name;
}
[[nodiscard]] constexpr bool is_whole_name(From from) noexcept {
    return from == From::WholeName;
}
[[nodiscard]] constexpr bool is_event(From from) noexcept {
    return from == From::Event;
}
[[nodiscard]] constexpr bool is_message(From from) noexcept {
    return from == From::StatusMessage || from == From::StatusInMessage;
}
constexpr auto name_rows = rows_from<is_name>();
constexpr auto whole_name_rows = rows_from<is_whole_name>();
constexpr auto event_rows = rows_from<is_event>();
constexpr auto message_rows = rows_from<is_message>();

[[nodiscard]] constexpr bool applies(const FieldContext& context, Only only) noexcept {
    switch (only) {
        case Only::Always:
            return true;
        case Only::Agent:
            return context.kind == EventKind::Agent;
        case Only::Workflow:
            return context.kind == EventKind::Workflow;
        case Only::Tool:
            return context.kind == EventKind::Tool;
        case Only::Guardrail:
            return context.kind == EventKind::Guardrail;
        case Only::Handoff:
            return context.kind == EventKind::Handoff;
        case Only::NotLlmOrTool:
            return context.kind != EventKind::Llm && context.kind != EventKind::Tool;
        case Only::InferenceAgent:
            return context.inference_agent;
        case Only::InferencePrompt:
            return context.inference_prompt;
        case Only::NotInferencePrompt:
            return !context.inference_prompt;
    }
    return false;
}

/// The fields that events of each kind have, a bit each.
[[nodiscard]] consteval std::array<std::uint64_t, 32> find_fields_of_kinds() {
    std::array<std::uint64_t, 32> fields{};
    for (std::size_t kind = 0; kind < fields.size(); ++kind) {
        for (const FieldRow& row : field_rows) {
            if (has(row.kinds, static_cast<EventKind>(kind))) {
                fields[kind] |= std::uint64_t{1} << static_cast<unsigned>(row.field);
            }
        }
    }
    return fields;
}
constexpr auto fields_of_kinds = find_fields_of_kinds();
static_assert(fields_count <= 64);

[[nodiscard]] constexpr std::uint64_t bit(Field field) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(field);
}
constexpr std::uint64_t error_fields =
    bit(Field::ErrorType) | bit(Field::ErrorMessage) | bit(Field::RpcStatus);

/// What stands between `begin` and `end` in `name`; "" if it does not begin and end like that.
[[nodiscard]] std::string_view between(
    std::string_view name, std::string_view begin, std::string_view end
) noexcept {
    if (name.size() <= begin.size() + end.size()
        || (!begin.empty() && name.front() != begin.front())
        || (!end.empty() && name.back() != end.back()) || !name.starts_with(begin)
        || !name.ends_with(end)) {
        return {};
    }
    return name.substr(begin.size(), name.size() - begin.size() - end.size());
}

[[nodiscard]] std::int32_t small_of(std::int64_t count) noexcept {
    return count > 0x7fffffff ? -1 : static_cast<std::int32_t>(count);
}

/// The first reason of a list, of a JSON list in a text, or the text.
[[nodiscard]] std::string_view reason_of(const AnyValue& value, EventBatch& batch) {
    if (value.is_text() && value.text().starts_with('[')) {
        JsonView first;
        if (JsonElements(json_container_of(value.text())).next(first) && first.is_text()) {
            return text_of(first, batch);
        }
    }
    return text_of(first_of(value), batch);
}

/// Which member of AgentEvent keeps each text field.
using TextMember = std::string_view AgentEvent::*;
constexpr std::array<TextMember, fields_count> text_members = [] {
    std::array<TextMember, fields_count> of{};
    const auto set = [&of](Field f, TextMember m) { of[static_cast<std::size_t>(f)] = m; };
    set(Field::AgentName, &AgentEvent::agent_name);
    set(Field::AgentId, &AgentEvent::agent_id);
    set(Field::AgentVersion, &AgentEvent::agent_version);
    set(Field::WorkflowName, &AgentEvent::workflow_name);
    set(Field::WorkflowVersion, &AgentEvent::workflow_version);
    set(Field::ToolName, &AgentEvent::tool_name);
    set(Field::ToolCallId, &AgentEvent::tool_call_id);
    set(Field::ToolType, &AgentEvent::tool_type);
    set(Field::ToolArgs, &AgentEvent::tool_args);
    set(Field::ToolResult, &AgentEvent::tool_result);
    set(Field::Provider, &AgentEvent::provider);
    set(Field::ModelRequest, &AgentEvent::model_request);
    set(Field::ModelResponse, &AgentEvent::model_response);
    set(Field::ResponseId, &AgentEvent::response_id);
    set(Field::FinishReason, &AgentEvent::finish_reason);
    set(Field::ConversationId, &AgentEvent::conversation_id);
    set(Field::SessionId, &AgentEvent::session_id);
    set(Field::UserId, &AgentEvent::user_id);
    set(Field::RequestId, &AgentEvent::request_id);
    set(Field::Tenant, &AgentEvent::tenant);
    set(Field::PromptName, &AgentEvent::prompt_name);
    set(Field::PromptVersion, &AgentEvent::prompt_version);
    set(Field::PolicyId, &AgentEvent::policy_id);
    set(Field::PolicyVersion, &AgentEvent::policy_version);
    set(Field::Route, &AgentEvent::route);
    set(Field::ErrorType, &AgentEvent::error_type);
    set(Field::ErrorMessage, &AgentEvent::error_message);
    set(Field::RpcStatus, &AgentEvent::rpc_status);
    set(Field::GuardrailName, &AgentEvent::guardrail_name);
    set(Field::GuardrailAction, &AgentEvent::guardrail_action);
    set(Field::GuardrailRisk, &AgentEvent::guardrail_risk);
    set(Field::HandoffFrom, &AgentEvent::handoff_from);
    set(Field::HandoffTo, &AgentEvent::handoff_to);
    set(Field::EvalName, &AgentEvent::eval_name);
    set(Field::EvalLabel, &AgentEvent::eval_label);
    set(Field::EvalExplanation, &AgentEvent::eval_explanation);
    set(Field::ServiceName, &AgentEvent::service_name);
    set(Field::ServiceVersion, &AgentEvent::service_version);
    set(Field::Environment, &AgentEvent::environment);
    return of;
}();

/// One call of fill_fields.
class FieldFilling {
public:
    FieldFilling(const FieldContext& context, EventBatch& batch, AgentEvent& out) noexcept
        : context_(context), batch_(batch), out_(out) {
        best_.fill(no_row);
        wanted_ = fields_of_kinds[static_cast<std::size_t>(context.kind)];
        if (!context.failed) {
            wanted_ &= ~error_fields;
            if (!has(status_kinds, context.kind)) {
                wanted_ &= ~bit(Field::HttpStatus);
            }
        }
    }

    void run() {
        for (const Attribute& attribute : context_.attributes) {
            take(attribute);
        }
        for (std::size_t i = 0; i < json_count_; ++i) {
            look_into(*json_[i]);
        }
        for (const Attribute& attribute : context_.resource) {
            for (const std::uint16_t row : rows_for(resource_rows, attribute.key_id)) {
                offer(row, attribute.value);
            }
        }
        look_at_name();
        if (!context_.events.empty()) {
            look_at_events();
        }
        if (!context_.status_message.empty() || !context_.quoted_message.empty()) {
            look_at_message();
        }
    }

private:
    [[nodiscard]] bool wants(std::uint16_t row) const noexcept {
        const CompactRow& source = compact[row];
        return row <= best_[static_cast<std::size_t>(source.field)]
            && (wanted_ & bit(source.field)) != 0
            && (source.only == Only::Always || applies(context_, source.only));
    }

    void offer(std::uint16_t row, const AnyValue& value) {
        if (!wants(row) || is_missing(value)) {
            return;
        }
        const CompactRow& source = compact[row];
        best_[static_cast<std::size_t>(source.field)] = row;
        if (value.is_text() && (source.form == FieldForm::Text || source.form == FieldForm::Json)) {
            text_field(source.field) = value.text();
        } else if (source.form == FieldForm::Count) {
            store_count(source.field, count_of(value));
        } else {
            store(source.field, value);
        }
    }

    void take(const Attribute& attribute) {
        bool look = false;
        for (const std::uint16_t row : rows_for(attribute_rows, attribute.key_id)) {
            const From from = compact[row].from;
            if (from == From::Attribute) {
                offer(row, attribute.value);
            } else if (from == From::Json) {
                look = true;
            } else if (const auto number = number_of(attribute.value)) {
                offer(row, AnyValue::number(*number / 1000));
            }
        }
        if (look && json_count_ < json_.size()) {
            json_[json_count_++] = &attribute;
        }
    }

    /// One walk over the members serves all rows that read this attribute.
    void look_into(const Attribute& attribute) {
        const auto rows = rows_for(attribute_rows, attribute.key_id);
        bool wanted = false;
        for (const std::uint16_t row : rows) {
            wanted = wanted || (compact[row].from == From::Json && wants(row));
        }
        if (!wanted) {
            return;
        }
        std::string scratch;
        JsonMembers members(container_of(attribute.value, scratch));
        std::string_view name;
        JsonView value;
        while (members.next(name, value)) {
            for (const std::uint16_t row : rows) {
                if (compact[row].from == From::Json && table[row].text == name && wants(row)) {
                    const AnyValue found = value_of(value, batch_);
                    offer(row, scratch.empty() || !found.is_text()
                                   ? found
                                   : AnyValue::text(batch_.keep(found.text())));
                }
            }
        }
    }

    void look_at_name() {
        for (const std::uint16_t row : name_rows) {
            const Source& source = table[row];
            const auto field = static_cast<std::size_t>(source.field);
            if (row < best_[field] && (wanted_ & bit(source.field)) != 0) {
                if (const auto found = between(context_.name, source.text, source.end);
                    !found.empty()) {
                    offer(row, AnyValue::text(found));
                }
            }
        }
        if (context_.convention == Convention::OpenInference
            || context_.convention == Convention::Langfuse
            || context_.convention == Convention::OpenLlmetry) {
            for (const std::uint16_t row : whole_name_rows) {
                offer(row, AnyValue::text(context_.name));
            }
        }
    }

    void look_at_events() {
        for (const std::uint16_t row : event_rows) {
            if (row < best_[static_cast<std::size_t>(table[row].field)] && wants(row)) {
                for (const EventView& event : context_.events) {
                    if (event.name == table[row].text) {
                        take_from_event(row, event);
                    }
                }
            }
        }
    }

    void look_at_message() {
        for (const std::uint16_t row : message_rows) {
            if (table[row].from == From::StatusMessage) {
                offer(row, AnyValue::text(context_.status_message));
            } else if (wants(row)) {
                const std::int32_t status = quoted_http_status(context_.quoted_message);
                offer(row, status > 0 ? AnyValue::integer(status) : AnyValue{});
            }
        }
    }

    void take_from_event(std::uint16_t row, const EventView& event) {
        if (best_[static_cast<std::size_t>(table[row].field)] == row) {
            return;  // an earlier event of that name had it
        }
        for (const Attribute& attribute : event.attributes) {
            if (attribute.key_id == table[row].key) {
                offer(row, attribute.value);
            }
        }
    }

    void store(Field field, const AnyValue& value);
    void store_count(Field field, std::int64_t count) noexcept;
    [[nodiscard]] std::string_view& text_field(Field field) noexcept {
        return out_.*text_members[static_cast<std::size_t>(field)];
    }

    const FieldContext& context_;
    EventBatch& batch_;
    AgentEvent& out_;
    std::uint64_t wanted_ = 0;
    std::array<std::uint16_t, fields_count> best_{};  ///< The row that filled each field so far.
    std::array<const Attribute*, 8> json_{};  ///< As many keys as the table reads as JSON.
    std::size_t json_count_ = 0;
};

void FieldFilling::store_count(Field field, std::int64_t count) noexcept {
    switch (field) {
        case Field::TokensInput:
            out_.tokens.input = count;
            break;
        case Field::TokensOutput:
            out_.tokens.output = count;
            break;
        case Field::TokensTotal:
            out_.tokens.total = count;
            break;
        case Field::TokensCacheRead:
            out_.tokens.cache_read = count;
            break;
        case Field::TokensCacheWrite:
            out_.tokens.cache_write = count;
            break;
        case Field::TokensReasoning:
            out_.tokens.reasoning = count;
            break;
        case Field::HttpStatus:
            out_.http_status = count > 0 ? small_of(count) : -1;
            break;
        case Field::Attempt:
            out_.attempt = small_of(count);
            break;
        default:
            break;
    }
}

void FieldFilling::store(Field field, const AnyValue& value) {
    switch (field_rows[static_cast<std::size_t>(field)].form) {
        case FieldForm::Text:
            text_field(field) = text_of(first_of(value), batch_);
            break;
        case FieldForm::Json:
            text_field(field) = text_of(value, batch_);
            break;
        case FieldForm::Reason:
            text_field(field) = reason_of(value, batch_);
            break;
        case FieldForm::Count:
            break;  // offer() has stored it
        case FieldForm::Number:
            if (const std::optional<double> number = number_of(value)) {
                if (field == Field::EvalScore) {
                    out_.eval_score = *number;
                    out_.eval_has_score = true;
                } else {
                    (field == Field::CostUsd ? out_.cost_usd : out_.ttft_s) = *number;
                }
            }
            break;
        case FieldForm::Verdict:
            out_.guardrail_verdict = verdict_of(value);
            break;
    }
}

[[nodiscard]] bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
[[nodiscard]] bool is_word_character(char c) noexcept {
    const char lower = static_cast<char>(c | 0x20);
    return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '_';
}

[[nodiscard]] bool begins_like(std::string_view text, std::string_view lower) noexcept {
    if (text.size() < lower.size()) {
        return false;
    }
    for (std::size_t i = 0; i < lower.size(); ++i) {
        if ((text[i] | 0x20) != (lower[i] | 0x20)) {
            return false;
        }
    }
    return true;
}

/// A 4xx or 5xx at the begin of `text` that is a whole word, else -1.
[[nodiscard]] std::int32_t status_at(std::string_view text) noexcept {
    if (text.size() < 3 || (text[0] != '4' && text[0] != '5') || !is_digit(text[1])
        || !is_digit(text[2]) || (text.size() > 3 && is_word_character(text[3]))) {
        return -1;
    }
    return (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
}

/// `text` without the marks that may stand between the word and the number; nothing if none does.
[[nodiscard]] std::string_view behind(std::string_view text, std::string_view marks) noexcept {
    const std::size_t first = text.find_first_not_of(marks);
    return first == 0 || first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

}  // namespace

std::span<const Source> field_sources() noexcept {
    return table;
}

void fill_fields(const FieldContext& context, EventBatch& batch, AgentEvent& out) {
    FieldFilling(context, batch, out).run();
}

std::int32_t quoted_http_status(std::string_view message) noexcept {
    constexpr std::size_t looked_at_max = 4096;
    message = message.substr(0, looked_at_max);
    const std::string_view error = "error: ";
    const std::int32_t first =
        status_at(begins_like(message, error) ? message.substr(error.size()) : message);
    if (first > 0) {
        return first;
    }
    for (std::size_t i = 0; i + 7 <= message.size(); ++i) {
        const char lower = static_cast<char>(message[i] | 0x20);
        if ((lower != 'h' && lower != 's') || (i > 0 && is_word_character(message[i - 1]))) {
            continue;
        }
        std::string_view rest = message.substr(i);
        std::string_view number;
        if (begins_like(rest, "http")) {
            rest.remove_prefix(4);
            if (rest.size() > 2 && rest[0] == '/' && is_digit(rest[1])) {
                rest.remove_prefix(rest.size() > 4 && rest[2] == '.' && is_digit(rest[3]) ? 4 : 2);
            }
            number = behind(rest, " :");
        } else if (begins_like(rest, "status")) {
            rest.remove_prefix(6);
            if (begins_like(rest, " code")) {
                rest.remove_prefix(5);
            }
            number = behind(rest, " :=");
        }
        if (const std::int32_t status = status_at(number); status > 0) {
            return status;
        }
    }
    return -1;
}

Verdict verdict_of(const AnyValue& value) noexcept {
    if (value.type() == ValueType::Bool) {
        return value.boolean() ? Verdict::Deny : Verdict::Allow;  // "triggered"
    }
    struct Word {
        std::string_view text;
        Verdict verdict;
    };
    // The last rows: OpenLLMetry's status, Claude Code's decision, Langfuse's level, texts of bools.
    static constexpr std::array words{
        Word{"allow", Verdict::Allow},       Word{"deny", Verdict::Deny},
        Word{"modify", Verdict::Modify},     Word{"warn", Verdict::Warn},
        Word{"escalate", Verdict::Escalate}, Word{"block", Verdict::Deny},
        Word{"PASSED", Verdict::Allow},      Word{"FAILED", Verdict::Deny},
        Word{"accept", Verdict::Allow},      Word{"reject", Verdict::Deny},
        Word{"unknown", Verdict::Allow},     Word{"DEFAULT", Verdict::Allow},
        Word{"DEBUG", Verdict::Allow},       Word{"WARNING", Verdict::Deny},
        Word{"ERROR", Verdict::Deny},        Word{"true", Verdict::Deny},
        Word{"false", Verdict::Allow},
    };
    for (const Word& word : words) {
        if (word.text == value.text()) {
            return word.verdict;
        }
    }
    return Verdict::None;
}

}  // namespace tagout::intake
