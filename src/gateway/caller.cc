#include "gateway/caller.h"

#include "contain/agent_tokens.h"

#include "net/upstream_client.h"
#include "net/url.h"

#include <algorithm>
#include <array>

namespace tagout::gateway {

namespace {

struct HeaderField {
    std::string_view header;
    std::string Caller::*field;
};

constexpr std::array<HeaderField, 7> fields{{
    {"tagout-agent", &Caller::agent},
    {"tagout-workflow", &Caller::workflow},
    {"tagout-session", &Caller::session},
    {"tagout-user", &Caller::user},
    {"tagout-tenant", &Caller::tenant},
    {"tagout-environment", &Caller::environment},
    {"tagout-prompt", &Caller::prompt},
}};

constexpr std::array<HeaderField, 6> baggage_fields{{
    {"gen_ai.agent.name", &Caller::agent},
    {"gen_ai.conversation.id", &Caller::session},
    {"session.id", &Caller::session},
    {"gen_ai.workflow.name", &Caller::workflow},
    {"user.id", &Caller::user},
    {"deployment.environment.name", &Caller::environment},
}};

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) noexcept {
    return text.size() >= start.size() &&
           net::equal_ignoring_case(text.substr(0, start.size()), start);
}

}  // namespace

ToolCall Caller::call(CallKind kind) const noexcept {
    ToolCall facts;
    facts.kind = kind;
    facts.agent = agent;
    facts.workflow = workflow;
    facts.session = session;
    facts.tenant = tenant;
    facts.environment = environment;
    facts.user = user;
    facts.prompt_version = prompt;
    facts.journey = journey;
    return facts;
}

void Caller::add_baggage(std::string_view baggage) {
    while (!baggage.empty()) {
        const std::size_t comma = baggage.find(',');
        const std::string_view one = baggage.substr(0, comma);
        const std::string_view pair = one.substr(0, one.find(';'));
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos) {
            const std::string_view key = trim(pair.substr(0, equals));
            for (const HeaderField& each : baggage_fields) {
                if (key == each.header && (this->*each.field).empty()) {
                    this->*each.field = net::percent_decode(trim(pair.substr(equals + 1)));
                }
            }
        }
        baggage = comma == std::string_view::npos ? "" : baggage.substr(comma + 1);
    }
}

void Caller::add_traceparent(std::string_view sent) {
    constexpr std::size_t version_size = 3;
    constexpr std::size_t trace_size = 32;
    if (traceparent.empty()) {
        traceparent = sent;
    }
    const std::string_view trace =
        std::string_view(traceparent)
            .substr(std::min(version_size, traceparent.size()), trace_size);
    if (session.empty() && trace.size() == trace_size) {
        session = trace;
    }
}

Caller read_caller(const net::Headers& headers, std::string_view journey_secret) {
    Caller caller;
    for (const auto& [name, value] : headers) {
        if (net::equal_ignoring_case(name, "baggage")) {
            caller.add_baggage(value);  // Several lines are one list (RFC 9110 5.3).
        }
    }
    for (const HeaderField& each : fields) {
        const std::string_view said = net::find_header(headers, each.header);
        if (!said.empty()) {
            caller.*each.field = said;
        }
    }
    caller.traceparent = net::find_header(headers, "traceparent");
    caller.journey = is_same_secret(net::find_header(headers, "tagout-journey"), journey_secret);
    return caller;
}

bool is_same_secret(std::string_view sent, std::string_view secret) noexcept {
    if (secret.empty() || sent.size() != secret.size()) {
        return false;
    }
    unsigned different = 0;
    for (std::size_t i = 0; i < secret.size(); ++i) {
        different |= static_cast<unsigned>(sent[i] ^ secret[i]);
    }
    return different == 0;
}

net::Headers upstream_headers(const net::Headers& headers) {
    net::Headers kept = net::end_to_end(headers);
    std::erase_if(kept, [](const auto& header) {
        return contain::holds_agent_token(header.second) ||
               starts_with_ignoring_case(header.first, "tagout-") ||
               starts_with_ignoring_case(header.first, "x-http-method") ||
               net::equal_ignoring_case(header.first, "x-method-override") ||
               net::equal_ignoring_case(header.first, "accept-encoding") ||
               net::equal_ignoring_case(header.first, "expect");
    });
    kept.emplace_back("Accept-Encoding", "identity");
    return kept;
}

}  // namespace tagout::gateway
