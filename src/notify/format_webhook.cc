#include "notify/content_json.h"
#include "notify/format.h"
#include "notify/secret.h"

namespace tagout::notify {

Formatted format(const Notice& notice, const Target& target) {
    switch (notice.type) {
        case ChannelType::Webhook:
            return format_webhook(notice, target);
        case ChannelType::Slack:
            return format_slack(notice, target);
        case ChannelType::PagerDuty:
            return format_pagerduty(notice, target);
        case ChannelType::Alertmanager:
            return format_alertmanager(notice, target);
    }
    return fail(ErrorCode::InvalidArgument, "unknown channel type");
}

std::string_view paging_severity(Severity severity) noexcept {
    switch (severity) {
        case Severity::Sev1:
            return "critical";
        case Severity::Sev2:
            return "error";
        case Severity::Sev3:
            break;
    }
    return "warning";
}

std::string headline(const Notice& notice, std::size_t points_max) {
    const std::string_view event = name_of(notice.event);
    const std::string_view verb = event.substr(event.find('.') + 1);
    std::string line(name_of(notice.content.severity));
    line += ' ';
    line += notice.content.incident;
    line += ' ';
    line += verb;
    line += ": ";
    line += notice.content.title;
    return clean(line, points_max);
}

Formatted format_webhook(const Notice& notice, const Target& target) {
    const std::int64_t seconds =
        std::chrono::duration_cast<std::chrono::seconds>(target.now.time_since_epoch()).count();
    // The body is the same for every attempt; only the timestamp header and so the signature move.
    std::string body = R"({"type":")" + std::string(name_of(notice.event)) +
                       R"(","timestamp":")" + to_rfc3339(notice.content.at) +
                       R"(","data":)" + to_json(notice.content) + "}";
    net::HttpRequest request{
        .method = "POST",
        .url = target.url,
        .headers =
            {
                {"Content-Type", "application/json"},
                {"User-Agent", "tagout"},
                {"webhook-id", notice.view.id},
                {"webhook-timestamp", std::to_string(seconds)},
            },
        .body = std::move(body),
    };
    if (!target.secret.empty()) {
        request.headers.emplace_back(
            "webhook-signature",
            TAGOUT_TRY(sign_webhook(target.secret, notice.view.id, seconds, request.body))
        );
    }
    return request;
}

}  // namespace tagout::notify
