#include "gateway/authz_road.h"

#include "gateway/exchange.h"
#include "gateway/identity.h"
#include "gateway/mcp_exchange.h"
#include "intake/json_writer.h"
#include "intake/wire.h"
#include "net/url.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tagout::gateway {

namespace {

namespace wire = intake::wire;

constexpr int grpc_permission_denied = 7;

/// The original request, as the proxy tells it.
struct Asked {
    net::Headers headers;
    std::string_view body;
    std::int64_t size = -1;  ///< Of the whole body, where the proxy says so.
    std::string server;
    std::string tool;
    std::string workflow;
};

struct Answer {
    Ruling ruling;
    std::string refusal;  ///< An MCP result to answer with; "" for a plain 403.
    std::string fault;    ///< Why it could not be judged.
};

// --- CheckRequest

/// Calls `visit(field)` for each field of `message`. False if it is none.
template <class Visit>
bool for_each_field(std::string_view message, Visit&& visit) {
    wire::Fault fault;
    const char* at = message.data();
    const char* const end = at + message.size();
    while (at != nullptr && at < end) {
        wire::Field field;
        at = wire::read_field(at, end, field, fault);
        if (at != nullptr && !visit(field)) {
            return false;
        }
    }
    return at == end || message.empty();
}

constexpr std::uint32_t text(std::uint32_t number) {
    return wire::tag(number, wire::Length);
}

/// Also a HeaderValue: key 1, value 2, raw_value 3.
bool read_entry(std::string_view message, std::string& key, std::string& value) {
    return for_each_field(message, [&](const wire::Field& field) {
        if (field.tag == text(1)) {
            key = field.bytes;
        } else if (field.tag == text(2) || (field.tag == text(3) && !field.bytes.empty())) {
            value = field.bytes;
        }
        return true;
    });
}

bool read_http(std::string_view message, Asked& asked) {
    return for_each_field(message, [&](const wire::Field& field) {
        std::string key;
        std::string value;
        if (field.tag == text(3)) {
            if (!read_entry(field.bytes, key, value)) {
                return false;
            }
            asked.headers.emplace_back(std::move(key), std::move(value));
        } else if (field.tag == text(13)) {
            return for_each_field(field.bytes, [&](const wire::Field& header) {
                if (header.tag != text(1)) {
                    return true;
                }
                if (!read_entry(header.bytes, key, value)) {
                    return false;
                }
                asked.headers.emplace_back(std::exchange(key, {}), std::exchange(value, {}));
                return true;
            });
        } else if (field.tag == wire::tag(9, wire::Varint)) {
            asked.size = static_cast<std::int64_t>(field.number);
        } else if (field.tag == text(11) || (field.tag == text(12) && !field.bytes.empty())) {
            asked.body = field.bytes;
        }
        return true;
    });
}

void use_extension(const std::string& key, const std::string& value, Asked& asked) {
    if (key == "server") {
        asked.server = value;
    } else if (key == "tool") {
        asked.tool = value;
    } else if (key == "workflow") {
        asked.workflow = value;
    } else if (net::find_header(asked.headers, "tagout-" + key).empty()) {
        asked.headers.emplace_back("tagout-" + key, value);
    }
}

/// False if `message` is no CheckRequest.
bool read_check(std::string_view message, Asked& asked) {
    std::vector<std::pair<std::string, std::string>> extensions;
    const bool read = for_each_field(message, [&](const wire::Field& top) {
        if (top.tag != text(1)) {
            return true;
        }
        return for_each_field(top.bytes, [&](const wire::Field& field) {
            if (field.tag == text(4)) {
                return for_each_field(field.bytes, [&](const wire::Field& part) {
                    return part.tag != text(2) || read_http(part.bytes, asked);
                });
            }
            if (field.tag == text(10)) {
                auto& [key, value] = extensions.emplace_back();
                return read_entry(field.bytes, key, value);
            }
            return true;
        });
    });
    for (const auto& [key, value] : extensions) {
        use_extension(key, value, asked);
    }
    return read;
}

// --- the decision

int strictness(Verdict verdict) noexcept {
    return verdict == Verdict::Deny ? 2 : verdict == Verdict::Escalate ? 1 : 0;
}

Answer cannot_judge(std::string why) {
    Answer answer;
    answer.ruling.verdict = Verdict::Deny;
    answer.ruling.by = "ext_authz";
    answer.ruling.for_model = why;
    answer.ruling.for_person = why;
    answer.fault = std::move(why);
    return answer;
}

/// A call that would have to wait is refused, and says so.
void close_escalation(Ruling& ruling) {
    if (ruling.verdict == Verdict::Escalate) {
        ruling.verdict = Verdict::Deny;
        ruling.for_model += " It was not run: nobody can be asked on this road.";
    }
}

/// The proxy sends the request on as it came, so what must be redacted must not go.
void close_redaction(Ruling& ruling) {
    if (ruling.redactions != 0 && ruling.verdict != Verdict::Deny) {
        ruling.verdict = Verdict::Deny;
        ruling.for_model = "What this call holds must be redacted, and this road cannot: use the gateway's.";
        ruling.for_person = ruling.for_model;
    }
}

class Judge {
public:
    Judge(Core& core, const Snapshot& snapshot, const Asked& asked)
        : core_(core),
          snapshot_(snapshot),
          asked_(asked),
          catalog_(core.parts.catalog()),
          caller_(read_caller(asked.headers, core.options.journey_secret)) {
        caller_.add_traceparent(caller_.traceparent);
        if (!asked.workflow.empty()) {
            caller_.workflow = asked.workflow;
        }
    }

    Answer run() {
        if (!asked_.tool.empty()) {
            // What the route's tool is sent is its arguments, as far as a rule asks for them.
            return {rule(CallKind::Tool, asked_.tool, asked_.body), "", ""};
        }
        if (!asked_.server.empty()) {
            return judge_mcp();
        }
        if (!asked_.workflow.empty()) {
            return {rule(CallKind::Workflow, ""), "", ""};
        }
        return cannot_judge(
            "the proxy's route does not say what this request is: set server, tool or workflow "
            "in its context_extensions"
        );
    }

private:
    Ruling rule(CallKind kind, std::string_view tool, std::string_view arguments = {}) {
        ToolCall call = caller_.call(kind);
        call.tool = tool;
        call.arguments = arguments;
        call.server = asked_.server;
        if (kind == CallKind::Tool) {
            contain::add_facts(*catalog_, call);
        }
        Ruling ruling = core_.admit(*snapshot_, call);
        core_.meters.count_decision(kind, ruling.verdict);
        close_escalation(ruling);
        close_redaction(ruling);
        return ruling;
    }

    Answer judge_mcp() {
        if (asked_.body.empty()) {
            return {};  // GET and DELETE of the transport call no tool.
        }
        if (asked_.size > static_cast<std::int64_t>(asked_.body.size())) {
            return cannot_judge(
                "the proxy sent " + std::to_string(asked_.body.size()) + " of " +
                std::to_string(asked_.size) +
                " bytes of the body, so its calls cannot be judged: raise max_request_bytes and "
                "leave allow_partial_message off"
            );
        }
        const PaddedBytes body = PaddedBytes::copy_of(asked_.body);
        const auto rpc = read_rpc_body(body);
        if (!rpc) {
            return cannot_judge("the body cannot be judged: " + rpc.error().message);
        }
        Answer strictest;
        for (const RpcMessage& message : rpc->messages) {
            if (!message.is_tool_call()) {
                continue;
            }
            Ruling ruling = rule(CallKind::Tool, message.target, message.arguments);
            if (strictness(ruling.verdict) >= strictness(strictest.ruling.verdict)) {
                const bool refused = ruling.verdict == Verdict::Deny;
                strictest.refusal = refused && !rpc->batch ? refusal_result(message, ruling) : "";
                strictest.ruling = std::move(ruling);
            }
        }
        return strictest;
    }

    Core& core_;
    const Snapshot& snapshot_;
    const Asked& asked_;
    const std::shared_ptr<const catalog::Catalog> catalog_;
    Caller caller_;
};

std::string refusal_body(const Answer& answer) {
    return R"({"error":{"code":"stopped","message":)" + quoted(refusal_text(answer.ruling)) +
           "}}\n";
}

// --- CheckResponse

void write_header(
    intake::json::Writer& out, std::uint32_t number, std::string_view name, std::string_view value
) {
    const auto option = out.begin(number, false);
    const auto header = out.begin(1, false);
    out.bytes(1, name);
    out.bytes(2, value);
    out.end(header);
    out.end(option);
}

std::string check_response(const Answer& answer) {
    const bool denied = answer.ruling.verdict == Verdict::Deny;
    const std::string decision = decision_header(answer.ruling);
    intake::json::Writer out;
    const auto status = out.begin(1, false);
    if (denied) {
        out.varint(1, grpc_permission_denied);
        out.bytes(2, answer.ruling.for_person);
    }
    out.end(status);
    if (denied) {
        const auto response = out.begin(2, true);
        const auto code = out.begin(1, false);
        out.varint(1, answer.refusal.empty() ? 403 : 200);
        out.end(code);
        write_header(out, 2, "content-type", "application/json");
        write_header(out, 2, "tagout-decision", decision);
        out.bytes(3, answer.refusal.empty() ? refusal_body(answer) : answer.refusal);
        out.end(response);
    } else {
        const auto response = out.begin(3, true);
        write_header(out, 2, "tagout-decision", decision);
        out.end(response);
    }
    return std::string(out.view());
}

Answer judged(Core& core, const Snapshot& snapshot, const Asked& asked) {
    Answer answer = Judge(core, snapshot, asked).run();
    answer.ruling.revision = snapshot->revision();
    const Outcome outcome = !answer.fault.empty()                    ? Outcome::Invalid
                            : answer.ruling.verdict == Verdict::Deny ? Outcome::Refused
                                                                     : Outcome::Answered;
    core.meters.request(Road::Decide, outcome).add();
    return answer;
}

/// Who it is for is not known as the configuration asks for it.
Answer unproven(Core& core, NotKnown unknown, const Snapshot& snapshot) {
    core.meters.request(Road::Decide, Outcome::Refused).add();
    note_unknown(core, "ext_authz", unknown, "");
    Answer answer;
    answer.ruling.verdict = Verdict::Deny;
    answer.ruling.for_model = std::move(unknown.message);
    answer.ruling.for_person = answer.ruling.for_model;
    answer.ruling.revision = snapshot->revision();
    return answer;
}

}  // namespace

net::GrpcHandler authz_grpc_handler(std::shared_ptr<Core> core) {
    return [core = std::move(core
            )](net::GrpcRequest request, const std::shared_ptr<net::GrpcResponder>& responder) {
        net::GrpcResponse response;
        const Snapshot snapshot = core->newest();
        Asked asked;
        if (request.path != authz_method) {
            response.status = net::GrpcStatus::Unimplemented;
            response.status_message = "this port knows " + std::string(authz_method.substr(1));
        } else if (!snapshot) {
            response.status = net::GrpcStatus::Unavailable;
            response.status_message = "controls are not in force yet";
        } else if (!read_check(request.message.view(), asked)) {
            response.status = net::GrpcStatus::InvalidArgument;
            response.status_message = "the message is no CheckRequest";
        } else {
            // The proxy's own connection proves nothing of the agent whose call it asks about.
            auto unknown = prove_caller(*core, asked.headers, nullptr);
            response.message = check_response(
                unknown ? unproven(*core, std::move(*unknown), snapshot)
                        : judged(*core, snapshot, asked)
            );
        }
        responder->respond(std::move(response));
    };
}

net::ServerResponse answer_authz(
    Core& core, const net::EventLoop& loop, const net::ServerRequest& request
) {
    Asked asked;
    asked.headers = request.headers;
    asked.body = request.body.view();
    asked.server = request.header("tagout-server");
    asked.tool = request.header("tagout-tool");
    asked.workflow = asked.server.empty() && asked.tool.empty()
                         ? std::string(request.header("tagout-workflow"))
                         : "";
    const Answer answer = judged(core, core.snapshot(loop), asked);
    const bool denied = answer.ruling.verdict == Verdict::Deny;
    net::ServerResponse response{
        denied ? 403 : 200,
        {{"Content-Type", "application/json"}, {"tagout-decision", decision_header(answer.ruling)}},
        denied ? refusal_body(answer) : ""};
    return response;
}

}  // namespace tagout::gateway
