// PagerDuty Events API v2 (operations reference 5.5): routing_key of 32 characters, dedup_key at most
// 255, summary at most 1,024, the whole event at most 512 KB. The same dedup_key joins declare,
// escalate and resolve into one alert; a trigger again only refreshes it.
#include "notify/format.h"

#include <boost/json.hpp>

namespace tagout::notify {

namespace {

namespace json = boost::json;

constexpr std::string_view events_url = "https://events.pagerduty.com/v2/enqueue";
constexpr std::size_t summary_max = 1024;
constexpr std::size_t dedup_key_max = 255;
constexpr std::size_t routing_key_length = 32;

json::object payload_of(const Notice& notice) {
    const Content& content = notice.content;
    json::object details{
        {"incident", content.incident},
        {"severity", name_of(content.severity)},
        {"severity_reason", content.severity_reason},
        {"state", name_of(content.state)},
        {"kind", name_of(content.kind)},
        {"cause", content.cause},
        {"evidence", content.evidence},
        {"containment", content.containment},
        {"workflow", content.workflow},
        {"environment", content.environment},
        {"owner", content.team.empty() ? "unowned" : content.team},
        {"contact", content.contact},
        {"signals", json::array(content.signals.begin(), content.signals.end())},
        {"sessions", content.sessions},
        {"failed_sessions", content.failed_sessions},
        {"writes", content.writes},
        {"tokens", content.tokens},
        {"cost_usd", content.cost_usd},
    };
    json::object payload{
        {"summary", headline(notice, summary_max)},
        {"source", content.service.empty() ? "tagout" : content.service},
        {"severity", paging_severity(content.severity)},
        {"timestamp", to_rfc3339(content.at)},
        {"class", name_of(content.failure_class)},
    };
    if (!content.tool.empty()) {
        payload["component"] = content.tool;
    }
    if (!content.agent.empty()) {
        payload["group"] = content.agent;
    }
    payload["custom_details"] = std::move(details);
    return payload;
}

}  // namespace

Formatted format_pagerduty(const Notice& notice, const Target& target) {
    if (target.secret.size() != routing_key_length) {
        return fail(
            ErrorCode::InvalidArgument,
            "a PagerDuty routing key has 32 characters; copy the integration key of an Events API v2 "
            "integration into the channel's secret_env or secret_file"
        );
    }
    const bool resolves = ends(notice.event);
    json::object event{
        {"routing_key", target.secret},
        {"event_action", resolves ? "resolve" : "trigger"},
        {"dedup_key", clean("tagout:" + notice.content.incident, dedup_key_max)},
    };
    if (!resolves) {
        event["payload"] = payload_of(notice);
        event["client"] = "Tagout";
        if (!notice.content.link.empty()) {
            event["client_url"] = notice.content.link;
            event["links"] = json::array{
                json::object{{"href", notice.content.link}, {"text", "Incident in Tagout"}}
            };
        }
    }
    return net::HttpRequest{
        .method = "POST",
        .url = target.url.empty() ? std::string(events_url) : target.url,
        .headers = {{"Content-Type", "application/json"}, {"User-Agent", "tagout"}},
        .body = json::serialize(event),
    };
}

}  // namespace tagout::notify
