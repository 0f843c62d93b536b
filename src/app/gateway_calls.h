// What the gateway saw, as telemetry: each tool call becomes a span that goes the way of every span,
// through intake into the evidence log, detection and the ledger.
//
// The span is a child of the agent's own by its traceparent, so that a call which the agent reports
// as well is one call (intake::Linker), and an agent that reports nothing is seen all the same. The
// decision stands in attributes (verify/decision_words.h). Model calls are recorded when they were
// refused; their tokens are the agent's to report.
//
// Thread-safe. add() never blocks: past calls_max the newest are counted as lost.
#pragma once

#include "base/mutex.h"
#include "gateway/gateway.h"
#include "intake/otlp_encoder.h"
#include "server/ports.h"

#include <cstddef>
#include <functional>
#include <string_view>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace tagout::app {

/// Instrumentation scope of the spans that tell what a gateway saw.
inline constexpr std::string_view gateway_scope = "dev.tagout.gateway";

/// The span of one call. `seed` makes ids where the caller sent none.
[[nodiscard]] otlp::SpanRecord span_of(const gateway::SeenCall& call, std::uint64_t seed);
/// Whether a call is recorded at all.
[[nodiscard]] bool is_recorded(const gateway::SeenCall& call) noexcept;

/// What became of some calls, on its way to where it is kept.
struct CallRecords {
    std::string telemetry;  ///< OTLP spans in protobuf; "" when none of them is recorded.
    std::size_t spans = 0;
    std::map<std::string, std::uint64_t> refused;  ///< Calls by the control or rule that refused them.
    std::size_t calls = 0;
};

class GatewayCalls {
public:
    static constexpr std::size_t calls_max = 8'192;
    static constexpr std::size_t batch_max = 256;
    static constexpr Duration linger = std::chrono::milliseconds(100);

    /// Told how many calls a control or rule refused; on this object's thread.
    using Refused = std::function<void(const ControlId& by, std::uint64_t calls)>;

    /// Takes records of at most `bytes` of telemetry, on this object's thread.
    using Take = std::function<void(CallRecords)>;

    /// In one process: into the intake.
    GatewayCalls(
        server::IntakeSink& intake, MetricRegistry& metrics, Refused refused, std::uint64_t seed
    );
    /// In a gateway of its own: wherever `take` keeps them.
    GatewayCalls(
        Take take, std::size_t bytes_max, MetricRegistry& metrics, std::uint64_t seed
    );
    /// Hands over what is queued and ends the thread.
    ~GatewayCalls();
    GatewayCalls(const GatewayCalls&) = delete;
    GatewayCalls& operator=(const GatewayCalls&) = delete;

    void add(gateway::SeenCall call);

private:
    void run();
    void hand_over(std::span<const gateway::SeenCall> calls);
    void into_intake(server::IntakeSink& intake, const Refused& refused, CallRecords records);
    void lose(std::size_t calls, std::string_view reason);

    MetricRegistry& metrics_;
    const Take take_;
    const std::size_t bytes_max_;
    std::uint64_t seed_;  ///< Of the thread only.

    Mutex mutex_;
    Condition changed_;
    std::vector<gateway::SeenCall> queue_ TAGOUT_GUARDED_BY(mutex_);
    bool stopping_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace tagout::app
