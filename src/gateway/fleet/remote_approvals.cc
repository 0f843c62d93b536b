#include "gateway/fleet/remote_approvals.h"

#include "base/log.h"

namespace tagout::gateway {

namespace {

namespace fleet = contain::fleet;

std::unexpected<Error> elsewhere() {
    return fail(ErrorCode::Unavailable, "calls of this gateway are answered at its control server");
}

}  // namespace

void RemoteApprovals::send_with(Send send) {
    const MutexLock lock(mutex_);
    send_ = std::move(send);
}

Result<std::string> RemoteApprovals::ask(
    const ToolCall& call, std::string_view arguments, const ControlId& control,
    std::function<void(contain::ApprovalAnswer, const contain::By&)> answer
) {
    if (arguments.size() > fleet::call_arguments_bytes_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "arguments of a call that waits for a person may have at most " +
                std::to_string(fleet::call_arguments_bytes_max) + " bytes"
        );
    }
    const MutexLock lock(mutex_);
    if (waiting_.size() >= pending_max) {
        return fail(ErrorCode::LimitExceeded, "too many calls wait for a person");
    }
    fleet::ApprovalAsk ask;
    ask.point = point_;
    ask.id = instance_ + "-" + std::to_string(++last_);
    ask.control = control;
    ask.tool = call.tool;
    ask.server = call.server;
    ask.agent = call.agent;
    ask.workflow = call.workflow;
    ask.session = call.session;
    ask.arguments = arguments;
    if (!send_ || !send_(ask)) {
        return fail(
            ErrorCode::Unavailable,
            "the control server is away, so there is nobody who could let this call pass"
        );
    }
    std::string id = ask.id;
    waiting_.emplace(id, Waiting{std::move(ask), clock_.now(), std::move(answer)});
    return id;
}

void RemoteApprovals::withdraw(const std::string& id) {
    const MutexLock lock(mutex_);
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) {
        return;
    }
    fleet::ApprovalAsk ask = std::move(found->second.ask);
    waiting_.erase(found);
    ask.withdrawn = true;
    ask.arguments.clear();
    if (send_) {
        send_(std::move(ask));
    }
}

Result<contain::PendingApproval> RemoteApprovals::approve(const std::string&, const contain::By&) {
    return elsewhere();
}
Result<contain::PendingApproval> RemoteApprovals::deny(const std::string&, const contain::By&) {
    return elsewhere();
}

void RemoteApprovals::answered(const fleet::ApprovalSaid& said) {
    std::function<void(contain::ApprovalAnswer, const contain::By&)> answer;
    {
        const MutexLock lock(mutex_);
        const auto found = waiting_.find(said.id);
        if (said.point != point_ || found == waiting_.end()) {
            return;
        }
        answer = std::move(found->second.answer);
        waiting_.erase(found);
    }
    answer(said.answer, {said.actor, said.reason});
}

void RemoteApprovals::tick() {
    std::vector<Waiting> over;
    {
        const MutexLock lock(mutex_);
        const Instant now = clock_.now();
        for (auto at = waiting_.begin(); at != waiting_.end();) {
            if (now - at->second.asked_at > patience) {
                over.push_back(std::move(at->second));
                at = waiting_.erase(at);
            } else {
                ++at;
            }
        }
    }
    for (const Waiting& each : over) {
        log::warn("approval_not_answered", {{"id", each.ask.id}, {"tool", each.ask.tool}});
        each.answer(contain::ApprovalAnswer::Expired, {Actor("tagout"), ""});
    }
}

void RemoteApprovals::ask_again() {
    const MutexLock lock(mutex_);
    for (const auto& [id, each] : waiting_) {
        if (send_) {
            send_(each.ask);
        }
    }
}

std::vector<contain::PendingApproval> RemoteApprovals::pending() const {
    const MutexLock lock(mutex_);
    std::vector<contain::PendingApproval> all;
    for (const auto& [id, each] : waiting_) {
        contain::PendingApproval row;
        row.id = id;
        row.control = each.ask.control;
        row.tool = each.ask.tool;
        row.server = each.ask.server;
        row.agent = each.ask.agent;
        row.asked_at = each.asked_at;
        row.expires_at = each.asked_at + patience;
        all.push_back(std::move(row));
    }
    return all;
}

}  // namespace tagout::gateway
