#include "net/http_server.h"

#include "base/assert.h"
#include "base/log.h"
#include "net/http_text.h"
#include "net/loop_pool.h"
#include "net/url.h"

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace tagout::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Parser = http::request_parser<http::buffer_body>;

constexpr std::size_t head_read_bytes = 8 * 1024;     // Beast would read 512 bytes at a time.
constexpr std::size_t body_read_bytes = 1024 * 1024;  // Charged before they are read.
constexpr std::size_t chunk_read_bytes = 64 * 1024;
constexpr Duration linger_time = std::chrono::seconds(5);  // For a refused client to read why.
constexpr std::size_t usual_headers = 12;
constexpr std::size_t linger_bytes_max = 1024 * 1024 * 1024;

/// What all connections of one server share. Outlives the server with the last Responder.
struct Shared {
    Shared(ServerOptions server_options, Handler request_handler)
        : options(std::move(server_options)), handler(std::move(request_handler)) {}

    const ServerOptions options;
    const Handler handler;
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> unanswered{0};
    std::atomic<std::size_t> in_flight{0};  ///< Body bytes read or about to be, until answered.
};

class Connection;

/// Chunks on their way to one client. Thread-safe.
class Stream final : public EventStream, public std::enable_shared_from_this<Stream> {
public:
    Stream(
        std::weak_ptr<Connection> connection, std::shared_ptr<Gate> gate, Framing framing,
        std::size_t bytes_max
    )
        : connection_(std::move(connection)),
          gate_(std::move(gate)),
          framing_(framing),
          bytes_max_(bytes_max) {}

    bool send(std::string chunk) override;
    void close() override;

    /// On the loop's thread: takes what is queued; nothing more will come when `ended`.
    std::string take(bool& ended);
    void mark_gone();
    [[nodiscard]] bool is_gone();

private:
    void wake() TAGOUT_REQUIRES(mutex_);

    const std::weak_ptr<Connection> connection_;
    const std::shared_ptr<Gate> gate_;
    const Framing framing_;
    const std::size_t bytes_max_;
    Mutex mutex_;
    std::string queue_ TAGOUT_GUARDED_BY(mutex_);
    bool woken_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool closed_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool gone_ TAGOUT_GUARDED_BY(mutex_) = false;
};

class Connection final : public LoopConnection {
public:
    Connection(Loop& loop, tcp::socket socket, std::shared_ptr<Shared> shared)
        : LoopConnection(loop),
          socket_(std::move(socket)),
          peer_(peer_name(socket_)),
          shared_(std::move(shared)) {
        buffer_.reserve(head_read_bytes);
    }
    ~Connection() override { release(); }

    void start() override;
    void tick() override;
    void wind_down() override;
    void close() override;

    void respond(ServerResponse response);
    void start_stream(ServerResponse head, std::shared_ptr<Stream> stream);
    void pump();
    [[nodiscard]] Framing stream_framing() const {
        return parser_->get().version() >= 11 ? Framing::Chunked : Framing::UntilClose;
    }

private:
    enum class Phase : std::uint8_t { Head, Body, Handling, Writing, Streaming, Lingering, Closed };

    auto self() { return std::static_pointer_cast<Connection>(shared_from_this()); }
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
    void watch_for_end();
    [[nodiscard]] bool charge(std::size_t bytes);
    void release();

    tcp::socket socket_;
    const std::string peer_;
    const std::shared_ptr<Shared> shared_;
    boost::beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    Phase phase_ = Phase::Closed;
    bool got_some_ = false;  ///< Of the request that is being read.
    bool is_head_ = false;   ///< The method was HEAD: answers without their body.
    bool keep_alive_ = false;
    bool winding_down_ = false;
    ServerRequest request_;
    std::size_t body_read_ = 0;
    std::string chunks_;  ///< Body so far, of a chunked request.
    std::vector<char> part_;
    std::size_t charged_ = 0;
    std::size_t lingered_ = 0;
    std::string head_out_;
    std::string body_out_;
    bool stream_writing_ = false;
    std::shared_ptr<Stream> stream_;
};

/// Answers once, from any thread; one that is dropped answers 500.
class Answer final : public Responder {
public:
    Answer(
        const std::shared_ptr<Connection>& connection, std::shared_ptr<Gate> gate,
        std::shared_ptr<Shared> shared
    )
        : connection_(connection), gate_(std::move(gate)), shared_(std::move(shared)) {}
    ~Answer() override;

    void respond(ServerResponse response) override;
    std::shared_ptr<EventStream> respond_stream(ServerResponse head) override;

private:
    void send(ServerResponse response);

    const std::weak_ptr<Connection> connection_;
    const std::shared_ptr<Gate> gate_;
    const std::shared_ptr<Shared> shared_;
    std::atomic<bool> answered_{false};
};

bool Stream::send(std::string chunk) {
    const MutexLock lock(mutex_);
    if (closed_ || gone_) {
        return false;
    }
    if (queue_.size() + chunk.size() > bytes_max_) {
        gone_ = true;
        queue_.clear();
        wake();
        return false;
    }
    queue_ += framing_ == Framing::Chunked ? chunk_text(chunk) : chunk;
    wake();
    return true;
}

void Stream::close() {
    const MutexLock lock(mutex_);
    if (closed_ || gone_) {
        return;
    }
    closed_ = true;
    if (framing_ == Framing::Chunked) {
        queue_ += "0\r\n\r\n";
    }
    wake();
}

void Stream::wake() {
    if (!woken_) {
        woken_ = true;
        gate_->post([connection = connection_] {
            if (const auto alive = connection.lock()) {
                alive->pump();
            }
        });
    }
}

std::string Stream::take(bool& ended) {
    const MutexLock lock(mutex_);
    woken_ = false;
    ended = gone_ || closed_;
    return std::exchange(queue_, {});
}

void Stream::mark_gone() {
    const MutexLock lock(mutex_);
    gone_ = true;
    queue_.clear();
}

bool Stream::is_gone() {
    const MutexLock lock(mutex_);
    return gone_;
}

void Connection::start() {
    next_request();
}

void Connection::next_request() {
    phase_ = Phase::Head;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_->options.header_bytes_max));
    parser_->body_limit(boost::none);  // Checked here, where an answer can say why.
    request_ = {};
    got_some_ = false;
    set_deadline(keep_alive_ ? shared_->options.idle_timeout : shared_->options.read_timeout);
    buffer_.size() > 0 ? parse_head() : read_head();
}

void Connection::read_head() {
    if (winding_down_ && !got_some_) {
        close();
        return;
    }
    socket_.async_read_some(
        buffer_.prepare(head_read_bytes),
        [this, keep = self()](error_code code, std::size_t count) {
            if (phase_ != Phase::Head) {
                return;  // Refused meanwhile, for being late.
            }
            if (code) {
                close();
                return;
            }
            buffer_.commit(count);
            parse_head();
        }
    );
}

void Connection::parse_head() {
    if (!got_some_) {
        got_some_ = true;
        set_deadline(shared_->options.read_timeout);
    }
    error_code code;
    buffer_.consume(parser_->put(buffer_.data(), code));
    if (code == http::error::need_more) {
        buffer_.size() > shared_->options.header_bytes_max
            ? refuse(431, "the request's head is too large")
            : read_head();
    } else if (code == http::error::header_limit) {
        refuse(
            431,
            "the request's head is larger than " +
                std::to_string(shared_->options.header_bytes_max) + " bytes"
        );
    } else if (code) {
        refuse(400, "not a valid HTTP/1.1 request: " + code.message());
    } else if (!parser_->is_header_done()) {
        read_head();
    } else {
        on_head();
    }
}

void Connection::take_head() {
    const auto& head = parser_->get();
    request_.method = head.method_string();
    request_.target = head.target();
    request_.headers.reserve(usual_headers);
    for (const auto& field : head) {
        request_.headers.emplace_back(field.name_string(), field.value());
    }
    request_.peer = peer_;
    is_head_ = request_.method == "HEAD";
    keep_alive_ = parser_->keep_alive() && head.version() >= 11;
}

/// What must be right before a body is read; answers and says no otherwise.
bool Connection::check_head() {
    const auto& head = parser_->get();
    std::optional<std::string> path = path_of_target(request_.target);
    if (!path) {
        refuse(400, "the request target is no absolute path");
        return false;
    }
    request_.path = std::move(*path);
    if (head.version() >= 11 && head.count(http::field::host) != 1) {
        refuse(400, "an HTTP/1.1 request has exactly one Host header");
        return false;
    }
    if (head.count(http::field::transfer_encoding) > 0 && !parser_->chunked()) {
        refuse(400, "of the transfer codings only chunked is known");
        return false;
    }
    const std::size_t body_max = shared_->options.body_bytes_max;
    if (parser_->content_length().value_or(0) > body_max) {
        refuse(
            413,
            "the body is larger than " + std::to_string(body_max) + " bytes; send smaller batches"
        );
        return false;
    }
    const std::string_view expects = request_.header("Expect");
    if (!expects.empty() && !equal_ignoring_case(expects, "100-continue")) {
        refuse(417, "of the expectations only 100-continue is known");
        return false;
    }
    return true;
}

void Connection::on_head() {
    take_head();
    if (!check_head()) {
        return;
    }
    phase_ = Phase::Body;
    body_read_ = 0;
    const bool waits = !request_.header("Expect").empty() && parser_->get().version() >= 11;
    if (!waits || buffer_.size() > 0) {
        read_body();
        return;
    }
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(
        socket_,
        asio::buffer(go_on),
        [this, keep = self()](error_code code, std::size_t) {
            if (phase_ == Phase::Body) {
                code ? close() : read_body();
            }
        }
    );
}

void Connection::read_body() {
    if (parser_->chunked()) {
        chunks_.clear();
        part_.resize(chunk_read_bytes);
        buffer_.size() > 0 ? parse_chunks() : read_chunks();
        return;
    }
    const std::size_t size = static_cast<std::size_t>(parser_->content_length().value_or(0));
    if (size == 0) {
        handle();
        return;
    }
    const std::size_t here = std::min(buffer_.size(), size);
    if (!charge(here)) {
        return;
    }
    request_.body = PaddedBytes(size);
    std::copy_n(static_cast<const char*>(buffer_.data().data()), here, request_.body.data());
    buffer_.consume(here);
    body_read_ = here;
    read_sized();
}

/// Straight into the bytes that the handler gets.
void Connection::read_sized() {
    const std::size_t left = request_.body.size() - body_read_;
    if (left == 0) {
        handle();
        return;
    }
    const std::size_t want = std::min(left, body_read_bytes);
    if (charged_ < body_read_ + want && !charge(body_read_ + want - charged_)) {
        return;
    }
    socket_.async_read_some(
        asio::buffer(request_.body.data() + body_read_, want),
        [this, keep = self()](error_code code, std::size_t count) {
            if (phase_ != Phase::Body) {
                return;
            }
            if (code) {
                close();
                return;
            }
            body_read_ += count;
            read_sized();
        }
    );
}

void Connection::read_chunks() {
    if (buffer_.size() > shared_->options.header_bytes_max + chunk_read_bytes) {
        refuse(400, "a chunk's head is too large");
        return;
    }
    socket_.async_read_some(
        buffer_.prepare(chunk_read_bytes),
        [this, keep = self()](error_code code, std::size_t count) {
            if (phase_ != Phase::Body) {
                return;
            }
            if (code) {
                close();
                return;
            }
            buffer_.commit(count);
            parse_chunks();
        }
    );
}

void Connection::parse_chunks() {
    while (!parser_->is_done()) {
        auto& body = parser_->get().body();
        body.data = part_.data();
        body.size = part_.size();
        body.more = true;
        error_code code;
        buffer_.consume(parser_->put(buffer_.data(), code));
        const std::size_t got = part_.size() - body.size;
        if (chunks_.size() + got > shared_->options.body_bytes_max) {
            refuse(
                413,
                "the body is larger than " + std::to_string(shared_->options.body_bytes_max) +
                    " bytes"
            );
            return;
        }
        if (got > 0 && !charge(got)) {
            return;
        }
        chunks_.append(part_.data(), got);
        if (code == http::error::need_more ||
            (!code && buffer_.size() == 0 && !parser_->is_done())) {
            read_chunks();
            return;
        }
        if (code && code != http::error::need_buffer) {
            refuse(400, "not a valid chunked body: " + code.message());
            return;
        }
    }
    request_.body = PaddedBytes::copy_of(chunks_);
    chunks_ = {};
    part_ = {};
    handle();
}

/// Takes `bytes` of the server's budget for bodies, or answers 503.
bool Connection::charge(std::size_t bytes) {
    const std::size_t before = shared_->in_flight.fetch_add(bytes);
    charged_ += bytes;
    if (before + bytes <= shared_->options.body_bytes_in_flight_max) {
        return true;
    }
    refuse(503, "too many request bodies at one time; try again in a second");
    return false;
}

void Connection::release() {
    shared_->in_flight.fetch_sub(std::exchange(charged_, 0));
}

void Connection::handle() {
    phase_ = Phase::Handling;
    clear_deadline();
    shared_->requests.fetch_add(1);
    const auto answer = std::make_shared<Answer>(self(), loop_.gate(), shared_);
    try {
        shared_->handler(std::move(request_), answer);
    } catch (const std::exception& broken) {
        log::error("http_handler_failed", {{"reason", broken.what()}});
    }
}

void Connection::refuse(int status, std::string message) {
    shared_->refused.fetch_add(1);
    keep_alive_ = false;
    phase_ = Phase::Lingering;
    request_.body = {};
    chunks_ = {};
    ServerResponse response;
    if (shared_->options.refuse) {
        response = shared_->options.refuse(request_, status, std::move(message));
    } else {
        response = {status, {{"Content-Type", "text/plain; charset=utf-8"}}, message + "\n"};
    }
    write(std::move(response));
}

void Connection::respond(ServerResponse response) {
    if (phase_ == Phase::Handling) {
        phase_ = Phase::Writing;
        write(std::move(response));
    }
}

void Connection::write(ServerResponse response) {
    keep_alive_ = keep_alive_ && !winding_down_;
    head_out_ = head_text(
        response, Framing::Length, keep_alive_ ? After::KeepAlive : After::Close, loop_.date()
    );
    body_out_ = is_head_ || !may_have_body(response.status) ? "" : std::move(response.body);
    set_deadline(shared_->options.read_timeout);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head_out_), asio::buffer(body_out_)};
    asio::async_write(socket_, parts, [this, keep = self()](error_code code, std::size_t) {
        if (code) {
            close();
            return;
        }
        after_write();
    });
}

void Connection::after_write() {
    release();
    body_out_ = {};
    if (phase_ == Phase::Lingering) {
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        set_deadline(linger_time);
        lingered_ = 0;
        linger();
    } else if (phase_ == Phase::Writing && keep_alive_) {
        next_request();
    } else {
        close();
    }
}

/// Reads on and throws away: closing now would reset the connection, and the answer with it.
void Connection::linger() {
    buffer_.clear();
    socket_.async_read_some(
        buffer_.prepare(chunk_read_bytes),
        [this, keep = self()](error_code code, std::size_t count) {
            lingered_ += count;
            code || lingered_ > linger_bytes_max ? close() : linger();
        }
    );
}

void Connection::start_stream(ServerResponse head, std::shared_ptr<Stream> stream) {
    if (phase_ != Phase::Handling) {
        stream->mark_gone();
        return;
    }
    release();
    keep_alive_ = false;
    stream_ = std::move(stream);
    head_out_ = head_text(head, stream_framing(), After::Close, loop_.date());
    phase_ = Phase::Streaming;
    stream_writing_ = true;
    set_deadline(shared_->options.read_timeout);
    asio::async_write(
        socket_,
        asio::buffer(head_out_),
        [this, keep = self()](error_code code, std::size_t) {
            stream_writing_ = false;
            clear_deadline();
            code || is_head_ ? close() : pump();
        }
    );
    watch_for_end();
}

/// Writes what is queued. A client that does not take it within the write time-out is cut.
void Connection::pump() {
    if (phase_ != Phase::Streaming) {
        return;
    }
    if (stream_->is_gone()) {
        close();
        return;
    }
    if (stream_writing_) {
        return;
    }
    bool ended = false;
    body_out_ = stream_->take(ended);
    if (body_out_.empty()) {
        if (ended) {
            close();
        }
        return;  // Woken again by the next chunk.
    }
    stream_writing_ = true;
    set_deadline(shared_->options.read_timeout);
    asio::async_write(
        socket_,
        asio::buffer(body_out_),
        [this, keep = self()](error_code code, std::size_t) {
            stream_writing_ = false;
            clear_deadline();
            code ? close() : pump();
        }
    );
}

/// A client that went shows as the end of what it sends; what it sends besides is ignored.
void Connection::watch_for_end() {
    buffer_.clear();
    socket_.async_read_some(
        buffer_.prepare(head_read_bytes),
        [this, keep = self()](error_code code, std::size_t) {
            code || phase_ != Phase::Streaming ? close() : watch_for_end();
        }
    );
}

void Connection::tick() {
    if (!is_past_deadline()) {
        return;
    }
    const bool unfinished = (phase_ == Phase::Head && got_some_) || phase_ == Phase::Body;
    if (unfinished) {
        error_code ignored;
        socket_.cancel(ignored);
        refuse(408, "the request was not complete in time");
        return;
    }
    close();
}

void Connection::wind_down() {
    winding_down_ = true;
    if (phase_ == Phase::Head && !got_some_) {
        close();
    } else if (phase_ == Phase::Streaming) {
        stream_->close();
    }
}

void Connection::close() {
    if (phase_ == Phase::Closed) {
        return;
    }
    phase_ = Phase::Closed;
    clear_deadline();
    release();
    if (stream_) {
        stream_->mark_gone();
        stream_.reset();
    }
    error_code ignored;
    socket_.close(ignored);
    leave();
}

Answer::~Answer() {
    if (!answered_.exchange(true)) {
        shared_->unanswered.fetch_add(1);
        log::error("http_request_unanswered");
        send(
            {500,
             {{"Content-Type", "text/plain; charset=utf-8"}},
             "the request was not answered; see the log\n"}
        );
    }
}

void Answer::respond(ServerResponse response) {
    TAGOUT_ASSERT(!answered_.exchange(true), "a request is answered once");
    send(std::move(response));
}

void Answer::send(ServerResponse response) {
    gate_->run([connection = connection_,
                moved = std::make_shared<ServerResponse>(std::move(response))] {
        if (const auto alive = connection.lock()) {
            alive->respond(std::move(*moved));
        }
    });
}

std::shared_ptr<EventStream> Answer::respond_stream(ServerResponse head) {
    TAGOUT_ASSERT(!answered_.exchange(true), "a request is answered once");
    const auto connection = connection_.lock();
    const auto stream = std::make_shared<Stream>(
        connection_,
        gate_,
        connection ? connection->stream_framing() : Framing::UntilClose,
        shared_->options.stream_queue_bytes_max
    );
    if (!connection) {
        stream->mark_gone();
        return stream;
    }
    gate_->run(
        [weak = connection_, stream, moved = std::make_shared<ServerResponse>(std::move(head))] {
            if (const auto alive = weak.lock()) {
                alive->start_stream(std::move(*moved), stream);
            }
        }
    );
    return stream;
}

class Server final : public HttpServer {
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

Result<std::unique_ptr<HttpServer>> HttpServer::start(
    const ServerOptions& options, Handler handler
) {
    auto server = std::make_unique<Server>(std::make_shared<Shared>(options, std::move(handler)));
    TAGOUT_TRY(server->open());
    return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace tagout::net
