// Alertmanager API v2, POST /api/v2/alerts (operations reference 5.4). Labels are the alert's
// identity. People route by `severity`, so it is a label, and an escalation is a new alert: the one
// with the old severity is ended in the same request. Alertmanager forgets an alert whose endsAt
// passes: an open incident carries now + keeps and is sent again.
#include "notify/format.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::notify {

namespace {

namespace json = boost::json;

constexpr Duration test_keeps = std::chrono::seconds(30);

void label(json::object& labels, std::string_view name, std::string_view value) {
    if (!value.empty()) {  // To Alertmanager an empty label is none.
        labels[name] = value;
    }
}

std::string alerts_url(std::string_view url) {
    constexpr std::string_view path = "/api/v2/alerts";
    std::string out(url);
    while (out.ends_with('/')) {
        out.pop_back();
    }
    return out.ends_with(path) ? out : out + std::string(path);
}

json::object labels_of(const Content& content, Severity severity) {
    json::object labels{
        {"severity", paging_severity(severity)},
        {"alertname",
         content.incident.starts_with("point:")     ? "TagoutPoint"
         : content.incident.starts_with("control:") ? "TagoutControl"
                                                    : "TagoutIncident"},
        {"incident", content.incident},
        {"class", name_of(content.failure_class)},
        {"kind", name_of(content.kind)},
    };
    label(labels, "agent", content.agent);
    label(labels, "workflow", content.workflow);
    label(labels, "tool", content.tool);
    label(labels, "service", content.service);
    label(labels, "environment", content.environment);
    label(labels, "team", content.team);
    return labels;
}

json::object alert_of(const Notice& notice, Severity severity, Instant ends) {
    const Content& content = notice.content;
    json::object alert{
        {"labels", labels_of(content, severity)},
        {"annotations",
         json::object{
             {"summary", headline(notice, 300)},
             {"description", content.evidence},
             {"severity", name_of(content.severity)},
             {"severity_reason", content.severity_reason},
             {"state", name_of(content.state)},
             {"containment", content.containment},
             {"cause", content.cause},
             {"contact", content.contact},
             {"failed_sessions", std::to_string(content.failed_sessions)},
         }},
        {"startsAt", to_rfc3339(std::min(content.began_at, ends))},
        {"endsAt", to_rfc3339(ends)},
    };
    if (!content.link.empty()) {
        alert["generatorURL"] = content.link;
    }
    return alert;
}

}  // namespace

Formatted format_alertmanager(const Notice& notice, const Target& target) {
    const Content& content = notice.content;
    // A test must not stay on anybody's screen.
    const Duration keeps = notice.event == Event::Test ? test_keeps : target.keeps;
    const bool resolved = ends(notice.event);
    const Instant ends = resolved ? content.resolved_at.value_or(content.at) : target.now + keeps;
    json::array alerts;
    alerts.push_back(alert_of(notice, content.severity, ends));
    if (content.escalated_from && *content.escalated_from != content.severity) {
        alerts.push_back(alert_of(notice, *content.escalated_from, target.now));
    }
    net::HttpRequest request{
        .method = "POST",
        .url = alerts_url(target.url),
        .headers = {{"Content-Type", "application/json"}, {"User-Agent", "tagout"}},
        .body = json::serialize(alerts),
    };
    if (!target.secret.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + target.secret);
    }
    return request;
}

}  // namespace tagout::notify
