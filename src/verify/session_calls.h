// The tool calls of one session, each once, whoever told of it and however often.
//
// One call may stand in the telemetry as a tool's span, an MCP client's span below it, a log record
// and the gateway's own record. They are one call when their ids say so: a parent's span of the same
// tool, the same tool_call_id, or, where a sender gives neither, the same tool and arguments at the
// same time. Two records of the gateway below one span of the agent are two calls: a retry that
// reached the tool twice has written twice.
#pragma once

#include "domain/event_batch.h"
#include "verify/decision_words.h"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace tagout::verify {

struct SessionCall {
    const AgentEvent* telemetry = nullptr;  ///< The innermost that tells of it; null: gateway alone.
    const AgentEvent* gateway = nullptr;
    const AgentEvent* around = nullptr;  ///< A span that shows the call from outside, for its facts.
    DecisionWords decision;              ///< Of the gateway.
    bool again = false;                  ///< A further attempt below one span of the agent.

    [[nodiscard]] const AgentEvent& seen() const noexcept {
        return gateway != nullptr ? *gateway : *telemetry;
    }
};

/// Thread-compatible. Views into `batch`, which holds one session, linked, and outlives this.
class SessionCalls {
public:
    explicit SessionCalls(const EventBatch& batch);

    [[nodiscard]] const std::vector<SessionCall>& calls() const noexcept { return calls_; }

    /// `field` of the call's own events, else of the nearest span around them, else of the first
    /// event of the session that has one.
    [[nodiscard]] std::string_view fact(
        const SessionCall& call, std::string_view AgentEvent::*field
    ) const;

private:
    static std::string key_of(const TraceId& trace, const SpanId& span);
    [[nodiscard]] const AgentEvent* parent_of(const AgentEvent& event) const;
    /// The nearest span of the same tool above, the agent's own.
    [[nodiscard]] const AgentEvent* outer_of(const AgentEvent& event) const;
    void gather();
    void join_telemetry();
    void join_gateway(const AgentEvent& record, DecisionWords decision);
    [[nodiscard]] SessionCall* call_of(const AgentEvent& record, const AgentEvent* outer);

    const EventBatch& batch_;
    std::unordered_map<std::string, const AgentEvent*> by_span_;
    std::vector<const AgentEvent*> told_;  ///< Innermost telemetry, in order of start.
    std::vector<std::pair<const AgentEvent*, DecisionWords>> records_;
    std::vector<SessionCall> calls_;
};

/// "refund" and "payments.refund" are one tool: a server's name may stand before it.
[[nodiscard]] bool is_same_tool(std::string_view a, std::string_view b) noexcept;

}  // namespace tagout::verify
