#include "rehearse/agent.h"

#include "base/mutex.h"
#include "base/prng.h"
#include "rehearse/mcp_client.h"
#include "rehearse/messages.h"
#include "rehearse/prompt_shelf.h"
#include "rehearse/sample_server.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace tagout::rehearse {

namespace {

constexpr int model_attempts_max = 3;

std::span<const ToolServerKind> servers_of(AgentKind kind) {
    static constexpr std::array support{ToolServerKind::Orders};
    static constexpr std::array refund{ToolServerKind::Orders, ToolServerKind::Payments};
    static constexpr std::array mail{ToolServerKind::Mail};
    static constexpr std::array billing{ToolServerKind::Payments};
    switch (kind) {
        case AgentKind::Support:
            return support;
        case AgentKind::Refund:
            return refund;
        case AgentKind::Mail:
            return mail;
        case AgentKind::Billing:
            return billing;
        case AgentKind::Handover:
            break;
    }
    return {};
}

template <std::size_t N>
void draw(std::array<std::uint8_t, N>& bytes, Prng& chance) {
    for (std::uint8_t& byte : bytes) {
        byte = static_cast<std::uint8_t>(chance.next() >> 56);
    }
}

}  // namespace

/// One conversation under way.
struct Agent::State {
    AgentSetup setup;
    std::array<Exporter*, agent_kinds> exporters;
    Shop& shop;
    const Clock& clock;
    net::HttpClient model;
    PromptShelf prompts;
    std::vector<McpClient> tool_clients;
    std::array<std::optional<std::string>, agent_kinds> tool_definitions;  ///< By AgentKind, OpenAI's form.

    // Of the conversation under way.
    const Script* script = nullptr;
    const AgentInfo* info = nullptr;
    Exporter* exporter = nullptr;
    Prng chance{0};
    TraceId trace;
    Prompt prompt;     ///< Of this conversation.
    std::string chat;  ///< The messages so far, as members of a JSON array.
    SessionResult result;

    State(const AgentSetup& set, std::array<Exporter*, agent_kinds> to, Shop& in, const Clock& by)
        : setup(set), exporters(to), shop(in), clock(by), prompts(set.gateway) {
        for (const std::string& url : setup.tool_urls) {
            tool_clients.emplace_back(url, setup.name);
        }
    }

    otlp::SpanRecord begin(std::string name, otlp::SpanKind kind, const SpanId& parent);
    void end(otlp::SpanRecord& span, std::string_view error, std::string message);
    void pause(std::int64_t low_ms, std::int64_t high_ms, const std::atomic<bool>& stop);
    [[nodiscard]] std::string traceparent(const otlp::SpanRecord& span) const;
    /// What the runtime tells a gateway about who calls.
    [[nodiscard]] net::Headers identity() const;
    const std::string& definitions();

    struct Answer {
        ModelReply reply;
        std::string error;  ///< "" when the model answered.
        std::string message;
    };
    Answer ask_model(const SpanId& parent, const std::atomic<bool>& stop);
    Answer attempt(const SpanId& parent, int number, const std::atomic<bool>& stop);
    void describe_request(otlp::SpanRecord& span, int number) const;
    /// One kind of agent streams its answers, the others wait for them whole.
    [[nodiscard]] bool streams() const { return info->kind == AgentKind::Support; }
    void use_tool(const ModelReply& reply, const SpanId& parent);

    struct Ending {
        std::string answer;
        std::string error;  ///< error.type, "" when the turn succeeded.
        std::string message;
    };
    Ending loop(const SpanId& parent, const std::atomic<bool>& stop);
    bool play(const Turn& turn, const std::atomic<bool>& stop);
    void give_feedback(const SpanId& root);
    SpanId last_root;
};

otlp::SpanRecord Agent::State::begin(std::string name, otlp::SpanKind kind, const SpanId& parent) {
    otlp::SpanRecord span;
    span.trace_id = trace;
    draw(span.span_id.bytes, chance);
    span.parent_span_id = parent;
    span.name = std::move(name);
    span.kind = kind;
    span.started_at = clock.now();
    span.attributes = {
        {"gen_ai.conversation.id", script->conversation},
        {"gen_ai.agent.name", std::string(info->agent)},
    };
    return span;
}

void Agent::State::end(otlp::SpanRecord& span, std::string_view error, std::string message) {
    span.ended_at = clock.now();
    if (!error.empty()) {
        span.status = SpanStatus::Error;
        span.status_message = std::move(message);
        span.attributes.push_back({"error.type", std::string(error)});
    }
    exporter->add(std::move(span));
}

void Agent::State::pause(std::int64_t low_ms, std::int64_t high_ms, const std::atomic<bool>& stop) {
    const auto whole = static_cast<double>(chance.between(low_ms, high_ms));
    auto left = static_cast<std::int64_t>(whole * setup.pace);
    constexpr std::int64_t slice_ms = 50;
    while (left > 0 && !stop.load(std::memory_order_relaxed)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::min(left, slice_ms)));
        left -= slice_ms;
    }
}

std::string Agent::State::traceparent(const otlp::SpanRecord& span) const {
    return "00-" + to_hex(span.trace_id) + "-" + to_hex(span.span_id) + "-01";
}

net::Headers Agent::State::identity() const {
    return {
        {"tagout-agent", std::string(info->agent)},
        {"tagout-workflow", std::string(info->workflow)},
        {"tagout-session", script->conversation},
        {"tagout-user", script->world.user_id},
        {"tagout-prompt", std::string(info->prompt) + "@" + prompt.version},
    };
}

const std::string& Agent::State::definitions() {
    std::optional<std::string>& known = tool_definitions[static_cast<std::size_t>(info->kind)];
    if (!known) {
        std::vector<ListedTool> tools;
        for (const ToolServerKind server : servers_of(info->kind)) {
            McpClient& client = tool_clients[static_cast<std::size_t>(server)];
            const auto listed = client.list_tools({{}, {}, identity()});
            if (!listed) {
                static const std::string none = "[]";
                return none;  // Not remembered: the next turn asks again.
            }
            tools.insert(tools.end(), listed->begin(), listed->end());
        }
        known = tool_definitions_json(tools);
    }
    return *known;
}

void Agent::State::describe_request(otlp::SpanRecord& span, int number) const {
    otlp::Attributes& attributes = span.attributes;
    attributes.push_back({"gen_ai.operation.name", std::string("chat")});
    attributes.push_back({"gen_ai.provider.name", std::string("openai")});
    attributes.push_back({"gen_ai.request.model", std::string(info->model)});
    attributes.push_back({"gen_ai.prompt.name", std::string(info->prompt)});
    attributes.push_back({"gen_ai.prompt.version", prompt.version});
    attributes.push_back({"server.address", std::string("127.0.0.1")});
    attributes.push_back({"gen_ai.input.messages", captured_input_json(chat)});
    attributes.push_back({"gen_ai.system_instructions", captured_system_json(chat)});
    if (streams()) {
        attributes.push_back({"gen_ai.request.stream", true});
    }
    if (number > 0) {
        attributes.push_back({"http.request.resend_count", static_cast<std::int64_t>(number)});
    }
}

Agent::State::Answer Agent::State::attempt(
    const SpanId& parent, int number, const std::atomic<bool>& stop
) {
    otlp::SpanRecord span = begin("chat " + std::string(info->model), otlp::SpanKind::Client, parent);
    net::HttpRequest request{
        .method = "POST",
        .url = setup.model_url + "/chat/completions",
        .headers =
            {
                {"Content-Type", "application/json"},
                {"Authorization", "Bearer sk-simulated"},
                {"traceparent", traceparent(span)},
            },
        .body = chat_request_json(info->model, chat, definitions(), script->conversation, streams()),
        .timeout = setup.model_timeout,
    };
    for (auto& header : identity()) {
        request.headers.push_back(std::move(header));
    }
    StreamedReply streamed;
    std::optional<Instant> first_chunk_at;
    const Result<net::HttpResponse> response =
        !streams() ? model.send(request) : model.stream(request, [&](std::string_view bytes) {
            streamed.feed(bytes);
            if (streamed.begun() && !first_chunk_at) {
                first_chunk_at = clock.now();
            }
            return !stop.load(std::memory_order_relaxed);
        });
    result.model_calls += 1;
    describe_request(span, number);
    otlp::Attributes& attributes = span.attributes;
    if (first_chunk_at) {
        const double seconds = std::chrono::duration<double>(*first_chunk_at - span.started_at).count();
        attributes.push_back({"gen_ai.response.time_to_first_chunk", seconds});
    }
    Answer answer;
    if (!response) {
        const bool timed_out = response.error().message.find("did not answer in time") !=
                               std::string::npos;
        answer.error = timed_out ? "timeout" : "connection_error";
        answer.message = timed_out ? "Request timed out after " + to_text(setup.model_timeout)
                                   : "Connection error";
    } else if (response->status != 200) {
        answer.error = std::to_string(response->status);
        answer.message = "HTTP " + answer.error + " from the model";
        attributes.push_back(
            {"http.response.status_code", static_cast<std::int64_t>(response->status)}
        );
    } else if (std::optional<ModelReply> reply =
                   streams() ? streamed.done() : parse_model_reply(response->body)) {
        answer.reply = *std::move(reply);
        result.tokens += answer.reply.input_tokens + answer.reply.output_tokens;
        attributes.push_back({"gen_ai.response.id", answer.reply.id});
        attributes.push_back({"gen_ai.response.model", answer.reply.model});
        attributes.push_back(
            {"gen_ai.response.finish_reasons", std::vector<std::string>{answer.reply.finish_reason}}
        );
        attributes.push_back({"gen_ai.usage.input_tokens", answer.reply.input_tokens});
        attributes.push_back({"gen_ai.usage.output_tokens", answer.reply.output_tokens});
        attributes.push_back({"gen_ai.output.messages", captured_output_json(answer.reply)});
    } else {
        answer.error = "invalid_response";
        answer.message = "The model's answer cannot be read";
    }
    end(span, answer.error, answer.message);
    return answer;
}

Agent::State::Answer Agent::State::ask_model(const SpanId& parent, const std::atomic<bool>& stop) {
    Answer answer;
    for (int number = 0; number < model_attempts_max; ++number) {
        answer = attempt(parent, number, stop);
        const bool refused = answer.error.size() == 3 && answer.error[0] == '4' && answer.error != "429";
        if (answer.error.empty() || refused || stop.load(std::memory_order_relaxed)) {
            break;
        }
        pause(150, 400, stop);
    }
    return answer;
}

void Agent::State::use_tool(const ModelReply& reply, const SpanId& parent) {
    otlp::SpanRecord span = begin("execute_tool " + reply.tool, otlp::SpanKind::Internal, parent);
    const ToolInfo* const tool = find_tool(reply.tool);
    Result<ToolOutcome> outcome =
        tool == nullptr
            ? Result<ToolOutcome>(ToolOutcome{true, 404, R"({"error":"unknown_tool"})"})
            : tool_clients[static_cast<std::size_t>(tool->server)].call(
                  reply.tool, reply.arguments,
                  {script->world.user_id, traceparent(span), identity()}
              );
    if (!outcome) {
        outcome = ToolOutcome{true, 0, R"({"error":"unreachable"})"};
    }
    result.tool_calls += 1;
    result.tool_errors += outcome->is_error ? 1 : 0;
    result.writes += tool != nullptr && !tool->read_only && !outcome->is_error ? 1 : 0;
    otlp::Attributes& attributes = span.attributes;
    attributes.push_back({"gen_ai.operation.name", std::string("execute_tool")});
    attributes.push_back({"gen_ai.tool.name", reply.tool});
    attributes.push_back({"gen_ai.tool.type", std::string("function")});
    attributes.push_back({"gen_ai.tool.call.id", reply.call_id});
    attributes.push_back({"gen_ai.tool.call.arguments", reply.arguments});
    attributes.push_back({"gen_ai.tool.call.result", outcome->text});
    std::string error;
    std::string message;
    if (outcome->is_error) {
        error = outcome->status > 0 ? std::to_string(outcome->status) : "tool_error";
        message = outcome->status > 0 ? "HTTP " + error + ": " + outcome->text : outcome->text;
        if (outcome->status > 0) {
            attributes.push_back(
                {"http.response.status_code", static_cast<std::int64_t>(outcome->status)}
            );
        }
    }
    // A refusal is words for the model; our scripted one knows failures by their JSON.
    add_tool_result(
        chat, reply, outcome->denied ? R"({"error":"denied","message":)" + json_text(outcome->text) + "}"
                                     : outcome->text
    );
    end(span, error, message);
}

Agent::State::Ending Agent::State::loop(const SpanId& parent, const std::atomic<bool>& stop) {
    for (std::uint32_t step = 0; step < setup.steps_max; ++step) {
        if (stop.load(std::memory_order_relaxed)) {
            return {{}, "cancelled", "The fleet is being stopped"};
        }
        Answer answer = ask_model(parent, stop);
        if (!answer.error.empty()) {
            return {{}, answer.error, answer.message};
        }
        add_model_reply(chat, answer.reply);
        if (answer.reply.tool.empty()) {
            const bool gave_up = answer.reply.text.starts_with(apology);
            return {
                answer.reply.text,
                gave_up ? "task_failed" : "",
                gave_up ? "The agent could not do what it was asked" : "",
            };
        }
        if (result.tokens > setup.tokens_max) {
            return {{}, "token_budget_exceeded", "The conversation used up its token budget"};
        }
        use_tool(answer.reply, parent);
    }
    return {{}, "max_steps_exceeded", "The agent was stopped at its step limit"};
}

bool Agent::State::play(const Turn& turn, const std::atomic<bool>& stop) {
    draw(trace.bytes, chance);
    add_user_message(chat, turn.user);
    const std::int64_t tokens_before = result.tokens;
    otlp::SpanRecord root =
        begin("invoke_workflow " + std::string(info->workflow), otlp::SpanKind::Internal, SpanId{});
    otlp::SpanRecord agent =
        begin("invoke_agent " + std::string(info->agent), otlp::SpanKind::Internal, root.span_id);
    last_root = root.span_id;
    const Ending ending = loop(agent.span_id, stop);
    const std::string asked = user_message_json(turn.user);
    const std::string said = answer_json(ending.answer);

    agent.attributes.push_back({"gen_ai.operation.name", std::string("invoke_agent")});
    agent.attributes.push_back({"gen_ai.provider.name", std::string("openai")});
    agent.attributes.push_back({"gen_ai.agent.id", std::string(info->agent) + "-1"});
    agent.attributes.push_back({"gen_ai.agent.version", std::string("1.4.0")});
    agent.attributes.push_back({"gen_ai.request.model", std::string(info->model)});
    agent.attributes.push_back({"gen_ai.workflow.name", std::string(info->workflow)});
    agent.attributes.push_back({"gen_ai.input.messages", asked});
    agent.attributes.push_back({"gen_ai.tool.definitions", captured_tools_json(definitions())});
    agent.attributes.push_back({"gen_ai.usage.total_tokens", result.tokens - tokens_before});
    if (!ending.answer.empty()) {
        agent.attributes.push_back({"gen_ai.output.messages", said});
        root.attributes.push_back({"gen_ai.output.messages", said});
    }
    end(agent, ending.error, ending.message);

    root.attributes.push_back({"gen_ai.operation.name", std::string("invoke_workflow")});
    root.attributes.push_back({"gen_ai.workflow.name", std::string(info->workflow)});
    root.attributes.push_back({"user.id", script->world.user_id});
    root.attributes.push_back({"gen_ai.input.messages", asked});
    end(root, ending.error, ending.message);
    result.turns += 1;
    result.failed = !ending.error.empty();
    result.error = ending.error;
    return ending.error.empty();
}

void Agent::State::give_feedback(const SpanId& root) {
    otlp::LogEvent event;
    event.trace_id = trace;
    event.span_id = root;
    event.at = clock.now();
    event.event_name = "gen_ai.evaluation.result";
    event.attributes = {
        {"gen_ai.conversation.id", script->conversation},
        {"gen_ai.evaluation.name", std::string("user_feedback")},
        {"gen_ai.evaluation.score.value", result.satisfied ? 1.0 : 0.0},
        {"gen_ai.evaluation.score.label", std::string(result.satisfied ? "thumbs_up" : "thumbs_down")},
        {"gen_ai.evaluation.explanation",
         std::string(result.satisfied ? "The user got what they asked for"
                                      : "The user did not get what they asked for")},
    };
    exporter->add(std::move(event));
}

Agent::Agent(
    const AgentSetup& setup, std::array<Exporter*, agent_kinds> exporters, Shop& shop, const Clock& clock
)
    : state_(std::make_unique<State>(setup, exporters, shop, clock)) {}
Agent::~Agent() = default;

SessionResult Agent::run(const Script& script, const std::atomic<bool>& stop) {
    State& state = *state_;
    state.info = &info_of(script.agent);
    // The fault is a new prompt: whatever the catalog has is not what this conversation runs under.
    const bool new_prompt = script.fault == &info_of(FaultKind::UnexpectedWrite);
    state.prompt = new_prompt ? Prompt{script.prompt_version,
                                       built_in_prompt(script.agent, script.prompt_version)}
                              : state.prompts.fetch(script.agent, script.prompt_version);
    const Script& played = under_prompt(script, state.prompt.text);
    state.script = &played;
    state.exporter = state.exporters[static_cast<std::size_t>(script.agent)];
    state.chance = Prng(static_cast<std::uint64_t>(luck(0, script.conversation) * 0x1.0p62));
    state.result = {};
    state.chat = begin_chat(
        state.prompt.text + " You speak with " + script.world.name + " (" +
        script.world.user_id + ")."
    );
    bool good = true;
    bool first = true;
    for (const Turn& turn : played.turns) {
        const bool wanted = turn.when == When::Always || good == (turn.when == When::AfterSuccess);
        if (!wanted || stop.load(std::memory_order_relaxed)) {
            continue;
        }
        if (!first) {
            state.pause(250, 900, stop);
        }
        first = false;
        good = state.play(turn, stop);
    }
    const std::vector<std::string> written = state.shop.writes_of(script.world.user_id);
    const bool as_wanted = written == script.wanted_writes;
    state.result.satisfied = !state.result.failed && as_wanted && !script.unhappy;
    const bool tells = state.result.satisfied ? script.praises : script.complains;
    if (tells && !stop.load(std::memory_order_relaxed)) {
        state.pause(50, 200, stop);
        state.give_feedback(state.last_root);
    }
    return state.result;
}

otlp::Reporter reporter_of(AgentKind kind, const std::string& environment) {
    const AgentInfo& info = info_of(kind);
    return {
        .resource =
            {
                {"service.name", std::string(info.agent)},
                {"service.version", std::string("1.4.0")},
                {"service.instance.id", std::string(info.agent) + "-1"},
                {"deployment.environment.name", environment},
                {"telemetry.sdk.name", std::string("opentelemetry")},
                {"telemetry.sdk.language", std::string("cpp")},
                {"telemetry.sdk.version", std::string("1.21.0")},
            },
        .scope = "harbour.agents",
        .scope_version = "1.4.0",
    };
}

}  // namespace tagout::rehearse
