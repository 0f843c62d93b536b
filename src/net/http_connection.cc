#include "net/http_connection.h"

#include "base/assert.h"
#include "base/log.h"
#include "net/http_text.h"
#include "net/url.h"

#include <algorithm>
#include <array>

namespace tagout::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t body_read_bytes = 1024 * 1024;  // Charged before they are read.
constexpr std::size_t chunk_read_bytes = 64 * 1024;
constexpr std::size_t usual_headers = 12;

}  // namespace

void HttpConnection::start() {
    shared_->tls ? shake_hands() : next_request();
}

void HttpConnection::shake_hands() {
    phase_ = Phase::Handshake;
    tls_ = std::make_unique<TlsLink>(socket_, shared_->tls->context());
    set_deadline(shared_->options.read_timeout);
    tls_->stream.async_handshake(
        asio::ssl::stream_base::server,
        [this, keep = self()](error_code code) {
            if (phase_ != Phase::Handshake) {
                return;
            }
            if (code) {
                shared_->refused.fetch_add(1);
                close();
                return;
            }
            certificate_ = tls_->certificate();
            next_request();
        }
    );
}

void HttpConnection::next_request() {
    phase_ = Phase::Head;
    gone_ = nullptr;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_->options.header_bytes_max));
    parser_->body_limit(boost::none);  // Checked here, where an answer can say why.
    request_ = {};
    got_some_ = false;
    set_deadline(keep_alive_ ? shared_->options.idle_timeout : shared_->options.read_timeout);
    buffer_.size() > 0 ? parse_head() : read_head();
}

void HttpConnection::read_head() {
    if (winding_down_ && !got_some_) {
        close();
        return;
    }
    read_some(
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

void HttpConnection::parse_head() {
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

void HttpConnection::take_head() {
    const auto& head = parser_->get();
    request_.method = head.method_string();
    request_.target = head.target();
    request_.headers.reserve(usual_headers);
    for (const auto& field : head) {
        request_.headers.emplace_back(field.name_string(), field.value());
    }
    request_.peer = peer_;
    request_.certificate = certificate_;
    is_head_ = request_.method == "HEAD";
    keep_alive_ = parser_->keep_alive() && head.version() >= 11;
}

/// What must be right before a body is read; answers and says no otherwise.
bool HttpConnection::check_head() {
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

void HttpConnection::on_head() {
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
    write_all(asio::buffer(go_on), [this, keep = self()](error_code code, std::size_t) {
        if (phase_ == Phase::Body) {
            code ? close() : read_body();
        }
    });
}

void HttpConnection::read_body() {
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
void HttpConnection::read_sized() {
    const std::size_t left = request_.body.size() - body_read_;
    if (left == 0) {
        handle();
        return;
    }
    const std::size_t want = std::min(left, body_read_bytes);
    if (charged_ < body_read_ + want && !charge(body_read_ + want - charged_)) {
        return;
    }
    read_some(
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

void HttpConnection::read_chunks() {
    if (buffer_.size() > shared_->options.header_bytes_max + chunk_read_bytes) {
        refuse(400, "a chunk's head is too large");
        return;
    }
    read_some(
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

void HttpConnection::parse_chunks() {
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
bool HttpConnection::charge(std::size_t bytes) {
    const std::size_t before = shared_->in_flight.fetch_add(bytes);
    charged_ += bytes;
    if (before + bytes <= shared_->options.body_bytes_in_flight_max) {
        return true;
    }
    refuse(503, "too many request bodies at one time; try again in a second");
    return false;
}

void HttpConnection::release() {
    shared_->in_flight.fetch_sub(std::exchange(charged_, 0));
}

void HttpConnection::handle() {
    phase_ = Phase::Handling;
    clear_deadline();
    shared_->requests.fetch_add(1);
    const auto answer = std::make_shared<HttpAnswer>(self(), loop_.gate(), shared_);
    try {
        shared_->handler(std::move(request_), answer);
    } catch (const std::exception& broken) {
        log::error("http_handler_failed", {{"reason", broken.what()}});
    }
}

void HttpConnection::refuse(int status, std::string message) {
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

void HttpConnection::tick() {
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

void HttpConnection::wind_down() {
    winding_down_ = true;
    if (phase_ == Phase::Handshake || (phase_ == Phase::Head && !got_some_)) {
        close();
    } else if (phase_ == Phase::Streaming) {
        stream_->close();
    }
}

void HttpConnection::close() {
    if (phase_ == Phase::Closed) {
        return;
    }
    phase_ = Phase::Closed;
    closed_.store(true);
    clear_deadline();
    release();
    watched_.waiting = nullptr;  // It holds this connection.
    if (stream_) {
        stream_->mark_gone();
        stream_.reset();
    }
    error_code ignored;
    socket_.close(ignored);
    leave();
    if (const auto gone = std::exchange(gone_, nullptr)) {
        gone();
    }
}

}  // namespace tagout::net
