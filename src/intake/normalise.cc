#include "intake/normalise.h"

#include "intake/normalise_fields.h"
#include "intake/normalise_kind.h"
#include "intake/normalise_outcome.h"
#include "intake/normalise_texts.h"
#include "intake/normalise_tools.h"
#include "intake/normalise_values.h"

#include <array>

namespace tagout::intake {

namespace {

constexpr Kinds leaf_kinds = kinds({EventKind::Llm, EventKind::Embedding, EventKind::Rerank});

/// Makes input include what a cache gave or took, and output include reasoning, where the source
/// counts them apart: Claude Code and Langfuse always do, others show it by impossible sums.
void settle_usage(Convention convention, EventKind kind, AgentEvent& out) {
    Tokens& tokens = out.tokens;
    const auto present = [](std::int64_t count) { return count > 0 ? count : 0; };
    const TokenAccounting accounting =
        has(leaf_kinds, kind) ? TokenAccounting::Leaf : TokenAccounting::Rollup;
    if (out.cost_usd >= 0) {
        out.cost_accounting = accounting;
    }
    if (tokens.input < 0 && tokens.output < 0 && tokens.total < 0 && tokens.cache_read < 0
        && tokens.cache_write < 0 && tokens.reasoning < 0) {
        return;
    }
    constexpr std::int64_t count_max = std::int64_t{1} << 40;  // sums cannot overflow
    for (std::int64_t* const count :
         {&tokens.input, &tokens.output, &tokens.total, &tokens.cache_read, &tokens.cache_write,
          &tokens.reasoning}) {
        *count = std::min(*count, count_max);
    }
    const std::int64_t cached = present(tokens.cache_read) + present(tokens.cache_write);
    if (convention == Convention::ClaudeCode || convention == Convention::Langfuse
        || cached > present(tokens.input)) {
        tokens.input = present(tokens.input) + cached;
        if (convention == Convention::Langfuse && tokens.reasoning > 0) {
            tokens.output = present(tokens.output) + tokens.reasoning;
        }
    }
    tokens.accounting = accounting;
}

std::string_view hex_of(std::span<const std::uint8_t> bytes, char* out) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        out[2 * i] = digits[bytes[i] >> 4U];
        out[2 * i + 1] = digits[bytes[i] & 15U];
    }
    return {out, 2 * bytes.size()};
}

/// "traceid:spanid" of each link, with commas between.
std::string_view write_links(std::span<const LinkView> links, EventBatch& batch) {
    constexpr std::size_t links_max = 128;
    constexpr std::size_t one = 32 + 1 + 16;
    links = links.first(std::min(links.size(), links_max));
    char* const text = static_cast<char*>(batch.arena.allocate(links.size() * (one + 1), 1));
    char* at = text;
    for (const LinkView& link : links) {
        if (at != text) {
            *at++ = ',';
        }
        at += hex_of(link.trace_id.bytes, at).size();
        *at++ = ':';
        at += hex_of(link.span_id.bytes, at).size();
    }
    return {text, static_cast<std::size_t>(at - text)};
}

/// OpenInference's feedback: "annotations.0.annotation.score" and five other beginnings.
void fill_annotation(const SpanView& span, EventBatch& batch, AgentEvent& out) {
    struct Form {
        std::string_view begin;
        std::string_view scope;
    };
    static constexpr std::array forms{
        Form{"annotations.0.annotation.", "span"},
        Form{"evaluations.0.evaluation.", "span"},
        Form{"trace.annotations.0.annotation.", "trace"},
        Form{"trace.evaluations.0.evaluation.", "trace"},
        Form{"session.annotations.0.annotation.", "session"},
        Form{"session.evaluations.0.evaluation.", "session"},
    };
    for (const Attribute& attribute : span.attributes) {
        if (attribute.key_id != KeyId::Annotation) {
            continue;
        }
        for (const Form& form : forms) {
            if (!attribute.key.starts_with(form.begin)) {
                continue;
            }
            const std::string_view what = attribute.key.substr(form.begin.size());
            out.eval_scope = form.scope;
            if (what == "name") {
                out.eval_name = text_of(attribute.value, batch);
            } else if (what == "label") {
                out.eval_label = text_of(attribute.value, batch);
            } else if (what == "explanation") {
                out.eval_explanation = text_of(attribute.value, batch);
            } else if (what == "annotator_kind") {
                out.eval_annotator = text_of(attribute.value, batch);
            } else if (what == "score") {
                if (const auto score = number_of(attribute.value)) {
                    out.eval_score = *score;
                    out.eval_has_score = true;
                }
            }
            break;
        }
    }
    if (!out.eval_scope.empty() && !out.links.empty()) {
        constexpr std::size_t one = 32 + 1 + 16;
        out.eval_target = out.links.substr(0, one);
    }
}

/// An evaluation that arrives as an event of the judged span itself.
void fill_evaluation_event(std::span<const EventView> events, EventBatch& batch, AgentEvent& out) {
    for (const EventView& event : events) {
        if (event.name != "gen_ai.evaluation.result") {
            continue;
        }
        out.eval_scope = "span";
        out.eval_name =
            text_of(find_attribute(event.attributes, key("gen_ai.evaluation.name")), batch);
        out.eval_label =
            text_of(find_attribute(event.attributes, key("gen_ai.evaluation.score.label")), batch);
        const auto score =
            number_of(find_attribute(event.attributes, key("gen_ai.evaluation.score.value")));
        out.eval_has_score = score.has_value();
        out.eval_score = score.value_or(0);
    }
}

/// The text in which a failure may quote an HTTP status: the one that becomes its message.
std::string_view quoted_message_of(const SpanView& span, const AttributeIndex& attributes) {
    if (!span.status_message.empty()) {
        return span.status_message;
    }
    for (const KeyId id : {key("error.message"), key("langfuse.observation.status_message")}) {
        if (const std::string_view text = attributes.text(id); !text.empty()) {
            return text;
        }
    }
    for (const EventView& event : span.events) {
        if (event.name == "exception") {
            return find_attribute(event.attributes, key("exception.message")).text();
        }
    }
    return {};
}

bool is_word_of_case(std::string_view text, std::string_view upper) noexcept {
    return text.size() == upper.size()
        && std::equal(text.begin(), text.end(), upper.begin(), [](char a, char b) {
               return a == b || (a >= 'a' && a <= 'z' && a - 32 == b);
           });
}

}  // namespace

void normalise_span(
    const SpanView& span, const ScopeView& scope, const ResourceView& resource, EventBatch& batch,
    AgentEvent& out
) {
    const AttributeIndex attributes(span.attributes);
    out.signal = Signal::Traces;
    out.convention = convention_of(attributes, scope.name);
    out.kind = kind_of_span(attributes, span, out.convention);
    out.trace_id = span.trace_id;
    out.span_id = span.span_id;
    out.parent_span_id = span.parent_span_id;
    out.started_at = instant_of_nanos(span.start_unix_nanos);
    out.ended_at = span.end_unix_nanos == 0 ? out.started_at
                                            : instant_of_nanos(span.end_unix_nanos);
    out.name = span.name;
    out.scope = scope.name;
    if (!span.links.empty()) {
        out.links = write_links(span.links, batch);
    }

    const bool failed = has_failed(attributes, span, out.kind, out.convention);
    const std::string_view inference_kind = attributes.text(key("openinference.span.kind"));
    fill_fields(
        {
            .kind = out.kind,
            .convention = out.convention,
            .inference_agent = is_word_of_case(inference_kind, "AGENT"),
            .inference_prompt = is_word_of_case(inference_kind, "PROMPT"),
            .failed = failed,
            .name = span.name,
            .status_message = span.status_message,
            .quoted_message = failed ? quoted_message_of(span, attributes) : std::string_view{},
            .attributes = span.attributes,
            .resource = resource.attributes,
            .events = span.events,
        },
        batch, out
    );
    if (failed) {
        out.status = SpanStatus::Error;
    } else {
        out.status = span.status == SpanStatus::Ok ? SpanStatus::Ok : SpanStatus::Unset;
    }
    settle_usage(out.convention, out.kind, out);
    if (out.kind == EventKind::Tool) {
        out.tool_args = arguments_of_call(out.tool_args, batch);
    }
    fill_texts(
        {attributes, span.events, out.kind, out.convention, span.parent_span_id.empty()}, batch, out
    );
    fill_tool_definitions(attributes, span.name, batch, out);
    if (out.kind == EventKind::Guardrail && out.guardrail_name.empty()
        && out.convention == Convention::ClaudeCode) {
        out.guardrail_name = "permission";
    }
    if (out.kind == EventKind::Evaluation) {
        fill_annotation(span, batch, out);
    }
    if (!span.events.empty()) {
        fill_evaluation_event(span.events, batch, out);
    }
    out.outcome = outcome_of(out);
}

}  // namespace tagout::intake
