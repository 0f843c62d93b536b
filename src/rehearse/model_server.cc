#include "base/mutex.h"
#include "base/prng.h"
#include "net/http_server.h"
#include "rehearse/delayed.h"
#include "rehearse/model_script.h"
#include "rehearse/sample_server.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

namespace tagout::rehearse {

namespace {

namespace json = boost::json;

constexpr std::size_t bytes_per_token = 4;  ///< Of English text, about.
constexpr std::size_t remembered_troubles_max = 100'000;
constexpr Duration slow_answer = std::chrono::minutes(2);  ///< Past every client's patience.

std::string_view text_at(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                  : std::string_view();
}

const json::array* array_at(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_array() ? &value->get_array() : nullptr;
}

/// A request as far as the model looks at it.
struct Request {
    std::string model;
    std::string conversation;
    std::vector<Message> messages;
    std::string system;  ///< What the prompt says.
    std::size_t bytes = 0;
    bool stream = false;
    bool stream_usage = false;
};

struct BadRequest {
    std::string message;
    std::string param;
};

std::variant<Request, BadRequest> read_request(std::string_view body) {
    boost::system::error_code error;
    const json::value parsed = json::parse(body, error);
    if (error || !parsed.is_object()) {
        return BadRequest{"We could not parse the JSON body of your request.", ""};
    }
    const json::object& object = parsed.get_object();
    Request request{
        .model = std::string(text_at(object, "model")),
        .conversation = {},
        .messages = {},
        .system = {},
        .bytes = body.size(),
    };
    if (request.model.empty()) {
        return BadRequest{"you must provide a model parameter", "model"};
    }
    const json::array* const messages = array_at(object, "messages");
    if (messages == nullptr || messages->empty()) {
        return BadRequest{"[] is too short - 'messages'", "messages"};
    }
    for (const json::value& value : *messages) {
        if (!value.is_object()) {
            return BadRequest{"a message must be an object", "messages"};
        }
        const json::object& message = value.get_object();
        const std::string_view role = text_at(message, "role");
        Message one{.text = std::string(text_at(message, "content"))};
        if (role == "user") {
            one.role = Message::Role::User;
        } else if (role == "assistant") {
            one.role = Message::Role::Assistant;
            one.calls = array_at(message, "tool_calls") != nullptr;
        } else if (role == "tool") {
            one.role = Message::Role::Tool;
            one.is_error = one.text.starts_with(R"({"error")");
        } else if (role == "system" || role == "developer") {
            request.system += one.text;
            continue;
        } else {
            return BadRequest{"unknown role '" + std::string(role) + "'", "messages"};
        }
        request.messages.push_back(std::move(one));
    }
    const json::value* const metadata = object.if_contains("metadata");
    if (metadata != nullptr && metadata->is_object()) {
        request.conversation = text_at(metadata->get_object(), "conversation_id");
    }
    const json::value* const stream = object.if_contains("stream");
    request.stream = stream != nullptr && stream->is_bool() && stream->get_bool();
    const json::value* const options = object.if_contains("stream_options");
    if (options != nullptr && options->is_object()) {
        const json::value* const usage = options->get_object().if_contains("include_usage");
        request.stream_usage = usage != nullptr && usage->is_bool() && usage->get_bool();
    }
    return request;
}

net::ServerResponse failure(int status, std::string_view type, std::string message, std::string param) {
    const json::object body{
        {"error",
         json::object{
             {"message", std::move(message)},
             {"type", type},
             {"param", param.empty() ? json::value() : json::value(param)},
             {"code", json::value()},
         }},
    };
    return {
        .status = status,
        .headers = {{"Content-Type", "application/json"}},
        .body = json::serialize(body),
    };
}

/// What the model answers, before it is put into one of the two wire forms.
struct Completion {
    std::string id;
    std::string model;
    std::int64_t created = 0;
    Move move;
    std::size_t prompt_tokens = 0;
    std::size_t completion_tokens = 0;

    [[nodiscard]] std::string_view finish_reason() const {
        return move.tool.empty() ? "stop" : "tool_calls";
    }
    [[nodiscard]] json::object usage() const {
        return {
            {"prompt_tokens", prompt_tokens},
            {"completion_tokens", completion_tokens},
            {"total_tokens", prompt_tokens + completion_tokens},
        };
    }
    [[nodiscard]] json::object tool_call() const {
        return {
            {"id", "call_" + id.substr(9)},
            {"type", "function"},
            {"function", json::object{{"name", move.tool}, {"arguments", move.arguments}}},
        };
    }
};

net::ServerResponse whole(const Completion& completion) {
    json::object message{{"role", "assistant"}};
    message["content"] =
        completion.move.text.empty() ? json::value() : json::value(completion.move.text);
    if (!completion.move.tool.empty()) {
        message["tool_calls"] = json::array{completion.tool_call()};
    }
    const json::object body{
        {"id", completion.id},
        {"object", "chat.completion"},
        {"created", completion.created},
        {"model", completion.model},
        {"choices", json::array{json::object{
                        {"index", 0},
                        {"message", std::move(message)},
                        {"finish_reason", completion.finish_reason()},
                    }}},
        {"usage", completion.usage()},
    };
    return {
        .status = 200,
        .headers = {{"Content-Type", "application/json"}, {"x-request-id", "req_" + completion.id}},
        .body = json::serialize(body),
    };
}

void send_chunk(
    net::EventStream& stream, const Completion& completion, json::array choices, bool with_usage
) {
    json::object chunk{
        {"id", completion.id},
        {"object", "chat.completion.chunk"},
        {"created", completion.created},
        {"model", completion.model},
        {"choices", std::move(choices)},
    };
    if (with_usage) {
        chunk["usage"] = completion.usage();
    }
    stream.send("data: " + json::serialize(chunk) + "\n\n");
}

json::array choice(json::object delta, json::value finish_reason) {
    return json::array{json::object{
        {"index", 0}, {"delta", std::move(delta)}, {"finish_reason", std::move(finish_reason)}
    }};
}

/// Words in pieces, tool calls with their arguments in two fragments, as OpenAI streams them.
void stream_out(net::EventStream& stream, const Completion& completion, bool with_usage) {
    send_chunk(stream, completion, choice({{"role", "assistant"}, {"content", ""}}, nullptr), false);
    constexpr std::size_t piece_bytes = 24;
    std::string_view text = completion.move.text;
    while (!text.empty()) {
        std::size_t bytes = std::min(piece_bytes, text.size());
        while (bytes < text.size() && (text[bytes] & 0xc0) == 0x80) {
            ++bytes;  // No piece ends within a character.
        }
        send_chunk(stream, completion, choice({{"content", text.substr(0, bytes)}}, nullptr), false);
        text.remove_prefix(bytes);
    }
    if (!completion.move.tool.empty()) {
        json::object call = completion.tool_call();
        call["index"] = 0;
        const std::string arguments = completion.move.arguments;
        call["function"].as_object()["arguments"] = "";
        send_chunk(
            stream, completion, choice({{"tool_calls", json::array{std::move(call)}}}, nullptr), false
        );
        const std::size_t half = arguments.size() / 2;
        for (const std::string& part : {arguments.substr(0, half), arguments.substr(half)}) {
            json::object fragment{{"index", 0}, {"function", json::object{{"arguments", part}}}};
            send_chunk(
                stream, completion, choice({{"tool_calls", json::array{std::move(fragment)}}}, nullptr),
                false
            );
        }
    }
    send_chunk(stream, completion, choice({}, json::value(completion.finish_reason())), false);
    if (with_usage) {
        send_chunk(stream, completion, {}, true);
    }
    stream.send("data: [DONE]\n\n");
    stream.close();
}

class ScriptedModel final : public ModelServer {
public:
    ScriptedModel(
        const Clock& clock, const FaultPlan& plan, const Troubles& troubles
    )
        : clock_(clock), plan_(plan), troubles_(troubles), chance_(troubles.seed ^ 0x6d6f64656c),
          delayed_(clock) {}
    ~ScriptedModel() override {
        delayed_.finish();  // Every request is answered, also those that nobody waits for.
        server_.reset();
    }

    Result<void> listen(std::uint16_t port) {
        server_ = TAGOUT_TRY(net::HttpServer::start(
            server_options(port),
            [this](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
                handle(request, std::move(responder));
            }
        ));
        return {};
    }
    void learn(std::shared_ptr<const Script> script) override {
        const MutexLock lock(mutex_);
        scripts_[script->conversation] = std::move(script);
    }
    void forget(const std::string& conversation) override {
        const MutexLock lock(mutex_);
        scripts_.erase(conversation);
    }
    std::string url() const override {
        return "http://127.0.0.1:" + std::to_string(server_->port()) + "/v1";
    }

private:
    void handle(const net::ServerRequest& request, std::shared_ptr<net::Responder> responder) {
        if (request.path != "/v1/chat/completions") {
            responder->respond(
                failure(404, "invalid_request_error", "Unknown request URL: " + request.path, "")
            );
            return;
        }
        if (request.method != "POST") {
            responder->respond(failure(405, "invalid_request_error", "Use POST.", ""));
            return;
        }
        std::variant<Request, BadRequest> read = read_request(request.body.view());
        if (const BadRequest* const bad = std::get_if<BadRequest>(&read)) {
            responder->respond(failure(400, "invalid_request_error", bad->message, bad->param));
            return;
        }
        answer(std::get<Request>(read), std::move(responder));
    }

    void answer(const Request& request, std::shared_ptr<net::Responder> responder) {
        const std::shared_ptr<const Script> script = script_of(request.conversation);
        if (busy(script.get(), request)) {
            net::ServerResponse refused =
                failure(429, "rate_limit_error", "Rate limit reached. Please try again.", "");
            refused.headers.emplace_back("Retry-After", "0");
            responder->respond(std::move(refused));
            return;
        }
        Completion completion{
            .id = {},
            .model = request.model + "-2024-08-06",
            .created = std::chrono::duration_cast<std::chrono::seconds>(
                           clock_.now().time_since_epoch()
            ).count(),
            .move = script == nullptr
                        ? Move{.tool = {}, .arguments = {},
                               .text = "I can help with orders, refunds, mail and invoices."}
                        : next_move(under_prompt(*script, request.system), request.messages),
        };
        completion.prompt_tokens = request.bytes / bytes_per_token + 1;
        completion.completion_tokens =
            (completion.move.text.size() + completion.move.tool.size() +
             completion.move.arguments.size()) / bytes_per_token + 5;
        Duration delay{};
        {
            const MutexLock lock(mutex_);
            completion.id = "chatcmpl-" + std::to_string(chance_.next());
            delay = std::chrono::microseconds(
                chance_.between(25'000, 70'000) +
                static_cast<std::int64_t>(completion.completion_tokens) * 100
            );
        }
        delay = Duration(static_cast<std::int64_t>(static_cast<double>(delay.count()) * troubles_.pace));
        if (is_slow(script.get())) {
            delay = slow_answer;
        }
        delayed_.after(delay, [responder = std::move(responder), completion, request] {
            if (!request.stream) {
                responder->respond(whole(completion));
                return;
            }
            const std::shared_ptr<net::EventStream> stream = responder->respond_stream(
                {.status = 200, .headers = {{"Content-Type", "text/event-stream"}}, .body = {}}
            );
            stream_out(*stream, completion, request.stream_usage);
        });
    }

    std::shared_ptr<const Script> script_of(const std::string& conversation) {
        const MutexLock lock(mutex_);
        const auto found = scripts_.find(conversation);
        return found == scripts_.end() ? nullptr : found->second;
    }

    bool is_slow(const Script* script) {
        const std::optional<Fault> fault = plan_.active(FaultKind::SlowModel, clock_.now());
        return fault && script != nullptr && script->agent == AgentKind::Refund &&
               luck(troubles_.seed + 3, std::to_string(script->number)) < fault->share;
    }

    /// Once for a call that is unlucky; the same call again succeeds.
    bool busy(const Script* script, const Request& request) {
        if (script == nullptr) {
            return false;
        }
        const std::string words =
            std::to_string(script->number) + " " + std::to_string(request.messages.size());
        if (luck(troubles_.seed + 2, words) >= troubles_.model_busy) {
            return false;
        }
        const MutexLock lock(mutex_);
        if (met_trouble_.size() > remembered_troubles_max) {
            met_trouble_.clear();
        }
        return met_trouble_.insert(words).second;
    }

    // Constant after construction.
    const Clock& clock_;
    const FaultPlan& plan_;
    const Troubles troubles_;

    Mutex mutex_;
    Prng chance_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, std::shared_ptr<const Script>> scripts_ TAGOUT_GUARDED_BY(mutex_);
    std::set<std::string> met_trouble_ TAGOUT_GUARDED_BY(mutex_);

    Delayed delayed_;
    std::unique_ptr<net::HttpServer> server_;  ///< Last: its handlers use what is above.
};

}  // namespace

Result<std::unique_ptr<ModelServer>> ModelServer::start(
    const Clock& clock, const FaultPlan& plan, const Troubles& troubles, std::uint16_t port
) {
    auto server = std::make_unique<ScriptedModel>(clock, plan, troubles);
    TAGOUT_TRY(server->listen(port));
    return server;
}

}  // namespace tagout::rehearse
