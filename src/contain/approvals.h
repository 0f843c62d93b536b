// Calls that wait for a person (mode approvals): each is held by its enforcement point until somebody
// approves or denies exactly that call, or its time is over, which denies it (OWASP AISVS 9.6.2).
//
// An approval is bound to tool, arguments (by hash), agent and session, and is used once. Pending
// calls live in memory, because the call itself does; what was decided is journaled
// (approval.approved, approval.denied, approval.expired).
//
// Thread-safe.
#pragma once

#include "contain/controls.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tagout::contain {

struct PendingApproval {
    std::string id;  ///< "APR-1"
    ControlId control;
    std::string tool;
    std::string server;
    std::string agent;
    std::string workflow;
    std::string session;
    std::string arguments;  ///< Clipped to 8 KiB for showing; the hash is over all of it.
    std::string arguments_hash;
    Instant asked_at;
    Instant expires_at;
};

enum class ApprovalAnswer : std::uint8_t { Approved = 1, Denied = 2, Expired = 3, Withdrawn = 4 };

[[nodiscard]] std::string_view name_of(ApprovalAnswer answer) noexcept;

class Approvals {
public:
    static constexpr std::size_t pending_max = 1'000;
    static constexpr std::size_t shown_bytes_max = 8 * 1024;  ///< Of arguments, for a person to read.

    virtual ~Approvals() = default;
    static std::unique_ptr<Approvals> make(
        journal::Journal& journal, const Clock& clock, const Settings& settings, MetricRegistry& metrics
    );

    /// Reads which numbers were given. Once, before anything else.
    virtual Result<void> rebuild() = 0;
    virtual void use(const Settings& settings) = 0;
    /// `answer` is called once, from any thread, with no lock held. LimitExceeded past pending_max: the
    /// caller denies. Gives the id.
    virtual Result<std::string> ask(
        const ToolCall& call, std::string_view arguments, const ControlId& control,
        std::function<void(ApprovalAnswer, const By&)> answer
    ) = 0;
    /// Whether approve() and deny() may be told here what the user of a client said: where the
    /// record is.
    [[nodiscard]] virtual bool takes_users() const { return true; }
    /// The caller is gone: nobody needs to decide any more.
    virtual void withdraw(const std::string& id) = 0;
    /// NotFound says how it ended if it did: two people cannot answer one call. Unavailable: the answer
    /// could not be journaled, and the call goes on waiting.
    virtual Result<PendingApproval> approve(const std::string& id, const By& by) = 0;
    virtual Result<PendingApproval> deny(const std::string& id, const By& by) = 0;
    virtual void tick() = 0;  ///< Ends what is overdue.
    [[nodiscard]] virtual std::vector<PendingApproval> pending() const = 0;
};

}  // namespace tagout::contain
