#include "rehearse/messages.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::rehearse {

namespace {

namespace json = boost::json;

json::array messages_of(const std::string& chat) {
    boost::system::error_code error;
    json::value parsed = json::parse("[" + chat + "]", error);
    return error || !parsed.is_array() ? json::array() : std::move(parsed.get_array());
}

std::string text_at(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

void append(std::string& chat, const json::object& message) {
    if (!chat.empty()) {
        chat += ',';
    }
    chat += json::serialize(message);
}

json::object text_part(std::string_view text) { return {{"type", "text"}, {"content", text}}; }

json::object tool_call_part(
    std::string_view id, std::string_view name, const std::string& arguments
) {
    boost::system::error_code error;
    json::value parsed = json::parse(arguments, error);
    return {
        {"type", "tool_call"},
        {"id", id},
        {"name", name},
        {"arguments", error ? json::value(arguments) : std::move(parsed)},
    };
}

/// One message in the captured form.
json::object captured(const json::object& message) {
    const std::string role = text_at(message, "role");
    json::array parts;
    if (role == "tool") {
        parts.push_back(json::object{
            {"type", "tool_call_response"},
            {"id", text_at(message, "tool_call_id")},
            {"response", text_at(message, "content")},
        });
        return {{"role", role}, {"parts", std::move(parts)}};
    }
    if (const std::string text = text_at(message, "content"); !text.empty()) {
        parts.push_back(text_part(text));
    }
    const json::value* const calls = message.if_contains("tool_calls");
    if (calls != nullptr && calls->is_array()) {
        for (const json::value& call : calls->get_array()) {
            const json::object& function = call.at("function").as_object();
            parts.push_back(tool_call_part(
                text_at(call.as_object(), "id"), text_at(function, "name"),
                text_at(function, "arguments")
            ));
        }
    }
    return {{"role", role}, {"parts", std::move(parts)}};
}

}  // namespace

std::optional<ModelReply> parse_model_reply(std::string_view body) {
    boost::system::error_code error;
    const json::value parsed = json::parse(body, error);
    if (error || !parsed.is_object()) {
        return std::nullopt;
    }
    const json::object& object = parsed.get_object();
    const json::value* const choice = parsed.find_pointer("/choices/0", error);
    if (choice == nullptr || !choice->is_object()) {
        return std::nullopt;
    }
    const json::value* const message = choice->get_object().if_contains("message");
    if (message == nullptr || !message->is_object()) {
        return std::nullopt;
    }
    ModelReply reply{
        .id = text_at(object, "id"),
        .model = text_at(object, "model"),
        .text = text_at(message->get_object(), "content"),
        .tool = {},
        .call_id = {},
        .arguments = {},
        .finish_reason = text_at(choice->get_object(), "finish_reason"),
    };
    const json::value* const call = message->find_pointer("/tool_calls/0", error);
    const json::value* const function =
        call == nullptr ? nullptr : call->find_pointer("/function", error);
    if (function != nullptr && function->is_object()) {
        reply.call_id = text_at(call->get_object(), "id");
        reply.tool = text_at(function->get_object(), "name");
        reply.arguments = text_at(function->get_object(), "arguments");
    }
    const auto tokens = [&](std::string_view pointer) {
        boost::system::error_code missing;
        const json::value* const value = parsed.find_pointer(pointer, missing);
        return value != nullptr && value->is_int64() ? value->get_int64() : std::int64_t{0};
    };
    reply.input_tokens = tokens("/usage/prompt_tokens");
    reply.output_tokens = tokens("/usage/completion_tokens");
    return reply;
}

std::string begin_chat(const std::string& system) {
    return json::serialize(json::object{{"role", "system"}, {"content", system}});
}

void add_user_message(std::string& chat, const std::string& text) {
    append(chat, {{"role", "user"}, {"content", text}});
}

void add_model_reply(std::string& chat, const ModelReply& reply) {
    json::object message{{"role", "assistant"}};
    message["content"] = reply.text.empty() ? json::value() : json::value(reply.text);
    if (!reply.tool.empty()) {
        message["tool_calls"] = json::array{json::object{
            {"id", reply.call_id},
            {"type", "function"},
            {"function", json::object{{"name", reply.tool}, {"arguments", reply.arguments}}},
        }};
    }
    append(chat, message);
}

void add_tool_result(std::string& chat, const ModelReply& call, const std::string& result) {
    append(chat, {{"role", "tool"}, {"tool_call_id", call.call_id}, {"content", result}});
}

std::string chat_request_json(
    std::string_view model, const std::string& chat, const std::string& tools,
    const std::string& conversation, bool stream
) {
    return R"({"model":")" + std::string(model) + R"(","messages":[)" + chat + R"(],"tools":)" +
           tools + R"(,"metadata":)" +
           json::serialize(json::object{{"conversation_id", conversation}}) +
           (stream ? R"(,"stream":true,"stream_options":{"include_usage":true}})" : "}");
}

void StreamedReply::feed(std::string_view bytes) {
    constexpr std::size_t line_bytes_max = 1024 * 1024;
    for (const char c : bytes) {
        if (c != '\n') {
            if (line_.size() < line_bytes_max) {
                line_ += c;
            }
            continue;
        }
        constexpr std::string_view field = "data: ";
        if (line_.starts_with(field)) {
            take(std::string_view(line_).substr(field.size()));
        }
        line_.clear();
    }
}

void StreamedReply::take(std::string_view data) {
    if (data == "[DONE]") {
        whole_ = reply_;
        return;
    }
    boost::system::error_code error;
    const json::value chunk = json::parse(data, error);
    if (error || !chunk.is_object()) {
        return;
    }
    begun_ = true;
    const auto at = [&](std::string_view pointer) {
        boost::system::error_code missing;
        const json::value* const value = chunk.find_pointer(pointer, missing);
        return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                      : std::string();
    };
    const auto tokens = [&](std::string_view pointer, std::int64_t before) {
        boost::system::error_code missing;
        const json::value* const value = chunk.find_pointer(pointer, missing);
        return value != nullptr && value->is_int64() ? value->get_int64() : before;
    };
    const auto keep = [](std::string& text, std::string newer) {
        if (!newer.empty()) {
            text = std::move(newer);
        }
    };
    keep(reply_.id, at("/id"));
    keep(reply_.model, at("/model"));
    keep(reply_.finish_reason, at("/choices/0/finish_reason"));
    keep(reply_.call_id, at("/choices/0/delta/tool_calls/0/id"));
    reply_.text += at("/choices/0/delta/content");
    reply_.tool += at("/choices/0/delta/tool_calls/0/function/name");
    reply_.arguments += at("/choices/0/delta/tool_calls/0/function/arguments");
    reply_.input_tokens = tokens("/usage/prompt_tokens", reply_.input_tokens);
    reply_.output_tokens = tokens("/usage/completion_tokens", reply_.output_tokens);
}

std::string tool_definitions_json(const std::vector<ListedTool>& tools) {
    json::array out;
    for (const ListedTool& tool : tools) {
        boost::system::error_code error;
        json::value schema = json::parse(tool.input_schema, error);
        out.push_back(json::object{
            {"type", "function"},
            {"function",
             json::object{
                 {"name", tool.name},
                 {"description", tool.description},
                 {"parameters", error ? json::value(json::object{}) : std::move(schema)},
             }},
        });
    }
    return json::serialize(out);
}

std::string captured_input_json(const std::string& chat) {
    std::vector<std::string> kept;
    std::size_t bytes = 2;
    const json::array messages = messages_of(chat);
    for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
        const json::object& object = message->as_object();
        if (text_at(object, "role") == "system") {
            continue;
        }
        std::string one = json::serialize(captured(object));
        bytes += one.size() + 1;
        if (bytes > capture_bytes_max && !kept.empty()) {
            break;
        }
        kept.push_back(std::move(one));
    }
    std::string out = "[";
    for (auto one = kept.rbegin(); one != kept.rend(); ++one) {
        out += out.size() == 1 ? *one : "," + *one;
    }
    return out + "]";
}

std::string captured_system_json(const std::string& chat) {
    json::array parts;
    for (const json::value& message : messages_of(chat)) {
        if (text_at(message.as_object(), "role") == "system") {
            parts.push_back(text_part(text_at(message.as_object(), "content")));
        }
    }
    return json::serialize(parts);
}

std::string captured_output_json(const ModelReply& reply) {
    json::array parts;
    if (!reply.text.empty()) {
        parts.push_back(text_part(std::string_view(reply.text).substr(0, capture_bytes_max)));
    }
    if (!reply.tool.empty()) {
        parts.push_back(tool_call_part(reply.call_id, reply.tool, reply.arguments));
    }
    return json::serialize(json::array{json::object{
        {"role", "assistant"},
        {"parts", std::move(parts)},
        {"finish_reason", reply.tool.empty() ? "stop" : "tool_call"},
    }});
}

/// The GenAI form: {type, name, description, parameters} instead of OpenAI's nested one.
std::string captured_tools_json(const std::string& tools) {
    boost::system::error_code error;
    const json::value parsed = json::parse(tools, error);
    json::array out;
    if (!error && parsed.is_array()) {
        for (const json::value& tool : parsed.get_array()) {
            json::object flat{{"type", "function"}};
            for (const auto& [name, value] : tool.at("function").as_object()) {
                flat[name] = value;
            }
            out.push_back(std::move(flat));
        }
    }
    return json::serialize(out);
}

std::string user_message_json(const std::string& text) {
    return json::serialize(
        json::array{json::object{{"role", "user"}, {"parts", json::array{text_part(text)}}}}
    );
}

std::string answer_json(const std::string& text) {
    return json::serialize(json::array{json::object{
        {"role", "assistant"}, {"parts", json::array{text_part(text)}}, {"finish_reason", "stop"}
    }});
}

std::string json_text(std::string_view text) { return json::serialize(json::value(text)); }

}  // namespace tagout::rehearse
