// One event loop of a server, without the library behind it: what a handler needs to come back to
// its own thread, and what a client needs to run there (net/upstream_client.h).
#pragma once

#include <functional>

namespace tagout::net {

/// Thread-safe.
class EventLoop {
public:
    virtual ~EventLoop() = default;
    /// Runs `task` on the loop's thread, never within this call. False once the loop has ended: the
    /// task is then dropped, as are tasks that still wait when it ends.
    virtual bool schedule(std::function<void()> task) = 0;
    /// 0 for the first loop of its server, 1 for the next: a place in the owner's per-loop state.
    [[nodiscard]] virtual unsigned index() const noexcept = 0;
};

}  // namespace tagout::net
