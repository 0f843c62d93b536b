// How one call that waits for a yes gets it: from an operator on the page, or, where its control or
// rule says so, from the user of the client that it came through.
#include "gateway/json_edit.h"
#include "gateway/mcp_exchange.h"

#include "base/log.h"
#include "contain/refusals.h"

namespace tagout::gateway {

namespace {

constexpr int bad_params_code = -32602;
constexpr std::string_view user_actor_prefix = "user:";

Actor actor_of_user(const Caller& caller, const std::string& client) {
    return Actor(
        std::string(user_actor_prefix) + (caller.user.empty() ? std::string("unknown") : caller.user) + "@" +
        (client.empty() ? std::string("client") : client)
    );
}

}  // namespace

/// Whom to ask is the control's or rule's to say; where the user cannot be asked, an operator is.
void McpExchange::ask_person() {
    const Ruling& ruling = calls_.front().ruling;
    const RpcMessage& message = rpc_.messages[calls_.front().message];
    const bool may = ruling.user_approves && core_->parts.approvals.takes_users();
    // A yes counts for what was asked, not for another control that asks by now.
    const bool answered = users_answer_ != UserAnswer::None && seal_->control == ruling.by;
    if (may && answered) {
        enter();
        take_sealed_answer();
    } else if (may && message.is_modern() && message.can_elicit) {
        ask_again_with_answer();
    } else if (may && !message.is_modern() && can_ask_on_stream()) {
        ask_on_stream();
    } else {
        hold();
    }
}

std::string McpExchange::principal() const {
    return caller_.agent + "\n" + caller_.tenant + "\n" + caller_.user;
}

/// A modern call that came again with what its user said: the seal is opened, and what was added to
/// the call for it is taken out. False: it is not valid, and was answered.
bool McpExchange::open_seal() {
    if (!rpc_.is_modern()) {
        return true;
    }
    const RpcMessage& message = rpc_.messages.front();
    if (!message.is_tool_call() || !UserApprovals::is_ours(message.request_state)) {
        return true;
    }
    auto seal = core_->user_approvals.open(
        message.request_state,
        principal(),
        UserApprovals::hash_of_call(server_, message.target, message.arguments),
        core_->now()
    );
    const UserAnswer said = read_elicit_result(member(message.input_responses, approval_key));
    if (seal && said != UserAnswer::None && !core_->user_approvals.use(*seal, core_->now())) {
        seal = fail(
            ErrorCode::InvalidArgument,
            "this requestState was used before; send the call again without it"
        );
    }
    if (!seal) {
        if (core_->parts.refusals != nullptr) {
            core_->parts.refusals->note(
                {"mcp",
                 "approval_state",
                 caller_.agent,
                 "",
                 request().peer.substr(0, request().peer.rfind(':'))}
            );
        }
        refuse_malformed(200, bad_params_code, seal.error().message, message.id);
        return false;
    }
    users_answer_ = said;
    dismissed_ =
        string_of(member(member(message.input_responses, approval_key), "action")) == "cancel";
    seal_ = std::move(*seal);
    client_ = message.client_name;
    return restore_body();
}

/// The call as the upstream would have got it: with its own state, if it had given one.
bool McpExchange::restore_body() {
    const std::string_view text = body_->view();
    const RawJson params = member(trimmed(text), "params");
    JsonEdits edits(text);
    edits.cut_members(params, [](std::string_view key, RawJson) {
        return key == "requestState" || key == "inputResponses";
    });
    std::string members;
    if (!seal_->upstream_state.empty()) {
        members += "\"requestState\":" + seal_->upstream_state;
    }
    if (!seal_->upstream_responses.empty()) {
        members +=
            (members.empty() ? "" : ",") + ("\"inputResponses\":" + seal_->upstream_responses);
    }
    if (!members.empty()) {
        edits.add_members(params, members);
    }
    body_ = std::make_shared<const PaddedBytes>(PaddedBytes::copy_of(edits.text()));
    auto read = read_rpc_body(*body_);
    if (!read) {
        refuse_malformed(400, read.error().code, read.error().message, read.error().id);
        return false;
    }
    rpc_ = std::move(*read);
    return true;
}

void McpExchange::take_sealed_answer() {
    if (ask_operator()) {
        record_users_answer(users_answer_);
    }
}

/// What the user said is written before it counts; then the answer comes as any other does.
void McpExchange::record_users_answer(UserAnswer said) {
    contain::By by{actor_of_user(caller_, client_), "asked by the client"};
    by.reason += client_.empty() ? "" : " " + client_;
    by.reason += caller_.agent.empty() ? "" : " for agent " + caller_.agent;
    by.reason += caller_.session.empty() ? "" : " in session " + caller_.session;
    const bool taken = core_->clerk.run([core = core_, id = approval_, said, by] {
        const auto done = said == UserAnswer::Yes ? core->parts.approvals.approve(id, by)
                                                  : core->parts.approvals.deny(id, by);
        if (!done) {  // It goes on waiting for an operator.
            log::warn(
                "users_answer_not_taken", {{"approval", id}, {"error", done.error().message}}
            );
        }
    });
    if (!taken) {
        core_->met_limit("users_answers_max");
    }
}

/// Modern: the client asks its user and sends the call again. Nothing waits here.
void McpExchange::ask_again_with_answer() {
    Call& call = calls_.front();
    const RpcMessage& message = rpc_.messages[call.message];
    if (dismissed_) {
        call.ruling.verdict = Verdict::Deny;
        call.ruling.for_person = "its user dismissed the question";
        call.ruling.for_model =
            "This call needs a person's approval, and the question was dismissed. It was not run; "
            "say that it needs approval.";
        refuse(Outcome::Refused);
        return;
    }
    SealedCall seal;
    seal.principal = principal();
    seal.call = UserApprovals::hash_of_call(server_, message.target, message.arguments);
    seal.control = call.ruling.by;
    seal.once = UserApprovals::fresh();
    seal.expires_at = core_->now() + user_patience;
    seal.upstream_state = message.request_state;
    seal.upstream_responses = message.input_responses;
    if (seal.upstream_state.size() + seal.upstream_responses.size() >
        UserApprovals::upstream_bytes_max) {
        core_->met_limit("upstream_state_bytes_max");
        hold();
        return;
    }
    std::string json =
        R"({"jsonrpc":"2.0","id":)" + std::string(message.id) +
        R"(,"result":{"resultType":"input_required","inputRequests":{")" +
        std::string(approval_key) + R"(":{"method":"elicitation/create","params":)" +
        elicitation_params(
            caller_.agent, server_, message.target, message.arguments, call.ruling.for_person, true
        ) +
        R"(}},"requestState":)" + quoted(core_->user_approvals.seal(seal)) +
        R"(,"_meta":{"dev.tagout/decision":{"verdict":"escalate","control":)" +
        quoted(call.ruling.by) + R"(,"revision":)" + std::to_string(call.ruling.revision) + "}}}}";
    net::ServerResponse response{200, {{"Content-Type", "application/json"}}, std::move(json)};
    response.headers.emplace_back("tagout-decision", decision_header(call.ruling));
    if (!takes_json()) {
        response.headers.front().second = "text/event-stream";
        response.body = message_event(response.body);
    }
    answer(std::move(response), Outcome::Answered);
}

bool McpExchange::can_ask_on_stream() const {
    const std::string session(request().header("Mcp-Session-Id"));
    return !rpc_.batch && takes_events() && !session.empty() && core_->client_elicits(session);
}

/// Legacy: the question goes out on the response's own stream, and stands on the page beside it:
/// the first answer counts.
void McpExchange::ask_on_stream() {
    const Call& call = calls_.front();
    const RpcMessage& message = rpc_.messages[call.message];
    const std::string session(request().header("Mcp-Session-Id"));
    client_ = core_->client_of(session);
    enter();
    if (!ask_operator()) {
        return;
    }
    std::string id = std::string(elicitation_id_prefix) + UserApprovals::fresh();
    const bool waits = core_->user_approvals.wait(
        id,
        session,
        [weak = weak_from_this(), loop = loop_](UserAnswer said) {
            loop->schedule([weak, said] {
                if (const auto self = std::static_pointer_cast<McpExchange>(weak.lock())) {
                    self->on_users_answer(said);
                }
            });
        }
    );
    if (!waits) {
        core_->met_limit("elicitations_waiting_max");
        return;  // An operator was asked.
    }
    elicitation_ = std::move(id);
    reading_ = Reading::Events;
    asked_on_stream_ = true;
    open(
        {200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}}, ""},
        std::nullopt
    );
    write(message_event(
        R"({"jsonrpc":"2.0","id":)" + quoted(elicitation_) +
        R"(,"method":"elicitation/create","params":)" +
        elicitation_params(
            caller_.agent, server_, message.target, message.arguments, call.ruling.for_person, false
        ) +
        "}"
    ));
}

void McpExchange::on_users_answer(UserAnswer said) {
    elicitation_.clear();
    if (has_ended() || approval_.empty() || said == UserAnswer::None) {
        return;  // Dismissed: an operator may still say yes, until its time is over.
    }
    record_users_answer(said);
}

/// A message that answers a question of ours on another request's stream.
bool McpExchange::is_users_answer() const {
    return !rpc_.batch && rpc_.messages.size() == 1 && rpc_.messages.front().method.empty() &&
           string_of(rpc_.messages.front().id).value_or("").starts_with(elicitation_id_prefix);
}

void McpExchange::take_users_answer() {
    const RpcMessage& message = rpc_.messages.front();
    const bool known = core_->user_approvals.answer(
        string_of(message.id).value_or(""),
        std::string(request().header("Mcp-Session-Id")),
        read_elicit_result(message.result)
    );
    answer(
        known ? net::ServerResponse{202, {}, ""}
              : error_response(404, "not_found", "no call of this session waits for that answer"),
        known ? Outcome::Answered : Outcome::Invalid
    );
}

void McpExchange::hold() {
    enter();
    (void)ask_operator();
}

/// The question stands on the page. False: no more can be asked, and the call was refused.
bool McpExchange::ask_operator() {
    const Call& call = calls_.front();
    const RpcMessage& message = rpc_.messages[call.message];
    auto asked = core_->parts.approvals.ask(
        facts(message),
        message.arguments,
        ControlId(call.ruling.by),
        [weak = weak_from_this(),
         loop = loop_](contain::ApprovalAnswer answered, const contain::By& by) {
            loop->schedule([weak, answered, by] {
                if (const auto self = std::static_pointer_cast<McpExchange>(weak.lock())) {
                    self->on_approval(answered, by);
                }
            });
        }
    );
    if (asked) {
        approval_ = std::move(*asked);
        return true;
    }
    core_->met_limit("approvals_pending_max");
    Ruling& ruling = calls_.front().ruling;
    ruling.verdict = Verdict::Deny;
    ruling.for_model = "This call needs a person's approval, and no more can be asked for now (" +
                       asked.error().message + "). It was not run; say that it needs approval.";
    refuse(Outcome::Refused);
    return false;
}

void McpExchange::on_approval(contain::ApprovalAnswer answered, const contain::By& by) {
    if (has_ended() || approval_.empty() || calls_.empty()) {
        return;
    }
    approval_.clear();
    Call& call = calls_.front();
    if (answered == contain::ApprovalAnswer::Approved) {
        const ToolCall asked = facts(rpc_.messages[call.message]);
        Ruling now = core_->rule(*snapshot(), asked);
        if (now.verdict == Verdict::Deny) {  // Stopped while it waited.
            call.ruling = std::move(now);
            refuse(Outcome::Refused);
            return;
        }
        if (now.verdict == Verdict::Escalate && now.by != call.ruling.by &&
            by.actor.text().starts_with(user_actor_prefix)) {
            call.ruling = std::move(now);  // Another control asks by now, which its user was not told of.
            (void)ask_operator();
            return;
        }
        core_->let_through(*snapshot(), asked);
        call.ruling.verdict = Verdict::Allow;
        call.ruling.for_person =
            "approved by " + by.actor.text() + (by.reason.empty() ? "" : ": " + by.reason);
        send_on();
        return;
    }
    call.ruling.verdict = Verdict::Deny;
    if (answered == contain::ApprovalAnswer::Denied) {
        call.ruling.for_person =
            "denied by " + by.actor.text() + (by.reason.empty() ? "" : ": " + by.reason);
        call.ruling.for_model = "A person was asked about this call and denied it" +
                                (by.reason.empty() ? "" : " (" + by.reason + ")") +
                                ". It was not run. Do not call it again with the same arguments.";
    } else {
        call.ruling.for_person = "nobody approved it in time";
        call.ruling.for_model =
            "This call needed a person's approval, and nobody gave it in time. It was not run; say "
            "that it needs approval.";
    }
    refuse(Outcome::Refused);
}

void McpExchange::withdraw() {
    if (!elicitation_.empty()) {
        core_->user_approvals.forget(std::exchange(elicitation_, {}));
    }
    if (!approval_.empty()) {
        core_->parts.approvals.withdraw(std::exchange(approval_, {}));
    }
}

}  // namespace tagout::gateway
