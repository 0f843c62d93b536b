// What gateways say to their control server, and what it asks of them besides enforcing: values and
// their JSON. Strict as snapshot_form.h is; pure; thread-safe.
#pragma once

#include "contain/approvals.h"
#include "contain/point.h"
#include "domain/control.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain::fleet {

inline constexpr std::size_t point_name_bytes_max = 128;
inline constexpr std::size_t probes_max = 1'000;           ///< Of one round at one point.
inline constexpr std::size_t local_controls_max = 1'000;   ///< Of one reconciliation.
inline constexpr std::size_t call_arguments_bytes_max = 512 * 1024;  ///< Of a call that waits.

/// Letters, digits, dots, dashes and underscores: it stands in ids, paths and metrics.
[[nodiscard]] bool is_point_name(std::string_view name) noexcept;

/// How a gateway stands: sent at each heartbeat, and at once when what it enforces changed.
struct PointReport {
    std::string point;
    std::string instance;  ///< Made anew at each start.
    std::string version;
    std::string address;  ///< Where agents reach it.
    std::uint64_t edition = 0;  ///< Enforced, 0 for none yet.
    std::uint64_t revision = 0;
    std::string error;  ///< Why what was told last is not in force; "" while all is well.
    bool lease_over = false;
    std::uint64_t rules = 0;     ///< Policy rules in force.
    std::uint64_t controls = 0;  ///< In force, its own included.
    std::uint64_t local_controls = 0;  ///< Applied at the gateway's host and not yet reconciled.
    std::uint64_t calls = 0;           ///< Decided since its start.
    std::uint64_t calls_denied = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t records_waiting = 0;  ///< Batches on its disk.
    std::uint64_t records_dropped = 0;  ///< Calls whose records were lost, since its start.
};
[[nodiscard]] std::string to_text(const PointReport& report);
[[nodiscard]] Result<PointReport> parse_report(std::string_view text);

struct Hello {
    std::string key;      ///< The server's public key: 64 hex digits.
    std::string version;  ///< Of the protocol.
};
[[nodiscard]] std::string to_text(const Hello& hello);
[[nodiscard]] Result<Hello> parse_hello(std::string_view text);

struct ProbeAsk {
    std::uint64_t round = 0;
    std::string point;  ///< Whose roads; "" for everybody's.
    Control control;
};
[[nodiscard]] std::string to_text(const ProbeAsk& ask);
[[nodiscard]] Result<ProbeAsk> parse_probe_ask(std::string_view text);

struct ProbeSaid {
    std::uint64_t round = 0;
    std::string point;
    std::vector<ProbeResult> probes;
};
[[nodiscard]] std::string to_text(const ProbeSaid& said);
[[nodiscard]] Result<ProbeSaid> parse_probe_said(std::string_view text);

/// A call that waits at a gateway for a person, or no longer does.
struct ApprovalAsk {
    std::string point;
    std::string id;  ///< The gateway's own, unique among all gateways and starts.
    bool withdrawn = false;
    ControlId control;
    std::string tool;
    std::string server;
    std::string agent;
    std::string workflow;
    std::string session;
    std::string arguments;
};
[[nodiscard]] std::string to_text(const ApprovalAsk& ask);
[[nodiscard]] Result<ApprovalAsk> parse_approval_ask(std::string_view text);

struct ApprovalSaid {
    std::string point;
    std::string id;
    ApprovalAnswer answer = ApprovalAnswer::Denied;
    Actor actor;
    std::string reason;
};
[[nodiscard]] std::string to_text(const ApprovalSaid& said);
[[nodiscard]] Result<ApprovalSaid> parse_approval_said(std::string_view text);

/// Controls that were applied at a gateway's host while it was alone.
struct LocalControls {
    std::string point;
    std::vector<Control> controls;
};
[[nodiscard]] std::string to_text(const LocalControls& local);
[[nodiscard]] Result<LocalControls> parse_local_controls(std::string_view text);

/// What became of them: `id` in the server's book stands in its snapshots from `revision` on.
struct Adopted {
    ControlId local;
    ControlId id;
    std::uint64_t revision = 0;
    std::string error;  ///< Why it was not taken; "" when it was.
};
[[nodiscard]] std::string to_text(const std::vector<Adopted>& adopted);
[[nodiscard]] Result<std::vector<Adopted>> parse_adopted(std::string_view text);

}  // namespace tagout::contain::fleet
