// Did it fail, and how? Read from all the places where conventions hide it.
//
// Many SDKs leave the span's status unset when a tool fails, say it in an attribute of their own or
// in the tool's result, and one thing that looks like an error is none: the GET by which an MCP
// client asks for a stream is answered 405 by servers that have none. Rules: reference/telemetry
// 0.3, 0.4 and 5.3.
#pragma once

#include "intake/normalise_item.h"

namespace tagout::intake {

/// Whether a span failed, whatever its status says.
[[nodiscard]] bool has_failed(
    const AttributeIndex& attributes, const SpanView& span, EventKind kind, Convention convention
);

/// How a step ended, from what the event holds by now. A child's word (a denied permission) is
/// added by the Linker.
[[nodiscard]] StepOutcome outcome_of(const AgentEvent& event) noexcept;

}  // namespace tagout::intake
