// Calls that wait at a gateway of the fleet for a person who sits at its control server.
//
// A call is asked for over the link; the answer comes as a signed frame. Without the server there is
// nobody to ask, and the caller denies. An answer that does not come in time denies, too. Thread-safe.
#pragma once

#include "base/mutex.h"
#include "contain/approvals.h"
#include "contain/fleet/report.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tagout::gateway {

class RemoteApprovals final : public contain::Approvals {
public:
    /// After this a call is denied here, whatever the server says later.
    static constexpr Duration patience = std::chrono::minutes(10);

    /// Hands an ask to the link; false when there is no server to hand it to. Never blocks.
    using Send = std::function<bool(contain::fleet::ApprovalAsk)>;

    RemoteApprovals(const Clock& clock, std::string point, std::string instance)
        : clock_(clock), point_(std::move(point)), instance_(std::move(instance)) {}

    void send_with(Send send);

    Result<void> rebuild() override { return {}; }
    void use(const contain::Settings&) override {}
    Result<std::string> ask(
        const ToolCall& call, std::string_view arguments, const ControlId& control,
        std::function<void(contain::ApprovalAnswer, const contain::By&)> answer
    ) override;
    [[nodiscard]] bool takes_users() const override { return false; }
    void withdraw(const std::string& id) override;
    /// At the gateway nobody answers: the control server does.
    Result<contain::PendingApproval> approve(const std::string&, const contain::By&) override;
    Result<contain::PendingApproval> deny(const std::string&, const contain::By&) override;
    void tick() override;
    [[nodiscard]] std::vector<contain::PendingApproval> pending() const override;

    /// What the server's person said.
    void answered(const contain::fleet::ApprovalSaid& said);
    /// The link is there again: what still waits is asked for anew.
    void ask_again();

private:
    struct Waiting {
        contain::fleet::ApprovalAsk ask;
        Instant asked_at;
        std::function<void(contain::ApprovalAnswer, const contain::By&)> answer;
    };

    const Clock& clock_;
    const std::string point_;
    const std::string instance_;
    mutable Mutex mutex_;
    Send send_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, Waiting> waiting_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t last_ TAGOUT_GUARDED_BY(mutex_) = 0;
};

}  // namespace tagout::gateway
