// How a notice is said to each kind of receiver: pure functions from a notice to one HTTP request.
//
//   webhook       Standard Webhooks 1.0, signed; body {type, timestamp, data}
//   slack         incoming webhook: text fallback and blocks
//   pagerduty     Events API v2: trigger and resolve with dedup_key "tagout:<incident>"
//   alertmanager  POST /api/v2/alerts, one alert whose labels are the incident's identity
//
// Limits and field meanings: operations reference 5.4, 5.5, 5.6, 5.9, and each format's own file.
#pragma once

#include "net/http_client.h"
#include "notify/notice.h"

namespace tagout::notify {

/// What a format needs beside the notice.
struct Target {
    std::string url;
    std::string secret;  ///< Signing secret, routing key, bearer token or hook URL; may be "".
    Instant now;         ///< Of this attempt.
    Duration keeps;      ///< How long Alertmanager holds an alert that is not sent again.
};

/// InvalidArgument says which setting of the channel is wrong; retried, as people mend settings.
using Formatted = Result<net::HttpRequest>;

[[nodiscard]] Formatted format_webhook(const Notice& notice, const Target& target);
[[nodiscard]] Formatted format_slack(const Notice& notice, const Target& target);
[[nodiscard]] Formatted format_pagerduty(const Notice& notice, const Target& target);
[[nodiscard]] Formatted format_alertmanager(const Notice& notice, const Target& target);

/// The one of the four that the notice's channel type asks for.
[[nodiscard]] Formatted format(const Notice& notice, const Target& target);

/// "INC-7 declared: refund-agent sends ..." without markup, at most `points_max` code points.
[[nodiscard]] std::string headline(const Notice& notice, std::size_t points_max);

/// What paging systems call it: SEV1 critical, SEV2 error, SEV3 warning.
[[nodiscard]] std::string_view paging_severity(Severity severity) noexcept;

}  // namespace tagout::notify
