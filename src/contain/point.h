// The port to an enforcement point: a place that calls pass and that can be told to stop them.
//
// In one process the gateway is one; later every `tagout gateway` is one behind a stream. Claims are
// made of what a point answered, never of what was sent to it.
#pragma once

#include "contain/decide.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tagout::contain {

/// What a point found when a probe went through its own road: the call as an agent would send it,
/// up to the decision and not one step further; it never reaches an upstream.
struct ProbeResult {
    std::string road;      ///< "mcp:payments", "model:openai", "decide"
    bool reached = false;  ///< The point answered at all.
    Verdict verdict = Verdict::None;
    std::string decided_by;  ///< Id of the control or rule.
    std::uint64_t revision = 0;
    std::string detail;  ///< What was seen, in one sentence; the error when not reached.
};

/// Thread-safe.
class EnforcementPoint {
public:
    virtual ~EnforcementPoint() = default;
    [[nodiscard]] virtual std::string name() const = 0;  ///< "gateway" in one process.

    /// Puts `snapshot` in force: every call that is decided after `done` was called is judged by it,
    /// calls in flight that it stops were cancelled. `done` gets the revision that the point now
    /// enforces, or why it does not; from any thread, once.
    virtual void enforce(
        std::shared_ptr<const ControlSnapshot> snapshot,
        std::function<void(Result<std::uint64_t>)> done
    ) = 0;

    /// Sends a probe for `control` over each road of the point that the control can bite on. Blocks
    /// for at most a few seconds; never called on an event loop.
    [[nodiscard]] virtual std::vector<ProbeResult> probe(const Control& control) = 0;
};

}  // namespace tagout::contain
