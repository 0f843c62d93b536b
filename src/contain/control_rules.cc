#include "contain/control_rules.h"

#include "contain/redactor.h"

#include "domain/named_enum.h"

#include <algorithm>
#include <set>

namespace tagout::contain {

namespace {

constexpr std::array control_state_names{
    EnumName{ControlState::Requested, "requested"},
    EnumName{ControlState::Acknowledged, "acknowledged"},
    EnumName{ControlState::Proved, "proved"},
    EnumName{ControlState::Unproved, "unproved"},
    EnumName{ControlState::Released, "released"},
};

constexpr std::array review_names{
    EnumName{Review::Ahead, "ahead"},
    EnumName{Review::Near, "near"},
    EnumName{Review::Passed, "passed"},
};

constexpr std::array change_names{
    EnumName{ControlChange::What::Applied, "applied"},
    EnumName{ControlChange::What::Acknowledged, "acknowledged"},
    EnumName{ControlChange::What::Proved, "proved"},
    EnumName{ControlChange::What::Unproved, "unproved"},
    EnumName{ControlChange::What::Renewed, "renewed"},
    EnumName{ControlChange::What::ReleaseRequested, "release_requested"},
    EnumName{ControlChange::What::Released, "released"},
    EnumName{ControlChange::What::Due, "due"},
    EnumName{ControlChange::What::Adopted, "adopted"},
    EnumName{ControlChange::What::HandedOver, "handed_over"},
    EnumName{ControlChange::What::Overdue, "overdue"},
    EnumName{ControlChange::What::Opened, "opened"},
    EnumName{ControlChange::What::PutBack, "put_back"},
};

std::unexpected<Error> refuse(std::string message) {
    return fail(ErrorCode::InvalidArgument, std::move(message));
}

bool is_glob(std::string_view text) {
    return text.find_first_of("*?") != std::string_view::npos;
}

bool is_person(const Actor& actor) {
    return actor.text().starts_with("person:") && actor.text().size() > 7;
}

/// One person who signs in two ways is still one person.
std::string folded(const Actor& actor) {
    std::string text;
    for (const char c : actor.text()) {
        if (c != ' ' && c != '\t') {
            text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return text;
}

/// Whether any call that `scope` covers could be refused by `mode`.
Result<void> check_mode(const Scope& scope, ControlMode mode) {
    const std::string name(name_of(mode));
    const bool about_writes = mode == ControlMode::ReadOnly || mode == ControlMode::Approvals;
    if (mode == ControlMode::Route && scope.kind != ScopeKind::Workflow &&
        scope.kind != ScopeKind::Model) {
        return refuse(
            "mode route moves the requests of a workflow or a model; " + to_text(scope) +
            " is neither. Use scope workflow:NAME or model:NAME, or another mode"
        );
    }
    if (scope.kind == ScopeKind::Model && (about_writes || mode == ControlMode::Allowlist)) {
        return refuse(
            "mode " + name + " is about tools and would refuse nothing of " + to_text(scope) +
            ". Use stopped"
        );
    }
    if (mode == ControlMode::Budget &&
        (scope.kind == ScopeKind::Tool || scope.kind == ScopeKind::ToolClass ||
         scope.kind == ScopeKind::McpServer)) {
        return refuse(
            "a budget counts what models are paid, and " + to_text(scope) +
            " is no part of a request to a model. Use an agent, session, model, tenant or the like, or "
            "mode throttle"
        );
    }
    if (mode == ControlMode::Pin &&
        (scope.kind == ScopeKind::Tool || scope.kind == ScopeKind::ToolClass ||
         scope.kind == ScopeKind::McpServer || scope.kind == ScopeKind::Model ||
         scope.kind == ScopeKind::PromptVersion)) {
        return refuse(
            "versions are asked for by agents, and " + to_text(scope) +
            " is none. Use global, agent, workflow, session, user, tenant or environment"
        );
    }
    if (scope.kind == ScopeKind::ToolClass && scope.name == "read" && about_writes) {
        return refuse(
            "mode " + name + " lets reads pass and would refuse nothing of tool_class:read. Use stopped"
        );
    }
    return {};
}

/// Moved once only: what it is moved to is not moved again, so no circle can be.
Result<void> check_model_route(const ControlDraft& draft) {
    const std::string& target = draft.route_to.text();
    const std::size_t slash = target.find('/');
    const std::string_view model =
        slash == std::string::npos ? std::string_view(target) : std::string_view(target).substr(slash + 1);
    if (target.empty() || slash == 0 || is_glob(target) || !parse_scope("model:" + target)) {
        return refuse(
            "mode route of a model needs route_to: MODEL, UPSTREAM/MODEL, or UPSTREAM/ for the same "
            "model there"
        );
    }
    if (slash == std::string::npos && catalog::glob_matches(draft.scope.name, model)) {
        return refuse(
            to_text(draft.scope) + " covers " + target + " too, so nothing would change. Name another model"
        );
    }
    return {};
}

Result<void> check_route(const ControlDraft& draft, std::span<const Control> in_force) {
    const std::string& target = draft.route_to.text();
    if (draft.scope.kind == ScopeKind::Model) {
        return check_model_route(draft);
    }
    if (target.empty()) {
        return refuse("mode route needs route_to: the workflow that takes over");
    }
    if (is_glob(target) || !parse_scope("workflow:" + target)) {
        return refuse("route_to must be the name of one workflow");
    }
    if (catalog::glob_matches(draft.scope.name, target)) {
        return refuse(
            to_text(draft.scope) + " covers " + target +
            " too, so its requests would be routed to themselves. Name another workflow"
        );
    }
    // Follows what is routed already; a circle would send requests round for ever.
    std::set<std::string> seen{target};
    std::string at = target;
    while (true) {
        const auto next = std::ranges::find_if(in_force, [&](const Control& control) {
            return control.mode == ControlMode::Route && control.scope.kind == ScopeKind::Workflow &&
                   catalog::glob_matches(control.scope.name, at);
        });
        if (next == in_force.end()) {
            return {};
        }
        at = next->route_to.text();
        if (catalog::glob_matches(draft.scope.name, at) || !seen.insert(at).second) {
            return refuse(
                target + " is itself routed to " + next->route_to.text() + " by " +
                next->id.text() + ", which would lead back to " + to_text(draft.scope) +
                ". Name another workflow"
            );
        }
    }
}

Result<void> check_allowed(const ControlDraft& draft) {
    if (draft.allowed.empty()) {
        return refuse("mode allowlist needs the tools that stay allowed; without any, use stopped");
    }
    if (draft.allowed.size() > Controls::allowed_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "an allowlist holds at most " + std::to_string(Controls::allowed_max) +
                " entries; use globs"
        );
    }
    for (const std::string& name : draft.allowed) {
        if (!parse_scope("tool:" + name)) {
            return refuse("the allowlist has an entry that is no tool name or glob; remove it");
        }
    }
    return {};
}

Result<void> check_budget(const EffectTerms& terms) {
    if (terms.budget == 0) {
        return refuse(
            "mode budget needs a budget, such as '200000 tokens/1d' or '5 usd': the period from 1m to 31d, "
            "or none for all that is spent while it stands"
        );
    }
    if (terms.key == LimitKey::Tool) {
        return refuse("models are paid for no tool: a budget has key session, agent, user, tenant or scope");
    }
    return {};
}

Result<void> check_pin(const std::vector<std::string>& pin) {
    if (pin.empty() || pin.size() > pinned_versions_max) {
        return refuse(
            "mode pin needs 1 to " + std::to_string(pinned_versions_max) +
            " versions, such as prompts/support@v3 or model-routes/main@v2"
        );
    }
    std::set<std::string> seen;
    for (const std::string& each : pin) {
        const auto version = parse_pinned_version(each);
        if (!version) {
            return refuse(
                "'" + each.substr(0, 80) + "' names no version; write such as prompts/support@v3 or "
                "model-routes/main@v2"
            );
        }
        if (!seen.insert(version->family + "/" + version->name).second) {
            return refuse(version->family + "/" + version->name + " is pinned twice; name one version");
        }
    }
    return {};
}

Result<void> check_terms(const ControlDraft& draft) {
    const EffectTerms& terms = draft.terms;
    if (terms.user_approves && draft.mode != ControlMode::Approvals) {
        return refuse("approver belongs to mode approvals only; remove it");
    }
    if (draft.mode != ControlMode::Pin && !terms.pin.empty()) {
        return refuse("pin belongs to mode pin only; remove it");
    }
    if (draft.mode == ControlMode::Pin) {
        TAGOUT_TRY(check_pin(terms.pin));
    }
    if (draft.mode != ControlMode::Budget && terms.budget != 0) {
        return refuse("budget belongs to mode budget only; remove it");
    }
    if (draft.mode == ControlMode::Budget) {
        TAGOUT_TRY(check_budget(terms));
    }
    if (draft.mode == ControlMode::Throttle) {
        if (terms.calls == 0) {
            return refuse("mode throttle needs a rate, such as 20/1m: calls, and a period of 1s to 1d");
        }
        return terms.redact.empty()
                   ? Result<void>{}
                   : refuse("redact belongs to mode redact only; remove it");
    }
    if (terms.calls != 0) {
        return refuse("rate belongs to mode throttle only; remove it");
    }
    if (draft.mode == ControlMode::Redact) {
        TAGOUT_TRY(Redactor::make(terms.redact, terms.where));
        return {};
    }
    return terms.redact.empty() ? Result<void>{} : refuse("redact belongs to mode redact only; remove it");
}

Result<void> check_in_force(const ControlView& view) {
    if (view.released_at) {
        return fail(
            ErrorCode::Conflict,
            view.control.id.text() + " was released by " + view.released_by.text() + " at " +
                to_rfc3339(*view.released_at)
        );
    }
    return {};
}

}  // namespace

Result<void> check_reason(const By& by, std::string_view what) {
    if (by.reason.find_first_not_of(" \t\r\n") == std::string::npos) {
        return refuse(std::string(what) + " needs a reason");
    }
    if (by.reason.size() > Controls::reason_bytes_max) {
        return refuse(
            "the reason is over " + std::to_string(Controls::reason_bytes_max) + " bytes; shorten it"
        );
    }
    return {};
}

TAGOUT_DEFINE_NAMED_ENUM(ControlState, parse_control_state, control_state_names)
TAGOUT_DEFINE_NAMED_ENUM(Review, parse_review, review_names)

std::string_view name_of(ControlChange::What what) noexcept {
    return find_name(change_names, what);
}

Result<void> check_draft(
    const ControlDraft& draft, const By& by, std::span<const Control> in_force, Instant now
) {
    TAGOUT_TRY(check_reason(by, "a control"));
    if (parse_scope(to_text(draft.scope)) != draft.scope) {
        return refuse("'" + to_text(draft.scope).substr(0, 80) + "' is no scope");
    }
    TAGOUT_TRY(check_mode(draft.scope, draft.mode));
    if (draft.mode == ControlMode::Route) {
        TAGOUT_TRY(check_route(draft, in_force));
    } else if (!draft.route_to.empty()) {
        return refuse("route_to belongs to mode route only; remove it");
    }
    if (draft.mode == ControlMode::Allowlist) {
        TAGOUT_TRY(check_allowed(draft));
    } else if (!draft.allowed.empty()) {
        return refuse("allowed belongs to mode allowlist only; remove it");
    }
    TAGOUT_TRY(check_terms(draft));
    if (draft.review_by && *draft.review_by <= now) {
        return refuse("review_by must lie in the future");
    }
    for (const Control& control : in_force) {
        if (control.scope == draft.scope && control.mode == draft.mode) {
            return fail(
                ErrorCode::Conflict,
                control.id.text() + " already has " + to_text(draft.scope) + " " +
                    std::string(name_of(draft.mode)) + ", by " + control.author.text() + " since " +
                    to_rfc3339(control.since) + ": " + control.reason
            );
        }
    }
    return {};
}

Result<void> check_release_request(const ControlView& view, const By& by) {
    TAGOUT_TRY(check_in_force(view));
    TAGOUT_TRY(check_reason(by, "asking for a release"));
    if (!is_person(by.actor)) {
        return fail(
            ErrorCode::Unauthorized,
            "a release is asked for by a person: say who you are (actor; --as on the command line)"
        );
    }
    if (view.release_requested_at) {
        return fail(
            ErrorCode::Conflict,
            view.release_requested_by.text() + " asked for the release of " +
                view.control.id.text() + " at " + to_rfc3339(*view.release_requested_at) +
                "; somebody else may release it now"
        );
    }
    return {};
}

Result<void> check_release(const ControlView& view, const By& by) {
    TAGOUT_TRY(check_in_force(view));
    TAGOUT_TRY(check_reason(by, "a release"));
    const std::string id = view.control.id.text();
    if (!view.release_requested_at) {
        return fail(
            ErrorCode::Conflict,
            "nobody has asked for the release of " + id +
                ": one person asks (tagout contain request-release " + id +
                " --reason R --as NAME), then another releases"
        );
    }
    if (!is_person(by.actor)) {
        return fail(
            ErrorCode::Unauthorized,
            "a release is made by a person: say who you are (actor; --as on the command line)"
        );
    }
    for (const auto& [who, did] :
         {std::pair(view.control.author, "applied"),
          std::pair(view.release_requested_by, "asked for the release of")}) {
        if (folded(who) == folded(by.actor)) {
            return fail(
                ErrorCode::Unauthorized,
                by.actor.text() + " " + did + " " + id +
                    "; a second person must release it, who neither applied it nor asked"
            );
        }
    }
    return {};
}

Result<void> check_opening(const ControlView& view, const Opening& opening) {
    const Opening& now = view.control.opening;
    if (view.control.mode == ControlMode::Observe) {
        return refuse("mode observe refuses nothing: there is nothing to open in stages. Release it");
    }
    if (opening.is_shut()) {
        return refuse("a stage opens for a tenant or for a share of sessions: name one");
    }
    if (!opening.tenant.empty() &&
        (!parse_scope("tenant:" + opening.tenant) || is_glob(opening.tenant))) {
        return refuse("tenant must be the name of one tenant");
    }
    if (opening.share >= 100) {
        return refuse("share is 1 to 99 percent of the sessions; stage all releases it");
    }
    // A probe looks like what the control is about and must be refused at every stage.
    const Scope& scope = view.control.scope;
    if (!opening.tenant.empty() && scope.kind == ScopeKind::Tenant && !is_glob(scope.name)) {
        return refuse(to_text(scope) + " is about one tenant; a stage for it would be all of it");
    }
    if (opening.share > 0 && scope.kind == ScopeKind::Session) {
        return refuse(to_text(scope) + " is about sessions by name; there is no share of them");
    }
    const bool narrower = opening.share < now.share ||
                          (!now.tenant.empty() && opening.tenant != now.tenant);
    if (narrower || opening == now) {
        return refuse(
            view.control.id.text() + " is open for " + text_of(now) +
            " already; the next stage opens further (a larger share, or all)"
        );
    }
    return {};
}

Result<void> check_put_back(const ControlView& view, const By& by) {
    TAGOUT_TRY(check_in_force(view));
    TAGOUT_TRY(check_reason(by, "putting a stage back"));
    if (view.control.opening.is_shut()) {
        return fail(
            ErrorCode::Conflict,
            view.control.id.text() + " lets nobody but journeys pass; there is no stage to take back"
        );
    }
    return {};
}

Result<void> check_renewal(
    const ControlView& view, Instant review_by, const By& by, Instant now
) {
    TAGOUT_TRY(check_in_force(view));
    TAGOUT_TRY(check_reason(by, "a renewal"));
    if (review_by <= now) {
        return refuse("review_by must lie in the future");
    }
    return {};
}

std::string text_of(const Opening& opening) {
    std::string text;
    if (!opening.tenant.empty()) {
        text = "tenant " + opening.tenant;
    }
    if (opening.share > 0) {
        text += (text.empty() ? "" : " and ") + std::to_string(opening.share) + " % of the sessions";
    }
    return text.empty() ? "journeys alone" : text;
}

std::string sentence_of(
    ControlChange::What what, const ControlView& view, std::string_view reason
) {
    using What = ControlChange::What;
    const Control& control = view.control;
    const std::string id = control.id.text();
    const std::string what_it_is =
        std::string(name_of(control.mode)) + " for " + to_text(control.scope);
    switch (what) {
        case What::Applied:
            return (control.mode == ControlMode::Stopped
                        ? "Stopped " + to_text(control.scope)
                        : "Set " + what_it_is +
                              (control.route_to.empty() ? "" : " to " + control.route_to.text())) +
                   " (" + id + ")" + (control.rule.empty() ? "" : ", by " + control.rule) +
                   (view.origin.empty() ? "" : ", applied at a gateway's host as " + view.origin);
        case What::Acknowledged:
            return id + " (" + what_it_is + ") is enforced by every connected point, " +
                   std::to_string(view.tally.reached) + " of " + std::to_string(view.tally.of) +
                   (view.time_to_effect
                        ? ", " +
                              to_text(std::chrono::ceil<std::chrono::milliseconds>(
                                  *view.time_to_effect
                              )) +
                              " after it was asked for"
                        : "");
        case What::Proved:
            return id + " (" + what_it_is + ") is proved: a probe on every road was refused" +
                   (view.tally.away == 0
                        ? ""
                        : ", but " + std::to_string(view.tally.away) + " of " +
                              std::to_string(view.tally.of) +
                              " points are not connected, and of those nothing is known");
        case What::Unproved:
            return id + " (" + what_it_is + ") is NOT proved: " + std::string(reason);
        case What::Renewed:
            return id + " (" + what_it_is + ") stays until " + to_rfc3339(control.review_by);
        case What::ReleaseRequested:
            return view.release_requested_by.text() + " asks for the release of " + id + " (" +
                   what_it_is + ")";
        case What::Opened:
            return id + " (" + what_it_is + ") is open for " + text_of(control.opening);
        case What::PutBack:
            return id + " (" + what_it_is + ") was put back and is open for " +
                   text_of(control.opening) + ": " + std::string(reason);
        case What::Released:
            return "Released " + id + " (" + what_it_is + ")";
        case What::Adopted:
            return "The same as " + id + " (" + what_it_is +
                   ") was applied at a gateway's host while it was alone: " + std::string(reason);
        case What::HandedOver:
            return id + " (" + what_it_is + ") is the control server's now: " + std::string(reason);
        case What::Due:
            return id + " (" + what_it_is + ") is to be looked at by " +
                   to_rfc3339(control.review_by) + ": renew it or ask for its release";
        case What::Overdue:
            return id + " (" + what_it_is + ") was to be looked at by " +
                   to_rfc3339(control.review_by) +
                   ", and nobody did. It stays in force: renew it or ask for its release";
    }
    return id;
}

}  // namespace tagout::contain
