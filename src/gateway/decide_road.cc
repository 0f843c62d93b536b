#include "gateway/decide_road.h"

#include "contain/unknown_arguments.h"
#include "gateway/identity.h"
#include "gateway/json_redact.h"
#include "gateway/json_scan.h"
#include "net/url.h"

#include <array>

namespace tagout::gateway {

namespace {

constexpr std::string_view default_label = "production";

/// What a caller may say of a call, beside `kind` and `arguments`.
struct Facts {
    std::string_view arguments;  ///< JSON, in the request's body.
    std::string tool, server, agent, workflow, session, user, tenant, environment, model, prompt;
};
struct FactField {
    std::string_view key;
    std::string Facts::*field;
};
constexpr std::array<FactField, 10> fact_fields{{
    {"tool", &Facts::tool},
    {"server", &Facts::server},
    {"agent", &Facts::agent},
    {"workflow", &Facts::workflow},
    {"session", &Facts::session},
    {"user", &Facts::user},
    {"tenant", &Facts::tenant},
    {"environment", &Facts::environment},
    {"model", &Facts::model},
    {"prompt", &Facts::prompt},
}};

Result<std::string> text_of(std::string_view key, RawJson value) {
    auto text = string_of(value);
    if (!text) {
        return fail(ErrorCode::InvalidArgument, "'" + std::string(key) + "' must be a text");
    }
    return std::move(*text);
}

Result<CallKind> read_facts(const PaddedBytes& body, Facts& facts) {
    TAGOUT_TRY(check_json(body));
    const RawJson whole = trimmed(body.view());
    if (!is_object(whole)) {
        return fail(
            ErrorCode::InvalidArgument,
            R"(the body must be an object, such as {"tool": "mail.send"})"
        );
    }
    CallKind kind = CallKind::Tool;
    Result<void> fault;
    for_each_member(whole, [&](std::string_view key, RawJson value) {
        if (key == "arguments") {
            facts.arguments = value;
            return Walk::GoOn;
        }
        auto text = text_of(key, value);
        if (!text) {
            fault = std::unexpected(text.error());
            return Walk::Stop;
        }
        if (key == "kind") {
            const auto parsed = parse_call_kind(*text);
            if (!parsed) {
                fault = fail(ErrorCode::InvalidArgument, "'kind' must be tool, model or workflow");
                return Walk::Stop;
            }
            kind = *parsed;
            return Walk::GoOn;
        }
        for (const FactField& each : fact_fields) {
            if (key == each.key) {
                facts.*each.field = std::move(*text);
                return Walk::GoOn;
            }
        }
        fault = fail(
            ErrorCode::InvalidArgument,
            "'" + std::string(key) +
                "' is not known here; the keys are kind, tool, server, agent, "
                "workflow, session, user, tenant, environment, model, prompt and arguments"
        );
        return Walk::Stop;
    });
    if (!fault) {
        return std::unexpected(fault.error());
    }
    return kind;
}

/// `changed`: the arguments as the call may be made with them.
std::string decision_json(const Ruling& ruling, const std::optional<std::string>& changed) {
    std::string json = R"({"verdict":)" + quoted(name_of(ruling.verdict)) + R"(,"reason":)" +
                       quoted(ruling.for_model);
    const auto add = [&](std::string_view key, const std::string& value) {
        if (!value.empty()) {
            json += ",\"" + std::string(key) + "\":" + quoted(value);
        }
    };
    add("reason_for_person", ruling.for_person);
    add("decided_by", ruling.by);
    add("route_to", ruling.route_to);
    add("shadow", ruling.shadow);
    add("incident", ruling.incident);
    if (ruling.retry_after > Duration{}) {
        json += R"(,"retry_after_ms":)" +
                std::to_string(
                    std::chrono::ceil<std::chrono::milliseconds>(ruling.retry_after).count()
                );
    }
    if (changed) {
        json += R"(,"arguments":)" + *changed;
    }
    return json + R"(,"revision":)" + std::to_string(ruling.revision) + "}\n";
}

int status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::InvalidArgument:
            return 400;
        case ErrorCode::NotFound:
            return 404;
        case ErrorCode::Conflict:
            return 409;
        case ErrorCode::LimitExceeded:
            return 429;
        case ErrorCode::Unauthorized:
            return 401;
        case ErrorCode::Unavailable:
        case ErrorCode::Corrupt:
            break;
    }
    return 503;
}

}  // namespace

net::ServerResponse answer_decide(
    Core& core, const net::EventLoop& loop, const net::ServerRequest& request
) {
    Facts facts;
    const auto kind = read_facts(request.body, facts);
    if (!kind) {
        core.meters.request(Road::Decide, Outcome::Invalid).add();
        return error_response(400, "invalid_argument", kind.error().message);
    }
    if (auto refusal = refuse_other_agent(core, "decide", request, facts.agent)) {
        core.meters.request(Road::Decide, Outcome::Refused).add();
        return std::move(*refusal);
    }
    if (facts.agent.empty()) {
        facts.agent = request.header(proven_agent_header);
    }
    ToolCall call;
    call.kind = *kind;
    call.tool = facts.tool;
    call.server = facts.server;
    call.agent = facts.agent;
    call.workflow = facts.workflow;
    call.session = facts.session;
    call.user = facts.user;
    call.tenant = facts.tenant;
    call.environment = facts.environment;
    call.model = facts.model;
    call.prompt_version = facts.prompt;
    call.journey = is_same_secret(request.header("tagout-journey"), core.options.journey_secret);
    const auto catalog = core.parts.catalog();
    contain::add_facts(*catalog, call);
    call.arguments = facts.arguments;
    const bool probe = is_same_secret(request.header("tagout-probe"), core.probe_secret);
    if (probe) {
        call.arguments = contain::unknown_arguments;
    }
    const Ruling ruling =
        probe ? core.probe(*core.snapshot(loop), call) : core.admit(*core.snapshot(loop), call);
    if (!probe) {
        core.meters.count_decision(call.kind, ruling.verdict);
        if (core.parts.asked && call.kind == CallKind::Tool && ruling.verdict != Verdict::Deny) {
            core.parts.asked({call.tool, call.session, request.header("traceparent")});
        }
    }
    core.meters.request(Road::Decide, probe ? Outcome::Probe : Outcome::Answered).add();
    return {
        200,
        {{"Content-Type", "application/json"},
         {"Cache-Control", "no-store"},
         {"tagout-decision", decision_header(ruling)}},
        decision_json(
            ruling, Redaction(core.snapshot(loop), ruling.redactions)
                        .redacted(RedactWhere::Arguments, facts.arguments)
        )};
}

net::ServerResponse answer_version(
    const Core& core, std::string_view family, std::string_view name,
    const net::ServerRequest& request
) {
    const std::string label = request.query("label");
    std::string pinned_by;
    auto fetched = core.version(
        core.newest(), read_caller(request.headers, core.options.journey_secret), family, name,
        label.empty() ? default_label : label, pinned_by
    );
    if (!fetched) {
        core.meters.request(Road::Versions, Outcome::Invalid).add();
        return error_response(
            status_of(fetched.error().code), name_of(fetched.error().code),
            fetched.error().message + (pinned_by.empty() ? "" : "; " + pinned_by + " pins it")
        );
    }
    core.meters.request(Road::Versions, Outcome::Answered).add();
    net::Headers headers{
        {"Content-Type", "application/json"},
        {"ETag", fetched->etag},
        {"Cache-Control", "no-cache"}};
    if (!pinned_by.empty()) {
        headers.emplace_back("tagout-pinned", pinned_by);
    }
    const std::string_view known = request.header("If-None-Match");
    if (!fetched->etag.empty() && (known == "*" || net::has_token(known, fetched->etag))) {
        return {304, std::move(headers), ""};
    }
    return {200, std::move(headers), std::move(fetched->body)};
}

}  // namespace tagout::gateway
