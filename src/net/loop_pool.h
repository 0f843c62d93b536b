// Event loops, their connections, and the one listening socket: what both servers stand on.
//
// One io_context a thread; a connection belongs to one loop and is touched on its thread only.
// Other threads reach it through Gate::post, which does nothing any more once the loop is gone: so
// an answer may come later than the server's end. Time-outs are counted in ticks of one timer a
// loop, so that a request arms none.
//
// Includes Asio: only for the few .cc files of this room that need it.
#pragma once

#include "net/asio_setup.h"

#include "base/mutex.h"
#include "net/event_loop.h"
#include "net/http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <unordered_set>
#include <vector>

namespace tagout::net {

class Loop;

/// Confined to its loop's thread.
class LoopConnection : public std::enable_shared_from_this<LoopConnection> {
public:
    explicit LoopConnection(Loop& loop) : loop_(loop) {}
    virtual ~LoopConnection() = default;
    LoopConnection(const LoopConnection&) = delete;
    LoopConnection& operator=(const LoopConnection&) = delete;

    virtual void start() = 0;
    /// Once a tick: closes or answers what is past its deadline.
    virtual void tick() = 0;
    /// Ends what runs, then closes; at once if nothing runs.
    virtual void wind_down() = 0;
    virtual void close() = 0;

protected:
    void set_deadline(Duration in) noexcept;
    void clear_deadline() noexcept { deadline_ = no_deadline; }
    [[nodiscard]] bool is_past_deadline() const noexcept;
    /// The loop lets go of this connection; it lives on only as long as its callbacks.
    void leave();

    Loop& loop_;

private:
    static constexpr std::int64_t no_deadline = -1;
    std::int64_t deadline_ = no_deadline;
};

/// The way to a loop from other threads.
class Gate final : public EventLoop {
public:
    Gate(Loop& loop, boost::asio::io_context& io, unsigned index)
        : loop_(loop), index_(index), io_(&io) {}

    bool schedule(std::function<void()> task) override {
        const MutexLock lock(mutex_);
        if (io_ != nullptr) {
            boost::asio::post(*io_, std::move(task));
        }
        return io_ != nullptr;
    }
    [[nodiscard]] unsigned index() const noexcept override { return index_; }
    /// On the loop's thread only.
    [[nodiscard]] Loop& loop() const noexcept { return loop_; }

    /// Runs `task` on the loop's thread: at once when this is that thread, else soon. Not any more
    /// once the loop has ended.
    template <class Task>
    void run(Task&& task) {
        if (is_loop_thread()) {
            task();
            return;
        }
        post(std::forward<Task>(task));
    }
    template <class Task>
    void post(Task&& task) {
        const MutexLock lock(mutex_);
        if (io_ != nullptr) {
            boost::asio::post(*io_, std::forward<Task>(task));
        }
    }
    void enter() { thread_.store(std::this_thread::get_id(), std::memory_order_relaxed); }
    void shut() {
        const MutexLock lock(mutex_);
        io_ = nullptr;
    }

private:
    [[nodiscard]] bool is_loop_thread() const {
        return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

    Loop& loop_;
    const unsigned index_;
    Mutex mutex_;
    boost::asio::io_context* io_ TAGOUT_GUARDED_BY(mutex_);
    std::atomic<std::thread::id> thread_{};
};

class Loop {
public:
    Loop(Duration tick, std::atomic<std::size_t>& open, unsigned index);

    boost::asio::io_context& io() noexcept { return io_; }
    const std::shared_ptr<Gate>& gate() const noexcept { return gate_; }
    [[nodiscard]] std::int64_t ticks() const noexcept { return ticks_; }
    [[nodiscard]] std::int64_t ticks_of(Duration duration) const noexcept {
        return duration / tick_ + 1;
    }
    [[nodiscard]] bool is_ending() const noexcept { return ending_; }
    /// The Date header's value, made anew at most once a second.
    const std::string& date();

    /// Keeps something beside the connections that ends with the loop, found again by its owner's
    /// address; null until it is put there.
    std::shared_ptr<void>& beside(const void* owner) { return beside_[owner]; }

    void add(std::shared_ptr<LoopConnection> connection);
    void remove(const std::shared_ptr<LoopConnection>& connection);
    void wind_down();
    void run();

private:
    void arm();

    boost::asio::io_context io_{1};
    const std::shared_ptr<Gate> gate_;
    const Duration tick_;
    std::atomic<std::size_t>& open_;
    boost::asio::steady_timer timer_{io_};
    SystemClock clock_;
    std::int64_t date_second_ = 0;
    std::string date_;
    std::int64_t ticks_ = 0;
    bool ticking_ = false;
    bool ending_ = false;
    std::unordered_set<std::shared_ptr<LoopConnection>> connections_;
    std::map<const void*, std::shared_ptr<void>> beside_;
};

/// Thread-safe after open.
class LoopPool {
public:
    using Make =
        std::function<std::shared_ptr<LoopConnection>(Loop&, boost::asio::ip::tcp::socket)>;

    static Result<std::unique_ptr<LoopPool>> open(const ServerOptions& options, Make make);
    /// Stops accepting, lets what runs end for a second, closes.
    ~LoopPool();
    LoopPool(const LoopPool&) = delete;
    LoopPool& operator=(const LoopPool&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::vector<std::shared_ptr<EventLoop>> loops() const;
    [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_.load(); }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(); }

private:
    LoopPool(const ServerOptions& options, Make make);
    Result<void> listen(const ServerOptions& options);
    void accept();
    void admit(Loop& loop, boost::asio::ip::tcp::socket socket);

    const Make make_;
    const std::size_t connections_max_;
    std::atomic<std::size_t> open_{0};
    std::atomic<std::uint64_t> accepted_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::vector<std::unique_ptr<Loop>> loops_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    std::size_t next_ = 0;  ///< Loop of the next connection; loop 0's thread only.
    std::uint16_t port_ = 0;
    std::vector<std::thread> threads_;
};

/// "127.0.0.1:51234"
[[nodiscard]] std::string peer_name(const boost::asio::ip::tcp::socket& socket);

}  // namespace tagout::net
