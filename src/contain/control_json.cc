#include "contain/control_json.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::contain {

namespace {

namespace json = boost::json;

void put(json::object& object, std::string_view name, const std::string& value) {
    if (!value.empty()) {
        object[name] = value;
    }
}

void put(json::object& object, std::string_view name, const std::optional<Instant>& at) {
    if (at) {
        object[name] = to_rfc3339(*at);
    }
}

json::object tree_of_effect(const PointEffect& effect) {
    json::object object{{"point", effect.point}};
    put(object, "acknowledged_at", effect.acknowledged_at);
    put(object, "proved_at", effect.proved_at);
    put(object, "error", effect.error);
    object["connected"] = effect.connected;
    object["roads"] = effect.roads;
    json::array probes;
    for (const ProbeResult& probe : effect.probes) {
        probes.push_back(tree_of(probe));
    }
    object["probes"] = std::move(probes);
    return object;
}

json::object definition_tree(const Definition& definition) {
    return {
        {"hash", definition.hash},
        {"definition", definition.text},
        {"at", to_rfc3339(definition.at)}};
}

}  // namespace

json::object tree_of(const ProbeResult& probe) {
    json::object object{
        {"road", probe.road},
        {"reached", probe.reached},
        {"verdict", name_of(probe.verdict)},
        {"detail", probe.detail}};
    put(object, "decided_by", probe.decided_by);
    return object;
}

json::object tree_of(const ControlView& view) {
    const Control& control = view.control;
    json::object object{
        {"id", control.id.text()},
        {"scope", to_text(control.scope)},
        {"mode", name_of(control.mode)},
        {"reason", control.reason},
        {"author", control.author.text()},
        {"since", to_rfc3339(control.since)},
        {"review_by", to_rfc3339(control.review_by)},
        {"review", name_of(view.review)},
        {"state", name_of(view.state)},
        {"requested_at", to_rfc3339(view.requested_at)},
        {"revision", view.revision},
        {"validating", control.validating},
        {"stage", name_of(view.released_at ? ReleaseStage::All : stage_of(control))},
        {"calls_refused", view.calls_refused}};
    if (!control.allowed.empty()) {
        object["allowed"] = json::array(control.allowed.begin(), control.allowed.end());
    }
    put(object, "route_to", control.route_to.text());
    put_terms(object, control);
    put(object, "incident", control.incident.text());
    put(object, "rule", control.rule);
    put(object, "published_at", view.published_at);
    put(object, "acknowledged_at", view.acknowledged_at);
    put(object, "proved_at", view.proved_at);
    if (view.time_to_effect) {
        object["time_to_effect_ms"] = static_cast<double>(view.time_to_effect->count()) / 1e6;
    }
    put(object, "release_requested_by", view.release_requested_by.text());
    put(object, "release_requested_at", view.release_requested_at);
    put(object, "release_reason", view.release_reason);
    put(object, "stage_tenant", control.opening.tenant);
    if (control.opening.share > 0) {
        object["stage_share"] = control.opening.share;
    }
    put(object, "stage_since", view.stage_since);
    if (!view.stages.empty()) {
        put(object, "stage_by", view.stages.back().by.actor.text());
    }
    put(object, "put_back", view.put_back);
    put(object, "released_by", view.released_by.text());
    put(object, "released_at", view.released_at);
    put(object, "origin", view.origin);
    object["acknowledged"] = json::object{
        {"reached", view.tally.reached}, {"of", view.tally.of}, {"away", view.tally.away}};
    object["proved"] = json::object{{"reached", view.tally.proved}, {"of", view.tally.of}};
    json::array points;
    for (const PointEffect& effect : view.points) {
        points.push_back(tree_of_effect(effect));
    }
    object["points"] = std::move(points);
    return object;
}

void put_terms(json::object& object, const Control& control) {
    const EffectTerms& terms = control.terms;
    if (control.mode == ControlMode::Throttle) {
        object["rate"] = rate_text(terms);
        object["key"] = name_of(terms.key);
    } else if (control.mode == ControlMode::Budget) {
        object["budget"] = budget_text(terms);
        object["key"] = name_of(terms.key);
    } else if (control.mode == ControlMode::Pin) {
        object["pin"] = json::array(terms.pin.begin(), terms.pin.end());
    } else if (control.mode == ControlMode::Redact) {
        object["redact"] = json::array(terms.redact.begin(), terms.redact.end());
        object["where"] = name_of(terms.where);
    } else if (control.mode == ControlMode::Approvals && terms.user_approves) {
        object["approver"] = "user";
    }
}

json::object tree_of(const PointStatus& point) {
    const PointContact& contact = point.contact;
    const auto millis = [](Duration time) { return static_cast<double>(time.count()) / 1e6; };
    json::object object{
        {"name", point.name},
        {"revision", point.revision},
        {"remote", contact.remote},
        {"connected", contact.connected},
        {"rules", contact.rules},
        {"controls", contact.controls},
        {"local_controls", contact.local_controls},
        {"lease_over", contact.lease_over},
        {"calls", contact.calls},
        {"calls_denied", contact.calls_denied},
        {"in_flight", contact.in_flight},
        {"records_waiting", contact.records_waiting},
        {"records_dropped", contact.records_dropped},
        {"time_to_effect_ms",
         json::object{
             {"count", point.effect.count},
             {"p50", millis(point.effect.p50)},
             {"p99", millis(point.effect.p99)},
             {"max", millis(point.effect.max)}}}};
    put(object, "acknowledged_at", point.acknowledged_at);
    put(object, "error", point.error);
    put(object, "last_contact", contact.last_contact);
    put(object, "version", contact.version);
    put(object, "address", contact.address);
    return object;
}

json::object tree_of(const PointChange& change) {
    return {
        {"point", change.point},
        {"failing", change.failing},
        {"sentence", change.sentence},
        {"at", to_rfc3339(change.at)}};
}

json::object tree_of(const PendingApproval& approval) {
    json::object object{
        {"id", approval.id},
        {"control", approval.control.text()},
        {"arguments", approval.arguments},
        {"arguments_hash", approval.arguments_hash},
        {"asked_at", to_rfc3339(approval.asked_at)},
        {"expires_at", to_rfc3339(approval.expires_at)}};
    put(object, "tool", approval.tool);
    put(object, "server", approval.server);
    put(object, "agent", approval.agent);
    put(object, "workflow", approval.workflow);
    put(object, "session", approval.session);
    return object;
}

json::object tree_of(const IssuedToken& token) {
    json::object row{
        {"id", token.id},
        {"pattern", token.pattern},
        {"made_by", token.made_by.text()},
        {"reason", token.reason},
        {"made_at", to_rfc3339(token.made_at)}};
    if (token.revoked_at) {
        row["revoked_by"] = token.revoked_by.text();
        row["revoked_at"] = to_rfc3339(*token.revoked_at);
    }
    return row;
}

json::object tree_of(const PinnedTool& tool) {
    json::object tree{
        {"server", tool.server},
        {"tool", tool.tool},
        {"state", tool.offered ? (tool.refused ? "refused" : "changed") : "pinned"},
        {"pinned", definition_tree(tool.pinned)},
        {"pinned_by", tool.by.actor.text()},
        {"reason", tool.by.reason}};
    if (tool.offered) {
        tree["offered"] = definition_tree(*tool.offered);
    }
    if (!tool.offered_to.empty()) {
        tree["offered_to"] = tool.offered_to;
    }
    return tree;
}

json::object tree_of(const Proposal& proposal) {
    json::object object{
        {"rule", proposal.rule},
        {"enforcement", name_of(proposal.enforcement)},
        {"sentence", proposal.sentence}};
    if (proposal.draft) {
        object["scope"] = to_text(proposal.draft->scope);
        object["mode"] = name_of(proposal.draft->mode);
        put(object, "route_to", proposal.draft->route_to.text());
    }
    return object;
}

json::object tree_of(const Decision& decision) {
    json::object object{{"verdict", name_of(decision.verdict)}, {"revision", decision.revision}};
    if (decision.by != nullptr) {
        object["reason"] = decision.by->reason_for_model;
        object["reason_for_person"] = decision.by->reason_for_person;
        object["decided_by"] = decision.by->id;
        put(object, "route_to", decision.by->route_to.text());
    } else {
        object["reason"] = "nothing is against it";
    }
    if (decision.retry_after > Duration{}) {
        object["retry_after_ms"] = std::chrono::ceil<std::chrono::milliseconds>(decision.retry_after).count();
    }
    if (decision.shadow != nullptr) {
        object["shadow"] = decision.shadow->id;
    }
    return object;
}

}  // namespace tagout::contain
