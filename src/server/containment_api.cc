#include "server/containment_api.h"

#include "catalog/value_text.h"
#include "contain/control_json.h"
#include "contain/playbook.h"
#include "contain/redactor.h"
#include "server/body.h"

#include <boost/json.hpp>

#include <algorithm>
#include <thread>

namespace tagout::server {

namespace {

namespace json = boost::json;
using contain::By;
using contain::ControlView;

constexpr std::size_t reason_bytes_max = contain::Controls::reason_bytes_max;
constexpr std::size_t name_bytes_max = 256;
constexpr std::size_t session_bytes_max = 512;
constexpr std::size_t scope_bytes_max = 300;

constexpr std::string_view mode_names =
    "observe, read_only, approvals, allowlist, stopped, route, throttle, redact, budget, pin";

constexpr std::string_view key_names = "session, agent, user, tenant, tool, scope";

By read_by(Body& body, bool reason_required) {
    Actor actor = read_actor(body);
    return {std::move(actor), body.text("reason", reason_required, reason_bytes_max)};
}

std::string text_of(const ControlView& view) {
    return json::serialize(contain::tree_of(view));
}

json::array rows_of(const std::vector<ControlView>& views) {
    json::array rows;
    for (const ControlView& view : views) {
        rows.push_back(contain::tree_of(view));
    }
    return rows;
}

Result<std::string> list_controls(
    const contain::Controls& controls, const net::ServerRequest& request
) {
    const std::string state = request.query("state");
    if (!state.empty() && state != "in_force" && state != "all") {
        return fail(ErrorCode::InvalidArgument, "'state' must be in_force or all");
    }
    json::array points;
    for (const contain::PointStatus& point : controls.points()) {
        points.push_back(contain::tree_of(point));
    }
    return json::serialize(json::object{
        {"controls", rows_of(controls.list(state == "all"))},
        {"points", std::move(points)},
        {"revision", controls.snapshot()->revision()}});
}

/// What effects need, as given; empty of what is not there.
struct GivenTerms {
    std::string rate;
    std::string budget;
    EffectTerms terms;
    bool is_approver = true;  ///< `approver` is absent, or one that there is.
};

GivenTerms read_terms(Body& body) {
    GivenTerms given;
    given.rate = body.text("rate", false, name_bytes_max);
    given.terms.pin = body.texts("pin", contain::pinned_versions_max, name_bytes_max + 40);
    given.budget = body.text("budget", false, name_bytes_max);
    given.terms.key = body.choice("key", false, key_names, parse_limit_key).value_or(LimitKey::Scope);
    given.terms.redact =
        body.texts("redact", contain::redact_kinds_max, contain::redact_pattern_bytes_max + 3);
    const std::string approver = body.text("approver", false, name_bytes_max);
    given.terms.user_approves = approver == "user";
    given.is_approver = approver.empty() || approver == "user" || approver == "operator";
    given.terms.where = body.choice("where", false, "arguments, results, both", parse_redact_where)
                            .value_or(RedactWhere::Both);
    return given;
}

Result<EffectTerms> terms_of(GivenTerms given) {
    if (!given.rate.empty() && !parse_rate(given.rate, given.terms)) {
        return fail(
            ErrorCode::InvalidArgument,
            "'rate' must be calls and a period of 1s to 1d, such as 20/1m"
        );
    }
    if (!given.budget.empty() && !given.rate.empty()) {
        return fail(ErrorCode::InvalidArgument, "'rate' and 'budget' belong to different modes; remove one");
    }
    if (!given.budget.empty() && !parse_budget(given.budget, given.terms)) {
        return fail(
            ErrorCode::InvalidArgument,
            "'budget' must be an amount in tokens or usd, such as '200000 tokens/1d' or '2.50 usd': the "
            "period from 1m to 31d, or none for all that is spent while the control stands"
        );
    }
    if (!given.is_approver) {
        return fail(ErrorCode::InvalidArgument, "'approver' must be one of operator, user");
    }
    return std::move(given.terms);
}

constexpr std::size_t policy_bytes_max = 1024 * 1024;

/// "1h", "36h", "7d": how far back; an hour when it is not said.
Result<Duration> since_of(const std::string& text) {
    Duration since = std::chrono::hours(1);
    if (text.empty()) {
        return since;
    }
    constexpr double most = 31.0 * 86'400;
    if (auto problem = catalog::read_value(text, catalog::Bounds{1, most, "s"}, since)) {
        return fail(
            ErrorCode::InvalidArgument, "'since': " + problem->what + ". " + problem->remedy
        );
    }
    return since;
}

Result<std::string> answer_backtest(
    const ContainmentParts& parts, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
) {
    if (parts.backtester == nullptr) {
        return fail(ErrorCode::Unavailable, "this server has no evidence to run a back-test on");
    }
    if (operation == "suggestPolicy") {
        const Duration since = TAGOUT_TRY(since_of(request.query("since")));
        return parts.backtester->suggest(IncidentId(argument), since);
    }
    const std::string_view text = request.body.view();
    Body body = TAGOUT_TRY(Body::parse(text.empty() ? "{}" : text));
    const std::string since_text = body.text("since", false, name_bytes_max);
    if (operation == "backtestPolicy") {
        const std::string yaml = body.text("content", true, policy_bytes_max);
        if (auto error = body.error()) {
            return std::unexpected(std::move(*error));
        }
        return parts.backtester->policy(yaml, TAGOUT_TRY(since_of(since_text)));
    }
    contain::ControlDraft draft;
    const std::string scope = body.text("scope", true, scope_bytes_max);
    const auto mode = body.choice("mode", true, mode_names, parse_control_mode);
    draft.allowed = body.texts("allowed", contain::Controls::allowed_max, name_bytes_max);
    draft.route_to = WorkflowName(body.text("route_to", false, name_bytes_max));
    GivenTerms terms = read_terms(body);
    // What applying it would need besides is not looked at.
    for (const char* const name : {"incident", "review_by", "reason", "actor"}) {
        body.ignore(name);
    }
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    draft.scope = TAGOUT_TRY(read_scope(scope));
    draft.mode = *mode;
    draft.terms = TAGOUT_TRY(terms_of(std::move(terms)));
    return parts.backtester->control(draft, TAGOUT_TRY(since_of(since_text)));
}

/// Whoever asked for a version that nobody published would get none at all.
Result<void> check_pins(const ContainmentParts& parts, const contain::ControlDraft& draft) {
    for (const std::string& each : draft.terms.pin) {
        const auto version = parse_pinned_version(each);
        if (!version || !parts.check_version) {
            continue;  // The book refuses what names no version.
        }
        if (const Result<void> known = parts.check_version(*version); !known) {
            return fail(known.error().code, "pin " + each + ": " + known.error().message);
        }
    }
    return {};
}

Result<std::string> apply_control(
    const ContainmentParts& parts, const incident::Desk& desk, Body body
) {
    contain::ControlDraft draft;
    const std::string scope = body.text("scope", true, scope_bytes_max);
    const auto mode = body.choice("mode", true, mode_names, parse_control_mode);
    draft.allowed = body.texts("allowed", contain::Controls::allowed_max, name_bytes_max);
    draft.route_to = WorkflowName(body.text("route_to", false, name_bytes_max));
    GivenTerms terms = read_terms(body);
    draft.incident = IncidentId(body.text("incident", false, name_bytes_max));
    draft.review_by = body.time("review_by", false);
    const By by = read_by(body, true);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    draft.scope = TAGOUT_TRY(read_scope(scope));
    draft.mode = *mode;
    draft.terms = TAGOUT_TRY(terms_of(std::move(terms)));
    if (!draft.incident.empty()) {
        TAGOUT_TRY(desk.get(draft.incident));  // NotFound names it.
    }
    TAGOUT_TRY(check_pins(parts, draft));
    const contain::ControlView applied = TAGOUT_TRY(parts.controls->apply(draft, by));
    return text_of(settled(*parts.controls, applied));
}

/// How far a release goes, as it was asked for.
struct GivenStage {
    ReleaseStage stage = ReleaseStage::All;
    std::string tenant;
    std::optional<std::uint64_t> share;
};

GivenStage read_stage(Body& body) {
    GivenStage given;
    given.stage = body.choice("stage", false, "shadow, tenant, share, all", parse_release_stage)
                      .value_or(ReleaseStage::All);
    given.tenant = body.text("tenant", false, name_bytes_max);
    given.share = body.number("share", false);
    return given;
}

Result<ControlView> release_in_stages(
    contain::Controls& controls, const ControlId& id, const GivenStage& given, const By& by,
    std::string_view without_journeys
) {
    const auto refuse = [](std::string message) {
        return fail(ErrorCode::InvalidArgument, std::move(message));
    };
    if (!given.tenant.empty() && given.stage != ReleaseStage::Tenant) {
        return refuse("'tenant' belongs to stage tenant; the stages after it keep it open");
    }
    if (given.share && given.stage != ReleaseStage::Share) {
        return refuse("'share' belongs to stage share");
    }
    switch (given.stage) {
        case ReleaseStage::All:
            return controls.release(id, by, without_journeys);
        case ReleaseStage::Shadow:
            return controls.put_back(id, by, true);
        case ReleaseStage::Tenant:
            if (given.tenant.empty()) {
                return refuse("stage tenant needs 'tenant': whose calls pass");
            }
            return controls.open_stage(id, {given.tenant, 0}, by, without_journeys);
        case ReleaseStage::Share: {
            if (!given.share || *given.share == 0 || *given.share > 99) {
                return refuse("stage share needs 'share': 1 to 99 percent of the sessions");
            }
            const ControlView now = TAGOUT_TRY(controls.get(id));
            const Opening opening{
                now.control.opening.tenant, static_cast<std::uint32_t>(*given.share)};
            return controls.open_stage(id, opening, by, without_journeys);
        }
        case ReleaseStage::None:
            break;
    }
    return refuse("'stage' must be shadow, tenant, share or all");
}

Result<std::string> change_control(
    contain::Controls& controls, std::string_view operation, const ControlId& id, Body body
) {
    std::optional<Instant> review_by;
    std::string without_journeys;
    GivenStage stage;
    if (operation == "renewControl") {
        review_by = body.time("review_by", true);
    } else if (operation == "releaseControl") {
        without_journeys = body.text("without_journeys", false, reason_bytes_max);
        stage = read_stage(body);
    }
    const By by = read_by(body, operation != "probeControl");
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    if (operation == "renewControl") {
        return text_of(TAGOUT_TRY(controls.renew(id, *review_by, by)));
    }
    if (operation == "requestRelease") {
        return text_of(TAGOUT_TRY(controls.request_release(id, by)));
    }
    if (operation == "releaseControl") {
        return text_of(TAGOUT_TRY(release_in_stages(controls, id, stage, by, without_journeys)));
    }
    return text_of(TAGOUT_TRY(controls.probe(id, by)));
}

Result<std::string> answer_approval(
    contain::Approvals& approvals, std::string_view operation, std::string_view argument, Body body
) {
    const By by = read_by(body, false);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    const std::string id(argument);
    const contain::PendingApproval answered = TAGOUT_TRY(
        operation == "approveCall" ? approvals.approve(id, by) : approvals.deny(id, by)
    );
    return json::serialize(contain::tree_of(answered));
}

std::string list_approvals(const contain::Approvals& approvals) {
    json::array rows;
    for (const contain::PendingApproval& each : approvals.pending()) {
        rows.push_back(contain::tree_of(each));
    }
    return json::serialize(json::object{{"approvals", std::move(rows)}});
}

Result<std::string> answer_tools(
    const ContainmentParts& parts, std::string_view operation, const net::ServerRequest& request
) {
    if (parts.pins == nullptr) {
        return fail(ErrorCode::Unavailable, "this server pins no definitions of tools");
    }
    if (operation == "listTools") {
        const std::string state = request.query("state");
        if (!state.empty() && state != "all" && state != "changed") {
            return fail(ErrorCode::InvalidArgument, "'state' must be all or changed");
        }
        json::array rows;
        for (const contain::PinnedTool& each : parts.pins->list(state == "changed")) {
            rows.push_back(contain::tree_of(each));
        }
        return json::serialize(json::object{{"tools", std::move(rows)}});
    }
    Body body = TAGOUT_TRY(Body::parse(request.body.view()));
    const std::string server = body.text("server", true, name_bytes_max);
    const std::string tool = body.text("tool", true, name_bytes_max);
    const std::string hash = body.text("hash", true, name_bytes_max);
    const By by = read_by(body, true);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    return json::serialize(
        contain::tree_of(TAGOUT_TRY(parts.pins->approve(server, tool, hash, by)))
    );
}

Result<std::string> incident_containment(
    const ContainmentParts& parts, const incident::Desk& desk, std::string_view argument
) {
    const incident::Incident incident = TAGOUT_TRY(desk.get(IncidentId(argument)));
    std::vector<ControlView> controls = parts.controls->list(true);
    json::array proposals;
    const contain::IncidentFacts facts{
        .id = incident.id,
        .failure_class = incident.failure_class,
        .severity = incident.severity,
        .agent = incident.agent,
        .workflow = incident.workflow,
        .tool = incident.tool};
    for (const contain::Proposal& proposal : contain::propose(facts, *parts.catalog())) {
        json::object row = contain::tree_of(proposal);
        const auto same = std::ranges::find_if(controls, [&](const ControlView& view) {
            return proposal.draft && !view.released_at &&
                   view.control.scope == proposal.draft->scope &&
                   view.control.mode == proposal.draft->mode;
        });
        if (same != controls.end()) {
            row["control"] = same->control.id.text();
        }
        proposals.push_back(std::move(row));
    }
    std::erase_if(controls, [&](const ControlView& view) {
        return view.control.incident != incident.id;
    });
    return json::serialize(json::object{
        {"proposals", std::move(proposals)}, {"controls", rows_of(controls)}});
}

Result<std::string> answer_decide(
    const contain::ControlSnapshot& snapshot, const catalog::Catalog& catalog, Instant now,
    std::string_view text
) {
    Body body = TAGOUT_TRY(Body::parse(text));
    const auto kind = body.choice("kind", false, "tool, model, workflow", parse_call_kind);
    const std::string tool = body.text("tool", false, name_bytes_max);
    const std::string server = body.text("server", false, name_bytes_max);
    const std::string agent = body.text("agent", false, name_bytes_max);
    const std::string workflow = body.text("workflow", false, name_bytes_max);
    const std::string session = body.text("session", false, session_bytes_max);
    const std::string user = body.text("user", false, name_bytes_max);
    const std::string tenant = body.text("tenant", false, name_bytes_max);
    const std::string environment = body.text("environment", false, name_bytes_max);
    const std::string model = body.text("model", false, name_bytes_max);
    const std::string prompt = body.text("prompt", false, name_bytes_max);
    const std::string arguments = body.json("arguments", false);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    ToolCall call;
    call.kind = kind.value_or(CallKind::Tool);
    if (call.kind == CallKind::Tool && tool.empty()) {
        return fail(
            ErrorCode::InvalidArgument, "'tool' is missing; or send kind model or workflow"
        );
    }
    call.tool = tool;
    call.server = server;
    call.agent = agent;
    call.workflow = workflow;
    call.session = session;
    call.user = user;
    call.tenant = tenant;
    call.environment = environment;
    call.model = model;
    call.prompt_version = prompt;
    call.arguments = arguments;
    call.now = now;
    contain::add_facts(catalog, call);
    return json::serialize(contain::tree_of(contain::decide(snapshot, call)));
}

}  // namespace

Result<Scope> read_scope(const std::string& text) {
    std::optional<Scope> scope = parse_scope(text);
    if (!scope) {
        return fail(
            ErrorCode::InvalidArgument,
            "'" + text.substr(0, 60) +
                "' is no scope; write global, or KIND:NAME with one of tenant, environment, agent, "
                "workflow, tool, tool_class (read, write, egress, high_risk), mcp_server, model, "
                "prompt_version, session, user"
        );
    }
    return std::move(*scope);
}

/// Points acknowledge and probes come back within milliseconds: whoever stopped something is told of it
/// at once. What takes longer is told as it stands.
contain::ControlView settled(contain::Controls& controls, const contain::ControlView& applied) {
    constexpr Duration patience = std::chrono::seconds(1);
    constexpr int looks_max = 50;
    constexpr Duration pause = std::chrono::milliseconds(5);
    if (!controls.wait_in_force(patience)) {
        return controls.get(applied.control.id).value_or(applied);
    }
    for (int look = 0; look < looks_max; ++look) {
        const Result<contain::ControlView> now = controls.get(applied.control.id);
        const bool waits = now && contain::can_be_proved(now->control.mode) &&
                           (now->state == contain::ControlState::Requested ||
                            now->state == contain::ControlState::Acknowledged);
        if (!waits) {
            return now.value_or(applied);
        }
        std::this_thread::sleep_for(pause);
    }
    return controls.get(applied.control.id).value_or(applied);
}

bool is_containment(std::string_view operation) noexcept {
    constexpr std::array operations{
        std::string_view("getIncidentContainment"),
        std::string_view("listControls"),
        std::string_view("applyControl"),
        std::string_view("getControl"),
        std::string_view("probeControl"),
        std::string_view("renewControl"),
        std::string_view("requestRelease"),
        std::string_view("releaseControl"),
        std::string_view("decide"),
        std::string_view("backtestControl"),
        std::string_view("backtestPolicy"),
        std::string_view("suggestPolicy"),
        std::string_view("listApprovals"),
        std::string_view("approveCall"),
        std::string_view("denyCall"),
        std::string_view("listTools"),
        std::string_view("approveTool")};
    return std::ranges::find(operations, operation) != operations.end();
}

Result<std::string> answer_containment(
    const ContainmentParts& parts, const incident::Desk& desk, std::string_view operation,
    std::string_view argument, const net::ServerRequest& request
) {
    if (parts.controls == nullptr || parts.approvals == nullptr || !parts.catalog) {
        return fail(ErrorCode::Unavailable, "this server has no book of controls");
    }
    if (operation == "listControls") {
        return list_controls(*parts.controls, request);
    }
    if (operation == "getControl") {
        return text_of(TAGOUT_TRY(parts.controls->get(ControlId(argument))));
    }
    if (operation == "getIncidentContainment") {
        return incident_containment(parts, desk, argument);
    }
    if (operation == "backtestControl" || operation == "backtestPolicy" ||
        operation == "suggestPolicy") {
        return answer_backtest(parts, operation, argument, request);
    }
    if (operation == "listTools" || operation == "approveTool") {
        return answer_tools(parts, operation, request);
    }
    if (operation == "listApprovals") {
        return list_approvals(*parts.approvals);
    }
    const std::string_view text = request.body.view();
    if (operation == "decide") {
        const Instant now = parts.clock == nullptr ? Instant{} : parts.clock->now();
        return answer_decide(*parts.controls->snapshot(), *parts.catalog(), now, text);
    }
    Body body = TAGOUT_TRY(Body::parse(text.empty() ? "{}" : text));
    if (operation == "applyControl") {
        return apply_control(parts, desk, std::move(body));
    }
    if (operation == "approveCall" || operation == "denyCall") {
        return answer_approval(*parts.approvals, operation, argument, std::move(body));
    }
    return change_control(*parts.controls, operation, ControlId(argument), std::move(body));
}

}  // namespace tagout::server
