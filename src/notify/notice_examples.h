// Incidents and channels for this room's tests.
#pragma once

#include "incident/desk.h"
#include "notify/notice.h"

#include <string>

namespace tagout::notify {

inline const Instant noon = *parse_rfc3339("2026-11-24T12:00:00Z");

inline incident::Incident refund_incident() {
    incident::Incident incident;
    incident.id = IncidentId("INC-7");
    incident.title = "refund-agent sends money that nobody asked for";
    incident.failure_class = FailureClass::Tool;
    incident.state = IncidentState::Declared;
    incident.severity = Severity::Sev2;
    incident.severity_reason = "3 writes, at least 1";
    incident.cause = "unexpected write: send_refund";
    incident.agent = AgentName("refund-agent");
    incident.workflow = WorkflowName("refunds");
    incident.tool = ToolName("send_refund");
    incident.service = "refund-agent";
    incident.environment = "production";
    incident.owner = {
        .team = "payments", .contact = "ann", .channel = "ops", .rule = "agent:refund-*"
    };
    incident.anchors.onset_at = noon - std::chrono::minutes(3);
    incident.impact.sessions = 4;
    incident.impact.failed_sessions = 3;
    incident.impact.writes = 3;
    incident.impact.cost_usd = 1.25;
    incident.signals = {"tool.unexpected_write"};
    Finding finding;
    finding.evidence = "send_refund(order=1001, amount=40) & nobody asked <for> it";
    incident.findings = {finding};
    return incident;
}

inline journal::JournalEntry entry_of(std::uint64_t sequence, std::string reason) {
    journal::JournalEntry entry;
    entry.sequence = sequence;
    entry.draft.actor = Actor("person:ann");
    entry.draft.reason = std::move(reason);
    entry.draft.occurred_at = noon;
    return entry;
}

inline Notice refund_notice(ChannelType type, Event event) {
    Notice notice;
    notice.view.id = "msg_0123456789abcdef01234567";
    notice.view.incident = "INC-7";
    notice.view.channel = "ops";
    notice.view.type = name_of(type);
    notice.view.event = name_of(event);
    notice.view.created_at = noon;
    notice.event = event;
    notice.type = type;
    incident::Incident incident = refund_incident();
    if (event == Event::Resolved) {
        incident.state = IncidentState::Resolved;
        incident.anchors.resolved_at = noon + std::chrono::hours(1);
    }
    notice.content = describe_incident(
        incident, entry_of(1, "confirmed on the phone").draft, "https://tagout.example"
    );
    return notice;
}

}  // namespace tagout::notify
