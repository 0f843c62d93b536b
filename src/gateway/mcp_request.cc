#include "gateway/mcp_exchange.h"

#include "contain/unknown_arguments.h"
#include "gateway/json_edit.h"
#include "net/url.h"

#include <algorithm>

namespace tagout::gateway {

namespace {

constexpr int header_mismatch_code = -32020;  // MCP 2026-07-28
constexpr int not_sent_code = 1001;           // Our own: outside what JSON-RPC and MCP reserve.

net::ServerResponse rpc_error(int status, int code, std::string_view message, std::string_view id) {
    return {
        status,
        {{"Content-Type", "application/json"}},
        R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"error":{"code":)" +
            std::to_string(code) + R"(,"message":)" + quoted(message) + "}}"};
}

/// Whether an Accept header lets an answer be of `type` ("application", "json").
bool accepts(std::string_view accept, std::string_view type, std::string_view any) {
    while (!accept.empty()) {
        const std::size_t comma = accept.find(',');
        std::string_view one = accept.substr(0, comma);
        one = trimmed(one.substr(0, one.find(';')));
        if (net::equal_ignoring_case(one, type) || one == any || one == "*/*") {
            return true;
        }
        accept = comma == std::string_view::npos ? "" : accept.substr(comma + 1);
    }
    return false;
}

/// Methods that ask only: sending one twice does no harm.
bool may_repeat(const RpcBody& rpc) {
    return std::ranges::all_of(rpc.messages, [](const RpcMessage& each) {
        return each.method == "tools/list" || each.method == "ping" ||
               each.method == "initialize" || each.method == "server/discover" ||
               each.method == "prompts/list" || each.method == "resources/list" ||
               each.method.starts_with("notifications/");
    });
}

}  // namespace

McpExchange::McpExchange(
    std::shared_ptr<Core> core, std::shared_ptr<const catalog::Catalog> catalog,
    const catalog::McpServer& server, net::ServerRequest request,
    std::shared_ptr<net::Responder> responder
)
    : Exchange(std::move(core), Road::Mcp, std::move(request), std::move(responder)),
      catalog_(std::move(catalog)),
      server_(server.name),
      url_(server.url),
      caller_(read_caller(this->request().headers, core_->options.journey_secret)) {}

void McpExchange::start(
    std::shared_ptr<Core> core, std::shared_ptr<const catalog::Catalog> catalog,
    const catalog::McpServer& server, net::ServerRequest request,
    std::shared_ptr<net::Responder> responder
) {
    const std::shared_ptr<McpExchange> exchange(new McpExchange(
        std::move(core), std::move(catalog), server, std::move(request), std::move(responder)
    ));
    exchange->begin();
}

void McpExchange::begin() {
    const std::string& method = request().method;
    if (method == "POST") {
        post();
        return;
    }
    if (method != "GET" && method != "DELETE" && method != "OPTIONS" && method != "HEAD") {
        net::ServerResponse response =
            error_response(405, "invalid_argument", "MCP knows POST, GET and DELETE");
        response.headers.emplace_back("Allow", "POST, GET, DELETE");
        answer(std::move(response), Outcome::Invalid);
        return;
    }
    if (request().body.size() > 0) {
        answer(
            error_response(400, "invalid_argument", "only POST carries messages; send no body"),
            Outcome::Invalid
        );
        return;
    }
    know_caller();
    send_on();
}

/// What could be read in another way than here; "" if nothing could.
std::string McpExchange::unreadable() const {
    const std::string_view coding = request().header("Content-Encoding");
    if (!coding.empty() && !net::equal_ignoring_case(coding, "identity")) {
        return "a compressed body cannot be judged; send it without Content-Encoding";
    }
    std::string type(request().header("Content-Type"));
    std::ranges::transform(type, type.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    const std::size_t charset = type.find("charset=");
    if (charset != std::string::npos && type.compare(charset + 8, 5, "utf-8") != 0 &&
        type.compare(charset + 8, 6, "\"utf-8") != 0) {
        return "JSON is written in UTF-8; send no other charset";
    }
    return "";
}

void McpExchange::post() {
    if (const std::string why = unreadable(); !why.empty()) {
        refuse_malformed(415, -32600, why, "null");
        return;
    }
    body_ = std::make_shared<const PaddedBytes>(std::move(request().body));
    auto read = read_rpc_body(*body_);
    if (!read) {
        refuse_malformed(400, read.error().code, read.error().message, read.error().id);
        return;
    }
    rpc_ = std::move(*read);
    if (is_users_answer()) {
        take_users_answer();
        return;
    }
    if (rpc_.is_modern()) {
        const RpcMessage& message = rpc_.messages.front();
        const std::string wrong =
            header_mismatch(message, request().header("Mcp-Method"), request().header("Mcp-Name"));
        if (!wrong.empty()) {
            refuse_malformed(
                400, header_mismatch_code, wrong, message.id.empty() ? "null" : message.id
            );
            return;
        }
    }
    know_caller();
    if (!open_seal()) {
        return;
    }
    judge();
    if (is_refused()) {
        refuse(Outcome::Refused);
    } else if (is_probe()) {
        answer_probe();
    } else if (!calls_.empty() && calls_.front().ruling.verdict == Verdict::Escalate) {
        ask_person();
    } else {
        send_on();
    }
}

void McpExchange::know_caller() {
    const bool named = !caller_.agent.empty();
    for (const RpcMessage& message : rpc_.messages) {
        caller_.add_baggage(message.baggage);
        caller_.add_traceparent(message.traceparent);
    }
    caller_.add_traceparent(caller_.traceparent);
    if (named || !caller_.agent.empty()) {
        return;
    }
    for (const RpcMessage& message : rpc_.messages) {
        if (!message.client_name.empty()) {
            caller_.agent = message.client_name;
            return;
        }
    }
    const std::string session(request().header("Mcp-Session-Id"));
    if (!session.empty()) {
        caller_.agent = core_->client_of(session);
    }
}

ToolCall McpExchange::facts(std::string_view tool) const {
    ToolCall call = caller_.call(CallKind::Tool);
    call.tool = tool;
    call.server = server_;
    contain::add_facts(*catalog_, call);
    return call;
}

ToolCall McpExchange::facts(const RpcMessage& message) const {
    ToolCall call = facts(std::string_view(message.target));
    call.arguments = message.arguments;
    return call;
}

void McpExchange::judge() {
    for (std::size_t i = 0; i < rpc_.messages.size(); ++i) {
        if (!rpc_.messages[i].is_tool_call()) {
            continue;
        }
        Call call;
        call.message = i;
        ToolCall asked = facts(rpc_.messages[i]);
        if (is_probe()) {
            asked.arguments = contain::unknown_arguments;
        }
        // One that comes again with its user's answer was counted when it came first.
        call.ruling = is_probe() ? core_->probe(*snapshot(), asked)
                      : seal_    ? core_->rule(*snapshot(), asked)
                                 : core_->admit(*snapshot(), asked);
        if (!is_probe()) {
            core_->meters.count_decision(CallKind::Tool, call.ruling.verdict);
        }
        redaction_.add(snapshot(), call.ruling.redactions);
        calls_.push_back(std::move(call));
    }
}

/// The arguments of calls as they go out. Headers that repeat an argument are redacted as it is.
std::shared_ptr<const PaddedBytes> McpExchange::redacted_body() {
    if (calls_.empty() || !redaction_.has(RedactWhere::Arguments)) {
        return body_;
    }
    JsonEdits edits(body_->view());
    for (Call& call : calls_) {
        const RawJson arguments = rpc_.messages[call.message].arguments;
        if (auto changed = redaction_.redacted(RedactWhere::Arguments, arguments)) {
            call.sent_arguments = *changed;
            edits.replace(arguments, std::move(*changed));
        }
    }
    if (edits.empty()) {
        return body_;
    }
    constexpr std::string_view repeats = "mcp-param-";
    for (auto& [name, value] : request().headers) {
        if (name.size() > repeats.size() &&
            net::equal_ignoring_case(std::string_view(name).substr(0, repeats.size()), repeats)) {
            // One in base64 hides what it holds; without it the server says what it misses.
            value = value.starts_with("=?")
                        ? std::string()
                        : redaction_.redacted(RedactWhere::Arguments, value).value_or(value);
        }
    }
    return std::make_shared<const PaddedBytes>(PaddedBytes::copy_of(edits.text()));
}

/// A batch is refused whole: what a person must see is not hidden among other calls.
bool McpExchange::is_refused() const {
    return std::ranges::any_of(calls_, [&](const Call& call) {
        return call.ruling.verdict == Verdict::Deny ||
               (rpc_.batch && call.ruling.verdict == Verdict::Escalate);
    });
}

void McpExchange::send_on() {
    auto url = joined_url(url_, "", query_of(request().target));
    if (!url) {
        answer(
            error_response(
                502,
                "unavailable",
                "the URL of MCP server '" + server_ + "' is of no use: " + url.error().message
            ),
            Outcome::Failed
        );
        return;
    }
    enter();
    auto body = redacted_body();
    forward(std::move(*url), std::move(body), request().method == "POST" && may_repeat(rpc_));
}

bool McpExchange::takes_json() const {
    const std::string_view accept = request().header("Accept");
    return accept.empty() || accepts(accept, "application/json", "application/*") ||
           !accepts(accept, "text/event-stream", "text/*");
}

bool McpExchange::takes_events() const {
    return accepts(request().header("Accept"), "text/event-stream", "text/*");
}

std::string refusal_result(const RpcMessage& message, const Ruling& ruling) {
    std::string json = R"({"jsonrpc":"2.0","id":)" + std::string(message.id) +
                       R"(,"result":{"content":[{"type":"text","text":)" +
                       quoted(refusal_text(ruling)) + R"(}],"isError":true,)";
    if (message.is_modern()) {
        json += R"("resultType":"complete",)";
    }
    json += R"("_meta":{"dev.tagout/decision":{"verdict":)" + quoted(name_of(ruling.verdict)) +
            R"(,"control":)" + quoted(ruling.by) + R"(,"revision":)" +
            std::to_string(ruling.revision);
    if (ruling.retry_after > Duration{}) {
        json += R"(,"retryAfterMs":)" +
                std::to_string(
                    std::chrono::ceil<std::chrono::milliseconds>(ruling.retry_after).count()
                );
    }
    if (!ruling.incident.empty()) {
        json += R"(,"incident":)" + quoted(ruling.incident);
    }
    return json + "}}}}";
}

/// Of the whole request; in a batch an answer for each of its requests.
std::string McpExchange::refusals() const {
    if (!rpc_.batch) {
        return refusal_result(rpc_.messages[calls_.front().message], calls_.front().ruling);
    }
    std::string json = "[";
    for (std::size_t i = 0; i < rpc_.messages.size(); ++i) {
        const RpcMessage& message = rpc_.messages[i];
        if (message.id.empty() || message.method.empty()) {
            continue;
        }
        json += json.size() > 1 ? "," : "";
        const auto call = std::ranges::find(calls_, i, &Call::message);
        if (call != calls_.end() && call->ruling.verdict != Verdict::Allow) {
            json += refusal_result(message, call->ruling);
            continue;
        }
        json += rpc_error(
                    200,
                    not_sent_code,
                    "not sent: this batch holds a call that is stopped; send the others without it",
                    message.id
        )
                    .body;
    }
    return json + "]";
}

void McpExchange::refuse(Outcome outcome) {
    withdraw();
    report_calls(outcome == Outcome::Cancelled);
    if (has_opened()) {  // Its user was asked on the stream.
        write(message_event(refusals()));
        finish(outcome);
        return;
    }
    net::ServerResponse response{200, {{"Content-Type", "application/json"}}, refusals()};
    const auto by = std::ranges::find_if(calls_, [](const Call& call) {
        return call.ruling.verdict != Verdict::Allow;
    });
    response.headers.emplace_back(
        "tagout-decision", decision_header((by == calls_.end() ? calls_.begin() : by)->ruling)
    );
    if (!takes_json()) {
        response.headers.front().second = "text/event-stream";
        response.body = message_event(response.body);
    }
    answer(std::move(response), outcome);
}

void McpExchange::refuse_malformed(
    int status, int code, std::string_view message, std::string_view id
) {
    answer(rpc_error(status, code, message, id), Outcome::Invalid);
}

/// Up to the decision and not one step further.
void McpExchange::answer_probe() {
    net::ServerResponse response{
        200, {{"Content-Type", "application/json"}}, "{\"probe\":\"passed\"}"};
    response.headers.emplace_back(
        "tagout-decision", decision_header(calls_.empty() ? Ruling() : calls_.front().ruling)
    );
    answer(std::move(response), Outcome::Probe);
}

void McpExchange::report_calls(bool cancelled) {
    if (is_probe() || std::exchange(reported_, true)) {
        return;
    }
    for (const Call& call : calls_) {
        const RpcMessage& message = rpc_.messages[call.message];
        SeenCall seen = seen_of(caller_, call.ruling);
        seen.kind = CallKind::Tool;
        seen.tool = message.target;
        seen.tool_call_id = message.tool_call_id;
        seen.server = server_;
        seen.arguments =
            clipped(call.sent_arguments.empty() ? message.arguments : call.sent_arguments);
        const bool refused = call.ruling.verdict == Verdict::Deny && !call.answered;
        seen.result = refused ? refusal_text(call.ruling) : clipped(call.result);
        seen.is_error = call.is_error || refused;
        seen.cancelled = cancelled;
        core_->report(std::move(seen));
    }
}

}  // namespace tagout::gateway
