#include "verify/session_calls.h"

#include <algorithm>
#include <set>

namespace tagout::verify {

namespace {

constexpr int depth_max = 64;
/// Clocks of an agent and of the gateway differ, and a log record comes a little after its call.
constexpr Duration slack = std::chrono::seconds(1);

bool overlap(const AgentEvent& a, const AgentEvent& b) noexcept {
    return a.started_at <= b.ended_at + slack && b.started_at <= a.ended_at + slack;
}

std::string without_blanks(std::string_view text) {
    std::string packed;
    for (const char c : text) {
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            packed += c;
        }
    }
    return packed;
}

bool same_arguments(const AgentEvent& a, const AgentEvent& b) {
    return a.tool_args.empty() || b.tool_args.empty() ||
           without_blanks(a.tool_args) == without_blanks(b.tool_args);
}

bool is_call(const AgentEvent& event) noexcept {
    return event.kind == EventKind::Tool && !event.merged;
}

bool same_id(const AgentEvent& a, const AgentEvent& b) noexcept {
    return !a.tool_call_id.empty() && a.tool_call_id == b.tool_call_id;
}

}  // namespace

bool is_same_tool(std::string_view a, std::string_view b) noexcept {
    if (a.size() < b.size()) {
        std::swap(a, b);
    }
    if (a == b) {
        return true;
    }
    if (b.empty() || !a.ends_with(b)) {
        return false;
    }
    const char before = a[a.size() - b.size() - 1];
    return before == '.' || before == '/' || before == '_' || before == ':';
}

SessionCalls::SessionCalls(const EventBatch& batch) : batch_(batch) {
    gather();
    join_telemetry();
    for (auto& [record, decision] : records_) {
        join_gateway(*record, std::move(decision));
    }
    std::ranges::stable_sort(calls_, [](const SessionCall& a, const SessionCall& b) {
        return a.seen().started_at < b.seen().started_at;
    });
}

std::string SessionCalls::key_of(const TraceId& trace, const SpanId& span) {
    std::string key(reinterpret_cast<const char*>(trace.bytes.data()), trace.bytes.size());
    key.append(reinterpret_cast<const char*>(span.bytes.data()), span.bytes.size());
    return key;
}

const AgentEvent* SessionCalls::parent_of(const AgentEvent& event) const {
    // A log record hangs below the span that it names.
    const SpanId& id = event.signal == Signal::Logs ? event.span_id : event.parent_span_id;
    const auto found = by_span_.find(key_of(event.trace_id, id));
    return id.empty() || found == by_span_.end() ? nullptr : found->second;
}

const AgentEvent* SessionCalls::outer_of(const AgentEvent& event) const {
    const AgentEvent* at = parent_of(event);
    for (int depth = 0; at != nullptr && depth < depth_max; ++depth, at = parent_of(*at)) {
        if (is_call(*at)) {
            return is_same_tool(at->tool_name, event.tool_name) ? at : nullptr;
        }
    }
    return nullptr;
}

void SessionCalls::gather() {
    for (const AgentEvent& event : batch_.events) {
        if (event.signal == Signal::Traces && !event.span_id.empty()) {
            by_span_.emplace(key_of(event.trace_id, event.span_id), &event);
        }
    }
    for (const AgentEvent& event : batch_.events) {
        if (!is_call(event)) {
            continue;
        }
        std::optional<DecisionWords> decision;
        if (event.item < batch_.items.size()) {
            decision = decision_of(batch_.items[event.item]);
        }
        if (decision) {
            records_.emplace_back(&event, std::move(*decision));
        } else {
            told_.push_back(&event);
        }
    }
    std::ranges::stable_sort(records_, {}, [](const auto& record) {
        return record.first->started_at;
    });
    // Spans before log records: a record that tells of the same call adds nothing to its span.
    std::ranges::stable_sort(told_, {}, [](const AgentEvent* event) {
        return std::pair(event->signal, event->started_at);
    });
}

void SessionCalls::join_telemetry() {
    std::set<const AgentEvent*> outer;
    for (const AgentEvent* event : told_) {
        if (const AgentEvent* const above = outer_of(*event)) {
            if (event->signal == Signal::Traces) {
                outer.insert(above);
            }
        }
    }
    for (const AgentEvent* event : told_) {
        if (outer.contains(event)) {
            continue;
        }
        const AgentEvent* const above = outer_of(*event);
        const bool told_already = std::ranges::any_of(calls_, [&](const SessionCall& call) {
            const AgentEvent& other = *call.telemetry;
            return is_same_tool(other.tool_name, event->tool_name) &&
                   ((same_id(other, *event) && overlap(other, *event)) ||
                    (event->signal == Signal::Logs && (&other == above || call.around == above) &&
                     above != nullptr));
        });
        if (!told_already) {
            SessionCall call;
            call.telemetry = event;
            call.around = above;
            calls_.push_back(std::move(call));
        }
    }
}

SessionCall* SessionCalls::call_of(const AgentEvent& record, const AgentEvent* outer) {
    const auto pick = [&](auto&& fits) -> SessionCall* {
        SessionCall* taken = nullptr;
        for (SessionCall& call : calls_) {
            if (call.telemetry == nullptr ||
                !is_same_tool(call.telemetry->tool_name, record.tool_name) || !fits(call)) {
                continue;
            }
            if (call.gateway == nullptr) {
                return &call;
            }
            taken = &call;
        }
        return taken;
    };
    if (outer != nullptr) {
        return pick([&](const SessionCall& call) {
            return call.telemetry == outer ||
                   (call.around == outer && overlap(*call.telemetry, record));
        });
    }
    if (SessionCall* const found =
            pick([&](const SessionCall& call) { return same_id(*call.telemetry, record); })) {
        return found;
    }
    // Without any id: only a call that no other record has claimed, so that none is swallowed.
    SessionCall* const alike = pick([&](const SessionCall& call) {
        return call.gateway == nullptr && overlap(*call.telemetry, record) &&
               same_arguments(*call.telemetry, record);
    });
    return alike;
}

void SessionCalls::join_gateway(const AgentEvent& record, DecisionWords decision) {
    const AgentEvent* const outer = outer_of(record);
    SessionCall* const call = call_of(record, outer);
    if (call != nullptr && call->gateway == nullptr) {
        call->gateway = &record;
        call->decision = std::move(decision);
        return;
    }
    SessionCall own;
    own.gateway = &record;
    own.around = call != nullptr ? call->telemetry : outer;
    own.again = call != nullptr;
    own.decision = std::move(decision);
    calls_.push_back(std::move(own));
}

std::string_view SessionCalls::fact(
    const SessionCall& call, std::string_view AgentEvent::*field
) const {
    for (const AgentEvent* event : {call.telemetry, call.gateway, call.around}) {
        if (event != nullptr && !(event->*field).empty()) {
            return event->*field;
        }
    }
    for (const AgentEvent* start : {call.telemetry, call.gateway, call.around}) {
        const AgentEvent* at = start == nullptr ? nullptr : parent_of(*start);
        for (int depth = 0; at != nullptr && depth < depth_max; ++depth, at = parent_of(*at)) {
            if (!(at->*field).empty()) {
                return at->*field;
            }
        }
    }
    for (const AgentEvent& event : batch_.events) {
        if (!(event.*field).empty()) {
            return event.*field;
        }
    }
    return {};
}

}  // namespace tagout::verify
