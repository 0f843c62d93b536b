// What a gateway's own record says of a call, beside what every tool span says: the decision.
//
// A gateway's record is a span of the MCP convention, child of the caller's span by traceparent, with
// these attributes. The span's presence says that the wire was seen, so its word on whether a call
// went out counts more than the agent's.
#pragma once

#include "domain/event_batch.h"

#include <optional>
#include <string>
#include <string_view>

namespace tagout::verify {

namespace decision_key {
inline constexpr std::string_view prefix = "tagout.decision.";
inline constexpr std::string_view verdict = "tagout.decision.verdict";  ///< allow, deny, ...
inline constexpr std::string_view by = "tagout.decision.by";            ///< Control or policy rule.
inline constexpr std::string_view reason = "tagout.decision.reason";
inline constexpr std::string_view shadow = "tagout.decision.shadow";  ///< Observing control.
inline constexpr std::string_view revision = "tagout.decision.revision";    ///< Integer.
inline constexpr std::string_view cancelled = "tagout.decision.cancelled";  ///< Boolean.
}  // namespace decision_key

struct DecisionWords {
    Verdict verdict = Verdict::Allow;
    std::string by;
    std::string reason;
    std::string shadow;
    std::uint64_t revision = 0;
    bool cancelled = false;  ///< Stopped while in flight.
};

/// Nothing if the item is no gateway's record. Cost: one search of its bytes for the prefix.
[[nodiscard]] std::optional<DecisionWords> decision_of(const RawItem& item);

[[nodiscard]] std::string_view verdict_name(Verdict verdict) noexcept;  ///< None is "unknown".

}  // namespace tagout::verify
