#include "net/loop_pool.h"

#include "base/log.h"
#include "net/http_text.h"

#include <algorithm>

namespace tagout::net {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr Duration tick_max = std::chrono::seconds(1);
constexpr Duration tick_min = std::chrono::milliseconds(10);
constexpr int ticks_per_timeout = 8;
constexpr auto accept_pause = std::chrono::milliseconds(100);  // When descriptors ran out.
constexpr int end_wait_ms = 1000;
constexpr int end_poll_ms = 5;

Duration tick_of(const ServerOptions& options) {
    const Duration shortest = std::min(options.read_timeout, options.idle_timeout);
    return std::clamp(shortest / ticks_per_timeout, tick_min, tick_max);
}

}  // namespace

void LoopConnection::set_deadline(Duration in) noexcept {
    deadline_ = loop_.ticks() + loop_.ticks_of(in);
}

bool LoopConnection::is_past_deadline() const noexcept {
    return deadline_ != no_deadline && loop_.ticks() >= deadline_;
}

void LoopConnection::leave() {
    loop_.remove(shared_from_this());
}

Loop::Loop(Duration tick, std::atomic<std::size_t>& open, unsigned index)
    : gate_(std::make_shared<Gate>(*this, io_, index)), tick_(tick), open_(open) {}

const std::string& Loop::date() {
    const Instant now = clock_.now();
    const std::int64_t second = unix_nanos(now) / 1'000'000'000;
    if (second != date_second_) {
        date_second_ = second;
        date_ = http_date(now);
    }
    return date_;
}

void Loop::add(std::shared_ptr<LoopConnection> connection) {
    connections_.insert(connection);
    arm();
    connection->start();
    if (ending_) {
        connection->wind_down();
    }
}

void Loop::remove(const std::shared_ptr<LoopConnection>& connection) {
    if (connections_.erase(connection) > 0) {
        open_.fetch_sub(1);
    }
}

void Loop::arm() {
    if (ticking_ || connections_.empty()) {
        return;
    }
    ticking_ = true;
    timer_.expires_after(tick_);
    timer_.async_wait([this](error_code code) {
        ticking_ = false;
        if (code) {
            return;
        }
        ++ticks_;
        const std::vector<std::shared_ptr<LoopConnection>> all(
            connections_.begin(), connections_.end()
        );
        for (const auto& each : all) {
            each->tick();
        }
        arm();
    });
}

void Loop::wind_down() {
    ending_ = true;
    const std::vector<std::shared_ptr<LoopConnection>> all(
        connections_.begin(), connections_.end()
    );
    for (const auto& each : all) {
        each->wind_down();
    }
}

void Loop::run() {
    gate_->enter();
    const auto work = asio::make_work_guard(io_);
    while (!io_.stopped()) {
        try {
            io_.run();
        } catch (const std::exception& broken) {
            // Of one callback; its connection ends with it, the others go on.
            log::error("net_callback_failed", {{"reason", broken.what()}});
        }
    }
}

LoopPool::LoopPool(const ServerOptions& options, Make make)
    : make_(std::move(make)),
      connections_max_(options.connections_max),
      loops_([&] {
          std::vector<std::unique_ptr<Loop>> loops;
          for (unsigned i = 0; i < std::max(options.threads, 1U); ++i) {
              loops.push_back(std::make_unique<Loop>(tick_of(options), open_, i));
          }
          return loops;
      }()),
      acceptor_(loops_.front()->io()),
      pause_(loops_.front()->io()) {}

Result<void> LoopPool::listen(const ServerOptions& options) {
    const std::string where = options.address + ":" + std::to_string(options.port);
    const std::string setting = options.port_setting.empty()
                                    ? "another port or address"
                                    : "another with " + options.port_setting;
    error_code code;
    tcp::endpoint endpoint(asio::ip::make_address(options.address, code), options.port);
    if (code) {
        tcp::resolver resolver(loops_.front()->io());
        const auto found = resolver.resolve(options.address, std::to_string(options.port), code);
        if (code || found.empty()) {
            return fail(
                ErrorCode::InvalidArgument, "'" + options.address + "' is no address to listen on"
            );
        }
        endpoint = *found.begin();
    }
    acceptor_.open(endpoint.protocol(), code);
    if (!code) {
        acceptor_.set_option(tcp::acceptor::reuse_address(true), code);
        acceptor_.bind(endpoint, code);
    }
    if (!code) {
        acceptor_.listen(asio::socket_base::max_listen_connections, code);
    }
    if (code) {
        return fail(
            ErrorCode::Unavailable,
            "cannot listen on " + where + ": " + code.message() +
                "; stop what uses it, or choose " + setting
        );
    }
    port_ = acceptor_.local_endpoint(code).port();
    return {};
}

Result<std::unique_ptr<LoopPool>> LoopPool::open(const ServerOptions& options, Make make) {
    std::unique_ptr<LoopPool> pool(new LoopPool(options, std::move(make)));
    TAGOUT_TRY(pool->listen(options));
    pool->accept();
    for (const auto& loop : pool->loops_) {
        pool->threads_.emplace_back([&each = *loop] { each.run(); });
    }
    return pool;
}

LoopPool::~LoopPool() {
    for (const auto& loop : loops_) {
        loop->gate()->post([this, &each = *loop] {
            if (&each == loops_.front().get()) {
                error_code ignored;
                acceptor_.close(ignored);
                pause_.cancel();
            }
            each.wind_down();
        });
    }
    for (int waited = 0; !threads_.empty() && open_.load() > 0 && waited < end_wait_ms;
         waited += end_poll_ms) {
        std::this_thread::sleep_for(std::chrono::milliseconds(end_poll_ms));
    }
    for (const auto& loop : loops_) {
        loop->gate()->shut();
        loop->io().stop();
    }
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

std::vector<std::shared_ptr<EventLoop>> LoopPool::loops() const {
    std::vector<std::shared_ptr<EventLoop>> all;
    for (const auto& loop : loops_) {
        all.push_back(loop->gate());
    }
    return all;
}

void LoopPool::accept() {
    Loop& loop = *loops_[next_];
    next_ = (next_ + 1) % loops_.size();
    acceptor_.async_accept(loop.io(), [this, &loop](error_code code, tcp::socket socket) {
        if (!acceptor_.is_open()) {
            return;
        }
        if (code) {
            // Out of descriptors, as a rule: the connection waits in the kernel meanwhile.
            pause_.expires_after(accept_pause);
            pause_.async_wait([this](error_code cancelled) {
                if (!cancelled) {
                    accept();
                }
            });
            return;
        }
        admit(loop, std::move(socket));
        accept();
    });
}

void LoopPool::admit(Loop& loop, tcp::socket socket) {
    accepted_.fetch_add(1);
    if (open_.load() >= connections_max_) {
        refused_.fetch_add(1);
        return;  // Closed with the socket.
    }
    open_.fetch_add(1);
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    socket.non_blocking(true, ignored);
    loop.gate()->run([this, &loop, moved = std::make_shared<tcp::socket>(std::move(socket))] {
        loop.add(make_(loop, std::move(*moved)));
    });
}

std::string peer_name(const tcp::socket& socket) {
    error_code unknown;
    const tcp::endpoint peer = socket.remote_endpoint(unknown);
    if (unknown) {
        return "?";
    }
    const std::string host = peer.address().to_string();
    return (peer.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(peer.port());
}

}  // namespace tagout::net
