#include "net/http_connection.h"

#include "base/assert.h"
#include "base/log.h"
#include "net/http_text.h"
#include "net/url.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>

namespace tagout::net {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t chunk_read_bytes = 64 * 1024;
constexpr Duration linger_time = std::chrono::seconds(5);  // For a refused client to read why.
constexpr std::size_t linger_bytes_max = 1024 * 1024 * 1024;

}  // namespace

bool HttpStream::send(std::string chunk) {
    const MutexLock lock(mutex_);
    if (closed_ || gone_) {
        return false;
    }
    const std::uint64_t room = shape_.length.value_or(UINT64_MAX) - accepted_;
    if (queue_.size() + chunk.size() > bytes_max_ || chunk.size() > room) {
        gone_ = true;
        queue_.clear();
        wake();
        return false;
    }
    accepted_ += chunk.size();
    const std::size_t before = queue_.size();
    if (shape_.framing == Framing::Chunked) {
        queue_ += chunk_text(chunk);
    } else if (queue_.empty()) {
        queue_ = std::move(chunk);
    } else {
        queue_ += chunk;
    }
    unsent_ += queue_.size() - before;
    wake();
    return true;
}

void HttpStream::close() {
    const MutexLock lock(mutex_);
    if (closed_ || gone_) {
        return;
    }
    if (shape_.length && accepted_ < *shape_.length) {
        gone_ = true;  // Cut: the client must not take it for the whole.
        wake();
        return;
    }
    closed_ = true;
    if (shape_.framing == Framing::Chunked) {
        queue_ += "0\r\n\r\n";
    }
    wake();
}

void HttpStream::abort() {
    const MutexLock lock(mutex_);
    if (!closed_ && !gone_) {
        gone_ = true;
        wake();
    }
}

std::size_t HttpStream::queued() const {
    const MutexLock lock(mutex_);
    return unsent_;
}

void HttpStream::on_drained(std::function<void()> drained) {
    const MutexLock lock(mutex_);
    drained_ = std::move(drained);
}

void HttpStream::mark_sent(std::size_t bytes) {
    const MutexLock lock(mutex_);
    unsent_ -= std::min(unsent_, bytes);
}

void HttpStream::drained() {
    std::function<void()> tell;
    {
        const MutexLock lock(mutex_);
        tell = drained_;
    }
    if (tell) {
        tell();
    }
}

void HttpStream::wake() {
    if (!woken_) {
        woken_ = true;
        gate_->post([connection = connection_] {
            if (const auto alive = connection.lock()) {
                alive->pump();
            }
        });
    }
}

std::string HttpStream::take(bool& ended) {
    const MutexLock lock(mutex_);
    woken_ = false;
    ended = gone_ || closed_;
    return std::exchange(queue_, {});
}

void HttpStream::mark_gone() {
    const MutexLock lock(mutex_);
    gone_ = true;
    queue_.clear();
    unsent_ = 0;
    drained_ = nullptr;
}

bool HttpStream::is_gone() const {
    const MutexLock lock(mutex_);
    return gone_;
}

void HttpConnection::respond(ServerResponse response) {
    if (phase_ == Phase::Handling) {
        phase_ = Phase::Writing;
        write(std::move(response));
    }
}

void HttpConnection::write(ServerResponse response) {
    keep_alive_ = keep_alive_ && !winding_down_;
    head_out_ = head_text(
        response, Framing::Length, keep_alive_ ? After::KeepAlive : After::Close, loop_.date()
    );
    gone_ = nullptr;
    body_out_ = is_head_ || !may_have_body(response.status) ? "" : std::move(response.body);
    set_deadline(shared_->options.read_timeout);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head_out_), asio::buffer(body_out_)};
    write_all(parts, [this, keep = self()](error_code code, std::size_t) {
        if (code) {
            close();
            return;
        }
        after_write();
    });
}

void HttpConnection::after_write() {
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
        say_goodbye();
    }
}

/// Ends a connection whose answer is complete; TLS says so, for a cut would look the same.
void HttpConnection::say_goodbye() {
    if (!tls_ || watching_) {
        close();
        return;
    }
    phase_ = Phase::Lingering;
    set_deadline(linger_time);
    tls_->stream.async_shutdown([this, keep = self()](error_code) { close(); });
}

/// Reads on and throws away: closing now would reset the connection, and the answer with it.
void HttpConnection::linger() {
    buffer_.clear();
    read_some(
        buffer_.prepare(chunk_read_bytes),
        [this, keep = self()](error_code code, std::size_t count) {
            lingered_ += count;
            code || lingered_ > linger_bytes_max ? close() : linger();
        }
    );
}

void HttpConnection::start_stream(ServerResponse head, std::shared_ptr<HttpStream> stream) {
    if (phase_ != Phase::Handling) {
        stream->mark_gone();
        return;
    }
    release();
    stream_ = std::move(stream);
    const BodyShape& shape = stream_->shape();
    keep_alive_ = keep_alive_ && shape.keep_alive && !winding_down_;
    head_out_ = head_text(
        head,
        shape.framing,
        keep_alive_ ? After::KeepAlive : After::Close,
        loop_.date(),
        shape.length
    );
    phase_ = Phase::Streaming;
    watch();
    stream_->wake_up();  // Not at once: what is sent now goes out in the same packet.
}

/// Writes what is queued. A client that does not take it within the write time-out is cut.
void HttpConnection::pump() {
    if (phase_ != Phase::Streaming || stream_writing_) {
        if (phase_ == Phase::Streaming && stream_->is_gone()) {
            close();
        }
        return;
    }
    if (stream_->is_gone()) {
        close();
        return;
    }
    bool ended = false;
    body_out_ = stream_->take(ended);
    if (is_head_) {
        body_out_.clear();
    }
    if (head_out_.empty() && body_out_.empty()) {
        if (ended || is_head_) {
            finish_stream();
        } else {
            stream_->drained();
        }
        return;  // Woken again by the next chunk.
    }
    stream_writing_ = true;
    set_deadline(shared_->options.read_timeout);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head_out_), asio::buffer(body_out_)};
    write_all(parts, [this, keep = self()](error_code code, std::size_t) {
        stream_writing_ = false;
        clear_deadline();
        if (code || phase_ != Phase::Streaming) {
            close();
            return;
        }
        stream_->mark_sent(body_out_.size());
        head_out_.clear();
        pump();
    });
}

void HttpConnection::finish_stream() {
    if (!keep_alive_ || winding_down_) {
        gone_ = nullptr;
        close();
        return;
    }
    stream_->mark_gone();
    stream_.reset();
    next_request();
}

void HttpConnection::watch_with(std::function<void()> gone) {
    if (phase_ == Phase::Handling) {
        gone_ = std::move(gone);
        watch();
    } else if (phase_ == Phase::Closed) {
        gone();
    }
}

/// A client that went shows as the end of what it sends. What it sends besides is its next request
/// and is kept for that; only so much of it that the end would show behind it.
void HttpConnection::watch() {
    if (tls_) {
        watch_tls();
        return;
    }
    if (watching_ || buffer_.size() >= shared_->options.header_bytes_max) {
        return;
    }
    watching_ = true;
    socket_.async_wait(tcp::socket::wait_read, [this, keep = self()](error_code code) {
        watching_ = false;
        const bool answering = phase_ == Phase::Streaming || (phase_ == Phase::Handling && gone_);
        if (!code && answering) {
            on_readable();
        }
    });
}

void HttpConnection::on_readable() {
    error_code code;
    const std::size_t count = socket_.read_some(buffer_.prepare(head_read_bytes), code);
    if (code && code != asio::error::would_block) {
        close();
        return;
    }
    buffer_.commit(code ? 0 : count);
    watch();
}

/// What comes may be no request at all, but TLS's own: only reading tells. What is read is held for
/// who reads next.
void HttpConnection::watch_tls() {
    if (watching_ || watched_.fault || watched_.held.size() >= shared_->options.header_bytes_max) {
        return;
    }
    watching_ = true;
    watched_.part.resize(Watched::read_bytes);
    tls_->stream.async_read_some(
        asio::buffer(watched_.part),
        [this, keep = self()](error_code code, std::size_t count) { on_watched(code, count); }
    );
}

void HttpConnection::on_watched(error_code code, std::size_t count) {
    watching_ = false;
    if (phase_ == Phase::Closed) {
        return;
    }
    watched_.held.append(watched_.part.data(), count);
    watched_.fault = code;
    if (watched_.waiting) {
        serve_waiting();
        return;
    }
    const bool answering = phase_ == Phase::Streaming || (phase_ == Phase::Handling && gone_);
    if (answering && code) {
        close();
    } else if (answering) {
        watch_tls();
    }
}

void HttpConnection::serve_waiting() {
    const ReadDone done = std::exchange(watched_.waiting, nullptr);
    const std::size_t count = std::min(watched_.held.size(), watched_.into.size());
    std::copy_n(watched_.held.data(), count, static_cast<char*>(watched_.into.data()));
    watched_.held.erase(0, count);
    done(count > 0 ? error_code() : watched_.fault, count);
}

void HttpConnection::read_tls(asio::mutable_buffer into, ReadDone done) {
    if (!watching_ && watched_.held.empty() && !watched_.fault) {
        tls_->stream.async_read_some(into, std::move(done));
        return;
    }
    watched_.into = into;
    watched_.waiting = std::move(done);
    if (!watching_) {
        asio::post(socket_.get_executor(), [this, keep = self()] {
            if (watched_.waiting) {
                serve_waiting();
            }
        });
    }
}

HttpAnswer::~HttpAnswer() {
    if (!answered_.exchange(true)) {
        const auto connection = connection_.lock();
        if (!connection || connection->is_closed()) {
            return;  // Nobody waits for one.
        }
        shared_->unanswered.fetch_add(1);
        log::error("http_request_unanswered");
        send(
            {500,
             {{"Content-Type", "text/plain; charset=utf-8"}},
             "the request was not answered; see the log\n"}
        );
    }
}

void HttpAnswer::respond(ServerResponse response) {
    TAGOUT_ASSERT(!answered_.exchange(true), "a request is answered once");
    send(std::move(response));
}

void HttpAnswer::send(ServerResponse response) {
    gate_->run([connection = connection_,
                moved = std::make_shared<ServerResponse>(std::move(response))] {
        if (const auto alive = connection.lock()) {
            alive->respond(std::move(*moved));
        }
    });
}

std::shared_ptr<EventStream> HttpAnswer::respond_stream(ServerResponse head) {
    return open_stream(std::move(head), std::nullopt, false);
}

std::shared_ptr<EventStream> HttpAnswer::respond_body(
    ServerResponse head, std::optional<std::uint64_t> length
) {
    return open_stream(std::move(head), length, true);
}

std::shared_ptr<EventStream> HttpAnswer::open_stream(
    ServerResponse head, std::optional<std::uint64_t> length, bool keep_alive
) {
    TAGOUT_ASSERT(!answered_.exchange(true), "a request is answered once");
    const auto connection = connection_.lock();
    BodyShape shape{Framing::UntilClose, length, false};
    if (length || !may_have_body(head.status)) {
        shape = {Framing::Length, length.value_or(0), keep_alive};
    } else if (connection && connection->knows_chunks()) {
        shape = {Framing::Chunked, std::nullopt, keep_alive};
    }
    const auto stream = std::make_shared<HttpStream>(
        connection_, gate_, shape, shared_->options.stream_queue_bytes_max
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

void HttpAnswer::on_gone(std::function<void()> gone) {
    if (const auto alive = connection_.lock()) {
        alive->watch_with(std::move(gone));
    } else {
        gone();
    }
}

}  // namespace tagout::net
