#include "gateway/fleet/fleet_enforcer.h"

#include "base/log.h"

namespace tagout::gateway {

void FleetEnforcer::use_server(
    std::shared_ptr<const std::vector<Control>> controls,
    std::shared_ptr<const std::vector<contain::Policy>> policies, std::uint64_t revision, Done done
) {
    const MutexLock lock(mutex_);
    server_ = std::move(controls);
    policies_ = std::move(policies);
    revision_ = revision;
    enforce(std::move(done));
}

void FleetEnforcer::use_local(std::vector<Control> controls, Done done) {
    const MutexLock lock(mutex_);
    local_ = std::move(controls);
    if (!server_) {
        done(std::uint64_t{0});  // Nothing passes at all, and when something does, this is in force.
        return;
    }
    enforce(std::move(done));
}

void FleetEnforcer::use_lease(std::vector<std::string> closed, Instant since) {
    const MutexLock lock(mutex_);
    lease_.clear();
    for (std::string& name : closed) {
        Control control;
        control.id = ControlId("lease:" + name);
        control.mode = ControlMode::Stopped;
        control.reason =
            "this gateway has not heard its control server since " + to_rfc3339(since) +
            ", and its lease is over";
        control.scope = {ScopeKind::ToolClass, std::move(name)};
        control.author = Actor("tagout");
        control.since = since;
        control.review_by = since;
        lease_.push_back(std::move(control));
    }
    if (server_) {
        enforce([](const Result<std::uint64_t>& done) {
            if (!done) {
                log::error("lease_not_enforced", {{"error", done.error().message}});
            }
        });
    }
}

bool FleetEnforcer::is_ready() const {
    const MutexLock lock(mutex_);
    return server_ != nullptr;
}

void FleetEnforcer::enforce(Done done) {
    Result<std::shared_ptr<const contain::ControlSnapshot>> snapshot =
        fail(ErrorCode::Unavailable, "");
    if (local_.empty() && lease_.empty()) {
        snapshot = contain::ControlSnapshot::build(*server_, *policies_, revision_, newest_.get());
    } else {
        // What stops most comes first: of two that refuse alike the earlier is named.
        std::vector<Control> all = *server_;
        all.insert(all.end(), local_.begin(), local_.end());
        all.insert(all.end(), lease_.begin(), lease_.end());
        snapshot = contain::ControlSnapshot::build(all, *policies_, revision_, newest_.get());
    }
    if (!snapshot) {
        done(std::unexpected(snapshot.error()));
        return;
    }
    newest_ = *snapshot;
    gateway_.enforce(std::move(*snapshot), std::move(done));
}

}  // namespace tagout::gateway
