#include "verify/ledger.h"

#include "domain/named_enum.h"
#include "intake/intake.h"
#include "intake/texts.h"
#include "verify/ledger_reasons.h"
#include "verify/session_calls.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace tagout::verify {

namespace {

constexpr std::size_t scan_batch_max = 512;
constexpr Duration grace = std::chrono::minutes(1);

constexpr std::array call_source_names{
    EnumName{CallSource::Telemetry, "telemetry"},
    EnumName{CallSource::Gateway, "gateway"},
    EnumName{CallSource::Both, "both"},
};
constexpr std::array effect_state_names{
    EnumName{EffectState::Requested, "requested"},
    EnumName{EffectState::Recorded, "recorded"},
    EnumName{EffectState::Confirmed, "confirmed"},
    EnumName{EffectState::Disproved, "disproved"},
    EnumName{EffectState::Failed, "failed"},
    EnumName{EffectState::Unknown, "unknown"},
    EnumName{EffectState::Refused, "refused"},
};

bool is_write_class(ToolEffect effect) noexcept {
    return effect != ToolEffect::Read;
}

/// Decodes items into `batch`; returns how many no longer read.
std::uint64_t decode(const auto& items, EventBatch& batch) {
    std::uint64_t unreadable = 0;
    for (const journal::EvidenceItem& item : items) {
        if (!intake::decode_item(journal::raw_of(item), intake::DecodeLimits{}, batch)) {
            ++unreadable;
        }
    }
    return unreadable + batch.rejected;
}

EffectState state_of(const SessionCall& call) {
    if (call.gateway != nullptr) {
        if (call.decision.verdict == Verdict::Deny || call.decision.verdict == Verdict::Escalate) {
            return EffectState::Refused;
        }
        if (call.decision.cancelled) {
            return EffectState::Unknown;
        }
    }
    switch (call.seen().outcome) {
        case StepOutcome::Ok:
            break;
        case StepOutcome::Denied:
        case StepOutcome::Blocked:
            return EffectState::Refused;
        case StepOutcome::Cancelled:
        case StepOutcome::Timeout:
            return EffectState::Unknown;
        case StepOutcome::Error:
        case StepOutcome::ClientError:
        case StepOutcome::ServerError:
        case StepOutcome::Throttled:
            return EffectState::Failed;
    }
    // A log record may tell of a call before it was made; a span is sent when it is over.
    const AgentEvent& seen = call.seen();
    const bool answered = seen.signal == Signal::Traces || !seen.tool_result.empty() ||
                          seen.ended_at > seen.started_at;
    return answered ? EffectState::Recorded : EffectState::Requested;
}

/// What tells this record of a call from any other: log records share the span that they name.
std::string identity_of(const AgentEvent& event) {
    std::string id = to_hex(event.trace_id) + to_hex(event.span_id);
    if (event.signal == Signal::Logs || event.span_id.empty()) {
        id += std::to_string(unix_nanos(event.started_at)) + std::string(event.tool_name) +
              std::string(event.tool_call_id);
    }
    return id;
}

std::string versioned(std::string_view name, std::string_view version) {
    if (name.empty() || version.empty() || version.starts_with(name)) {
        return std::string(version.empty() ? name : version);
    }
    return std::string(name) + "@" + std::string(version);
}

class Judge {
public:
    Judge(
        const LedgerParts& parts, const incident::Incident& incident, const LedgerOptions& options,
        Instant now
    )
        : parts_(parts), incident_(incident), options_(options) {
        ledger_.incident = incident.id;
        std::tie(ledger_.from, ledger_.to) = window_of(incident, options.margin, now);
        ledger_.judged_at = now;
    }

    Result<Ledger> run() {
        TAGOUT_TRY(scan());
        TAGOUT_TRY(read_sessions());
        std::ranges::stable_sort(ledger_.rows, {}, &LedgerRow::at);
        add_version_reasons(incident_, ledger_.rows);
        count();
        if (ledger_.rows.size() > options_.rows_max) {
            ledger_.cut.push_back(
                "only the first " + std::to_string(options_.rows_max) + " of " +
                std::to_string(ledger_.rows.size()) + " calls are listed"
            );
            ledger_.rows.resize(options_.rows_max);
        }
        if (incident_.finding_count > incident_.findings.size()) {
            ledger_.cut.push_back(
                std::to_string(incident_.finding_count - incident_.findings.size()) +
                " findings past the first " + std::to_string(incident_.findings.size()) +
                " point at no call here"
            );
        }
        return std::move(ledger_);
    }

private:
    [[nodiscard]] bool in_window(Instant at) const {
        return at >= ledger_.from && at <= ledger_.to;
    }

    Result<void> scan() {
        std::deque<journal::EvidenceItem> kept;
        std::size_t items = 0;
        bool cut = false;
        const auto look = [&] {
            EventBatch batch;
            ledger_.unreadable += decode(kept, batch);
            for (const AgentEvent& event : batch.events) {
                note_session(event, batch);
            }
            kept.clear();
        };
        TAGOUT_TRY(parts_.scan(ledger_.from, ledger_.to, [&](const journal::EvidenceItem& item) {
            cut = ++items > options_.items_max;
            if (!cut && item.signal != Signal::Metrics) {
                kept.push_back(item);
            }
            if (kept.size() >= scan_batch_max) {
                look();
            }
            return !cut;
        }));
        look();
        if (cut) {
            ledger_.cut.push_back(
                "the window holds more than " + std::to_string(options_.items_max) +
                " stored items; calls after the first of them may be missing: set onset or "
                "contained nearer to each other"
            );
        }
        return {};
    }

    /// Remembers the session of a write-class call that may be the incident's.
    void note_session(const AgentEvent& event, const EventBatch& batch) {
        if (event.kind != EventKind::Tool || !in_window(event.started_at) ||
            !is_write_class(parts_.catalog.tool(event.tool_name).effect)) {
            return;
        }
        const std::string_view correlation = batch.items[event.item].correlation;
        const std::string id =
            correlation.empty() ? tagout::to_hex(event.trace_id) : std::string(correlation);
        if (sessions_.contains(id)) {
            return;
        }
        if (sessions_.size() >= options_.sessions_max) {
            ++sessions_cut_;
            return;
        }
        sessions_.insert(id);
    }

    Result<void> read_sessions() {
        if (sessions_cut_ > 0) {
            ledger_.cut.push_back(
                "more than " + std::to_string(options_.sessions_max) +
                " sessions wrote in the window; " + std::to_string(sessions_cut_) +
                " calls of others were not read"
            );
        }
        // Conversations first: they hold what was filed under a trace id before they were known.
        std::vector<std::string> order(sessions_.begin(), sessions_.end());
        std::ranges::stable_partition(order, [](const std::string& id) {
            return !trace_id_of_hex(id).has_value();
        });
        for (const std::string& id : order) {
            TAGOUT_TRY(read_session(id));
        }
        return {};
    }

    Result<void> read_session(const std::string& id) {
        const std::vector<journal::EvidenceItem> items =
            TAGOUT_TRY(parts_.find(id, options_.session_items_max + 1));
        if (items.size() > options_.session_items_max) {
            ledger_.cut.push_back(
                "session " + id + " has more than " +
                std::to_string(options_.session_items_max) + " stored items; the rest was not read"
            );
        }
        EventBatch batch;
        (void)decode(items, batch);  // counted by the scan
        intake::Linker(intake::LinkerOptions{}).link(batch);
        const SessionCalls calls(batch);
        for (const SessionCall& call : calls.calls()) {
            add(call, calls, batch, id);
        }
        return {};
    }

    void add(
        const SessionCall& call, const SessionCalls& calls, const EventBatch& batch,
        const std::string& session
    ) {
        const AgentEvent& seen = call.seen();
        LedgerRow row;
        row.tool = seen.tool_name;
        const catalog::ToolFacts facts = parts_.catalog.tool(row.tool);
        if (!in_window(seen.started_at) || !is_write_class(facts.effect)) {
            return;
        }
        if (!calls_.insert(identity_of(seen)).second) {
            return;  // its session was read under its other id already
        }
        fill(row, call, calls);
        if (row.correlation.empty()) {
            row.correlation = session;
        }
        row.effect = facts.effect;
        row.effect_configured = facts.configured;
        row.reversibility = facts.reversibility;
        if (const catalog::Tool* const tool = parts_.catalog.configured_tool(row.tool)) {
            row.compensating_tool = tool->compensating_tool.text();
        }
        const std::vector<std::string> spans{
            call.telemetry != nullptr ? tagout::to_hex(call.telemetry->span_id) : "",
            call.gateway != nullptr ? tagout::to_hex(call.gateway->span_id) : "",
            call.around != nullptr ? tagout::to_hex(call.around->span_id) : ""};
        if (!is_of_incident(incident_, row)) {
            return;
        }
        decide(row, facts, arguments_of(call));
        add_call_reasons(incident_, call, spans, batch, row);
        ledger_.rows.push_back(std::move(row));
    }

    void fill(LedgerRow& row, const SessionCall& call, const SessionCalls& calls) const {
        const AgentEvent& seen = call.seen();
        const auto fact = [&](std::string_view AgentEvent::*field) {
            return std::string(calls.fact(call, field));
        };
        const auto own = [&](std::string_view AgentEvent::*field) -> std::string_view {
            for (const AgentEvent* event : {call.gateway, call.telemetry, call.around}) {
                if (event != nullptr && !(event->*field).empty()) {
                    return event->*field;
                }
            }
            return {};
        };
        const auto clip = [&](std::string_view text) {
            const std::string_view start = intake::clipped(text, options_.text_bytes_max);
            row.clipped = row.clipped || start.size() < text.size();
            return std::string(start);
        };
        row.at = seen.started_at;
        row.ended_at = seen.ended_at;
        row.agent = fact(&AgentEvent::agent_name);
        row.workflow = fact(&AgentEvent::workflow_name);
        row.user = fact(&AgentEvent::user_id);
        row.tenant = fact(&AgentEvent::tenant);
        row.environment = fact(&AgentEvent::environment);
        row.prompt_version =
            versioned(fact(&AgentEvent::prompt_name), fact(&AgentEvent::prompt_version));
        row.policy = versioned(fact(&AgentEvent::policy_id), fact(&AgentEvent::policy_version));
        row.route = fact(&AgentEvent::route);
        row.correlation = seen.correlation;
        row.trace_id = seen.trace_id.empty() ? "" : tagout::to_hex(seen.trace_id);
        const AgentEvent& shown = call.telemetry != nullptr ? *call.telemetry : seen;
        row.span_id = shown.span_id.empty() ? "" : tagout::to_hex(shown.span_id);
        row.tool_call_id = own(&AgentEvent::tool_call_id);
        row.arguments = clip(own(&AgentEvent::tool_args));
        row.result = clip(own(&AgentEvent::tool_result));
        row.outcome = seen.outcome;
        row.source = call.gateway == nullptr     ? CallSource::Telemetry
                     : call.telemetry == nullptr ? CallSource::Gateway
                                                 : CallSource::Both;
        row.state = state_of(call);
        row.decided_by = call.decision.by;
        row.session_outcome = outcome_of_session(incident_, row.correlation);
    }

    /// Whole, not as a row shows them.
    static std::string_view arguments_of(const SessionCall& call) {
        for (const AgentEvent* const event : {call.gateway, call.telemetry, call.around}) {
            if (event != nullptr && !event->tool_args.empty()) {
                return event->tool_args;
            }
        }
        return {};
    }

    void decide(
        LedgerRow& row, const catalog::ToolFacts& facts, std::string_view arguments
    ) const {
        if (!parts_.decide_today) {
            return;
        }
        ToolCall call;
        call.tool = row.tool;
        call.agent = row.agent;
        call.workflow = row.workflow;
        call.session = row.correlation;
        call.tenant = row.tenant;
        call.environment = row.environment;
        call.user = row.user;
        call.prompt_version = row.prompt_version;
        call.effect = facts.effect;
        call.risk = facts.risk;
        call.arguments = arguments;
        call.now = row.at;
        add_today(incident_, parts_.decide_today(call), row);
    }

    void count() {
        ledger_.calls = ledger_.rows.size();
        for (const LedgerRow& row : ledger_.rows) {
            LedgerTotal& total = ledger_.totals[static_cast<std::size_t>(row.reversibility)];
            ++total.calls;
            total.suspects += row.suspect() ? 1 : 0;
            total.failed += row.state == EffectState::Failed ? 1 : 0;
            total.unknown +=
                row.state == EffectState::Unknown || row.state == EffectState::Requested ? 1 : 0;
            ledger_.suspects += row.suspect() ? 1 : 0;
        }
    }

    const LedgerParts& parts_;
    const incident::Incident& incident_;
    const LedgerOptions& options_;
    Ledger ledger_;
    std::set<std::string> sessions_;
    std::uint64_t sessions_cut_ = 0;
    std::set<std::string> calls_;
};

}  // namespace

TAGOUT_DEFINE_NAMED_ENUM(CallSource, parse_call_source, call_source_names)
TAGOUT_DEFINE_NAMED_ENUM(EffectState, parse_effect_state, effect_state_names)

std::pair<Instant, Instant> window_of(
    const incident::Incident& incident, Duration margin, Instant now
) {
    const incident::Anchors& anchors = incident.anchors;
    Instant onset = now;
    for (const auto& anchor : {anchors.onset_at, anchors.signal_at, anchors.declared_at}) {
        if (anchor) {
            onset = *anchor;
            break;
        }
    }
    Instant end = now;
    for (const auto& anchor : {anchors.contained_at, anchors.resolved_at, anchors.closed_at}) {
        if (anchor) {
            end = *anchor + grace;
            break;
        }
    }
    // A control may be in force before the harm's first sign: the window is never turned round.
    return {onset - margin, std::max(std::min(end, now), onset)};
}

Result<Ledger> judge_ledger(
    const LedgerParts& parts, const incident::Incident& incident, const LedgerOptions& options,
    Instant now
) {
    return Judge(parts, incident, options, now).run();
}

}  // namespace tagout::verify
