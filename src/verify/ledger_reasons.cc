#include "verify/ledger_reasons.h"

#include "verify/said.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace tagout::verify {

namespace {

bool agrees(const std::string& wanted, const std::string& told) {
    return wanted.empty() || told.empty() || wanted == told;
}

const Finding* finding_at(
    const incident::Incident& incident, std::span<const std::string> spans, const LedgerRow& row
) {
    for (const Finding& finding : incident.findings) {
        if (!finding.span_id.empty() && agrees(finding.trace_id, row.trace_id) &&
            std::ranges::find(spans, finding.span_id) != spans.end()) {
            return &finding;
        }
    }
    return nullptr;
}

const Finding* finding_of_session(
    const incident::Incident& incident, std::string_view correlation
) {
    const Finding* found = nullptr;
    for (const Finding& finding : incident.findings) {
        if (!correlation.empty() && finding.correlation.text() == correlation &&
            (found == nullptr || (found->outcome != SessionOutcome::Failed &&
                                  finding.outcome == SessionOutcome::Failed))) {
            found = &finding;
        }
    }
    return found;
}

void add_findings(
    const incident::Incident& incident, std::span<const std::string> spans, LedgerRow& row
) {
    const Finding* const at = finding_at(incident, spans, row);
    const Finding* const session = finding_of_session(incident, row.correlation);
    if (at != nullptr) {
        row.reasons.push_back(
            at->signal + " points at this very call" +
            (at->evidence.empty() ? "" : ": " + at->evidence)
        );
    } else if (session != nullptr && !session->rate) {
        row.reasons.push_back(
            "it was made in a session of this incident (" + session->signal + ")"
        );
    }
    if (session != nullptr && session->outcome == SessionOutcome::Failed) {
        row.reasons.push_back(
            "its session failed for its user" +
            (session->outcome_reason.empty() ? "" : ": " + session->outcome_reason)
        );
    }
}

void add_unsaid(const EventBatch& session, LedgerRow& row) {
    if (row.arguments.empty() || row.clipped) {
        return;
    }
    for (const UnsaidValue& each : unsaid_values(row.arguments, said_before(session, row.at))) {
        row.reasons.push_back(
            "nobody had said the value " + each.value + " of '" + each.key + "' before the call"
        );
    }
}

bool is_error(const AgentEvent& event) noexcept {
    return event.outcome != StepOutcome::Ok;
}

}  // namespace

bool is_of_incident(const incident::Incident& incident, const LedgerRow& row) {
    if (finding_of_session(incident, row.correlation) != nullptr) {
        return true;
    }
    const bool same_tool =
        incident.tool.empty() || is_same_tool(incident.tool.text(), row.tool);
    if (!incident.agent.empty()) {
        if (row.agent.empty()) {
            return same_tool;
        }
        return row.agent == incident.agent.text() &&
               agrees(incident.workflow.text(), row.workflow);
    }
    if (!incident.workflow.empty()) {
        return row.workflow.empty() ? same_tool : row.workflow == incident.workflow.text();
    }
    return same_tool;
}

SessionOutcome outcome_of_session(
    const incident::Incident& incident, std::string_view correlation
) {
    const Finding* const finding = finding_of_session(incident, correlation);
    return finding == nullptr ? SessionOutcome::Unknown : finding->outcome;
}

void add_call_reasons(
    const incident::Incident& incident, const SessionCall& call, std::span<const std::string> spans,
    const EventBatch& session, LedgerRow& row
) {
    if (row.state == EffectState::Refused) {
        return;
    }
    add_findings(incident, spans, row);
    if (call.gateway != nullptr && call.telemetry != nullptr) {
        if (row.state == EffectState::Recorded && is_error(*call.telemetry)) {
            row.reasons.emplace_back(
                "the agent took it for failed, and on the wire it was answered as done"
            );
        } else if (is_error(*call.gateway) && !is_error(*call.telemetry)) {
            row.reasons.emplace_back(
                "the agent took it for done, and on the wire it was not"
            );
        }
    }
    if (call.again) {
        row.reasons.emplace_back(
            "one call of the agent reached the tool again: it may have been done twice"
        );
    }
    if (row.state == EffectState::Unknown) {
        row.reasons.emplace_back("it was cut in flight: nobody knows whether it was done");
    }
    add_unsaid(session, row);
}

void add_today(const incident::Incident& incident, const Today& today, LedgerRow& row) {
    row.verdict_today = today.verdict;
    if (today.verdict == Verdict::Allow || today.verdict == Verdict::None) {
        return;
    }
    row.verdict_reason = today.by + (today.reason.empty() ? "" : ": " + today.reason);
    const bool own = !incident.id.empty() && today.incident == incident.id;
    const bool refused = today.verdict == Verdict::Deny || today.verdict == Verdict::Escalate;
    if (refused && !own && row.state != EffectState::Refused) {
        row.reasons.push_back(
            std::string("today it would ") +
            (today.verdict == Verdict::Deny ? "be refused" : "wait for a person") + " (" +
            row.verdict_reason + ")"
        );
    }
}

void add_version_reasons(const incident::Incident& incident, std::vector<LedgerRow>& rows) {
    if (!incident.anchors.onset_at) {
        return;
    }
    const Instant onset = *incident.anchors.onset_at;
    using Field = std::string LedgerRow::*;
    constexpr std::array<std::pair<Field, std::string_view>, 3> families{{
        {&LedgerRow::prompt_version, "prompt"},
        {&LedgerRow::policy, "policy"},
        {&LedgerRow::route, "model route"},
    }};
    for (const auto& [field, family] : families) {
        std::map<std::string, std::string> before;  // agent -> the last version before onset
        std::set<std::pair<std::string, std::string>> known;
        for (LedgerRow& row : rows) {
            const std::string& version = row.*field;
            if (version.empty()) {
                continue;
            }
            if (row.at < onset) {
                before[row.agent] = version;
                known.emplace(row.agent, version);
            } else if (const auto old = before.find(row.agent);
                       old != before.end() && !known.contains({row.agent, version}) &&
                       row.state != EffectState::Refused) {
                row.reasons.push_back(
                    "made after onset under " + std::string(family) + " " + version +
                    "; before it, " + old->second + " was in force"
                );
            }
        }
    }
}

}  // namespace tagout::verify
