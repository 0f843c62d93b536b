#include "gateway/flag_road.h"

#include "contain/unknown_arguments.h"
#include "gateway/identity.h"
#include "gateway/json_scan.h"
#include "net/url.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace tagout::gateway {

namespace {

/// What an evaluation context says of a call; owned, because flags outlive no request.
struct FlagContext {
    std::string server, agent, workflow, session, user, tenant, environment, model, prompt;
};
struct ContextField {
    std::string_view key;
    std::string FlagContext::*field;
};
constexpr std::array<ContextField, 9> context_fields{{
    {"server", &FlagContext::server},
    {"agent", &FlagContext::agent},
    {"workflow", &FlagContext::workflow},
    {"session", &FlagContext::session},
    {"user", &FlagContext::user},
    {"tenant", &FlagContext::tenant},
    {"environment", &FlagContext::environment},
    {"model", &FlagContext::model},
    {"prompt", &FlagContext::prompt},
}};

enum class FlagKind : std::uint8_t { Tool, Agent, Workflow, Model, Route };
constexpr std::array<std::pair<std::string_view, FlagKind>, 5> flag_kinds{{
    {"tool:", FlagKind::Tool},
    {"agent:", FlagKind::Agent},
    {"workflow:", FlagKind::Workflow},
    {"model:", FlagKind::Model},
    {"route:", FlagKind::Route},
}};

net::ServerResponse flag_error(
    int status, const std::string& key, std::string_view code, const std::string& details
) {
    return {
        status,
        {{"Content-Type", "application/json"}},
        "{" + (key.empty() ? "" : "\"key\":" + quoted(key) + ",") +
            "\"errorCode\":" + quoted(code) + ",\"errorDetails\":" + quoted(details) + "}\n"};
}

/// Other members of a context are the client's own affair: texts of these names are read.
Result<FlagContext> read_context(const PaddedBytes& body) {
    FlagContext read;
    if (body.size() == 0) {
        return read;
    }
    TAGOUT_TRY(check_json(body));
    const RawJson context = member(trimmed(body.view()), "context");
    if (!is_object(trimmed(body.view())) || (!context.empty() && !is_object(context))) {
        return fail(
            ErrorCode::InvalidArgument, R"(the body must be {"context": {"targetingKey": "..."}})"
        );
    }
    for (const ContextField& each : context_fields) {
        read.*each.field = string_of(member(context, each.key)).value_or("");
    }
    if (read.user.empty()) {
        read.user = string_of(member(context, "targetingKey")).value_or("");
    }
    return read;
}

class Evaluation {
public:
    /// `proven`: the agent that asks, who is told of no other's flags; "" where nobody proved to be
    /// one.
    Evaluation(
        const Core& core, const Snapshot& snapshot, const FlagContext& context,
        std::string_view proven
    )
        : core_(core),
          snapshot_(snapshot),
          context_(context),
          proven_(proven),
          catalog_(core.parts.catalog()) {}

    [[nodiscard]] std::uint64_t revision() const noexcept { return snapshot_->revision(); }
    /// The flag as JSON; "" if no flag is called so. One of many goes without its revision, so that
    /// an ETag over them changes only when an answer does.
    [[nodiscard]] std::string flag(const std::string& key, bool alone) const {
        for (const auto& [prefix, kind] : flag_kinds) {
            if (key.starts_with(prefix) && key.size() > prefix.size()) {
                if (kind == FlagKind::Agent && !may_ask_for(key.substr(prefix.size()))) {
                    return "";
                }
                return flag(key, kind, key.substr(prefix.size()), alone);
            }
        }
        return "";
    }

    [[nodiscard]] std::vector<std::string> known_keys() const {
        std::set<std::string> keys;
        const auto add = [&](std::string_view prefix, const std::string& name) {
            if (!name.empty() && name.find_first_of("*?") == std::string::npos) {
                keys.insert(std::string(prefix) + name);
            }
        };
        const catalog::Contents& contents = catalog_->contents();
        for (const catalog::Tool& tool : contents.tools) {
            add("tool:", tool.name.text());
        }
        for (const catalog::McpServer& server : contents.mcp_servers) {
            for (const std::string& tool : core_.tools_of(server.name)) {
                add("tool:", tool);
            }
        }
        for (const catalog::Agent& agent : contents.agents) {
            if (may_ask_for(agent.name.text())) {
                add("agent:", agent.name.text());
            }
        }
        for (const catalog::Workflow& workflow : contents.workflows) {
            add("workflow:", workflow.name.text());
            add("route:", workflow.name.text());
        }
        return {keys.begin(), keys.end()};
    }

private:
    [[nodiscard]] bool may_ask_for(std::string_view agent) const {
        return proven_.empty() || agent == proven_;
    }
    [[nodiscard]] ToolCall call_of(FlagKind kind, const std::string& name) const {
        ToolCall call;
        call.server = context_.server;
        call.agent = context_.agent;
        call.workflow = context_.workflow;
        call.session = context_.session;
        call.user = context_.user;
        call.tenant = context_.tenant;
        call.environment = context_.environment;
        call.model = context_.model;
        call.prompt_version = context_.prompt;
        switch (kind) {
            case FlagKind::Tool:
                call.kind = CallKind::Tool;
                call.tool = name;
                call.arguments = contain::unknown_arguments;
                contain::add_facts(*catalog_, call);
                break;
            case FlagKind::Agent:  // What stops every call of an agent stops its model calls.
                call.kind = CallKind::Model;
                call.agent = name;
                break;
            case FlagKind::Model:
                call.kind = CallKind::Model;
                call.model = name;
                break;
            case FlagKind::Workflow:
            case FlagKind::Route:
                call.kind = CallKind::Workflow;
                call.workflow = name;
                break;
        }
        return call;
    }

    [[nodiscard]] std::string flag(
        const std::string& key, FlagKind kind, const std::string& name, bool alone
    ) const {
        const Ruling ruling = core_.rule(*snapshot_, call_of(kind, name));
        const bool open = ruling.verdict == Verdict::Allow || ruling.verdict == Verdict::Modify;
        std::string json = "{\"key\":" + quoted(key);
        if (kind != FlagKind::Route) {
            json += std::string(",\"value\":") + (open ? "true" : "false");
        } else if (open) {
            json +=
                ",\"value\":" + quoted(ruling.route_to.empty() ? name : ruling.route_to);
        }
        const std::string_view variant = ruling.verdict == Verdict::Allow      ? "open"
                                         : ruling.verdict == Verdict::Modify   ? "routed"
                                         : ruling.verdict == Verdict::Escalate ? "approval"
                                                                               : "stopped";
        json += std::string(",\"reason\":\"") + (ruling.by.empty() ? "STATIC" : "TARGETING_MATCH") +
                "\",\"variant\":" + quoted(variant) + ",\"metadata\":{";
        bool first = true;
        const auto add = [&](std::string_view member, const std::string& value) {
            if (!value.empty()) {
                json += std::string(std::exchange(first, false) ? "" : ",") + quoted(member) + ":" +
                        quoted(value);
            }
        };
        add("decidedBy", ruling.by);
        add("why", ruling.for_model);
        add("incident", ruling.incident);
        add("shadow", ruling.shadow);
        if (alone) {
            json += (first ? "" : ",") + ("\"revision\":" + std::to_string(ruling.revision));
        }
        return json + "}}";
    }

    const Core& core_;
    const Snapshot& snapshot_;
    const FlagContext& context_;
    const std::string_view proven_;
    const std::shared_ptr<const catalog::Catalog> catalog_;
};

/// All of them, and an ETag that changes when an answer would.
net::ServerResponse answer_all(
    const Evaluation& evaluation, const net::ServerRequest& request, bool secure
) {
    std::string flags;
    for (const std::string& key : evaluation.known_keys()) {
        flags += (flags.empty() ? "" : ",") + evaluation.flag(key, false);
    }
    const std::string etag = "\"" + std::to_string(XXH3_64bits(flags.data(), flags.size())) + "\"";
    net::Headers headers{
        {"Content-Type", "application/json"}, {"ETag", etag}, {"Cache-Control", "no-cache"}};
    if (const std::string_view known = request.header("If-None-Match");
        known == "*" || net::has_token(known, etag)) {
        return {304, std::move(headers), ""};
    }
    return {
        200,
        std::move(headers),
        "{\"flags\":[" + flags + R"(],"eventStreams":[{"type":"sse","endpoint":{"origin":)" +
            quoted((secure ? "https://" : "http://") + std::string(request.header("Host"))) +
            R"(,"requestUri":)" + quoted(flag_events_path) +
            "}}],\"metadata\":{\"revision\":" + std::to_string(evaluation.revision()) + "}}\n"};
}

}  // namespace

net::ServerResponse answer_flags(
    Core& core, const net::EventLoop& loop, const std::string& key,
    const net::ServerRequest& request
) {
    auto context = read_context(request.body);
    if (!context) {
        core.meters.request(Road::Decide, Outcome::Invalid).add();
        const bool no_json = context.error().message.starts_with("not JSON");
        return flag_error(
            400, key, no_json ? "PARSE_ERROR" : "INVALID_CONTEXT", context.error().message
        );
    }
    if (auto refusal = refuse_other_agent(core, "flags", request, context->agent)) {
        core.meters.request(Road::Decide, Outcome::Refused).add();
        return std::move(*refusal);
    }
    const std::string_view proven = request.header(proven_agent_header);
    if (context->agent.empty()) {
        context->agent = proven;
    }
    const Evaluation evaluation(core, core.snapshot(loop), *context, proven);
    if (key.empty()) {
        core.meters.request(Road::Decide, Outcome::Answered).add();
        return answer_all(evaluation, request, core.options.tls.has_value());
    }
    std::string flag = evaluation.flag(key, true);
    if (flag.empty()) {
        core.meters.request(Road::Decide, Outcome::Invalid).add();
        return flag_error(
            404,
            key,
            "FLAG_NOT_FOUND",
            "flags are called tool:NAME, agent:NAME, workflow:NAME, model:NAME or route:WORKFLOW"
        );
    }
    core.meters.request(Road::Decide, Outcome::Answered).add();
    return {
        200,
        {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
        std::move(flag) + "\n"};
}

void FlagEvents::start(
    std::shared_ptr<Core> core, net::ServerRequest request,
    std::shared_ptr<net::Responder> responder
) {
    const std::shared_ptr<FlagEvents> events(
        new FlagEvents(std::move(core), Road::Decide, std::move(request), std::move(responder))
    );
    events->enter();
    events->open(
        {200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}, ""},
        std::nullopt
    );
    events->write(": changes of flags are told here\nretry: 1000\n\n");
    events->tell();  // Whoever comes back may have missed one.
}

void FlagEvents::judge_again(const Snapshot&, const Snapshot&) {
    tell();
}

void FlagEvents::tell() {
    const std::string revision = std::to_string(snapshot()->revision());
    write(
        "id: " + revision + "\nevent: message\ndata: {\"type\":\"refetchEvaluation\",\"etag\":" +
        quoted(revision) + "}\n\n"
    );
}

}  // namespace tagout::gateway
