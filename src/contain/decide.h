// decide(): whether one call may pass, from one immutable snapshot, in well under a microsecond.
//
//   kill table -> mode (allowlist, read_only) -> policy rules -> throttle -> budget -> approvals -> route ->
//   redact
//
// Every control whose scope fits the call is asked and the strictest answer wins: deny before
// escalate before modify before allow; among equals the earlier step above, then the older control.
// A control of mode observe and a shadow rule decide nothing; what they would have refused stands in
// Decision::shadow. A control that is validating does not see journeys, and observes whom its opening
// lets pass.
//
//   mode        tool calls                          model calls and workflow requests
//   stopped     denied                              denied
//   allowlist   denied unless the tool is listed    pass
//   read_only   writes, egress and unknown denied   pass
//   approvals   the same wait for a person          pass
//   throttle    denied past so many calls in a period, all kinds; only where calls are counted (admit)
//   budget      denied once so much is spent at models, all kinds; only where it is counted (admit)
//   redact      pass as modified                    the same
//   pin         pass                                pass; says which version is served (pinned)
//   route       pass                                workflow requests are modified; with a model's scope
//                                                   model calls
//
// What is redacted of a call that passes or waits is in Decision::redactions, from every control
// and rule that redacts. Policy rules judge calls of tools, requests to models where they name one,
// and requests to workflows where they move those (kind_of), by names and by what policy_rule.h adds
// (conditions, limits).
// A tool is named as it was called, by its own name, or with its server before it:
// scope tool:payments.refund fits tool "refund" of server "payments" and the "mcp__payments__refund"
// of coding agents too.
//
// Total and pure: no clock, no lock, no I/O, no allocation (but for arguments larger than any before
// on this thread, where a rule asks for them). Exact names are found by hash; globs are
// tried one after another, so their number is bounded (globs_max), and so is the length of what they
// are tried on (call_name_bytes_max).
//
// Cost: contain_bench; budget <= 150 ns mean, p99 <= 500 ns with 1,000 rules and 100 controls where no
// rule about the tool asks for more than names; conditions cost what condition.h says, at most about
// a millisecond a call (call_steps_max).
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "contain/policy_rule.h"
#include "domain/control.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

class Redactor;

/// A call with a longer name is denied wherever there is anything to match it with: a name that no
/// honest client sends must neither slip past a glob nor keep it busy.
inline constexpr std::size_t call_name_bytes_max = 1'024;
inline constexpr std::size_t pinned_versions_max = 20;  ///< Of one control.

/// Thread-safe: immutable. What every enforcement point reads.
class ControlSnapshot {
public:
    static constexpr std::size_t controls_max = 10'000;
    static constexpr std::size_t globs_max = 1'000;
    static constexpr std::size_t rules_max = 10'000;
    static constexpr std::size_t redactors_max = 64;  ///< Controls and rules that redact.

    /// LimitExceeded when a bound would be passed; the message says which. What `earlier` made of
    /// controls that did not change is shared with it: a new stop costs little beside many that stand.
    [[nodiscard]] static Result<std::shared_ptr<const ControlSnapshot>> build(
        std::span<const Control> controls, std::span<const Policy> policies, std::uint64_t revision,
        const ControlSnapshot* earlier = nullptr
    );
    ControlSnapshot(const ControlSnapshot&) = delete;
    ControlSnapshot& operator=(const ControlSnapshot&) = delete;
    ~ControlSnapshot();

    [[nodiscard]] std::uint64_t revision() const noexcept;
    [[nodiscard]] std::size_t controls() const noexcept;
    [[nodiscard]] std::size_t rules() const noexcept;
    /// Whether some rule is about requests to models or workflows.
    [[nodiscard]] bool has_request_rules() const noexcept;
    /// Of a bit of Decision::redactions.
    [[nodiscard]] const Redactor& redactor(std::size_t bit) const noexcept;

    struct Tables;
    [[nodiscard]] const Tables& tables() const noexcept { return *tables_; }

private:
    explicit ControlSnapshot(std::unique_ptr<const Tables> tables);
    std::unique_ptr<const Tables> tables_;
};

class CallMemory;

/// What comes of the call by itself: nothing is counted, limits have room, and its session has met
/// what ToolCall::marks says.
[[nodiscard]] Decision decide(const ControlSnapshot& snapshot, const ToolCall& call) noexcept;

/// The same for a call that is about to happen, with what `memory` knows of earlier ones. A call that
/// is let through or waits for a person is counted; one that is let through marks its session.
[[nodiscard]] Decision admit(
    const ControlSnapshot& snapshot, const ToolCall& call, CallMemory& memory
) noexcept;
/// Marks the session of a call that waited and was let through.
void let_through(const ControlSnapshot& snapshot, const ToolCall& call, CallMemory& memory) noexcept;

/// What one request to a model has cost.
struct Spent {
    std::uint64_t tokens = 0;
    std::uint64_t micro_usd = 0;  ///< Millionths of a US dollar.
    bool estimated = false;       ///< The model API did not say.
};
/// Counts what a model call that was let through has cost, for every budget that covers it.
void spend(
    const ControlSnapshot& snapshot, const ToolCall& call, const Spent& spent, CallMemory& memory
) noexcept;

/// The version that a control of mode pin names for whoever is told of by `call`; of two the older one.
struct Pinned {
    std::string_view version;  ///< "v3"; into the snapshot.
    const DecidedBy* by = nullptr;
};
[[nodiscard]] std::optional<Pinned> pinned(
    const ControlSnapshot& snapshot, const ToolCall& call, std::string_view family, std::string_view name
) noexcept;

/// Whether a tool is to be left out of a list that `call`'s caller asks for: it is stopped for them.
[[nodiscard]] bool is_hidden(const ControlSnapshot& snapshot, const ToolCall& call) noexcept;

/// Effect and risk as the catalog says for `call.tool`, asked for with its server before it first.
void add_facts(const catalog::Catalog& catalog, ToolCall& call);

}  // namespace tagout::contain
