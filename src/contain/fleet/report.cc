#include "contain/fleet/report.h"

#include "contain/control_form.h"
#include "contain/control_json.h"
#include "contain/controls.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tagout::contain::fleet {

namespace {

namespace json = boost::json;

constexpr std::size_t name_bytes_max = 600;
constexpr std::size_t text_bytes_max = 4'000;
constexpr std::size_t small_bytes_max = 64 * 1024;
constexpr std::size_t large_bytes_max = 1024 * 1024;

/// The numbers of a report, once for writing and reading.
template <class Report, class Visit>
void for_each_number(Report& report, Visit visit) {
    visit("edition", report.edition);
    visit("revision", report.revision);
    visit("rules", report.rules);
    visit("controls", report.controls);
    visit("local_controls", report.local_controls);
    visit("calls", report.calls);
    visit("calls_denied", report.calls_denied);
    visit("in_flight", report.in_flight);
    visit("records_waiting", report.records_waiting);
    visit("records_dropped", report.records_dropped);
}

/// The texts of a waiting call, likewise.
template <class Ask, class Visit>
void for_each_text(Ask& ask, Visit visit) {
    visit("tool", ask.tool);
    visit("server", ask.server);
    visit("agent", ask.agent);
    visit("workflow", ask.workflow);
    visit("session", ask.session);
}

std::string point_of(FormReader& reader, std::string_view name = "point") {
    std::string point = reader.text(name, point_name_bytes_max, Needed::Yes);
    if (!is_point_name(point)) {
        reader.wrong(name, "may hold letters, digits, dots, dashes and underscores");
    }
    return point;
}

ProbeResult probe_of(const json::object& form, FormReader& outer) {
    FormReader reader(form, outer.place() + ".probes");
    ProbeResult probe;
    probe.road = reader.text("road", name_bytes_max, Needed::Yes);
    probe.reached = reader.flag("reached");
    const std::string verdict = reader.text("verdict", 40, Needed::Yes);
    if (const auto read = parse_verdict(verdict)) {
        probe.verdict = *read;
    } else {
        reader.wrong("verdict", "is no verdict");
    }
    probe.decided_by = reader.text("decided_by", name_bytes_max, Needed::No);
    probe.revision = reader.number("revision", Needed::No);
    probe.detail = reader.text("detail", text_bytes_max, Needed::No);
    outer.take(reader.end());
    return probe;
}

}  // namespace

bool is_point_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= point_name_bytes_max && name.front() != '.' &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == '_';
           });
}

std::string to_text(const PointReport& report) {
    json::object form{
        {"point", report.point},
        {"instance", report.instance},
        {"version", report.version},
        {"address", report.address},
        {"error", report.error},
        {"lease_over", report.lease_over}};
    for_each_number(report, [&](std::string_view name, std::uint64_t value) {
        form[name] = value;
    });
    return json::serialize(form);
}

Result<PointReport> parse_report(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "report", small_bytes_max));
    FormReader reader(form, "report");
    PointReport report;
    report.point = point_of(reader);
    report.instance = reader.text("instance", name_bytes_max, Needed::Yes);
    report.version = reader.text("version", name_bytes_max, Needed::No);
    report.address = reader.text("address", name_bytes_max, Needed::No);
    report.error = reader.text("error", text_bytes_max, Needed::No);
    report.lease_over = reader.flag("lease_over");
    for_each_number(report, [&](std::string_view name, std::uint64_t& value) {
        value = reader.number(name, Needed::No);
    });
    TAGOUT_TRY(reader.end());
    return report;
}

std::string to_text(const Hello& hello) {
    return json::serialize(json::object{{"key", hello.key}, {"version", hello.version}});
}

Result<Hello> parse_hello(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "hello", small_bytes_max));
    FormReader reader(form, "hello");
    Hello hello;
    hello.key = reader.text("key", 64, Needed::Yes);
    hello.version = reader.text("version", name_bytes_max, Needed::No);
    TAGOUT_TRY(reader.end());
    return hello;
}

std::string to_text(const ProbeAsk& ask) {
    return json::serialize(json::object{
        {"round", ask.round}, {"point", ask.point}, {"control", form_of(ask.control)}});
}

Result<ProbeAsk> parse_probe_ask(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "probe", large_bytes_max));
    FormReader reader(form, "probe");
    ProbeAsk ask;
    ask.round = reader.number("round", Needed::Yes);
    ask.point = reader.text("point", point_name_bytes_max, Needed::No);
    if (const json::object* const control = reader.object("control", Needed::Yes)) {
        Result<Control> read = control_of(*control, "probe.control");
        if (read) {
            ask.control = std::move(*read);
        } else {
            reader.take(std::unexpected(read.error()));
        }
    }
    TAGOUT_TRY(reader.end());
    return ask;
}

std::string to_text(const ProbeSaid& said) {
    json::array probes;
    for (const ProbeResult& probe : said.probes) {
        json::object form = tree_of(probe);
        form["revision"] = probe.revision;
        probes.push_back(std::move(form));
    }
    return json::serialize(json::object{
        {"round", said.round}, {"point", said.point}, {"probes", std::move(probes)}});
}

Result<ProbeSaid> parse_probe_said(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "probes", large_bytes_max));
    FormReader reader(form, "probes");
    ProbeSaid said;
    said.round = reader.number("round", Needed::Yes);
    said.point = point_of(reader);
    for (const json::object* const each : reader.objects("probes", probes_max)) {
        said.probes.push_back(probe_of(*each, reader));
    }
    TAGOUT_TRY(reader.end());
    return said;
}

std::string to_text(const ApprovalAsk& ask) {
    json::object form{
        {"point", ask.point},
        {"id", ask.id},
        {"withdrawn", ask.withdrawn},
        {"control", ask.control.text()},
        {"arguments", ask.arguments}};
    for_each_text(ask, [&](std::string_view name, const std::string& value) {
        form[name] = value;
    });
    return json::serialize(form);
}

Result<ApprovalAsk> parse_approval_ask(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "approval", large_bytes_max));
    FormReader reader(form, "approval");
    ApprovalAsk ask;
    ask.point = point_of(reader);
    ask.id = reader.text("id", name_bytes_max, Needed::Yes);
    ask.withdrawn = reader.flag("withdrawn");
    ask.control = ControlId(reader.text("control", name_bytes_max, Needed::No));
    ask.arguments = reader.text("arguments", call_arguments_bytes_max, Needed::No);
    for_each_text(ask, [&](std::string_view name, std::string& value) {
        value = reader.text(name, text_bytes_max, Needed::No);
    });
    TAGOUT_TRY(reader.end());
    return ask;
}

std::string to_text(const ApprovalSaid& said) {
    return json::serialize(json::object{
        {"point", said.point},
        {"id", said.id},
        {"answer", name_of(said.answer)},
        {"actor", said.actor.text()},
        {"reason", said.reason}});
}

Result<ApprovalSaid> parse_approval_said(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "answer", small_bytes_max));
    FormReader reader(form, "answer");
    ApprovalSaid said;
    said.point = point_of(reader);
    said.id = reader.text("id", name_bytes_max, Needed::Yes);
    const std::string answer = reader.text("answer", 40, Needed::Yes);
    constexpr std::array answers{
        ApprovalAnswer::Approved, ApprovalAnswer::Denied, ApprovalAnswer::Expired,
        ApprovalAnswer::Withdrawn};
    const auto found = std::ranges::find_if(answers, [&](ApprovalAnswer each) {
        return name_of(each) == answer;
    });
    if (found == answers.end()) {
        reader.wrong("answer", "is no answer");
    } else {
        said.answer = *found;
    }
    said.actor = Actor(reader.text("actor", name_bytes_max, Needed::No));
    said.reason = reader.text("reason", text_bytes_max, Needed::No);
    TAGOUT_TRY(reader.end());
    return said;
}

std::string to_text(const LocalControls& local) {
    json::array forms;
    for (const Control& control : local.controls) {
        forms.push_back(form_of(control));
    }
    return json::serialize(json::object{{"point", local.point}, {"controls", std::move(forms)}});
}

Result<LocalControls> parse_local_controls(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "local", large_bytes_max));
    FormReader reader(form, "local");
    LocalControls local;
    local.point = point_of(reader);
    for (const json::object* const each : reader.objects("controls", local_controls_max)) {
        const std::string place = "local.controls[" + std::to_string(local.controls.size()) + "]";
        local.controls.push_back(TAGOUT_TRY(control_of(*each, place)));
    }
    TAGOUT_TRY(reader.end());
    return local;
}

std::string to_text(const std::vector<Adopted>& adopted) {
    json::array rows;
    for (const Adopted& each : adopted) {
        rows.push_back(json::object{
            {"local", each.local.text()},
            {"id", each.id.text()},
            {"revision", each.revision},
            {"error", each.error}});
    }
    return json::serialize(json::object{{"adopted", std::move(rows)}});
}

Result<std::vector<Adopted>> parse_adopted(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "adopted", large_bytes_max));
    FormReader reader(form, "adopted");
    std::vector<Adopted> all;
    for (const json::object* const each : reader.objects("adopted", local_controls_max)) {
        FormReader inner(*each, "adopted[" + std::to_string(all.size()) + "]");
        Adopted row;
        row.local = ControlId(inner.text("local", name_bytes_max, Needed::Yes));
        row.id = ControlId(inner.text("id", name_bytes_max, Needed::No));
        row.revision = inner.number("revision", Needed::No);
        row.error = inner.text("error", text_bytes_max, Needed::No);
        TAGOUT_TRY(inner.end());
        all.push_back(std::move(row));
    }
    TAGOUT_TRY(reader.end());
    return all;
}

}  // namespace tagout::contain::fleet
