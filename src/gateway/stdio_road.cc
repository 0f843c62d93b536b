#include "gateway/stdio_road.h"

#include "contain/unknown_arguments.h"
#include "gateway/json_edit.h"
#include "gateway/json_redact.h"
#include "gateway/mcp_exchange.h"
#include "gateway/tool_definition.h"

#include <algorithm>
#include <charconv>

namespace tagout::gateway {

namespace {

/// One tools/call with who makes it; views into `body`, which it keeps.
struct AskedCall {
    std::string server;
    PaddedBytes body;
    RpcMessage message;
    Caller caller;

    [[nodiscard]] ToolCall facts(const catalog::Catalog& catalog) const {
        ToolCall call = caller.call(CallKind::Tool);
        call.tool = message.target;
        call.server = server;
        contain::add_facts(catalog, call);
        call.arguments = message.arguments;
        return call;
    }
};

Result<AskedCall> read_call(
    std::string_view server, PaddedBytes body, const net::ServerRequest& request, const Core& core
) {
    AskedCall asked;
    asked.server = server;
    asked.body = std::move(body);
    auto rpc = read_rpc_body(asked.body);
    if (!rpc) {
        return fail(ErrorCode::InvalidArgument, rpc.error().message);
    }
    if (rpc->batch || !rpc->messages.front().is_tool_call()) {
        return fail(ErrorCode::InvalidArgument, "send one tools/call, as the client wrote it");
    }
    asked.message = std::move(rpc->messages.front());
    asked.caller = read_caller(request.headers, core.options.journey_secret);
    asked.caller.add_baggage(asked.message.baggage);
    asked.caller.add_traceparent(asked.message.traceparent);
    asked.caller.add_traceparent(asked.caller.traceparent);
    if (asked.caller.agent.empty()) {
        asked.caller.agent = asked.message.client_name;
    }
    return asked;
}

net::ServerResponse json_response(std::string body) {
    return {
        200,
        {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
        std::move(body) + "\n"};
}

std::string said(bool value) {
    return value ? "true" : "false";
}

/// As a last member: the wrapper was told of one, and another loop may not have it yet.
std::string revision(const contain::ControlSnapshot& snapshot) {
    return R"(,"revision":)" + std::to_string(snapshot.revision());
}

/// The call as it goes out, its arguments redacted where they must be.
std::string go_on(
    const AskedCall& asked, const Redaction& redaction, const contain::ControlSnapshot& snapshot
) {
    JsonEdits edits(asked.body.view());
    const RawJson arguments = asked.message.arguments;
    if (auto changed = redaction.redacted(RedactWhere::Arguments, arguments)) {
        edits.replace(arguments, std::move(*changed));
    }
    return R"({"send":)" + edits.text() + R"(,"redact":)" +
           said(redaction.has(RedactWhere::Results)) + revision(snapshot) + "}";
}

SeenCall seen_of(const Core& core, const AskedCall& asked, const Ruling& ruling) {
    SeenCall seen;
    const Caller& caller = asked.caller;
    seen.agent = caller.agent;
    seen.workflow = caller.workflow;
    seen.session = caller.session;
    seen.tenant = caller.tenant;
    seen.environment = caller.environment;
    seen.user = caller.user;
    seen.prompt_version = caller.prompt;
    seen.traceparent = caller.traceparent;
    seen.tool = asked.message.target;
    seen.tool_call_id = asked.message.tool_call_id;
    seen.server = asked.server;
    seen.arguments = clipped(asked.message.arguments);
    seen.verdict = ruling.verdict;
    seen.decided_by = ruling.by;
    seen.reason = ruling.for_person;
    seen.shadow = ruling.shadow;
    seen.revision = ruling.revision;
    seen.started_at = core.now();
    seen.ended_at = seen.started_at;
    return seen;
}

/// Recorded, and said as the client takes it.
net::ServerResponse refused(
    const Core& core, const AskedCall& asked, const Ruling& ruling, bool cancelled
) {
    SeenCall seen = seen_of(core, asked, ruling);
    seen.result = refusal_text(ruling);
    seen.is_error = true;
    seen.cancelled = cancelled;
    core.report(std::move(seen));
    return json_response(R"({"answer":)" + refusal_result(asked.message, ruling) + "}");
}

/// A call that waits for a person, until its wrapper goes.
class HeldCall final : public Exchange {
public:
    static void start(
        std::shared_ptr<Core> core, AskedCall asked, net::ServerRequest request,
        std::shared_ptr<net::Responder> responder
    ) {
        const std::shared_ptr<HeldCall> call(new HeldCall(
            std::move(core), std::move(asked), std::move(request), std::move(responder)
        ));
        call->begin();
    }

    void judge_again(const Snapshot&, const Snapshot&) override { judge(); }

private:
    HeldCall(
        std::shared_ptr<Core> core, AskedCall asked, net::ServerRequest request,
        std::shared_ptr<net::Responder> responder
    )
        : Exchange(std::move(core), Road::Mcp, std::move(request), std::move(responder)),
          asked_(std::move(asked)) {}

    void begin() {
        enter();
        judge();
        if (has_ended()) {
            return;
        }
        const auto catalog = core_->parts.catalog();
        auto id = core_->parts.approvals.ask(
            asked_.facts(*catalog),
            asked_.message.arguments,
            ControlId(ruling_.by),
            [weak = weak_from_this(),
             loop = loop_](contain::ApprovalAnswer answered, const contain::By& by) {
                loop->schedule([weak, answered, by] {
                    if (const auto self = std::static_pointer_cast<HeldCall>(weak.lock())) {
                        self->on_approval(answered, by);
                    }
                });
            }
        );
        if (id) {
            approval_ = std::move(*id);
            return;
        }
        core_->met_limit("approvals_pending_max");
        deny(
            "no more calls can wait for a person",
            "This call needs a person's approval, and no more can be asked for now (" +
                id.error().message + "). It was not run; say that it needs approval."
        );
    }

    /// Ends the wait where nobody needs to decide any more.
    void judge() {
        const auto catalog = core_->parts.catalog();
        ruling_ = core_->rule(*snapshot(), asked_.facts(*catalog));
        if (ruling_.verdict == Verdict::Deny) {
            withdraw();
            answer(refused(*core_, asked_, ruling_, false), Outcome::Refused);
        } else if (ruling_.verdict != Verdict::Escalate) {
            withdraw();
            send();
        }
    }
    void send() {
        const auto catalog = core_->parts.catalog();
        core_->let_through(*snapshot(), asked_.facts(*catalog));
        answer(
            json_response(go_on(asked_, Redaction(snapshot(), ruling_.redactions), *snapshot())),
            Outcome::Forwarded
        );
    }
    void deny(std::string for_person, std::string for_model) {
        ruling_.verdict = Verdict::Deny;
        ruling_.for_person = std::move(for_person);
        ruling_.for_model = std::move(for_model);
        answer(refused(*core_, asked_, ruling_, false), Outcome::Refused);
    }
    void on_approval(contain::ApprovalAnswer answered, const contain::By& by) {
        if (has_ended() || approval_.empty()) {
            return;
        }
        approval_.clear();
        const std::string why = by.reason.empty() ? "" : ": " + by.reason;
        if (answered == contain::ApprovalAnswer::Approved) {
            send();  // A stop that came meanwhile has ended the wait.
        } else if (answered == contain::ApprovalAnswer::Denied) {
            deny(
                "denied by " + by.actor.text() + why,
                "A person was asked about this call and denied it" + why +
                    ". It was not run. Do not call it again with the same arguments."
            );
        } else {
            deny(
                "nobody approved it in time",
                "This call needed a person's approval, and nobody gave it in time. It was not run; "
                "say that it needs approval."
            );
        }
    }
    void withdraw() {
        if (!approval_.empty()) {
            core_->parts.approvals.withdraw(std::exchange(approval_, {}));
        }
    }
    void on_head(net::UpstreamHead) override {}
    void on_bytes(std::string_view) override {}
    void on_upstream_end(const Result<void>&) override {}
    void on_client_gone() override { withdraw(); }

    const AskedCall asked_;
    Ruling ruling_;
    std::string approval_;  ///< Id of the question, "" when none is open.
};

class StdioRoad {
public:
    StdioRoad(const std::shared_ptr<Core>& core, const net::EventLoop& loop)
        : core_(*core), snapshot_(core->snapshot(loop)), catalog_(core->parts.catalog()) {}

    net::ServerResponse call(const AskedCall& asked) {
        const Ruling ruling = core_.admit(*snapshot_, asked.facts(*catalog_));
        core_.meters.count_decision(CallKind::Tool, ruling.verdict);
        if (ruling.verdict == Verdict::Deny) {
            core_.meters.request(Road::Mcp, Outcome::Refused).add();
            return refused(core_, asked, ruling, false);
        }
        if (ruling.verdict == Verdict::Escalate) {
            core_.meters.request(Road::Mcp, Outcome::Answered).add();
            return json_response(R"({"hold":)" + quoted(ruling.by) + "}");
        }
        core_.meters.request(Road::Mcp, Outcome::Forwarded).add();
        return json_response(go_on(asked, Redaction(snapshot_, ruling.redactions), *snapshot_));
    }

    net::ServerResponse again(const AskedCall& asked) {
        const Ruling ruling = core_.rule(*snapshot_, asked.facts(*catalog_));
        if (ruling.verdict == Verdict::Deny) {
            core_.meters.cancelled[static_cast<std::size_t>(Road::Mcp)]->add();
            core_.meters.request(Road::Mcp, Outcome::Cancelled).add();
            return refused(core_, asked, ruling, true);
        }
        core_.meters.request(Road::Mcp, Outcome::Answered).add();
        const Redaction redaction(snapshot_, ruling.redactions);
        return json_response(
            R"({"redact":)" + said(redaction.has(RedactWhere::Results)) + revision(*snapshot_) + "}"
        );
    }

    /// `whole`: {"call", "answer", "cancelled", "tookMs"}, proved to be JSON.
    net::ServerResponse result(const AskedCall& asked, RawJson whole) {
        Ruling ruling = core_.rule(*snapshot_, asked.facts(*catalog_));
        const Redaction redaction(snapshot_, ruling.redactions);
        ruling.verdict = Verdict::Allow;  // It ran: what holds by now is another question.
        const RawJson answer = member(whole, "answer");
        JsonEdits edits(answer);
        std::string told;
        for (const std::string_view part : {"result", "error"}) {
            const RawJson value = member(answer, part);
            if (value.empty()) {
                continue;
            }
            auto changed = redaction.redacted(RedactWhere::Results, value);
            told = changed ? *changed : std::string(value);
            if (changed) {
                edits.replace(value, std::move(*changed));
            }
        }
        SeenCall seen = seen_of(core_, asked, ruling);
        seen.arguments = clipped(redaction.redacted(RedactWhere::Arguments, asked.message.arguments)
                                     .value_or(std::string(asked.message.arguments)));
        seen.cancelled = member(whole, "cancelled") == "true";
        seen.is_error = seen.cancelled || !member(answer, "error").empty() ||
                        member(member(answer, "result"), "isError") == "true";
        seen.result = seen.cancelled ? "the client cancelled it" : clipped(told);
        seen.started_at = seen.ended_at - took(member(whole, "tookMs"));
        core_.report(std::move(seen));
        core_.meters.request(Road::Mcp, Outcome::Answered).add();
        return json_response(
            R"({"answer":)" + (answer.empty() ? std::string("null") : edits.text()) + "}"
        );
    }

    net::ServerResponse tools(
        std::string_view server, RawJson names, RawJson definitions,
        const net::ServerRequest& request
    ) {
        const Caller caller = read_caller(request.headers, core_.options.journey_secret);
        contain::ToolPins* const pins = core_.parts.pins;
        if (pins != nullptr && is_array(definitions) && !is_proxied(server)) {
            for_each_element(definitions, [&](RawJson each) {
                const std::string name = string_of(member(each, "name")).value_or("");
                if (!name.empty()) {
                    pins->offered(server, name, canonical_definition(each), caller.agent);
                }
                return Walk::GoOn;
            });
        }
        std::vector<std::string> known;
        std::string hidden;
        std::string reads;
        const auto add = [](std::string& list, const std::string& name) {
            list += (list.empty() ? "" : ",") + quoted(name);
        };
        for_each_element(names, [&](RawJson each) {
            std::string name = string_of(each).value_or("");
            ToolCall call = caller.call(CallKind::Tool);
            call.tool = name;
            call.server = server;
            contain::add_facts(*catalog_, call);
            if (contain::is_hidden(*snapshot_, call) ||
                (pins != nullptr && pins->refuses(server, name))) {
                add(hidden, name);
            } else if (call.effect == ToolEffect::Read && passes_untouched(call)) {
                add(reads, name);
            }
            known.push_back(std::move(name));
            return known.size() < stdio_tools_max ? Walk::GoOn : Walk::Stop;
        });
        if (!is_proxied(server)) {
            core_.learn_tools(std::string(server), known);
        }
        core_.meters.request(Road::Mcp, Outcome::Answered).add();
        return json_response(
            R"({"hidden":[)" + hidden + R"(],"reads":[)" + reads + "]" + revision(*snapshot_) + "}"
        );
    }

private:
    /// What servers behind this gateway offer they say themselves: nobody says it for them.
    [[nodiscard]] bool is_proxied(std::string_view server) const {
        return std::ranges::any_of(catalog_->contents().mcp_servers, [&](const auto& each) {
            return each.name == server;
        });
    }
    [[nodiscard]] bool passes_untouched(ToolCall call) const {
        call.arguments = contain::unknown_arguments;
        const Ruling ruling = core_.rule(*snapshot_, call);
        return ruling.verdict == Verdict::Allow && ruling.redactions == 0;
    }
    static Duration took(RawJson number) {
        std::uint32_t ms = 0;
        (void)std::from_chars(number.data(), number.data() + number.size(), ms);
        return std::chrono::milliseconds(ms);
    }

    Core& core_;
    const Snapshot snapshot_;
    const std::shared_ptr<const catalog::Catalog> catalog_;
};

net::ServerResponse invalid(const Core& core, int status, std::string_view why) {
    core.meters.request(Road::Mcp, Outcome::Invalid).add();
    return error_response(status, "invalid_argument", why);
}

/// The steps whose body holds more than the call.
net::ServerResponse answer_object(
    const std::shared_ptr<Core>& core, const net::EventLoop& loop, std::string_view server,
    bool is_result, const net::ServerRequest& request
) {
    const RawJson whole = trimmed(request.body.view());
    if (const Result<void> json = check_json(request.body); !json || !is_object(whole)) {
        return invalid(*core, 400, "the body must be a JSON object");
    }
    StdioRoad road(core, loop);
    if (!is_result) {
        const RawJson names = member(whole, "tools");
        return is_array(names) ? road.tools(server, names, member(whole, "definitions"), request)
                               : invalid(*core, 400, "'tools' must be a list of names");
    }
    const auto asked =
        read_call(server, PaddedBytes::copy_of(member(whole, "call")), request, *core);
    if (!asked) {
        return invalid(*core, 400, "'call' is of no use: " + asked.error().message);
    }
    return road.result(*asked, whole);
}

}  // namespace

void answer_stdio(
    const std::shared_ptr<Core>& core, std::string_view rest, net::ServerRequest request,
    const std::shared_ptr<net::Responder>& responder
) {
    const std::shared_ptr<net::EventLoop> loop = responder->loop();
    const std::size_t slash = rest.find('/');
    const std::string server(rest.substr(0, slash));
    const std::string step(slash == std::string_view::npos ? "" : rest.substr(slash + 1));
    const bool takes_call = step == "call" || step == "hold" || step == "again";
    if (server.empty() || (!takes_call && step != "result" && step != "tools")) {
        responder->respond(invalid(
            *core, 404, "the steps are /v1/stdio/{server}/call, hold, again, result and tools"
        ));
        return;
    }
    if (request.method != "POST") {
        net::ServerResponse response = invalid(*core, 405, "ask with POST");
        response.headers.emplace_back("Allow", "POST");
        responder->respond(std::move(response));
        return;
    }
    if (!takes_call) {
        responder->respond(answer_object(core, *loop, server, step == "result", request));
        return;
    }
    auto asked = read_call(server, std::move(request.body), request, *core);
    if (!asked) {
        responder->respond(invalid(*core, 400, asked.error().message));
        return;
    }
    if (step == "hold") {
        HeldCall::start(core, std::move(*asked), std::move(request), responder);
        return;
    }
    StdioRoad road(core, *loop);
    responder->respond(step == "call" ? road.call(*asked) : road.again(*asked));
}

}  // namespace tagout::gateway
