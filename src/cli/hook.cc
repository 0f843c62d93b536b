#include "cli/hook.h"

#include "net/http_client.h"

#include <boost/json.hpp>

#include <cstdlib>
#include <iostream>
#include <utility>

namespace tagout::cli {

namespace {

namespace json = boost::json;

constexpr std::string_view default_gateway = "http://127.0.0.1:8322";
constexpr std::string_view default_agent = "coding-agent";

HookAnswer refusal(const std::string& why) {
    return {hook_refuses, "", "tagout: " + why + "\n"};
}

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* const value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::string environment(const char* name) {
    const char* const set = std::getenv(name);
    return set != nullptr ? set : "";
}

HookAnswer ask(std::string_view input, const HookOptions& options) {
    auto body = decide_body(input, options);
    if (!body) {
        return refusal(body.error().message + "; the call is refused");
    }
    const std::string base = gateway_address(options.gateway);
    net::HttpClient client(options.tls);
    net::Headers headers{{"Content-Type", "application/json"}};
    if (!options.token.empty()) {
        headers.emplace_back("tagout-token", options.token);
    }
    if (!options.token.empty() && !options.agent.empty()) {
        headers.emplace_back("tagout-agent", options.agent);
    }
    const auto answer = client.send(
        {"POST", base + "/v1/decide", std::move(headers), std::move(*body), options.timeout}
    );
    if (!answer) {
        return refusal(
            "the gateway at " + base + " did not decide (" + answer.error().message +
            "), so the call is refused; start it or set TAGOUT_GATEWAY"
        );
    }
    return hook_answer(answer->status, answer->body);
}

}  // namespace

std::string gateway_address(std::string_view said) {
    const char* const set = std::getenv("TAGOUT_GATEWAY");
    std::string base = !said.empty()                      ? std::string(said)
                       : set != nullptr && *set != '\0' ? std::string(set)
                                                         : std::string(default_gateway);
    while (base.ends_with('/')) {
        base.pop_back();
    }
    return base;
}

std::string agent_token() {
    return environment("TAGOUT_AGENT_TOKEN");
}

net::ClientTls agent_tls() {
    net::ClientTls tls;
    tls.trusted = environment("TAGOUT_GATEWAY_CA");
    tls.certificate = environment("TAGOUT_CLIENT_CERT");
    tls.key = environment("TAGOUT_CLIENT_KEY");
    return tls;
}

Result<std::string> decide_body(std::string_view input, const HookOptions& options) {
    boost::system::error_code wrong;
    const json::value whole = json::parse(input, wrong);
    if (wrong || !whole.is_object()) {
        return fail(
            ErrorCode::InvalidArgument, "the hook's input is no JSON object: " + wrong.message()
        );
    }
    const json::object& event = whole.get_object();
    const std::string name = text_of(event, "hook_event_name");
    if (name != "PreToolUse") {
        return fail(
            ErrorCode::InvalidArgument,
            "hook event '" + name + "' is not judged here; register `tagout hook` for PreToolUse"
        );
    }
    const std::string tool = text_of(event, "tool_name");
    if (tool.empty()) {
        return fail(ErrorCode::InvalidArgument, "the hook's input names no tool_name");
    }
    std::string agent = options.agent.empty() ? text_of(event, "agent_type") : options.agent;
    json::object body{{"kind", "tool"}, {"tool", tool}};
    if (options.token.empty() || !options.agent.empty()) {
        body["agent"] = agent.empty() ? std::string(default_agent) : std::move(agent);
    }
    if (std::string session = text_of(event, "session_id"); !session.empty()) {
        body["session"] = std::move(session);
    }
    if (const json::value* const arguments = event.if_contains("tool_input")) {
        body["arguments"] = *arguments;
    }
    return json::serialize(body);
}

HookAnswer hook_answer(int status, std::string_view body) {
    boost::system::error_code wrong;
    const json::value whole = json::parse(body, wrong);
    if (status != 200 || wrong || !whole.is_object()) {
        return refusal(
            "the gateway answered with HTTP " + std::to_string(status) +
            " and no decision, so the call is refused"
        );
    }
    const json::object& decision = whole.get_object();
    const std::string verdict = text_of(decision, "verdict");
    if (const json::value* const arguments = decision.if_contains("arguments");
        verdict == "modify" && arguments != nullptr) {
        // "allow" would skip the agent's own permission rules.
        const json::object output{
            {"hookSpecificOutput",
             {{"hookEventName", "PreToolUse"},
              {"permissionDecision", "ask"},
              {"permissionDecisionReason", text_of(decision, "reason")},
              {"updatedInput", *arguments}}}};
        return {0, json::serialize(output), ""};
    }
    if (verdict == "allow" || verdict == "modify") {
        return {0, "", ""};
    }
    const std::string reason = text_of(decision, "reason");
    if (verdict == "escalate") {
        const json::object output{
            {"hookSpecificOutput",
             {{"hookEventName", "PreToolUse"},
              {"permissionDecision", "ask"},
              {"permissionDecisionReason", reason}}}};
        return {0, json::serialize(output), ""};
    }
    const std::string by = text_of(decision, "decided_by");
    return refusal((reason.empty() ? "refused" : reason) + (by.empty() ? "" : " (" + by + ")"));
}

Result<int> run_hook(const HookOptions& options, Terminal& terminal) {
    std::string input;
    std::string buffer(64 * 1024, '\0');
    while (std::cin.read(buffer.data(), static_cast<std::streamsize>(buffer.size())),
           std::cin.gcount() > 0) {
        input.append(buffer.data(), static_cast<std::size_t>(std::cin.gcount()));
        if (input.size() > hook_bytes_max) {
            break;
        }
    }
    const HookAnswer answer =
        input.size() > hook_bytes_max
            ? refusal(
                  "the hook's input is larger than " + std::to_string(hook_bytes_max) +
                  " bytes; the call is refused"
              )
            : ask(input, options);
    if (!answer.out.empty()) {
        terminal.line(answer.out);
    }
    if (!answer.err.empty()) {
        std::cerr << answer.err << std::flush;
    }
    return answer.exit_code;
}

}  // namespace tagout::cli
