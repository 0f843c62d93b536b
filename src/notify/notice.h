// Notice: what people get when an incident is declared, gets worse or is over.
//
// Values only. A notice carries a copy of what is said, taken when it was queued: a retry hours
// later, or after a restart, says the same thing under the same id. Texts come from telemetry and
// are untrusted; describe_incident() cuts and cleans them, so that no format has to doubt them.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "contain/controls.h"
#include "incident/incident.h"
#include "journal/journal_entry.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::notify {

enum class Event : std::uint8_t {
    Opened = 1,
    Declared = 2,
    Escalated = 3,
    Resolved = 4,
    Test = 5,
    Contained = 6,
    PointFailing = 7,  ///< An enforcement point does not enforce what it should, or is not heard of.
    PointWell = 8,     ///< It does again.
    ControlDue = 9,       ///< A control's review date is near.
    ControlOverdue = 10,  ///< It passed, and the control stays in force.
    ControlReviewed = 11, ///< It was renewed or released.
};
/// What was told before is over: pagers stop ringing, alerts end.
[[nodiscard]] constexpr bool ends(Event event) noexcept {
    return event == Event::Resolved || event == Event::PointWell || event == Event::ControlReviewed;
}

/// "incident.opened", "incident.declared", "incident.escalated", "incident.resolved", "notice.test",
/// "incident.contained", "point.failing", "point.well", "control.due", "control.overdue",
/// "control.reviewed".
[[nodiscard]] std::string_view name_of(Event event) noexcept;
[[nodiscard]] std::optional<Event> parse_event(std::string_view name) noexcept;

enum class ChannelType : std::uint8_t { Webhook = 1, Slack = 2, PagerDuty = 3, Alertmanager = 4 };
[[nodiscard]] std::string_view name_of(ChannelType type) noexcept;
[[nodiscard]] std::optional<ChannelType> parse_channel_type(std::string_view name) noexcept;

/// What is said about the incident. Every text is valid UTF-8 within the bounds of notice.cc, so
/// that the JSON form stays below the 20 kB that Standard Webhooks allows.
struct Content {
    std::string incident;
    std::string title;  ///< Begins with "[DRILL] " or "[CHAOS] " where the incident is no real one.
    FailureClass failure_class = FailureClass::Intent;
    IncidentKind kind = IncidentKind::Real;
    IncidentState state = IncidentState::Declared;
    Severity severity = Severity::Sev3;
    std::optional<Severity> escalated_from;  ///< The severity that people were told before.
    std::string severity_reason;
    std::string cause;
    std::string agent;
    std::string workflow;
    std::string tool;
    std::string service;
    std::string environment;
    std::string team;  ///< "" is unowned.
    std::string contact;
    std::string evidence;  ///< Of the first finding, quoting what was seen.
    /// What was proposed or done to contain it, by which rule, and how to undo it; the newest first.
    std::string containment;
    std::string reason;    ///< Why the change was made, in its author's words.
    std::string actor;
    std::vector<std::string> signals;
    std::uint64_t sessions = 0;
    std::uint64_t failed_sessions = 0;
    std::uint64_t writes = 0;
    std::int64_t tokens = 0;
    double cost_usd = 0;
    Instant began_at;  ///< Onset, else first signal, else the change itself.
    std::optional<Instant> resolved_at;
    Instant at;        ///< Of the change.
    std::string link;  ///< The incident's page, "" if the page's address is not configured.
};

enum class NoticeState : std::uint8_t { Pending = 1, Delivered = 2, Failed = 3 };
[[nodiscard]] std::string_view name_of(NoticeState state) noexcept;  // pending delivered failed

/// One row of the delivery log: `Notice` of api/openapi.yaml. Never holds a secret or a URL.
struct NoticeView {
    std::string id;  ///< "msg_" and 24 hex digits; the receiver's idempotency key.
    std::string incident;
    std::string channel;
    std::string type;
    std::string event;
    NoticeState state = NoticeState::Pending;
    std::uint32_t attempts = 0;
    int last_status = 0;  ///< HTTP status of the last attempt, 0 if there was no answer.
    std::string last_error;
    Instant created_at;
    std::optional<Instant> delivered_at;
    std::optional<Instant> next_attempt_at;
};

struct Notice {
    NoticeView view;
    Event event = Event::Declared;
    ChannelType type = ChannelType::Webhook;
    Content content;
    bool paced_by_receiver = false;  ///< The next attempt's time came from Retry-After.
};

/// `page_url` is the address people open ("https://tagout.example"), "" if unknown.
[[nodiscard]] Content describe_incident(
    const incident::Incident& incident, const journal::EntryDraft& change, std::string_view page_url
);

/// What is said of an enforcement point, which stands where an incident's id does: "point:edge-1".
[[nodiscard]] Content describe_point(
    std::string_view point, std::string_view sentence, bool failing, Instant at,
    std::string_view page_url
);

/// What is said of a control and its review date, which stands where an incident's id does:
/// "control:CTL-1".
[[nodiscard]] Content describe_control(
    const contain::ControlView& view, const incident::Owner& owner, Event event, Instant at,
    std::string_view page_url
);

/// Valid UTF-8 of at most `points_max` code points, the last an ellipsis if some were cut; broken
/// bytes become U+FFFD, control characters other than newline a space.
[[nodiscard]] std::string clean(std::string_view text, std::size_t points_max);

}  // namespace tagout::notify
