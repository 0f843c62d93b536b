// One client's connection to an HttpServer: reads requests, hands them to the handler, writes what
// it answers. Inside net/ only: includes Asio and Beast.
//
// Reading stands in http_connection.cc, answers and streams in http_answer.cc.
#pragma once

#include "net/http_server.h"
#include "net/http_text.h"
#include "net/loop_pool.h"
#include "net/tls_door.h"

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <optional>

namespace tagout::net {

/// What all connections of one server share. Outlives the server with the last Responder.
struct ServerShared {
    ServerShared(ServerOptions server_options, Handler request_handler)
        : options(std::move(server_options)), handler(std::move(request_handler)) {}

    const ServerOptions options;
    const Handler handler;
    std::shared_ptr<TlsDoor> tls;  ///< Null: plain. Set before the first connection.
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> unanswered{0};
    std::atomic<std::size_t> in_flight{0};  ///< Body bytes read or about to be, until answered.
};

class HttpConnection;

/// How a body that comes bit by bit is framed.
struct BodyShape {
    Framing framing = Framing::Chunked;
    std::optional<std::uint64_t> length;  ///< Of Framing::Length.
    bool keep_alive = false;
};

/// Chunks on their way to one client. Thread-safe.
class HttpStream final : public EventStream, public std::enable_shared_from_this<HttpStream> {
public:
    HttpStream(
        std::weak_ptr<HttpConnection> connection, std::shared_ptr<Gate> gate, BodyShape shape,
        std::size_t bytes_max
    )
        : connection_(std::move(connection)),
          gate_(std::move(gate)),
          shape_(shape),
          bytes_max_(bytes_max) {}

    bool send(std::string chunk) override;
    void close() override;
    void abort() override;
    [[nodiscard]] std::size_t queued() const override;
    void on_drained(std::function<void()> drained) override;

    /// On the loop's thread: takes what is queued; nothing more will come when `ended`.
    std::string take(bool& ended);
    void mark_sent(std::size_t bytes);
    void drained();
    void mark_gone();
    [[nodiscard]] bool is_gone() const;
    [[nodiscard]] const BodyShape& shape() const noexcept { return shape_; }
    void wake_up() {
        const MutexLock lock(mutex_);
        wake();
    }

private:
    void wake() TAGOUT_REQUIRES(mutex_);

    const std::weak_ptr<HttpConnection> connection_;
    const std::shared_ptr<Gate> gate_;
    const BodyShape shape_;
    const std::size_t bytes_max_;
    mutable Mutex mutex_;
    std::uint64_t accepted_ TAGOUT_GUARDED_BY(mutex_) = 0;  ///< Body bytes, without their framing.
    std::size_t unsent_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::function<void()> drained_ TAGOUT_GUARDED_BY(mutex_);
    std::string queue_ TAGOUT_GUARDED_BY(mutex_);
    bool woken_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool closed_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool gone_ TAGOUT_GUARDED_BY(mutex_) = false;
};

class HttpConnection final : public LoopConnection {
public:
    HttpConnection(
        Loop& loop, boost::asio::ip::tcp::socket socket, std::shared_ptr<ServerShared> shared
    )
        : LoopConnection(loop),
          socket_(std::move(socket)),
          peer_(peer_name(socket_)),
          shared_(std::move(shared)) {
        buffer_.reserve(head_read_bytes);
    }
    ~HttpConnection() override { release(); }

    void start() override;
    void tick() override;
    void wind_down() override;
    void close() override;

    void respond(ServerResponse response);
    void start_stream(ServerResponse head, std::shared_ptr<HttpStream> stream);
    void pump();
    [[nodiscard]] bool is_closed() const noexcept { return closed_.load(); }
    [[nodiscard]] bool knows_chunks() const { return parser_->get().version() >= 11; }
    void watch_with(std::function<void()> gone);

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
    static constexpr std::size_t head_read_bytes = 8 * 1024;  // Beast would read 512 at a time.

    enum class Phase : std::uint8_t {
        Handshake,
        Head,
        Body,
        Handling,
        Writing,
        Streaming,
        Lingering,
        Closed
    };

    auto self() { return std::static_pointer_cast<HttpConnection>(shared_from_this()); }
    void shake_hands();
    void next_request();
    void read_head();
    void parse_head();
    void on_head();
    [[nodiscard]] bool check_head();
    void take_head();
    void read_body();
    void read_sized();
    void read_chunks();
    void parse_chunks();
    void handle();
    void refuse(int status, std::string message);
    void write(ServerResponse response);
    void after_write();
    void linger();
    void finish_stream();
    void watch();
    void on_readable();
    void watch_tls();
    void on_watched(boost::system::error_code code, std::size_t count);
    void serve_waiting();
    void say_goodbye();

    /// As async_read_some and async_write of the connection, whatever is under it.
    using ReadDone = std::function<void(boost::system::error_code, std::size_t)>;
    template <class Done>
    void read_some(boost::asio::mutable_buffer into, Done&& done) {
        if (tls_) {
            read_tls(into, std::forward<Done>(done));
        } else {
            socket_.async_read_some(into, std::forward<Done>(done));
        }
    }
    void read_tls(boost::asio::mutable_buffer into, ReadDone done);
    template <class Buffers, class Done>
    void write_all(const Buffers& buffers, Done&& done) {
        if (tls_) {
            boost::asio::async_write(tls_->stream, buffers, std::forward<Done>(done));
        } else {
            boost::asio::async_write(socket_, buffers, std::forward<Done>(done));
        }
    }
    [[nodiscard]] bool charge(std::size_t bytes);
    void release();

    /// Of a TLS connection: what was read while its client was watched, and who waits for it.
    struct Watched {
        static constexpr std::size_t read_bytes = 4 * 1024;
        std::vector<char> part;
        std::string held;
        boost::system::error_code fault;
        boost::asio::mutable_buffer into;
        ReadDone waiting;
    };

    boost::asio::ip::tcp::socket socket_;
    std::unique_ptr<TlsLink> tls_;  ///< Null: plain.
    std::shared_ptr<const PeerCertificate> certificate_;
    Watched watched_;
    const std::string peer_;
    const std::shared_ptr<ServerShared> shared_;
    boost::beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    Phase phase_ = Phase::Closed;
    std::atomic<bool> closed_{false};  ///< As phase_ says, for other threads.
    bool got_some_ = false;            ///< Of the request that is being read.
    bool is_head_ = false;             ///< The method was HEAD: answers without their body.
    bool keep_alive_ = false;
    bool winding_down_ = false;
    ServerRequest request_;
    std::size_t body_read_ = 0;
    std::string chunks_;  ///< Body so far, of a chunked request.
    std::vector<char> part_;
    std::size_t charged_ = 0;
    std::size_t lingered_ = 0;
    bool watching_ = false;       ///< A wait for what the client sends is under way.
    std::function<void()> gone_;  ///< Of the handler that runs.
    std::string head_out_;
    std::string body_out_;
    bool stream_writing_ = false;
    std::shared_ptr<HttpStream> stream_;
};

/// Answers once, from any thread; one that is dropped answers 500.
class HttpAnswer final : public Responder {
public:
    HttpAnswer(
        const std::shared_ptr<HttpConnection>& connection, std::shared_ptr<Gate> gate,
        std::shared_ptr<ServerShared> shared
    )
        : connection_(connection), gate_(std::move(gate)), shared_(std::move(shared)) {}
    ~HttpAnswer() override;

    void respond(ServerResponse response) override;
    std::shared_ptr<EventStream> respond_stream(ServerResponse head) override;
    std::shared_ptr<EventStream> respond_body(
        ServerResponse head, std::optional<std::uint64_t> length
    ) override;
    void on_gone(std::function<void()> gone) override;
    [[nodiscard]] std::shared_ptr<EventLoop> loop() const override { return gate_; }

private:
    void send(ServerResponse response);
    std::shared_ptr<EventStream> open_stream(
        ServerResponse head, std::optional<std::uint64_t> length, bool keep_alive
    );

    const std::weak_ptr<HttpConnection> connection_;
    const std::shared_ptr<Gate> gate_;
    const std::shared_ptr<ServerShared> shared_;
    std::atomic<bool> answered_{false};
};

}  // namespace tagout::net
