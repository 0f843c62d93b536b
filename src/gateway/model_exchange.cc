#include "gateway/model_exchange.h"

#include "contain/unknown_arguments.h"
#include "gateway/json_edit.h"
#include "gateway/json_scan.h"
#include "net/url.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace tagout::gateway {

namespace {

constexpr std::size_t answer_bytes_max = std::size_t{16} * 1024 * 1024;

/// What is judged must not be readable in two ways.
constexpr std::array<std::string_view, 7> judged_keys{
    "model", "tools", "tool_choice", "functions", "function_call", "mcp_servers", "messages"};

}  // namespace

ModelExchange::ModelExchange(
    std::shared_ptr<Core> core, const catalog::ModelUpstream& upstream, std::string rest,
    net::ServerRequest request, std::shared_ptr<net::Responder> responder
)
    : Exchange(std::move(core), Road::Model, std::move(request), std::move(responder)),
      upstream_(upstream),
      rest_(std::move(rest)),
      caller_(read_caller(this->request().headers, core_->options.journey_secret)),
      catalog_(core_->parts.catalog()),
      api_(model_api_of(this->request().method, path_of(rest_))) {
    caller_.add_traceparent(caller_.traceparent);
}

void ModelExchange::start(
    std::shared_ptr<Core> core, const catalog::ModelUpstream& upstream, std::string rest,
    net::ServerRequest request, std::shared_ptr<net::Responder> responder
) {
    const std::shared_ptr<ModelExchange> exchange(new ModelExchange(
        std::move(core), upstream, std::move(rest), std::move(request), std::move(responder)
    ));
    exchange->begin();
}

void ModelExchange::begin() {
    if (leads_out(rest_)) {
        answer(
            protocol_error(400, "invalid_request_error", "the path leads out of the model API"),
            Outcome::Invalid
        );
        return;
    }
    if (net::has_token(request().header("Connection"), "upgrade")) {
        answer(
            protocol_error(
                400,
                "invalid_request_error",
                "the gateway passes HTTP on, no WebSocket; switch the client's WebSocket transport "
                "off"
            ),
            Outcome::Invalid
        );
        return;
    }
    if (request().body.size() > 0) {
        body_ = std::make_shared<const PaddedBytes>(std::move(request().body));
    }
    if (const std::string why = read_body(); !why.empty()) {
        answer(protocol_error(400, "invalid_request_error", why), Outcome::Invalid);
        return;
    }
    ruling_ = is_probe() ? core_->rule(*snapshot(), facts()) : core_->admit(*snapshot(), facts());
    redaction_.add(snapshot(), ruling_.redactions);
    if (is_probe()) {
        rule_offered();
    } else {
        core_->meters.count_decision(CallKind::Model, ruling_.verdict);
    }
    if (ruling_.verdict == Verdict::Deny) {
        refuse(Outcome::Refused);
    } else if (is_probe()) {
        net::ServerResponse passed{
            200, {{"Content-Type", "application/json"}}, "{\"probe\":\"passed\"}"};
        passed.headers.emplace_back("tagout-decision", decision_header(ruling_));
        answer(std::move(passed), Outcome::Probe);
    } else if (const std::string why = unredactable(); !why.empty()) {
        refuse_unredacted(why);
    } else if (ruling_.verdict == Verdict::Escalate) {
        hold();
    } else {
        send_on();
    }
}

/// Why what must be redacted of this request or its answer cannot be; "" if nothing must, or it can.
std::string ModelExchange::unredactable() const {
    if (redaction_.has(RedactWhere::Arguments) && body_ && !is_object(trimmed(body_->view()))) {
        return "its body is no JSON object";
    }
    if (redaction_.has(RedactWhere::Results) && body_ &&
        member(trimmed(body_->view()), "stream") == "true") {
        return "its answer would be a stream; ask without stream";
    }
    return "";
}

void ModelExchange::refuse_unredacted(std::string_view why) {
    ruling_.verdict = Verdict::Deny;
    ruling_.for_model = "What this call holds must be redacted, and it cannot be: " + std::string(why) + ".";
    ruling_.for_person = "could not be redacted: " + std::string(why);
    refuse(Outcome::Refused);
}

std::string ModelExchange::read_body() {
    if (!body_) {
        return "";
    }
    const std::string_view coding = request().header("Content-Encoding");
    if (!coding.empty() && !net::equal_ignoring_case(coding, "identity")) {
        return "a compressed body cannot be judged; send it without Content-Encoding";
    }
    const RawJson whole = trimmed(body_->view());
    if (!is_object(whole)) {
        return "";  // A file, a form: no model is named.
    }
    if (const Result<void> json = check_json(*body_); !json) {
        return "the body is " + json.error().message;
    }
    std::string fault;
    std::array<bool, judged_keys.size()> found{};
    for_each_member(whole, [&](std::string_view key, RawJson value) {
        for (std::size_t i = 0; i < judged_keys.size(); ++i) {
            if (!looks_like(key, judged_keys[i])) {
                continue;
            }
            if (key != judged_keys[i] || std::exchange(found[i], true)) {
                fault = "the key '" + std::string(judged_keys[i]) +
                        "' is there twice, or in another case; send it once, in lower case";
                return Walk::Stop;
            }
        }
        if (key == "model") {
            model_ = string_of(value).value_or("");
        }
        return Walk::GoOn;
    });
    return fault;
}

ToolCall ModelExchange::facts() const {
    ToolCall call = caller_.call(CallKind::Model);
    call.model = model_;
    return call;
}

ToolCall ModelExchange::tool_facts(const NamedTool& tool) const {
    ToolCall call = caller_.call(CallKind::Tool);
    call.tool = tool.tool;
    call.server = tool.server;
    call.model = model_;
    contain::add_facts(*catalog_, call);
    return call;
}

std::vector<std::string> ModelExchange::servers_of(const NamedTool& tool) const {
    if (!tool.server.empty()) {
        return {tool.server};
    }
    std::vector<std::string> servers = core_->servers_of(tool.tool);
    for (const catalog::Tool& each : catalog_->contents().tools) {
        if (!each.server.empty() && each.name.text() == tool.tool &&
            std::ranges::find(servers, each.server) == servers.end()) {
            servers.push_back(each.server);
        }
    }
    if (servers.empty()) {
        servers.emplace_back();
    }
    return servers;
}

bool ModelExchange::is_hidden(const NamedTool& tool) const {
    return std::ranges::any_of(servers_of(tool), [&](const std::string& server) {
        const NamedTool on{server, tool.tool};
        return contain::is_hidden(*snapshot(), tool_facts(on));
    });
}

Ruling ModelExchange::rule_tool(
    const NamedTool& tool, std::string_view arguments, bool counts
) const {
    const auto strictness = [](Verdict verdict) {
        return verdict == Verdict::Deny ? 2 : verdict == Verdict::Escalate ? 1 : 0;
    };
    std::optional<Ruling> strictest;
    for (const std::string& server : servers_of(tool)) {
        const NamedTool on{server, tool.tool};
        ToolCall asked = tool_facts(on);
        asked.arguments = arguments;
        Ruling ruling = is_probe()             ? core_->probe(*snapshot(), asked)
                        : counts && !strictest ? core_->admit(*snapshot(), asked)
                                               : core_->rule(*snapshot(), asked);
        if (!strictest || strictness(ruling.verdict) > strictness(strictest->verdict)) {
            strictest = std::move(ruling);
        }
    }
    return std::move(*strictest);
}

void ModelExchange::cut_tools() {
    if (!body_) {
        return;
    }
    const ToolStops stops{
        [this](const NamedTool& tool) { return contain::is_hidden(*snapshot(), tool_facts(tool)); },
        [this](const std::string& server) { return core_->tools_of(server); }};
    if (auto cut = cut_stopped_tools(api_, body_->view(), stops)) {
        core_->meters.hidden_tools.add(cut->cut);
        body_ = std::make_shared<const PaddedBytes>(PaddedBytes::copy_of(cut->json));
    }
}

/// A probe asks what becomes of a tool that it offers: the ruling that a call of it would meet.
void ModelExchange::rule_offered() {
    if (!body_ || ruling_.verdict == Verdict::Deny) {
        return;  // What is redacted or routed of the request says nothing of the tool.
    }
    for_each_element(member(trimmed(body_->view()), "tools"), [this](RawJson tool) {
        ruling_ = rule_tool(named_tool(tool), contain::unknown_arguments);
        return Walk::Stop;
    });
}

std::optional<std::string> ModelExchange::judge_proposed(const ProposedCall& call) {
    // One that an MCP road of this gateway carries is counted there, when it is made; and a call that
    // an answer repeats is one call.
    const bool counts =
        core_->servers_of(call.tool).empty() && counted_.insert(call.id).second;
    Ruling ruling = rule_tool({"", call.tool}, call.arguments, counts);
    if (call.too_large) {
        core_->met_limit("held_bytes_max");
        ruling.verdict = Verdict::Deny;
        ruling.by = "limit:held_bytes_max";
        ruling.for_model = "the call of " + call.tool + " is larger than can be judged";
        ruling.for_person = ruling.for_model;
    }
    // Where the call goes through an MCP road of this gateway, that one asks a person and waits.
    const bool passes =
        ruling.verdict == Verdict::Allow || ruling.verdict == Verdict::Modify ||
        (ruling.verdict == Verdict::Escalate && !core_->servers_of(call.tool).empty());
    if (passes) {
        return std::nullopt;
    }
    core_->meters.count_decision(CallKind::Tool, ruling.verdict);
    SeenCall seen = seen_of(caller_, ruling);
    seen.kind = CallKind::Tool;
    seen.server = upstream_.name;
    seen.tool = call.tool;
    seen.tool_call_id = call.id;
    seen.arguments = clipped(call.arguments);
    seen.result = refusal_text(ruling);
    seen.is_error = true;
    seen.verdict = Verdict::Deny;
    std::string sentence = seen.result;
    core_->report(std::move(seen));
    return sentence;
}

/// The key is the gateway's only where the client brings none.
void ModelExchange::add_key() {
    net::Headers& headers = request().headers;
    if (upstream_.key_env.empty() || !net::find_header(headers, "Authorization").empty() ||
        !net::find_header(headers, "x-api-key").empty()) {
        return;
    }
    const char* const key = std::getenv(upstream_.key_env.c_str());
    if (key == nullptr || *key == '\0') {
        return;
    }
    if (is_anthropic()) {
        headers.emplace_back("x-api-key", key);
    } else {
        headers.emplace_back("Authorization", std::string("Bearer ") + key);
    }
}

void ModelExchange::redact_body() {
    if (!body_) {
        return;
    }
    if (auto changed = redaction_.redacted(RedactWhere::Arguments, body_->view())) {
        body_ = std::make_shared<const PaddedBytes>(PaddedBytes::copy_of(*changed));
    }
}

void ModelExchange::send_on() {
    if (!ruling_.route_to.empty() ? !apply_route(std::string(ruling_.route_to)) : !choose_way()) {
        return;
    }
    enter();
    forward_model();
}

void ModelExchange::forward_model() {
    if (const std::string why = uncountable(); !why.empty()) {
        ruling_.verdict = Verdict::Deny;
        ruling_.for_model = "A budget covers this call, and what it costs cannot be counted: " + why;
        ruling_.for_person = "a budget in money covers it: " + why;
        refuse(Outcome::Refused);
        return;
    }
    redact_body();
    auto url = joined_url(upstream_.url, path_of(rest_), query_of(rest_));
    if (!url) {
        answer(
            protocol_error(
                502, "api_error", "the URL of model API '" + upstream_.name + "' is of no use"
            ),
            Outcome::Failed
        );
        return;
    }
    add_key();
    cut_tools();
    if (ruling_.budgets != 0) {
        meter_.emplace(body_ ? body_->view().size() : 0);
    }
    editor_ =
        AnswerEditor::make(api_, [this](const ProposedCall& call) { return judge_proposed(call); });
    forward(std::move(*url), body_, false);
}

std::string ModelExchange::uncountable() const {
    if ((ruling_.budgets & budget_bit(BudgetUnit::Usd)) == 0 || request().method != "POST" ||
        catalog_->cost_usd(paid_model(), 1, 1) >= 0) {
        return "";
    }
    return "the configuration has no price for model '" + paid_model() + "'; add it under prices.";
}

/// An upstream that refused, or was never reached, is paid nothing. One that the client left before
/// it answered is taken to have read the request.
void ModelExchange::charge(bool cancelled) {
    const bool answered = upstream_status_ >= 200 && upstream_status_ < 400;
    if (meter_ && (answered || (upstream_status_ == 0 && cancelled))) {
        const Usage usage = meter_->usage();
        const double usd = catalog_->cost_usd(paid_model(), usage.input, usage.output, usage.cached);
        const contain::Spent spent{
            static_cast<std::uint64_t>(usage.input + usage.output),
            static_cast<std::uint64_t>(std::max(usd, 0.0) * 1e6 + 0.5),
            usage.estimated};
        core_->spend(*snapshot(), facts(), spent);
    }
    meter_.reset();
}

void ModelExchange::hold() {
    enter();
    auto asked = core_->parts.approvals.ask(
        facts(),
        body_ ? body_->view() : "",
        ControlId(ruling_.by),
        [weak = weak_from_this(),
         loop = loop_](contain::ApprovalAnswer answered, const contain::By& by) {
            loop->schedule([weak, answered, by] {
                if (const auto self = std::static_pointer_cast<ModelExchange>(weak.lock())) {
                    self->on_approval(answered, by);
                }
            });
        }
    );
    if (asked) {
        approval_ = std::move(*asked);
        return;
    }
    core_->met_limit("approvals_pending_max");
    ruling_.verdict = Verdict::Deny;
    refuse(Outcome::Refused);
}

void ModelExchange::on_approval(contain::ApprovalAnswer answered, const contain::By& by) {
    if (has_ended() || approval_.empty()) {
        return;
    }
    approval_.clear();
    Ruling now = core_->rule(*snapshot(), facts());
    if (now.verdict == Verdict::Deny) {
        ruling_ = std::move(now);
        refuse(Outcome::Refused);
    } else if (answered == contain::ApprovalAnswer::Approved) {
        ruling_.verdict = Verdict::Allow;
        ruling_.for_person = "approved by " + by.actor.text();
        send_on();
    } else {
        ruling_.verdict = Verdict::Deny;
        ruling_.for_person = answered == contain::ApprovalAnswer::Denied
                                 ? "denied by " + by.actor.text()
                                 : "nobody approved it in time";
        refuse(Outcome::Refused);
    }
}

void ModelExchange::withdraw() {
    if (!approval_.empty()) {
        core_->parts.approvals.withdraw(std::exchange(approval_, {}));
    }
}

net::ServerResponse ModelExchange::protocol_error(
    int status, std::string_view type, std::string_view message
) const {
    std::string body;
    if (is_anthropic()) {
        body = R"({"type":"error","error":{"type":)" + quoted(type) + R"(,"message":)" +
               quoted(message) + "}}";
    } else {
        body = R"({"error":{"message":)" + quoted(message) + R"(,"type":)" + quoted(type) +
               R"(,"param":null,"code":)" + quoted(status == 403 ? "stopped" : type) + "}}";
    }
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

/// 403: clients ask once and raise their own error; after a 5xx or 429 they would ask again and
/// again. 429 only for what is throttled, with the time after which asking again is right.
void ModelExchange::refuse(Outcome outcome) {
    withdraw();
    report(outcome == Outcome::Cancelled);
    const bool later = ruling_.retry_after > Duration{};
    net::ServerResponse response = protocol_error(
        later ? 429 : 403, later ? "rate_limit_error" : "permission_error", refusal_text(ruling_)
    );
    if (later) {
        response.headers.emplace_back("Retry-After", retry_after(ruling_));
    } else {
        response.headers.emplace_back("x-should-retry", "false");
    }
    response.headers.emplace_back("tagout-decision", decision_header(ruling_));
    answer(std::move(response), outcome);
}

void ModelExchange::on_head(net::UpstreamHead head) {
    if (counts_as_failure(head.status)) {
        const std::string why = "status " + std::to_string(head.status);
        tell_circuit(false, why);
        if (can_fall_back()) {
            cancel_upstream();
            fall_back();
            return;
        }
    } else {
        tell_circuit(true, "");
    }
    const std::string_view type = net::find_header(head.headers, "Content-Type");
    is_events_ =
        net::equal_ignoring_case(trimmed(type.substr(0, type.find(';'))), "text/event-stream");
    failed_ = head.status >= 400;
    if (failed_) {
        editor_.reset();
    }
    const bool redacts = redaction_.has(RedactWhere::Results);
    if ((editor_ || redacts) && refuse_unreadable(head)) {
        return;
    }
    if (redacts && is_events_) {
        cancel_upstream();
        refuse_unredacted("its answer is a stream, which was not asked for");
        return;
    }
    if (is_events_) {
        head.length.reset();
    } else if (editor_ || redacts) {
        whole_head_ = std::move(head);
        return;
    }
    open({head.status, answer_headers(head.headers), ""}, head.length);
}

void ModelExchange::on_bytes(std::string_view bytes) {
    if (result_.size() < call_text_bytes_max) {
        result_ += bytes.substr(0, call_text_bytes_max - result_.size());
    }
    if (whole_head_) {
        whole_ += bytes;
        if (whole_.size() > answer_bytes_max) {
            core_->met_limit("answer_bytes_max");
            failed_ = true;
            cancel_upstream();
            report(false);
            answer(
                protocol_error(
                    502,
                    "api_error",
                    "the answer is larger than " + std::to_string(answer_bytes_max) +
                        " bytes, so its calls cannot be judged"
                ),
                Outcome::Failed
            );
        }
        return;
    }
    if (!is_events_) {
        if (meter_) {
            meter_->unread(bytes);
        }
        write(std::string(bytes));
        return;
    }
    std::string out;
    const bool was_splitting = splits_;
    splits_ = splitter_.feed(bytes, [&](std::string_view block) {
        if (meter_) {
            meter_->event(block);
        }
        out += editor_ ? editor_->event(block) : std::string(block);
    });
    if (!splits_ && editor_) {
        core_->met_limit("event_bytes_max");
        failed_ = true;
        cancel_upstream();
        report(false);
        cut(Outcome::Failed);  // An event that large cannot be judged.
        return;
    }
    if (!splits_) {
        if (was_splitting) {
            core_->met_limit("event_bytes_max");
        }
        out += splitter_.rest();
    }
    write(std::move(out));
}

void ModelExchange::on_upstream_end(const Result<void>& end) {
    if (!end && !has_opened()) {
        tell_circuit(false, end.error().message);
        if (can_fall_back()) {
            fall_back();
            return;
        }
    }
    failed_ = failed_ || !end;
    if (!end && !has_opened()) {
        whole_head_.reset();
        result_ = end.error().message;
        report(false);
        answer(
            protocol_error(
                502,
                "api_error",
                "model API '" + upstream_.name + "' did not answer: " + end.error().message
            ),
            Outcome::Failed
        );
        return;
    }
    if (whole_head_) {
        finish_whole();
        return;
    }
    std::string rest = splitter_.rest();
    if (meter_) {
        meter_->event(rest);
    }
    write(editor_ ? editor_->event(rest) + editor_->end() : std::move(rest));
    report(false);
    end ? finish(Outcome::Forwarded) : cut(Outcome::Failed);
}

bool ModelExchange::refuse_unreadable(const net::UpstreamHead& head) {
    const std::string_view coding = net::find_header(head.headers, "Content-Encoding");
    if (coding.empty() || net::equal_ignoring_case(coding, "identity")) {
        return false;
    }
    failed_ = true;
    cancel_upstream();
    report(false);
    answer(
        protocol_error(
            502,
            "api_error",
            "model API '" + upstream_.name + "' answered in '" + std::string(coding) +
                "', which was not asked for, so its calls cannot be judged"
        ),
        Outcome::Failed
    );
    return true;
}

void ModelExchange::finish_whole() {
    net::UpstreamHead head = std::move(*std::exchange(whole_head_, std::nullopt));
    if (meter_) {
        meter_->whole(whole_);
    }
    std::string body = editor_ ? editor_->whole(std::move(whole_)) : std::move(whole_);
    if (auto changed = redaction_.redacted(RedactWhere::Results, body)) {
        body = std::move(*changed);
        result_ = body.substr(0, call_text_bytes_max);
    }
    report(false);
    answer({head.status, answer_headers(head.headers), std::move(body)}, Outcome::Forwarded);
}

void ModelExchange::on_client_gone() {
    withdraw();
    failed_ = true;
    report(true);
}

void ModelExchange::judge_again(const Snapshot&, const Snapshot& now) {
    Ruling ruling = core_->rule(*now, facts());
    if (ruling.verdict != Verdict::Deny && !routed_model_.empty()) {
        ToolCall there = facts();
        there.model = routed_model_;
        if (Ruling again = core_->rule(*now, there); again.verdict == Verdict::Deny) {
            ruling = std::move(again);
        }
    }
    if (ruling.verdict != Verdict::Deny) {
        if (!approval_.empty() && ruling.verdict != Verdict::Escalate) {
            withdraw();
            ruling_ = std::move(ruling);
            send_on();
        }
        return;
    }
    const bool waited = !approval_.empty();
    core_->meters.cancelled[static_cast<std::size_t>(Road::Model)]->add();
    cancel_upstream();
    ruling_ = std::move(ruling);
    if (!has_opened()) {
        refuse(waited ? Outcome::Refused : Outcome::Cancelled);
        return;
    }
    report(true);
    if (!is_events_ || !splits_) {
        cut(Outcome::Cancelled);
        return;
    }
    const std::string error = protocol_error(403, "permission_error", refusal_text(ruling_)).body;
    write((is_anthropic() ? "event: error\ndata: " : "data: ") + error + "\n\n");
    finish(Outcome::Cancelled);
}

void ModelExchange::report(bool cancelled) {
    charge(cancelled);
    if (!primary_.empty()) {  // It ended before it could be told whether the upstream answers.
        core_->parts.circuits->left(std::exchange(primary_, ""));
    }
    if (is_probe() || std::exchange(reported_, true) || request().method != "POST") {
        return;
    }
    SeenCall seen = seen_of(caller_, ruling_);
    seen.kind = CallKind::Model;
    seen.server = upstream_.name;
    seen.tool = model_;
    seen.arguments = body_ ? clipped(body_->view()) : "";
    const bool refused = ruling_.verdict == Verdict::Deny && result_.empty();
    seen.result = refused ? ruling_.for_model : std::move(result_);
    seen.is_error = failed_ || ruling_.verdict == Verdict::Deny;
    seen.cancelled = cancelled;
    core_->report(std::move(seen));
}

}  // namespace tagout::gateway
