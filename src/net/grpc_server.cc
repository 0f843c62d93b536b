#include "net/grpc_server.h"

#include "base/assert.h"
#include "base/log.h"
#include "net/grpc_session.h"
#include "net/loop_pool.h"

#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>

namespace tagout::net {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t read_bytes = 256 * 1024;
constexpr int reads_in_a_row_max = 8;  // Then the loop's other connections have their turn.
constexpr std::size_t write_bytes = 256 * 1024;
constexpr Duration linger_time = std::chrono::seconds(2);
constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113 3.4
constexpr std::string_view wrong_protocol =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    "Content-Length: 81\r\n\r\n"
    "This port speaks gRPC (HTTP/2 without TLS). OTLP over HTTP has a port of its own\n";

/// What all connections of one server share. Outlives the server with the last responder.
class Shared final : public BodyBudget {
public:
    Shared(ServerOptions server_options, GrpcHandler call_handler)
        : options(std::move(server_options)), handler(std::move(call_handler)) {}

    bool take(std::size_t bytes) override {
        if (in_flight_.fetch_add(bytes) + bytes <= options.body_bytes_in_flight_max) {
            return true;
        }
        in_flight_.fetch_sub(bytes);
        return false;
    }
    void give_back(std::size_t bytes) override { in_flight_.fetch_sub(bytes); }

    const ServerOptions options;
    const GrpcHandler handler;
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> unanswered{0};

private:
    std::atomic<std::size_t> in_flight_{0};
};

class Connection final : public LoopConnection {
public:
    Connection(Loop& loop, tcp::socket socket, const std::shared_ptr<Shared>& shared)
        : LoopConnection(loop),
          shared_(shared),
          socket_(std::move(socket)),
          peer_(peer_name(socket_)),
          session_(
              {shared->options.header_bytes_max, shared->options.body_bytes_max}, *shared,
              [this](std::int32_t stream, GrpcRequest request) { call(stream, std::move(request)); }
          ) {}

    void start() override;
    void tick() override;
    void wind_down() override;
    void close() override;
    void respond(std::int32_t stream, GrpcResponse response);

private:
    auto self() { return std::static_pointer_cast<Connection>(shared_from_this()); }
    void call(std::int32_t stream, GrpcRequest request);
    void wait();
    void read();
    [[nodiscard]] bool take_in(std::string_view bytes);
    void flush();
    void send_wrong_protocol();
    void linger();
    void count_refused();

    const std::shared_ptr<Shared> shared_;  ///< Before session_: its budget.
    tcp::socket socket_;
    const std::string peer_;
    GrpcSession session_;
    std::string out_;
    std::size_t preface_got_ = 0;
    std::uint64_t refused_seen_ = 0;
    std::uint64_t frames_seen_ = 0;
    bool armed_ = false;  ///< wait() waits.
    bool reading_ = false;
    bool writing_ = false;
    bool ending_ = false;  ///< Close once everything is sent.
    bool lingering_ = false;
    bool closed_ = false;
};

/// Answers once, from any thread; one that is dropped answers INTERNAL.
class Answer final : public GrpcResponder {
public:
    Answer(
        const std::shared_ptr<Connection>& connection, std::int32_t stream,
        std::shared_ptr<Gate> gate, std::shared_ptr<Shared> shared
    )
        : connection_(connection),
          stream_(stream),
          gate_(std::move(gate)),
          shared_(std::move(shared)) {}
    ~Answer() override {
        if (!answered_.exchange(true)) {
            shared_->unanswered.fetch_add(1);
            log::error("grpc_call_unanswered");
            send({GrpcStatus::Internal, "the call was not answered; see the server's log", {}, {}});
        }
    }

    void respond(GrpcResponse response) override {
        TAGOUT_ASSERT(!answered_.exchange(true), "a call is answered once");
        send(std::move(response));
    }

private:
    void send(GrpcResponse response) {
        gate_->run([connection = connection_,
                    stream = stream_,
                    moved = std::make_shared<GrpcResponse>(std::move(response))] {
            if (const auto alive = connection.lock()) {
                alive->respond(stream, std::move(*moved));
            }
        });
    }

    const std::weak_ptr<Connection> connection_;
    const std::int32_t stream_;
    const std::shared_ptr<Gate> gate_;
    const std::shared_ptr<Shared> shared_;
    std::atomic<bool> answered_{false};
};

void Connection::start() {
    set_deadline(shared_->options.read_timeout);
    flush();
    wait();
}

void Connection::wait() {
    if (armed_ || writing_ || ending_ || closed_) {
        return;  // A peer that does not read is not read either.
    }
    armed_ = true;
    socket_.async_wait(tcp::socket::wait_read, [this, keep = self()](error_code code) {
        armed_ = false;
        if (code || closed_) {
            close();
            return;
        }
        lingering_ ? linger() : read();
    });
}

void Connection::read() {
    thread_local std::vector<char> scratch(read_bytes);
    reading_ = true;
    for (int i = 0; i < reads_in_a_row_max && !ending_; ++i) {
        error_code code;
        const std::size_t count = socket_.read_some(asio::buffer(scratch), code);
        if (code == asio::error::would_block || code == asio::error::try_again) {
            break;
        }
        if (code) {
            close();
            return;
        }
        ending_ = !take_in({scratch.data(), count});
        if (count < scratch.size()) {
            break;
        }
    }
    reading_ = false;
    if (lingering_) {
        return;
    }
    count_refused();
    if (session_.frames() != frames_seen_) {
        // Whole frames only: single bytes now and then do not keep a connection.
        frames_seen_ = session_.frames();
        set_deadline(shared_->options.idle_timeout);
    }
    flush();
    wait();
}

/// False: the connection is to end.
bool Connection::take_in(std::string_view bytes) {
    if (preface_got_ < preface.size()) {
        const std::size_t count = std::min(bytes.size(), preface.size() - preface_got_);
        if (bytes.substr(0, count) != preface.substr(preface_got_, count)) {
            shared_->refused.fetch_add(1);
            // Not for a connection that began as HTTP/2 and then broke: nothing more can be said
            // there.
            const bool is_text = preface_got_ == 0 && bytes.front() >= 'A' && bytes.front() <= 'Z';
            if (is_text) {
                send_wrong_protocol();
            }
            return is_text;
        }
        preface_got_ += count;
    }
    return session_.receive(bytes);
}

void Connection::call(std::int32_t stream, GrpcRequest request) {
    shared_->requests.fetch_add(1);
    request.peer = peer_;
    const auto answer = std::make_shared<Answer>(self(), stream, loop_.gate(), shared_);
    try {
        shared_->handler(std::move(request), answer);
    } catch (const std::exception& broken) {
        log::error("grpc_handler_failed", {{"reason", broken.what()}});
    }
}

void Connection::respond(std::int32_t stream, GrpcResponse response) {
    if (closed_) {
        return;
    }
    session_.respond(stream, std::move(response));
    if (!reading_) {
        flush();  // Else read() does, once for all that it brought.
    }
}

void Connection::flush() {
    if (writing_ || closed_ || lingering_) {
        return;
    }
    out_.clear();
    session_.take_output(out_, write_bytes);
    if (out_.empty()) {
        if (ending_ || session_.is_over()) {
            close();
        }
        return;
    }
    writing_ = true;
    set_deadline(shared_->options.read_timeout);
    asio::async_write(
        socket_,
        asio::buffer(out_),
        [this, keep = self()](error_code code, std::size_t) {
            writing_ = false;
            if (code) {
                close();
                return;
            }
            set_deadline(shared_->options.idle_timeout);
            flush();
            wait();
        }
    );
}

void Connection::send_wrong_protocol() {
    lingering_ = true;
    set_deadline(linger_time);
    asio::async_write(
        socket_,
        asio::buffer(wrong_protocol),
        [this, keep = self()](error_code code, std::size_t) {
            if (code) {
                close();
                return;
            }
            error_code ignored;
            socket_.shutdown(tcp::socket::shutdown_send, ignored);
            wait();
        }
    );
}

void Connection::linger() {
    std::array<char, 4096> rest{};
    error_code code;
    (void)socket_.read_some(asio::buffer(rest), code);
    code&& code != asio::error::would_block ? close() : wait();
}

void Connection::count_refused() {
    shared_->refused.fetch_add(session_.refused() - refused_seen_);
    refused_seen_ = session_.refused();
}

void Connection::tick() {
    session_.tick(loop_.ticks_of(shared_->options.read_timeout));
    count_refused();
    if (is_past_deadline()) {
        if (writing_ || lingering_ || ending_) {
            close();
            return;
        }
        if (session_.calls() == 0) {
            ending_ = true;
            session_.wind_down();
        }
        set_deadline(linger_time);
    }
    flush();
}

void Connection::wind_down() {
    session_.wind_down();
    flush();
}

void Connection::close() {
    if (closed_) {
        return;
    }
    closed_ = true;
    clear_deadline();
    error_code ignored;
    socket_.close(ignored);
    leave();
}

class Server final : public GrpcServer {
public:
    explicit Server(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

    Result<void> open() {
        pool_ = TAGOUT_TRY(LoopPool::open(
            shared_->options,
            [shared = shared_](Loop& loop, tcp::socket socket) {
                return std::make_shared<Connection>(loop, std::move(socket), shared);
            }
        ));
        return {};
    }
    [[nodiscard]] std::uint16_t port() const override { return pool_->port(); }
    [[nodiscard]] ServerStats stats() const override {
        return {
            pool_->accepted(),
            shared_->requests.load(),
            shared_->refused.load() + pool_->refused(),
            shared_->unanswered.load()};
    }

private:
    const std::shared_ptr<Shared> shared_;
    std::unique_ptr<LoopPool> pool_;
};

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(
    const ServerOptions& options, GrpcHandler handler
) {
    auto server = std::make_unique<Server>(std::make_shared<Shared>(options, std::move(handler)));
    TAGOUT_TRY(server->open());
    return std::unique_ptr<GrpcServer>(std::move(server));
}

}  // namespace tagout::net
