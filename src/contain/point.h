// The port to an enforcement point: a place that calls pass and that can be told to stop them.
//
// The gateway of the control server's own process is one, and each `tagout gateway` is one behind a
// stream. Claims are made of what a point answered, never of what was sent to it.
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

/// What is put in force: the tables that calls are judged by, and what they were made from, for points
/// that make their own.
struct Published {
    std::shared_ptr<const ControlSnapshot> snapshot;
    std::shared_ptr<const std::vector<Control>> controls;
    std::shared_ptr<const std::vector<Policy>> policies;
};

/// What is known of a point beside what it acknowledged. Counts are since the point's own start.
struct PointContact {
    bool remote = false;     ///< A process of its own.
    bool connected = true;
    std::string away;        ///< Why it is not connected, in a sentence.
    std::optional<Instant> last_contact;  ///< Of a remote one.
    std::string version;
    std::string address;     ///< Where agents reach it.
    std::string error;       ///< What it says of itself: why what it was told is not in force.
    bool lease_over = false; ///< It has stopped high-risk tools by itself.
    std::uint64_t rules = 0; ///< Policy rules in force there.
    std::uint64_t controls = 0;
    std::uint64_t local_controls = 0;  ///< Applied at its host and not yet in the book.
    std::uint64_t calls = 0;
    std::uint64_t calls_denied = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t records_waiting = 0;  ///< Batches that wait on its disk.
    std::uint64_t records_dropped = 0;  ///< Calls whose records were lost.
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
    /// The same for a point that needs what the tables were made from. Never waits.
    virtual void put_in_force(
        const Published& published, std::function<void(Result<std::uint64_t>)> done
    ) {
        enforce(published.snapshot, std::move(done));
    }

    /// Sends a probe for `control` over each road of the point that the control can bite on. Blocks
    /// for at most a few seconds; never called on an event loop.
    [[nodiscard]] virtual std::vector<ProbeResult> probe(const Control& control) = 0;
    /// The same without waiting for it, where the point is elsewhere. `done` is called at most once.
    virtual void start_probe(
        const Control& control, std::function<void(std::vector<ProbeResult>)> done
    ) {
        done(probe(control));
    }

    /// False while nothing is heard of it. Cheap.
    [[nodiscard]] virtual bool is_connected() const { return true; }
    [[nodiscard]] virtual PointContact contact() const { return {}; }
};

}  // namespace tagout::contain
