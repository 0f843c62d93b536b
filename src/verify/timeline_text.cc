#include "verify/timeline_text.h"

namespace tagout::verify {

namespace {

/// One line of plain text: what came from outside must not make headings, rows or markup.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n' || c == '\r' || c == '\t') {
            out += ' ';
        } else if (c == '|' || c == '<' || c == '`' || c == '[' || c == '*' || c == '_' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) >= ' ') {
            out += c;
        }
    }
    return out;
}

void put_fact(std::string& to, std::string_view name, std::string_view text) {
    if (!text.empty()) {
        to += "- " + std::string(name) + ": " + plain(text) + "\n";
    }
}

void put_time(std::string& to, std::string_view name, const std::optional<Instant>& at) {
    if (at) {
        put_fact(to, name, to_rfc3339(*at));
    }
}

void put_head(std::string& to, const incident::Incident& incident) {
    to += "# " + incident.id.text() + ": " + plain(incident.title) + "\n\n";
    put_fact(to, "Class", name_of(incident.failure_class));
    put_fact(to, "Severity", name_of(incident.severity));
    put_fact(to, "Why that severity", incident.severity_reason);
    put_fact(to, "State", name_of(incident.state));
    put_fact(to, "Kind", name_of(incident.kind));
    put_fact(to, "Agent", incident.agent.text());
    put_fact(to, "Workflow", incident.workflow.text());
    put_fact(to, "Tool", incident.tool.text());
    put_fact(to, "Cause", incident.cause);
    put_fact(to, "Owner", incident.owner.team.empty() ? "unowned" : incident.owner.team);
    put_time(to, "Onset", incident.anchors.onset_at);
    put_time(to, "Declared", incident.anchors.declared_at);
    put_time(to, "Contained", incident.anchors.contained_at);
    put_time(to, "Recovered", incident.anchors.recovered_at);
    put_time(to, "Resolved", incident.anchors.resolved_at);
    put_time(to, "Closed", incident.anchors.closed_at);
}

void put_rows(std::string& to, const Ledger& ledger) {
    to += "\n## What was written meanwhile\n\n" + plain(sentence_of(ledger)) + "\n";
    if (ledger.suspects == 0) {
        return;
    }
    to += "\n| When | Tool | Agent | State | Why it is suspect |\n| --- | --- | --- | --- | --- |\n";
    for (const LedgerRow& row : ledger.rows) {
        if (!row.suspect()) {
            continue;
        }
        std::string reasons;
        for (const std::string& reason : row.reasons) {
            reasons += (reasons.empty() ? "" : "; ") + reason;
        }
        to += "| " + to_rfc3339(row.at) + " | " + plain(row.tool) + " | " + plain(row.agent) + " | " +
              std::string(name_of(row.state)) + " | " + plain(reasons) + " |\n";
    }
}

}  // namespace

std::string timeline_text(const incident::Incident& incident, const Ledger& ledger) {
    std::string text;
    put_head(text, incident);
    text += "\n## Timeline\n\n| When | What | Who | Why |\n| --- | --- | --- | --- |\n";
    for (const incident::TimelineEntry& entry : incident.timeline) {
        text += "| " + to_rfc3339(entry.occurred_at) + " | " + plain(entry.text) + " | " +
                plain(entry.actor.text()) + " | " + plain(entry.reason) + " |\n";
    }
    put_rows(text, ledger);
    return text;
}

}  // namespace tagout::verify
