#include "notify/notice.h"

#include <array>
#include <utility>

namespace tagout::notify {

namespace {

// In code points. Together, at four bytes each, they stay below the 20 kB of a webhook's body.
constexpr std::size_t title_max = 300;
constexpr std::size_t sentence_max = 400;
constexpr std::size_t name_max = 120;
constexpr std::size_t signals_max = 16;
constexpr std::size_t signal_name_max = 60;
static_assert(
    4 * (title_max + 5 * sentence_max + 10 * name_max + signals_max * signal_name_max) < 18'000,
    "a webhook body stays below 20 kB whatever the texts hold"
);

template <class E, std::size_t N>
std::string_view find_name(const std::array<std::pair<E, std::string_view>, N>& rows, E value) {
    for (const auto& [row, name] : rows) {
        if (row == value) {
            return name;
        }
    }
    return "?";
}

template <class E, std::size_t N>
std::optional<E> find_value(
    const std::array<std::pair<E, std::string_view>, N>& rows, std::string_view wanted
) {
    for (const auto& [row, name] : rows) {
        if (name == wanted) {
            return row;
        }
    }
    return std::nullopt;
}

constexpr std::array<std::pair<Event, std::string_view>, 11> event_names{{
    {Event::Opened, "incident.opened"},
    {Event::Declared, "incident.declared"},
    {Event::Escalated, "incident.escalated"},
    {Event::Resolved, "incident.resolved"},
    {Event::Test, "notice.test"},
    {Event::Contained, "incident.contained"},
    {Event::PointFailing, "point.failing"},
    {Event::PointWell, "point.well"},
    {Event::ControlDue, "control.due"},
    {Event::ControlOverdue, "control.overdue"},
    {Event::ControlReviewed, "control.reviewed"},
}};

constexpr std::array<std::pair<ChannelType, std::string_view>, 4> channel_type_names{{
    {ChannelType::Webhook, "webhook"},
    {ChannelType::Slack, "slack"},
    {ChannelType::PagerDuty, "pagerduty"},
    {ChannelType::Alertmanager, "alertmanager"},
}};

constexpr std::array<std::pair<NoticeState, std::string_view>, 3> state_names{{
    {NoticeState::Pending, "pending"},
    {NoticeState::Delivered, "delivered"},
    {NoticeState::Failed, "failed"},
}};

/// Bytes of the code point that starts `text`, 0 if it is no valid UTF-8 (RFC 3629: no overlong
/// forms, no surrogates, nothing past U+10FFFF).
std::size_t code_point_bytes(std::string_view text) noexcept {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const auto follows = [&](std::size_t at, unsigned low, unsigned high) {
        return at < text.size() && byte(at) >= low && byte(at) <= high;
    };
    const unsigned first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return follows(1, 0x80, 0xbf) ? 2 : 0;
    }
    if (first >= 0xe0 && first <= 0xef) {
        const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
        const unsigned high = first == 0xed ? 0x9f : 0xbf;
        return follows(1, low, high) && follows(2, 0x80, 0xbf) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const unsigned low = first == 0xf0 ? 0x90 : 0x80;
        const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
        return follows(1, low, high) && follows(2, 0x80, 0xbf) && follows(3, 0x80, 0xbf) ? 4 : 0;
    }
    return 0;
}

std::string_view title_prefix(IncidentKind kind) {
    switch (kind) {
        case IncidentKind::Drill:
            return "[DRILL] ";
        case IncidentKind::Chaos:
            return "[CHAOS] ";
        case IncidentKind::Real:
        case IncidentKind::Backfilled:
            break;
    }
    return "";
}

/// What the timeline says of containment, the newest first.
std::string containment_of(const incident::Incident& incident) {
    std::string text;
    for (auto entry = incident.timeline.rbegin(); entry != incident.timeline.rend(); ++entry) {
        if (entry->source == "containment" && text.size() < 4 * sentence_max) {
            text += (text.empty() ? "" : " ") + entry->text;
            text += entry->text.ends_with('.') ? "" : ".";
        }
    }
    return text;
}

}  // namespace

std::string_view name_of(Event event) noexcept { return find_name(event_names, event); }
std::optional<Event> parse_event(std::string_view name) noexcept {
    return find_value(event_names, name);
}
std::string_view name_of(ChannelType type) noexcept { return find_name(channel_type_names, type); }
std::optional<ChannelType> parse_channel_type(std::string_view name) noexcept {
    return find_value(channel_type_names, name);
}
std::string_view name_of(NoticeState state) noexcept { return find_name(state_names, state); }

std::string clean(std::string_view text, std::size_t points_max) {
    std::string out;
    std::size_t points = 0;
    std::size_t before_last = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (points == points_max) {
            out.resize(before_last);
            out += "\u2026";
            return out;
        }
        before_last = out.size();
        const std::size_t bytes = code_point_bytes(text.substr(at));
        const auto first = static_cast<unsigned char>(text[at]);
        if (bytes == 0) {
            out += "\uFFFD";
        } else if ((first < 0x20 && first != '\n') || first == 0x7f) {
            out += ' ';
        } else {
            out.append(text.substr(at, bytes));
        }
        at += bytes == 0 ? 1 : bytes;
        ++points;
    }
    return out;
}

Content describe_incident(
    const incident::Incident& incident, const journal::EntryDraft& change, std::string_view page_url
) {
    const incident::Anchors& anchors = incident.anchors;
    Content content{
        .incident = clean(incident.id.text(), name_max),
        .title = clean(std::string(title_prefix(incident.kind)) + incident.title, title_max),
        .failure_class = incident.failure_class,
        .kind = incident.kind,
        .state = incident.state,
        .severity = incident.severity,
        .escalated_from = std::nullopt,
        .severity_reason = clean(incident.severity_reason, sentence_max),
        .cause = clean(incident.cause, sentence_max),
        .agent = clean(incident.agent.text(), name_max),
        .workflow = clean(incident.workflow.text(), name_max),
        .tool = clean(incident.tool.text(), name_max),
        .service = clean(incident.service, name_max),
        .environment = clean(incident.environment, name_max),
        .team = clean(incident.owner.team, name_max),
        .contact = clean(incident.owner.contact, name_max),
        .evidence = incident.findings.empty()
                        ? std::string()
                        : clean(incident.findings.front().evidence, sentence_max),
        .containment = clean(containment_of(incident), sentence_max),
        .reason = clean(change.reason, sentence_max),
        .actor = clean(change.actor.text(), name_max),
        .signals = {},
        .sessions = incident.impact.sessions,
        .failed_sessions = incident.impact.failed_sessions,
        .writes = incident.impact.writes,
        .tokens = incident.impact.tokens,
        .cost_usd = incident.impact.cost_usd,
        .began_at = anchors.onset_at.value_or(anchors.signal_at.value_or(change.occurred_at)),
        .resolved_at = anchors.resolved_at,
        .at = change.occurred_at,
        .link = {},
    };
    for (const std::string& signal : incident.signals) {
        if (content.signals.size() == signals_max) {
            break;
        }
        content.signals.push_back(clean(signal, signal_name_max));
    }
    if (!page_url.empty()) {
        content.link = std::string(page_url) + (page_url.ends_with('/') ? "" : "/") + "incidents/" +
                       content.incident;
    }
    return content;
}

Content describe_point(
    std::string_view point, std::string_view sentence, bool failing, Instant at,
    std::string_view page_url
) {
    constexpr std::size_t title_points_max = 300;
    Content content;
    content.incident = "point:" + clean(point, 200);
    content.title = clean(sentence, title_points_max);
    // What it should refuse may pass there: until it is heard of, nobody knows.
    content.failure_class = FailureClass::Safety;
    content.severity = Severity::Sev1;
    content.state = failing ? IncidentState::Declared : IncidentState::Resolved;
    content.severity_reason =
        failing ? "what it should stop may pass at this gateway" : "it enforces what it should";
    content.cause = "an enforcement point did not acknowledge";
    content.began_at = at;
    content.at = at;
    if (!failing) {
        content.resolved_at = at;
    }
    if (!page_url.empty()) {
        content.link =
            std::string(page_url) + (page_url.ends_with('/') ? "" : "/") + "containment";
    }
    return content;
}

Content describe_control(
    const contain::ControlView& view, const incident::Owner& owner, Event event, Instant at,
    std::string_view page_url
) {
    const Control& control = view.control;
    const std::string what = std::string(name_of(control.mode)) + " for " + to_text(control.scope);
    const std::string date = to_rfc3339(control.review_by);
    const std::string remedy = ". Renew it or ask for its release; it is never released by itself";
    Content content;
    content.incident = "control:" + clean(control.id.text(), name_max);
    content.title = clean(
        event == Event::ControlDue       ? what + " is to be looked at by " + date + remedy
        : event == Event::ControlOverdue ? what + " was to be looked at by " + date + remedy
        : view.released_at               ? what + " was released"
                                         : what + " was renewed until " + date,
        title_max
    );
    content.failure_class = FailureClass::Safety;
    content.severity = event == Event::ControlOverdue ? Severity::Sev2 : Severity::Sev3;
    content.state = ends(event) ? IncidentState::Resolved : IncidentState::Declared;
    content.severity_reason = event == Event::ControlOverdue
                                  ? "a control is in force past its review date"
                                  : "a control's review date is near";
    content.cause = "a control is to be looked at";
    content.containment = clean(
        control.id.text() + ", in force since " + to_rfc3339(control.since) + " by " +
            control.author.text() + ": " + control.reason,
        sentence_max
    );
    // Other scopes stand in the title only.
    if (control.scope.kind == ScopeKind::Agent) {
        content.agent = clean(control.scope.name, name_max);
    } else if (control.scope.kind == ScopeKind::Workflow) {
        content.workflow = clean(control.scope.name, name_max);
    } else if (control.scope.kind == ScopeKind::Tool) {
        content.tool = clean(control.scope.name, name_max);
    }
    content.team = clean(owner.team, name_max);
    content.contact = clean(owner.contact, name_max);
    content.actor = clean(control.author.text(), name_max);
    content.reason = clean(control.reason, sentence_max);
    content.began_at = control.since;
    content.at = at;
    if (ends(event)) {
        content.resolved_at = at;
    }
    if (!page_url.empty()) {
        content.link = std::string(page_url) + (page_url.ends_with('/') ? "" : "/") +
                       "containment/" + clean(control.id.text(), name_max);
    }
    return content;
}

}  // namespace tagout::notify
