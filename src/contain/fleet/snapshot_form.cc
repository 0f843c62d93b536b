#include "contain/fleet/snapshot_form.h"

#include "contain/control_form.h"
#include "contain/decide.h"
#include "contain/policy.h"

#include <boost/json.hpp>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace tagout::contain::fleet {

namespace {

namespace json = boost::json;

constexpr std::size_t hash_digits = 64;
constexpr std::size_t name_bytes_max = 300;

json::object form_of(const Terms& terms) {
    return {
        {"heartbeat", terms.heartbeat.count()},
        {"lease", terms.lease.count()},
        {"closed", json::array(terms.closed.begin(), terms.closed.end())}};
}

Terms read_terms_of(FormReader& reader) {
    Terms terms;
    if (const json::object* const form = reader.object("terms", Needed::Yes)) {
        FormReader inner(*form, reader.place() + ".terms");
        terms.heartbeat = inner.duration("heartbeat");
        terms.lease = inner.duration("lease");
        terms.closed = inner.texts("closed", tool_class_names.size(), name_bytes_max);
        if (terms.heartbeat < std::chrono::milliseconds(10)) {
            inner.wrong("heartbeat", "is shorter than 10 ms");
        }
        for (const std::string& each : terms.closed) {
            if (std::ranges::find(tool_class_names, each) == tool_class_names.end()) {
                inner.wrong("closed", "names a class of tools that this version does not know");
            }
        }
        reader.take(inner.end());
    }
    return terms;
}

json::object form_of(const PartHashes& parts) {
    json::object form;
    for (const auto& [name, hash] :
         {std::pair("policies", &parts.policies),
          std::pair("catalog", &parts.catalog),
          std::pair("versions", &parts.versions),
          std::pair("agents", &parts.agents)}) {
        if (!hash->empty()) {
            form[name] = *hash;
        }
    }
    return form;
}

PartHashes read_parts(FormReader& reader) {
    PartHashes parts;
    if (const json::object* const form = reader.object("parts", Needed::Yes)) {
        FormReader inner(*form, reader.place() + ".parts");
        for (const auto& [name, hash] :
             {std::pair("policies", &parts.policies),
              std::pair("catalog", &parts.catalog),
              std::pair("versions", &parts.versions),
              std::pair("agents", &parts.agents)}) {
            *hash = inner.text(name, hash_digits, Needed::No);
            const bool is_hash =
                hash->empty() || (hash->size() == hash_digits &&
                                  hash->find_first_not_of("0123456789abcdef") == hash->npos);
            if (!is_hash) {
                inner.wrong(name, "is no SHA-256 in hex");
            }
        }
        reader.take(inner.end());
    }
    return parts;
}

json::array forms_of(const std::vector<Control>& controls) {
    json::array forms;
    forms.reserve(controls.size());
    for (const Control& control : controls) {
        forms.push_back(contain::form_of(control));
    }
    return forms;
}

std::vector<Control> read_controls(FormReader& reader, std::string_view name) {
    std::vector<Control> controls;
    std::unordered_set<std::string> ids;
    for (const json::object* const form :
         reader.objects(name, ControlSnapshot::controls_max)) {
        const std::string place =
            reader.place() + "." + std::string(name) + "[" + std::to_string(controls.size()) + "]";
        Result<Control> control = control_of(*form, place);
        if (!control) {
            reader.take(std::unexpected(control.error()));
            break;
        }
        if (!ids.insert(control->id.text()).second) {
            reader.wrong(name, "holds one control twice");
            break;
        }
        controls.push_back(std::move(*control));
    }
    return controls;
}

/// What a Standing and a Step have in common.
template <class Told>
json::object head_of(std::string_view form, const Told& told) {
    return {
        {"form", form},
        {"edition", told.edition},
        {"revision", told.revision},
        {"made_at", unix_nanos(told.made_at)},
        {"terms", form_of(told.terms)},
        {"parts", form_of(told.parts)}};
}

template <class Told>
void read_head(FormReader& reader, std::string_view form, Told& told) {
    if (reader.text("form", name_bytes_max, Needed::Yes) != form) {
        reader.wrong("form", "is not '" + std::string(form) + "'");
    }
    told.edition = reader.number("edition", Needed::Yes);
    told.revision = reader.number("revision", Needed::Yes);
    told.made_at = reader.time("made_at", Needed::Yes).value_or(Instant{});
    told.terms = read_terms_of(reader);
    told.parts = read_parts(reader);
}

constexpr std::string_view standing_form = "standing";
constexpr std::string_view step_form = "step";

}  // namespace

std::string to_text(const Standing& standing) {
    json::object form = head_of(standing_form, standing);
    form["controls"] = forms_of(standing.controls);
    return json::serialize(form);
}

Result<Standing> parse_standing(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "snapshot", standing_bytes_max));
    FormReader reader(form, "snapshot");
    Standing standing;
    read_head(reader, standing_form, standing);
    standing.controls = read_controls(reader, "controls");
    TAGOUT_TRY(reader.end());
    return standing;
}

std::string to_text(const Step& step) {
    json::object form = head_of(step_form, step);
    form["from"] = step.from;
    if (!step.put.empty()) {
        form["put"] = forms_of(step.put);
    }
    if (!step.taken.empty()) {
        json::array ids;
        for (const ControlId& id : step.taken) {
            ids.emplace_back(id.text());
        }
        form["taken"] = std::move(ids);
    }
    return json::serialize(form);
}

Result<Step> parse_step(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "step", step_bytes_max));
    FormReader reader(form, "step");
    Step step;
    read_head(reader, step_form, step);
    step.from = reader.number("from", Needed::Yes);
    step.put = read_controls(reader, "put");
    for (std::string& id :
         reader.texts("taken", ControlSnapshot::controls_max, name_bytes_max)) {
        step.taken.emplace_back(std::move(id));
    }
    TAGOUT_TRY(reader.end());
    return step;
}

std::string to_text(const Beat& beat) {
    return json::serialize(
        json::object{{"edition", beat.edition}, {"at", unix_nanos(beat.at)}}
    );
}

Result<Beat> parse_beat(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "beat", 1'000));
    FormReader reader(form, "beat");
    Beat beat;
    beat.edition = reader.number("edition", Needed::Yes);
    beat.at = reader.time("at", Needed::Yes).value_or(Instant{});
    TAGOUT_TRY(reader.end());
    return beat;
}

Step step_between(const Standing& before, const Standing& after) {
    Step step;
    step.from = before.edition;
    step.edition = after.edition;
    step.revision = after.revision;
    step.made_at = after.made_at;
    step.terms = after.terms;
    step.parts = after.parts;
    std::unordered_map<std::string_view, const Control*> known;
    known.reserve(before.controls.size());
    for (const Control& control : before.controls) {
        known.emplace(control.id.text(), &control);
    }
    for (const Control& control : after.controls) {
        const auto found = known.find(control.id.text());
        if (found == known.end()) {
            step.put.push_back(control);
            continue;
        }
        if (*found->second != control) {
            step.put.push_back(control);
        }
        known.erase(found);
    }
    for (const Control& control : before.controls) {
        if (known.contains(control.id.text())) {
            step.taken.push_back(control.id);
        }
    }
    return step;
}

Result<void> apply(const Step& step, Standing& standing) {
    if (step.from != standing.edition || step.edition <= step.from) {
        return fail(
            ErrorCode::Conflict,
            "the step leads from edition " + std::to_string(step.from) + " to " +
                std::to_string(step.edition) + ", and edition " + std::to_string(standing.edition) +
                " stands here"
        );
    }
    // Checked whole before anything moves, and then moved in place: a list of thousands is not copied.
    std::vector<Control>& controls = standing.controls;
    for (const ControlId& id : step.taken) {
        if (std::ranges::find(controls, id, &Control::id) == controls.end()) {
            return fail(
                ErrorCode::Conflict, "the step takes " + id.text() + ", which does not stand here"
            );
        }
    }
    if (controls.size() + step.put.size() > ControlSnapshot::controls_max + step.taken.size()) {
        return fail(ErrorCode::LimitExceeded, "the step leads to more controls than there may be");
    }
    for (const ControlId& id : step.taken) {
        std::erase_if(controls, [&](const Control& each) { return each.id == id; });
    }
    for (const Control& control : step.put) {
        const auto found = std::ranges::find(controls, control.id, &Control::id);
        if (found == controls.end()) {
            controls.push_back(control);
        } else {
            *found = control;
        }
    }
    standing.edition = step.edition;
    standing.revision = step.revision;
    standing.made_at = step.made_at;
    standing.terms = step.terms;
    standing.parts = step.parts;
    return {};
}

Result<std::string> policies_part(const std::vector<Policy>& policies) {
    json::array forms;
    for (const Policy& policy : policies) {
        if (policy.source.empty() && !policy.rules.empty()) {
            return fail(
                ErrorCode::InvalidArgument,
                "policy " + policy.name + " was not read from YAML and cannot be told to a gateway"
            );
        }
        forms.push_back(json::object{
            {"name", policy.name}, {"version", policy.version}, {"yaml", policy.source}});
    }
    return json::serialize(json::object{{"policies", std::move(forms)}});
}

Result<std::vector<Policy>> parse_policies(std::string_view part) {
    const json::object form = TAGOUT_TRY(object_of(part, "policies", part_bytes_max));
    FormReader reader(form, "policies");
    std::vector<Policy> policies;
    for (const json::object* const each : reader.objects("policies", policies_max)) {
        FormReader inner(*each, "policies[" + std::to_string(policies.size()) + "]");
        const std::string name = inner.text("name", name_bytes_max, Needed::Yes);
        const std::string version = inner.text("version", name_bytes_max, Needed::Yes);
        const std::string yaml = inner.text("yaml", part_bytes_max, Needed::Yes);
        TAGOUT_TRY(inner.end());
        policies.push_back(TAGOUT_TRY(parse_policy(name, version, yaml)));
    }
    TAGOUT_TRY(reader.end());
    return policies;
}

std::string versions_part(const std::vector<LabelledVersion>& versions) {
    json::array forms;
    for (const LabelledVersion& each : versions) {
        forms.push_back(json::object{
            {"family", each.family},
            {"name", each.name},
            {"label", each.label},
            {"body", each.body},
            {"etag", each.etag}});
    }
    return json::serialize(json::object{{"versions", std::move(forms)}});
}

Result<std::vector<LabelledVersion>> parse_versions(std::string_view part) {
    const json::object form = TAGOUT_TRY(object_of(part, "versions", part_bytes_max));
    FormReader reader(form, "versions");
    std::vector<LabelledVersion> versions;
    for (const json::object* const each : reader.objects("versions", versions_max)) {
        FormReader inner(*each, "versions[" + std::to_string(versions.size()) + "]");
        LabelledVersion version;
        version.family = inner.text("family", name_bytes_max, Needed::Yes);
        version.name = inner.text("name", name_bytes_max, Needed::Yes);
        version.label = inner.text("label", name_bytes_max, Needed::Yes);
        version.body = inner.text("body", part_bytes_max, Needed::Yes);
        version.etag = inner.text("etag", name_bytes_max, Needed::No);
        TAGOUT_TRY(inner.end());
        versions.push_back(std::move(version));
    }
    TAGOUT_TRY(reader.end());
    return versions;
}

}  // namespace tagout::contain::fleet
