#include "gateway/mcp_exchange.h"

#include "gateway/tool_definition.h"
#include "net/url.h"

#include <algorithm>

namespace tagout::gateway {

namespace {

constexpr std::string_view legacy_tools_changed =
    R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})";

bool is_type(const net::Headers& headers, std::string_view type) {
    const std::string_view said = net::find_header(headers, "Content-Type");
    return net::equal_ignoring_case(trimmed(said.substr(0, said.find(';'))), type);
}

/// "tools" stands somewhere in it: worth a closer look.
bool may_list_tools(std::string_view text) {
    return text.find("\"tools\"") != std::string_view::npos;
}

}  // namespace

void McpExchange::on_head(net::UpstreamHead head) {
    const bool is_json = is_type(head.headers, "application/json");
    const bool is_events = is_type(head.headers, "text/event-stream");
    const bool opens = rpc_.has("initialize");
    if (opens && (!caller_.agent.empty() || rpc_.messages.front().can_elicit)) {
        const std::string session(net::find_header(head.headers, "Mcp-Session-Id"));
        if (!session.empty()) {
            core_->learn_client(session, {caller_.agent, rpc_.messages.front().can_elicit});
        }
    }
    const bool redacts = !calls_.empty() && redaction_.has(RedactWhere::Results);
    const std::string_view coding = net::find_header(head.headers, "Content-Encoding");
    if (redacts && !coding.empty() && !net::equal_ignoring_case(coding, "identity")) {
        withhold("came compressed, which was not asked for");
        return;
    }
    if (asked_on_stream_) {
        reading_ = is_events ? Reading::Events : Reading::Wrapped;
        return;  // The head went out with the question.
    }
    if (is_events) {
        reading_ = Reading::Events;
    } else if (redacts) {
        reading_ = Reading::Redacted;
    } else if (is_json && rpc_.has("tools/list")) {
        reading_ = Reading::JsonList;
    } else if (!calls_.empty()) {
        reading_ = Reading::JsonResult;
    }
    late_head_ = std::move(head);
    const bool waits = reading_ == Reading::JsonList || reading_ == Reading::JsonResult ||
                       reading_ == Reading::Redacted;
    if (!waits) {
        open_late();
    }
}

/// The head, as it came. Held until something stands behind it where a refusal may still take its
/// place.
void McpExchange::open_late() {
    if (!late_head_) {
        return;
    }
    net::UpstreamHead head = std::move(*std::exchange(late_head_, std::nullopt));
    if (reading_ == Reading::Events) {
        head.length.reset();  // Events may be cut or added.
    }
    open({head.status, net::end_to_end(head.headers), ""}, head.length);
}

void McpExchange::on_bytes(std::string_view bytes) {
    switch (reading_) {
        case Reading::Nothing:
            write(std::string(bytes));
            return;
        case Reading::JsonResult:
            if (kept_.size() + bytes.size() <= result_bytes_max) {
                kept_ += bytes;
            } else if (std::exchange(kept_all_, false)) {
                core_->met_limit("result_bytes_max");
            }
            open_late();
            write(std::string(bytes));
            return;
        case Reading::Redacted:
        case Reading::Wrapped:
            if (kept_.size() + bytes.size() > list_bytes_max) {
                core_->met_limit("redacted_bytes_max");
                withhold("is larger than can be redacted");
                return;
            }
            kept_ += bytes;
            return;
        case Reading::JsonList:
            if (kept_.size() + bytes.size() > list_bytes_max) {
                core_->met_limit("list_bytes_max");
                cancel_upstream();
                answer(
                    error_response(
                        502,
                        "limit_exceeded",
                        "the list of tools is larger than " + std::to_string(list_bytes_max) +
                            " bytes"
                    ),
                    Outcome::Failed
                );
                return;
            }
            kept_ += bytes;
            return;
        case Reading::Events:
            pass_events(bytes);
            return;
    }
}

void McpExchange::pass_events(std::string_view bytes) {
    std::string out;
    const bool was_splitting = splits_;
    splits_ = splitter_.feed(bytes, [&](std::string_view block) { out += pass_event(block); });
    if (!splits_ && !calls_.empty() && redaction_.has(RedactWhere::Results)) {
        core_->met_limit("event_bytes_max");
        withhold("holds an event that is larger than can be redacted");
        return;
    }
    if (!splits_) {
        if (was_splitting) {
            core_->met_limit("event_bytes_max");
        }
        out += splitter_.rest();
    }
    write(std::move(out));
    tell_if_pending();
}

/// One event as it is passed on: as it came, but for lists of tools.
std::string McpExchange::pass_event(std::string_view block) {
    if (block.starts_with(':') || block.size() <= 2) {
        return std::string(block);
    }
    ++events_;
    if (!calls_.empty()) {
        if (auto changed = redaction_.redacted_message(RedactWhere::Results, event_data(block))) {
            read_answers(*changed);
            return with_data(block, *changed);
        }
        read_answers(event_data(block));
    }
    if (may_list_tools(block)) {
        if (const auto list = edited(event_data(block)); list && list->changed) {
            return with_data(block, list->json);
        }
    }
    return std::string(block);
}

std::optional<EditedList> McpExchange::edited(std::string_view json) {
    contain::ToolPins* const pins = core_->parts.pins;
    const auto is_hidden = [&](std::string_view tool) {
        return contain::is_hidden(*snapshot(), facts(tool)) ||
               (pins != nullptr && pins->refuses(server_, tool));
    };
    auto list = edit_tool_list(json, is_hidden);
    if (list && pins != nullptr) {
        for (std::size_t i = 0; i < list->tools.size(); ++i) {
            pins->offered(
                server_, list->tools[i], canonical_definition(list->definitions[i]), caller_.agent
            );
        }
        list = edit_tool_list(json, is_hidden);  // By what was learned of it just now.
    }
    if (list) {
        core_->learn_tools(server_, list->tools);
        core_->meters.hidden_tools.add(list->hidden);
    }
    return list;
}

/// Of calls that wait for one: what is recorded of them.
void McpExchange::read_answers(std::string_view json) {
    if (json.find("\"id\"") == std::string_view::npos || !check_json(json)) {
        return;
    }
    const RawJson whole = trimmed(json);
    if (!is_array(whole)) {
        read_answer(whole);
        return;
    }
    for_each_element(whole, [&](RawJson each) {
        read_answer(each);
        return Walk::GoOn;
    });
}

void McpExchange::read_answer(RawJson json) {
    const RawJson id = member(json, "id");
    const RawJson result = member(json, "result");
    const RawJson error = member(json, "error");
    if (result.empty() && error.empty()) {
        return;
    }
    for (Call& call : calls_) {
        if (!call.answered && rpc_.messages[call.message].id == id) {
            call.answered = true;
            call.result = clipped(result.empty() ? error : result);
            call.is_error = result.empty() || member(result, "isError") == "true";
            return;
        }
    }
}

void McpExchange::finish_list() {
    const auto list = edited(kept_);
    net::UpstreamHead head = std::move(*std::exchange(late_head_, std::nullopt));
    read_answers(kept_);
    report_calls(false);
    answer(
        {head.status, net::end_to_end(head.headers), list ? list->json : std::move(kept_)},
        Outcome::Forwarded
    );
}

void McpExchange::finish_redacted() {
    net::UpstreamHead head = std::move(*std::exchange(late_head_, std::nullopt));
    std::string body =
        redaction_.redacted_message(RedactWhere::Results, kept_).value_or(std::move(kept_));
    read_answers(body);
    for (Call& call : calls_) {
        if (!call.answered) {
            call.is_error = upstream_status_ >= 400;
            call.result = clipped(body);
        }
    }
    report_calls(false);
    answer({head.status, net::end_to_end(head.headers), std::move(body)}, Outcome::Forwarded);
}

void McpExchange::finish_wrapped() {
    std::string body =
        redaction_.redacted_message(RedactWhere::Results, kept_).value_or(std::move(kept_));
    const bool is_message = check_json(body).has_value() && is_object(trimmed(body));
    if (!is_message) {
        const RpcMessage& message = rpc_.messages[calls_.front().message];
        body = R"({"jsonrpc":"2.0","id":)" + std::string(message.id) +
               R"(,"error":{"code":-32603,"message":)" +
               quoted(
                   "MCP server '" + server_ + "' answered HTTP " + std::to_string(upstream_status_)
               ) +
               "}}";
    }
    read_answers(body);
    for (Call& call : calls_) {
        if (!call.answered) {
            call.is_error = !is_message || upstream_status_ >= 400;
            call.result = clipped(body);
        }
    }
    report_calls(false);
    write(message_event(body));
    finish(Outcome::Forwarded);
}

void McpExchange::withhold(std::string_view why) {
    cancel_upstream();
    for (Call& call : calls_) {
        if (call.answered) {
            continue;
        }
        call.ruling.verdict = Verdict::Deny;
        call.ruling.for_model = "The tool was run, but its answer " + std::string(why) +
                                ", and what it holds must be redacted. It is withheld; ask for less.";
        call.ruling.for_person = "the answer " + std::string(why) + "; withheld";
    }
    if (has_opened()) {
        report_calls(false);
        cut(Outcome::Failed);
    } else {
        late_head_.reset();
        refuse(Outcome::Refused);
    }
}

void McpExchange::on_upstream_end(const Result<void>& end) {
    if (!end && (late_head_ || !has_opened())) {
        for (Call& call : calls_) {
            call.is_error = true;
            call.result = end.error().message;
        }
        report_calls(false);
        answer(
            error_response(
                502,
                "unavailable",
                "MCP server '" + server_ + "' did not answer: " + end.error().message
            ),
            Outcome::Failed
        );
        return;
    }
    if (reading_ == Reading::JsonList) {
        finish_list();
        return;
    }
    if (reading_ == Reading::Redacted) {
        finish_redacted();
        return;
    }
    if (reading_ == Reading::Wrapped && end) {
        finish_wrapped();
        return;
    }
    open_late();
    if (reading_ == Reading::JsonResult && kept_all_) {
        read_answers(kept_);
    }
    for (Call& call : calls_) {
        if (!call.answered) {
            call.is_error = !end || upstream_status_ >= 400;
            call.result = end ? clipped(kept_) : end.error().message;
        }
    }
    std::string rest = splitter_.rest();
    write(calls_.empty() ? std::move(rest)
                         : redaction_.redacted(RedactWhere::Results, rest).value_or(rest));
    report_calls(false);
    end ? finish(Outcome::Forwarded) : cut(Outcome::Failed);
}

void McpExchange::on_client_gone() {
    withdraw();
    for (Call& call : calls_) {
        if (!call.answered) {
            call.is_error = true;
            call.result = "the client went away before the answer";
        }
    }
    report_calls(true);
}

void McpExchange::judge_again(const Snapshot& before, const Snapshot& now) {
    if (calls_.empty()) {
        tell_of_changed_tools(before, now);
        return;
    }
    bool denied = false;
    for (Call& call : calls_) {
        if (call.answered) {
            continue;
        }
        Ruling ruling = core_->rule(*now, facts(rpc_.messages[call.message]));
        redaction_.add(now, ruling.redactions);
        if (ruling.verdict == Verdict::Deny) {
            denied = true;
            call.ruling = std::move(ruling);
        } else if (!approval_.empty() && ruling.verdict != Verdict::Escalate) {
            withdraw();  // Nobody needs to be asked any more.
            call.ruling = std::move(ruling);
            send_on();
            return;
        }
    }
    if (denied) {
        stop_in_flight();
    }
}

void McpExchange::stop_in_flight() {
    core_->meters.cancelled[static_cast<std::size_t>(Road::Mcp)]->add();
    const bool waited = !approval_.empty();
    cancel_upstream();
    if (!waited) {
        tell_upstream();
    }
    if (!has_opened()) {
        refuse(waited ? Outcome::Refused : Outcome::Cancelled);
        return;
    }
    if (waited) {
        withdraw();
    }
    report_calls(!waited);
    if (reading_ == Reading::Events && splits_) {
        std::string events;
        for (const Call& call : calls_) {
            if (!call.answered && call.ruling.verdict == Verdict::Deny) {
                events += message_event(refusal_result(rpc_.messages[call.message], call.ruling));
            }
        }
        write(std::move(events));  // What was held of an event that had not ended stays behind.
        finish(Outcome::Cancelled);
    } else {
        cut(Outcome::Cancelled);
    }
}

/// In the legacy era a closed connection cancels nothing: its own notification does.
void McpExchange::tell_upstream() {
    if (rpc_.is_modern()) {
        return;
    }
    const auto url = net::parse_url(url_);
    for (const Call& call : calls_) {
        if (!url || call.ruling.verdict != Verdict::Deny || call.answered) {
            continue;
        }
        const std::string text =
            R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
            std::string(rpc_.messages[call.message].id) + R"(,"reason":)" +
            quoted("stopped by the people who run this system") + "}}";
        net::Headers headers = upstream_headers(request().headers);
        core_->upstreams->send(
            loop_,
            {"POST",
             *url,
             std::move(headers),
             std::make_shared<const PaddedBytes>(PaddedBytes::copy_of(text)),
             true},
            {}
        );
    }
}

/// Whether what this stream's client may list has changed: then it is told to list again.
void McpExchange::tell_of_changed_tools(const Snapshot& before, const Snapshot& now) {
    const bool legacy_stream = request().method == "GET";
    const bool listens = rpc_.messages.size() == 1 && rpc_.messages.front().wants_tool_changes;
    if (reading_ != Reading::Events || !before || (!legacy_stream && !listens)) {
        return;
    }
    const std::vector<std::string> tools = core_->tools_of(server_);
    tools_changed_ = tools_changed_ || std::ranges::any_of(tools, [&](const std::string& tool) {
                         const ToolCall call = facts(tool);
                         return contain::is_hidden(*before, call) != contain::is_hidden(*now, call);
                     });
    tell_if_pending();
}

void McpExchange::tell_if_pending() {
    const bool listens = !rpc_.messages.empty();
    // A listen stream begins with its acknowledgement; nothing goes before that, nor into an event.
    if (!tools_changed_ || !splits_ || !splitter_.held().empty() || (listens && events_ == 0)) {
        return;
    }
    tools_changed_ = false;
    if (!listens) {
        write(message_event(legacy_tools_changed));
        return;
    }
    write(message_event(
        R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{)"
        R"("io.modelcontextprotocol/subscriptionId":)" +
        std::string(rpc_.messages.front().id) + "}}}"
    ));
}

}  // namespace tagout::gateway
