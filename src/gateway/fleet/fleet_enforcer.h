// What one gateway of the fleet enforces: what its control server told, what was applied at its host,
// and what it closes by itself when its lease is over; always all three.
//
// Thread-safe. Each change makes new tables and hands them to the gateway under one lock, so that a
// later one never arrives before an earlier one. Nothing passes before the server's part is there.
#pragma once

#include "base/mutex.h"
#include "gateway/gateway.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tagout::gateway {

class FleetEnforcer {
public:
    using Done = std::function<void(Result<std::uint64_t>)>;

    /// `gateway` outlives this.
    explicit FleetEnforcer(Gateway& gateway) : gateway_(gateway) {}

    /// `done` gets the revision once every call is judged by it.
    void use_server(
        std::shared_ptr<const std::vector<Control>> controls,
        std::shared_ptr<const std::vector<contain::Policy>> policies, std::uint64_t revision,
        Done done
    );
    /// While nothing of the server's is here nothing passes at all, which is as good.
    void use_local(std::vector<Control> controls, Done done);
    /// Classes of tools that are stopped since `since`; none when the lease holds.
    void use_lease(std::vector<std::string> closed, Instant since);

    [[nodiscard]] bool is_ready() const;

private:
    void enforce(Done done) TAGOUT_REQUIRES(mutex_);

    Gateway& gateway_;
    mutable Mutex mutex_;
    std::shared_ptr<const std::vector<Control>> server_ TAGOUT_GUARDED_BY(mutex_);
    std::shared_ptr<const std::vector<contain::Policy>> policies_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t revision_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::vector<Control> local_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<Control> lease_ TAGOUT_GUARDED_BY(mutex_);
    std::shared_ptr<const contain::ControlSnapshot> newest_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace tagout::gateway
