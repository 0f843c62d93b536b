#include "incident/entry_body.h"

#include "incident/incident_json.h"

#include <boost/json.hpp>

namespace tagout::incident {

namespace json = boost::json;

std::string opened_body(const Incident& incident, bool title_by_person, bool severity_by_person) {
    json::object body = tree_of(incident, Detail::Summary);
    // Totals and revision are reckoned by the fold and would only contradict it.
    for (const char* reckoned :
         {"revision", "impact", "signals", "finding_count", "last_finding_at"}) {
        body.erase(reckoned);
    }
    if (!title_by_person) {
        body.erase("title");
    }
    if (severity_by_person) {
        body["severity_by_person"] = true;
    }
    return json::serialize(body);
}

std::string findings_body(const JoinedFindings& findings) {
    json::array rows;
    for (const JoinedFinding& each : findings.joined) {
        const KnownFinding& known = each.known;
        rows.push_back(json::array{
            each.id,
            known.correlation,
            name_of(known.outcome),
            known.rate,
            known.write_completed,
            known.supports,
            known.sessions,
            to_text(known.users),
            known.tokens,
            known.cost_usd});
    }
    json::object body{{"joined", std::move(rows)}};
    json::array signals;
    for (const std::string& signal : findings.signals) {
        signals.emplace_back(signal);
    }
    body["signals"] = std::move(signals);
    if (findings.onset_at) {
        body["onset_at"] = to_rfc3339(*findings.onset_at);
    }
    body["last_at"] = to_rfc3339(findings.last_at);
    if (!findings.whole.empty()) {
        json::array whole;
        for (const Finding& finding : findings.whole) {
            whole.push_back(tree_of(finding));
        }
        body["findings"] = std::move(whole);
    }
    return json::serialize(body);
}

std::string state_body(IncidentState from, IncidentState to, std::string_view text) {
    return json::serialize(json::object{
        {"from", name_of(from)}, {"to", name_of(to)}, {"text", text}});
}

std::string severity_body(Severity from, Severity to, bool by_person) {
    return json::serialize(json::object{
        {"from", name_of(from)}, {"to", name_of(to)}, {"by_person", by_person}});
}

std::string proposal_body(Severity to, std::string_view text) {
    return json::serialize(json::object{
        {"timeline", true}, {"severity", name_of(to)}, {"text", text}});
}

std::string text_body(std::initializer_list<std::pair<std::string_view, std::string_view>> members
) {
    json::object body;
    for (const auto& [name, value] : members) {
        body[name] = value;
    }
    return json::serialize(body);
}

std::string timeline_body(std::string_view text) {
    return json::serialize(json::object{{"timeline", true}, {"text", text}});
}

}  // namespace tagout::incident
