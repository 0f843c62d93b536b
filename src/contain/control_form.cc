#include "contain/control_form.h"

#include "contain/control_json.h"
#include "contain/controls.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::contain {

namespace json = boost::json;

namespace {

constexpr std::size_t id_bytes_max = 300;
constexpr std::size_t actor_bytes_max = 300;

void put(json::object& form, std::string_view name, const std::string& value) {
    if (!value.empty()) {
        form[name] = value;
    }
}

/// What effects need, as put_terms() wrote it.
void read_effect(FormReader& reader, Control& control) {
    EffectTerms& terms = control.terms;
    const std::string rate = reader.text("rate", 40, Needed::No);
    const std::string budget = reader.text("budget", 60, Needed::No);
    const std::string key = reader.text("key", 40, Needed::No);
    const std::string where = reader.text("where", 40, Needed::No);
    const std::string approver = reader.text("approver", 40, Needed::No);
    terms.user_approves = approver == "user";
    if (!approver.empty() && !terms.user_approves) {
        reader.wrong("approver", "is none that this version knows");
    }
    terms.redact = reader.texts("redact", Controls::allowed_max, Controls::reason_bytes_max);
    terms.pin = reader.texts("pin", pinned_versions_max, scope_name_bytes_max + 40);
    if ((control.mode == ControlMode::Pin && terms.pin.empty()) ||
        !std::ranges::all_of(terms.pin, [](const std::string& each) {
            return parse_pinned_version(each).has_value();
        })) {
        reader.wrong("pin", "names no version such as prompts/support@v3");
    }
    if (control.mode == ControlMode::Throttle && !parse_rate(rate, terms)) {
        reader.wrong("rate", "is no rate such as 20/1m");
    }
    if (control.mode == ControlMode::Budget && !parse_budget(budget, terms)) {
        reader.wrong("budget", "is no budget such as 200000 tokens/1d");
    }
    if (!key.empty() || control.mode == ControlMode::Throttle || control.mode == ControlMode::Budget) {
        const auto read = parse_limit_key(key);
        terms.key = read.value_or(terms.key);
        if (!read) {
            reader.wrong("key", "is none that this version knows");
        }
    }
    if (!where.empty() || control.mode == ControlMode::Redact) {
        const auto read = parse_redact_where(where);
        terms.where = read.value_or(terms.where);
        if (!read) {
            reader.wrong("where", "is none that this version knows");
        }
    }
}

}  // namespace

json::object terms_form(const Control& control) {
    json::object form{
        {"scope", to_text(control.scope)},
        {"mode", name_of(control.mode)},
        {"review_by", unix_nanos(control.review_by)}};
    if (!control.allowed.empty()) {
        form["allowed"] = json::array(control.allowed.begin(), control.allowed.end());
    }
    put_terms(form, control);
    put(form, "route_to", control.route_to.text());
    put(form, "incident", control.incident.text());
    put(form, "rule", control.rule);
    return form;
}

Control read_terms(FormReader& reader) {
    Control control;
    const std::string scope = reader.text("scope", scope_name_bytes_max + 40, Needed::Yes);
    const std::string mode = reader.text("mode", 40, Needed::Yes);
    if (const std::optional<Scope> read = parse_scope(scope)) {
        control.scope = *read;
    } else {
        reader.wrong("scope", "is no scope that this version knows");
    }
    if (const std::optional<ControlMode> read = parse_control_mode(mode)) {
        control.mode = *read;
    } else {
        reader.wrong("mode", "is no mode that this version knows");
    }
    control.review_by = reader.time("review_by", Needed::Yes).value_or(Instant{});
    control.allowed = reader.texts("allowed", Controls::allowed_max, scope_name_bytes_max);
    control.route_to = WorkflowName(reader.text("route_to", scope_name_bytes_max, Needed::No));
    read_effect(reader, control);
    control.incident = IncidentId(reader.text("incident", id_bytes_max, Needed::No));
    control.rule = reader.text("rule", Controls::reason_bytes_max, Needed::No);
    return control;
}

json::object opening_form(const Opening& opening) {
    json::object form;
    put(form, "tenant", opening.tenant);
    if (opening.share > 0) {
        form["share"] = opening.share;
    }
    return form;
}

Opening read_opening(FormReader& reader) {
    Opening opening;
    opening.tenant = reader.text("tenant", scope_name_bytes_max, Needed::No);
    const std::uint64_t share = reader.number("share", Needed::No);
    if (share >= 100) {
        reader.wrong("share", "is not below 100");
    }
    opening.share = static_cast<std::uint32_t>(std::min<std::uint64_t>(share, 99));
    return opening;
}

json::object form_of(const Control& control) {
    json::object form = terms_form(control);
    form["id"] = control.id.text();
    form["reason"] = control.reason;
    form["author"] = control.author.text();
    form["since"] = unix_nanos(control.since);
    if (control.validating) {
        form["validating"] = true;
    }
    if (!control.opening.is_shut()) {
        form["opening"] = opening_form(control.opening);
    }
    return form;
}

Result<Control> control_of(const json::object& form, std::string place) {
    FormReader reader(form, std::move(place));
    Control control = read_terms(reader);
    control.id = ControlId(reader.text("id", id_bytes_max, Needed::Yes));
    control.reason = reader.text("reason", Controls::reason_bytes_max, Needed::No);
    control.author = Actor(reader.text("author", actor_bytes_max, Needed::Yes));
    control.since = reader.time("since", Needed::Yes).value_or(Instant{});
    control.validating = reader.flag("validating");
    if (const json::object* const opening = reader.object("opening", Needed::No)) {
        FormReader inner(*opening, reader.place() + ".opening");
        control.opening = read_opening(inner);
        if (!control.validating) {
            reader.wrong("opening", "is there though nobody asked for its release");
        }
        reader.take(inner.end());
    }
    TAGOUT_TRY(reader.end());
    return control;
}

}  // namespace tagout::contain
