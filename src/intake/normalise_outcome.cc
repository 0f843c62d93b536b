#include "intake/normalise_outcome.h"

#include "intake/normalise_values.h"

#include <algorithm>
#include <array>

namespace tagout::intake {

namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
    return std::ranges::equal(text, lower, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
    });
}

/// True if `word`, in lower case, stands in `text`, in any case.
bool mentions(std::string_view text, std::string_view word) noexcept {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    };
    return std::ranges::search(text, word, {}, lower).begin() != text.end();
}

bool is_mcp_path(std::string_view url) noexcept {
    const std::size_t query = url.find_first_of("?#");
    url = url.substr(0, query);
    const std::size_t at = url.find("/mcp");
    return at != std::string_view::npos && (at + 4 == url.size() || url[at + 4] == '/');
}

/// An MCP client that asks whether the server pushes: "no" is no failure.
bool is_mcp_probe(const AttributeIndex& attributes) noexcept {
    const auto either = [&attributes](KeyId first, KeyId second) -> const AnyValue& {
        return attributes.has(first) ? attributes[first] : attributes[second];
    };
    if (either(key("http.request.method"), key("http.method")).text() != "GET"
        || count_of(either(key("http.response.status_code"), key("http.status_code"))) != 405) {
        return false;
    }
    return is_mcp_path(attributes.text(key("url.path")))
        || is_mcp_path(attributes.text(key("url.full")))
        || is_mcp_path(attributes.text(key("http.target")))
        || is_mcp_path(attributes.text(key("http.url")));
}

/// LangChain's ToolMessage that says it failed, as it is or below `kwargs` or `data`, which are two
/// ways to serialise it. A tool that handles its own errors ends well and returns such a message.
bool is_failed_tool_message(const JsonView& message) noexcept {
    return is_word(member(message, "status"), "error")
        && member(message, "tool_call_id").type != JsonType::None;
}

/// MCP's isError, OpenLLMetry's is_error, LangChain's message with status error; of ADK an object
/// with nothing but an error in it.
bool result_tells_failure(const JsonView& result, Convention convention) noexcept {
    if (is_failed_tool_message(result)) {
        return true;
    }
    JsonMembers members(result);
    std::string_view name;
    JsonView value;
    std::size_t count = 0;
    bool only_error = true;
    while (members.next(name, value)) {
        ++count;
        only_error = only_error && same(name, "error");
        if ((same(name, "is_error") || same(name, "isError")) && value.is_true()) {
            return true;
        }
        if ((same(name, "data") || same(name, "kwargs") || same(name, "output"))
            && is_failed_tool_message(value)) {
            return true;
        }
        if (same(name, "output") && is_word(member(member(value, "kwargs"), "status"), "error")) {
            return true;
        }
    }
    return convention == Convention::Adk && count == 1 && only_error;
}

bool tool_result_failed(const AttributeIndex& attributes, Convention convention) {
    static constexpr std::array results{
        key("gcp.vertex.agent.tool_response"), key("traceloop.entity.output"),
        key("output.value"),                   key("gen_ai.tool.call.result"),
        key("ai.toolCall.result"),             key("langfuse.observation.output"),
        key("mcp.response.value"),             key("gen_ai.completion"),
    };
    for (const KeyId id : results) {
        if (attributes.has(id) && !is_missing(attributes[id])) {
            std::string scratch;
            return result_tells_failure(container_of(attributes[id], scratch), convention);
        }
    }
    return false;
}

/// LangSmith's exporter records an exception for failed runs only, but may have said OK before: an OK
/// is final in OpenTelemetry's SDKs and hides the error that comes after it.
bool has_exception(const SpanView& span) noexcept {
    return std::ranges::any_of(span.events, [](const EventView& event) {
        return event.name == "exception";
    });
}

/// ADK for JavaScript leaves a span without any attribute when a tool throws.
bool is_bare_adk_tool(const AttributeIndex& attributes, Convention convention) noexcept {
    return convention == Convention::Adk && attributes.all().empty();
}

}  // namespace

bool has_failed(
    const AttributeIndex& attributes, const SpanView& span, EventKind kind, Convention convention
) {
    const bool error_status = span.status == SpanStatus::Error;
    if (kind == EventKind::Http || kind == EventKind::Request) {
        return (error_status || attributes.has(key("error.type"))) && !is_mcp_probe(attributes);
    }
    if (error_status || attributes.has(key("error.type"))
        || equals_ignoring_case(attributes.text(key("langfuse.observation.level")), "error")) {
        return true;
    }
    if (convention == Convention::LangSmith && has_exception(span)) {
        return true;
    }
    if (attributes.has(key("success"))) {
        const AnyValue& success = attributes[key("success")];
        if (success.text() == "false"
            || (success.type() == ValueType::Bool && !success.boolean())) {
            return true;
        }
    }
    if (attributes.has(key("gen_ai.tool.status"))) {
        const std::string_view status = attributes.text(key("gen_ai.tool.status"));
        if (equals_ignoring_case(status, "error") || equals_ignoring_case(status, "failed")) {
            return true;
        }
    }
    return kind == EventKind::Tool
        && (is_bare_adk_tool(attributes, convention) || tool_result_failed(attributes, convention));
}

StepOutcome outcome_of(const AgentEvent& event) noexcept {
    if (event.kind == EventKind::Guardrail && event.guardrail_verdict == Verdict::Deny) {
        return StepOutcome::Blocked;
    }
    if (event.status != SpanStatus::Error) {
        return StepOutcome::Ok;
    }
    const auto says = [&event](std::initializer_list<std::string_view> words) {
        return std::ranges::any_of(words, [&event](std::string_view word) {
            constexpr std::size_t looked_at_max = 512;
            return mentions(event.error_type, word)
                || mentions(event.error_message.substr(0, looked_at_max), word);
        });
    };
    const std::int32_t http = event.http_status;
    // Tagout's own refusals, whichever instrumentation repeats them: the words end with who decided.
    if (says({"tagout.denied", "[tagout ctl-", "[tagout policy:", "[tagout limit:"})) {
        return StepOutcome::Denied;
    }
    if (says({"guardrail", "tripwire"})) {
        return StepOutcome::Blocked;
    }
    if (http == 429 || says({"ratelimit", "throttl", "rate limit", "rate_limit"})) {
        return StepOutcome::Throttled;
    }
    if (http == 408 || http == 504 || says({"timeout", "timed out", "deadline"})) {
        return StepOutcome::Timeout;
    }
    if (says({"abort", "cancel"})) {
        return StepOutcome::Cancelled;
    }
    if (http == 401 || http == 403) {
        return StepOutcome::Denied;
    }
    if (http >= 400 && http < 500) {
        return StepOutcome::ClientError;
    }
    return http >= 500 ? StepOutcome::ServerError : StepOutcome::Error;
}

}  // namespace tagout::intake
