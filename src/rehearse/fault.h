// Faults that the simulated fleet can suffer, by name. Each changes what really happens on the wire:
// what a tool server answers, what the scripted model decides, or where a request is routed. Nothing
// is written into the telemetry that did not happen.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/vocabulary.h"

#include <array>
#include <cstddef>
#include <cstdint>
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

/// Thread-safe: immutable. Which faults are on at a moment of the run.
class FaultPlan {
public:
    FaultPlan(std::vector<Fault> faults, Instant run_start)
        : faults_(std::move(faults)), run_start_(run_start) {}

    /// The fault if it is on at `at`, else null.
    [[nodiscard]] const Fault* active(FaultKind kind, Instant at) const noexcept {
        for (const Fault& fault : faults_) {
            const Duration since = at - run_start_ - fault.start;
            const bool ended = fault.lasts > Duration::zero() && since >= fault.lasts;
            if (fault.kind == kind && since >= Duration::zero() && !ended) {
                return &fault;
            }
        }
        return nullptr;
    }
    [[nodiscard]] const std::vector<Fault>& faults() const noexcept { return faults_; }

private:
    std::vector<Fault> faults_;
    Instant run_start_;
};

}  // namespace tagout::rehearse
