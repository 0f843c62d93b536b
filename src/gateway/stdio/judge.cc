#include "gateway/stdio/judge.h"

#include "gateway/stdio_road.h"

#include <charconv>
#include <thread>
#include <utility>

namespace tagout::gateway {

namespace {

constexpr Duration held_max = std::chrono::hours(24);
/// A stream is opened anew after so long in silence: a host that died says nothing. Each opening
/// tells what holds, so a change is missed no longer than that.
constexpr Duration silence_max = std::chrono::seconds(15);
/// A gateway's event loops take new controls within less than a millisecond of each other.
constexpr int late_loops_max = 200;
constexpr std::size_t event_bytes_max = 64 * 1024;
constexpr std::size_t answer_bytes_max = 32 * 1024 * 1024;

std::set<std::string> names_of(RawJson list) {
    std::set<std::string> names;
    for_each_element(list, [&](RawJson each) {
        names.insert(string_of(each).value_or(""));
        return Walk::GoOn;
    });
    return names;
}

std::uint64_t number_of(std::string_view digits) {
    std::uint64_t number = 0;
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

}  // namespace

std::string path_segment(std::string_view name) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (plain) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', hex[byte >> 4], hex[byte & 15]};
        }
    }
    return out;
}

Result<std::string> Judge::ask(
    std::string_view step, std::string body, const std::string& agent, Duration timeout
) {
    net::HttpRequest request;
    request.method = "POST";
    request.url = options_.gateway + std::string(stdio_path) + path_segment(options_.server) + "/" +
                  std::string(step);
    request.headers = {{"Content-Type", "application/json"}, {"tagout-session", options_.session}};
    if (!options_.token.empty()) {
        request.headers.emplace_back("tagout-token", options_.token);
    }
    // What a client calls itself is no name that its token knows.
    const bool takes_own = options_.agent.empty() && options_.token.empty();
    const std::string& caller = takes_own ? agent : options_.agent;
    if (!caller.empty() && caller.find_first_of("\r\n") == std::string::npos) {
        request.headers.emplace_back("tagout-agent", caller);
    }
    request.body = std::move(body);
    request.timeout = timeout;
    request.response_bytes_max = answer_bytes_max;
    auto response = client_.send(request);
    if (!response) {
        return std::unexpected(response.error());
    }
    if (response->status != 200 || !check_json(response->body) ||
        !is_object(trimmed(response->body))) {
        const auto error =
            check_json(response->body)
                ? string_of(member(member(trimmed(response->body), "error"), "message"))
                : std::nullopt;
        return fail(
            ErrorCode::Unavailable,
            "it answered with HTTP " + std::to_string(response->status) +
                (error ? ": " + *error : " and no decision")
        );
    }
    return std::move(response->body);
}

Result<std::string> Judge::ask_by(
    std::uint64_t revision, std::string_view step, const std::string& body, const std::string& agent
) {
    for (int i = 0; i < late_loops_max; ++i) {
        std::string answer = TAGOUT_TRY(ask(step, body, agent, options_.timeout));
        const RawJson by = member(trimmed(answer), "revision");
        if (by.empty() || number_of(by) >= revision) {
            return answer;  // A refusal stands, whichever controls it came by.
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return fail(
        ErrorCode::Unavailable,
        "it told of controls of revision " + std::to_string(revision) + " and judges by older ones"
    );
}

Judged Judge::judged(const Result<std::string>& answer) const {
    Judged judged;
    if (!answer) {
        judged.away = answer.error().message;
        return judged;
    }
    const RawJson whole = trimmed(*answer);
    judged.send = member(whole, "send");
    judged.answer = member(whole, "answer");
    judged.hold = !member(whole, "hold").empty();
    judged.redact = member(whole, "redact") == "true";
    judged.revision = number_of(member(whole, "revision"));
    return judged;
}

Judged Judge::call(std::string_view message, const std::string& agent) {
    Judged said = judged(ask("call", std::string(message), agent, options_.timeout));
    if (said.away.empty() && said.send.empty() && said.answer.empty() && !said.hold) {
        said.away = "it answered with no decision";
    }
    return said;
}

Judged Judge::hold(std::string_view message, const std::string& agent) {
    Judged said = judged(ask("hold", std::string(message), agent, held_max));
    if (said.away.empty() && said.send.empty() && said.answer.empty()) {
        said.away = "it answered with no decision";
    }
    return said;
}

Judged Judge::again(std::string_view message, const std::string& agent, std::uint64_t revision) {
    return judged(ask_by(revision, "again", std::string(message), agent));
}

Judged Judge::result(
    std::string_view message, std::string_view answer, Duration took, const std::string& agent
) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    std::string body = R"({"call":)" + std::string(message) + R"(,"tookMs":)" + std::to_string(ms);
    body += answer.empty() ? R"(,"cancelled":true})" : R"(,"answer":)" + std::string(answer) + "}";
    return judged(ask("result", std::move(body), agent, options_.timeout));
}

Result<ToolsJudged> Judge::tools(
    const std::vector<std::string>& names, const std::vector<RawJson>& definitions,
    const std::string& agent, std::uint64_t revision
) {
    std::string body = R"({"tools":[)";
    for (const std::string& name : names) {
        body += (body.ends_with('[') ? "" : ",") + quoted(name);
    }
    body += R"(],"definitions":[)";
    for (const RawJson definition : definitions) {
        body += (body.ends_with('[') ? "" : ",") + std::string(definition);
    }
    const std::string answer = TAGOUT_TRY(ask_by(revision, "tools", body + "]}", agent));
    const RawJson whole = trimmed(answer);
    return ToolsJudged{names_of(member(whole, "hidden")), names_of(member(whole, "reads"))};
}

void Judge::watch(const std::function<void(std::uint64_t revision)>& changed) {
    net::HttpRequest request;
    request.url = options_.gateway + "/ofrep/v1/events";
    request.timeout = options_.timeout;
    request.silence_max = silence_max;
    std::string held;
    (void)client_.stream(request, [&](std::string_view chunk) {
        held += chunk;
        const std::size_t end = held.rfind("\n\n");
        if (end == std::string::npos) {
            return held.size() < event_bytes_max;
        }
        constexpr std::string_view id = "id: ";
        const std::size_t last = held.rfind(id, end);
        if (last != std::string::npos) {
            changed(number_of(std::string_view(held).substr(last + id.size())));
        }
        held.erase(0, end + 2);
        return true;
    });
}

}  // namespace tagout::gateway
