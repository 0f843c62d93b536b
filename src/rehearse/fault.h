// Faults that the simulated fleet can suffer, by name. Each changes what really happens on the wire:
// what a tool server answers, what the scripted model decides, or where a request is routed. Nothing
// is written into the telemetry that did not happen.
#pragma once

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "domain/vocabulary.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::rehearse {

enum class FaultKind : std::uint8_t {
    ToolErrors = 0,
    UnexpectedWrite = 1,
    WrongWorkflow = 2,
    RetryStorm = 3,
    Loop = 4,
    Injection = 5,
    TokenRunaway = 6,
    SlowModel = 7,
};

struct FaultInfo {
    FaultKind kind;
    std::string_view name;
    FailureClass failure_class;
    double share;  ///< Of the sessions that it can hit, unless the user says otherwise.
    std::string_view sentence;
};

/// Every fault, for --list-faults and for the documentation.
inline constexpr std::array<FaultInfo, 8> fault_table{{
    {FaultKind::ToolErrors, "tool_4xx_storm", FailureClass::Tool, 1.0,
     "The carrier's API changes: track_shipment answers 422 and support-agent fails its users."},
    {FaultKind::UnexpectedWrite, "unexpected_write", FailureClass::Tool, 0.6,
     "A new prompt makes support-agent change addresses of people who only asked where their order is."},
    {FaultKind::WrongWorkflow, "wrong_workflow", FailureClass::Intent, 0.8,
     "The router sends refund requests to order_support, and users have to say so again and again."},
    {FaultKind::RetryStorm, "retry_storm", FailureClass::Intent, 0.8,
     "billing-agent looks for invoices in ever other words, finds nothing and gives up."},
    {FaultKind::Loop, "loop", FailureClass::Context, 0.6,
     "mail-agent forgets what it has read: it searches and reads the same mail until its step limit."},
    {FaultKind::Injection, "injection", FailureClass::Safety, 0.5,
     "A mail tells mail-agent to send customer data to a stranger, and it obeys."},
    {FaultKind::TokenRunaway, "token_runaway", FailureClass::Cost, 0.7,
     "billing-agent thinks aloud at length and pages through every payment until its token budget ends."},
    {FaultKind::SlowModel, "slow_model", FailureClass::Cost, 0.9,
     "The model answers refund-agent later than it waits: calls time out and refunds fail."},
}};

[[nodiscard]] constexpr const FaultInfo& info_of(FaultKind kind) noexcept {
    return fault_table[static_cast<std::size_t>(kind)];
}

struct Fault {
    FaultKind kind = FaultKind::ToolErrors;
    Duration start = std::chrono::seconds(20);  ///< After the start of the run.
    Duration lasts = Duration::zero();          ///< Zero: to the end of the run.
    double share = 1.0;                         ///< Of the sessions that it can hit.
};

/// "loop", "loop:start=30s", "loop:start=30s,for=1m,share=0.5". InvalidArgument names what is wrong
/// and lists what there is.
[[nodiscard]] Result<Fault> parse_fault(std::string_view text);

/// Which faults are on at a moment of the run. Faults may be added and cleared while the fleet runs.
///
/// Thread-safe. Copies are the same plan.
class FaultPlan {
public:
    static constexpr std::size_t faults_max = 64;

    FaultPlan(std::vector<Fault> faults, Instant run_start);

    /// The fault if it is on at `at`.
    [[nodiscard]] std::optional<Fault> active(FaultKind kind, Instant at) const;
    [[nodiscard]] std::vector<Fault> faults() const;
    /// On from `at`, plus the fault's own start. LimitExceeded past faults_max.
    Result<void> add(Fault fault, Instant at);
    /// Every fault ends now; how many there were.
    std::size_t clear();

private:
    struct State {
        explicit State(std::vector<Fault> planned) : faults(std::move(planned)) {}
        mutable Mutex mutex;
        std::vector<Fault> faults TAGOUT_GUARDED_BY(mutex);
    };

    std::shared_ptr<State> state_;
    Instant run_start_;
};

}  // namespace tagout::rehearse
