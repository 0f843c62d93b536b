#include "net/upstream_exchange.h"

#include "net/url.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>
#include <array>
#include <cerrno>

namespace tagout::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

constexpr Duration pool_tick = std::chrono::seconds(1);
constexpr std::size_t first_read_bytes = 16 * 1024;
constexpr int interim_answers_max = 8;  // 1xx before the answer itself.

bool is_idempotent(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
           method == "OPTIONS";
}

bool is_quiet(UpstreamLink& link) {
    char byte = 0;
    const ssize_t got = ::recv(link.socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0) {
        return link.tls !=
               nullptr;  // TLS may send tickets at any time; a plain server may not speak.
    }
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

std::string head_of(const UpstreamRequest& request) {
    const UrlParts& url = request.url;
    std::string head;
    head.reserve(512);
    head += request.method + " " + url.target + " HTTP/1.1\r\nHost: ";
    const bool v6 = url.host.find(':') != std::string::npos;
    head += v6 ? "[" + url.host + "]" : url.host;
    if (url.port != (url.scheme == "https" ? 443 : 80)) {
        head += ":" + std::to_string(url.port);
    }
    head += "\r\n";
    for (const auto& [name, value] : request.headers) {
        const bool splits =
            name.find_first_of(std::string_view("\r\n:\0", 4)) != std::string::npos ||
            value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos;
        if (!splits) {  // Never from a parsed request; a door does not lean on that.
            head += name + ": " + value + "\r\n";
        }
    }
    if (request.body || (request.method != "GET" && request.method != "HEAD" &&
                         request.method != "OPTIONS" && request.method != "DELETE")) {
        head +=
            "Content-Length: " + std::to_string(request.body ? request.body->size() : 0) + "\r\n";
    }
    return head + "\r\n";
}

}  // namespace

UpstreamPool::UpstreamPool(asio::io_context& context, std::shared_ptr<UpstreamShared> client)
    : io_(context), shared_(std::move(client)), part_(shared_->options.read_bytes), timer_(io_) {}

asio::ssl::context& UpstreamPool::tls() {
    if (!tls_) {
        boost::system::error_code ignored;
        tls_.emplace(asio::ssl::context::tls_client);
        tls_->set_default_verify_paths(ignored);
        tls_->set_verify_mode(asio::ssl::verify_peer, ignored);
    }
    return *tls_;
}

std::unique_ptr<UpstreamLink> UpstreamPool::take(const std::string& origin) {
    for (auto each = idle_.begin(); each != idle_.end();) {
        if ((*each)->origin != origin) {
            ++each;
            continue;
        }
        std::unique_ptr<UpstreamLink> link = std::move(*each);
        each = idle_.erase(each);
        if (is_quiet(*link)) {
            return link;
        }
    }
    return nullptr;
}

void UpstreamPool::keep(std::unique_ptr<UpstreamLink> link) {
    const auto same = static_cast<std::size_t>(std::ranges::count_if(idle_, [&](const auto& each) {
        return each->origin == link->origin;
    }));
    if (same >= shared_->options.idle_per_origin_max) {
        return;
    }
    link->kept_at = ticks_;
    idle_.push_front(std::move(link));
    if (idle_.size() > shared_->options.idle_max) {
        idle_.pop_back();
    }
    arm();
}

void UpstreamPool::arm() {
    if (ticking_ || idle_.empty()) {
        return;
    }
    ticking_ = true;
    timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(pool_tick));
    timer_.async_wait([this, weak = weak_from_this()](boost::system::error_code code) {
        const auto alive = weak.lock();
        if (code || !alive) {
            return;
        }
        ticking_ = false;
        ++ticks_;
        const auto age_max = shared_->options.idle_time_max / pool_tick;
        std::erase_if(idle_, [&](const auto& each) { return ticks_ - each->kept_at >= age_max; });
        arm();
    });
}

UpstreamExchange::UpstreamExchange(
    UpstreamPool& pool, UpstreamRequest request, UpstreamEvents events
)
    : pool_(&pool),
      request_(std::move(request)),
      events_(std::make_shared<UpstreamEvents>(std::move(events))),
      origin_(
          request_.url.scheme + "://" + request_.url.host + ":" + std::to_string(request_.url.port)
      ) {}

void UpstreamExchange::start() {
    if (ended_) {
        return;
    }
    pool_->add(shared_from_this());
    head_out_ = head_of(request_);
    link_ = pool_->take(origin_);
    used_link_ = link_ != nullptr;
    if (link_) {
        pool_->shared().reused.fetch_add(1);
        send();
    } else {
        connect();
    }
}

void UpstreamExchange::cancel() {
    const auto self = shared_from_this();
    ended_ = true;
    events_.reset();
    drop_link();
    pool_->remove(self);
}

void UpstreamExchange::drop_link() {
    if (deadline_) {
        deadline_->cancel();
    }
    if (resolver_) {
        resolver_->cancel();
    }
    if (link_) {
        error_code ignored;
        link_->socket.close(ignored);  // Its handlers still hold this exchange, and it the link.
    }
}

void UpstreamExchange::arm_deadline() {
    deadline_.emplace(pool_->io());
    deadline_->expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(
        pool_->shared().options.connect_timeout
    ));
    deadline_->async_wait([self = shared_from_this()](error_code code) {
        if (!code && !self->ended_) {
            self->expired_ = true;
            self->fail_with(
                ErrorCode::Unavailable, self->origin_ + " could not be connected to in time"
            );
        }
    });
}

void UpstreamExchange::connect() {
    arm_deadline();
    link_ = std::make_unique<UpstreamLink>(pool_->io());
    link_->origin = origin_;
    error_code not_numeric;
    const asio::ip::address address = asio::ip::make_address(request_.url.host, not_numeric);
    if (!not_numeric) {
        connect_to({{address, request_.url.port}});
        return;
    }
    resolver_.emplace(pool_->io());
    resolver_->async_resolve(
        request_.url.host,
        std::to_string(request_.url.port),
        [self = shared_from_this()](error_code code, const tcp::resolver::results_type& results) {
            if (self->ended_) {
                return;
            }
            if (code) {
                self->broken("looking up the host", code);
                return;
            }
            std::vector<tcp::endpoint> endpoints(results.begin(), results.end());
            self->connect_to(std::move(endpoints));
        }
    );
}

void UpstreamExchange::connect_to(std::vector<tcp::endpoint> endpoints) {
    const auto to = std::make_shared<std::vector<tcp::endpoint>>(std::move(endpoints));
    asio::async_connect(
        link_->socket,
        *to,
        [self = shared_from_this(), to](error_code code, const tcp::endpoint&) {
            if (self->ended_) {
                return;
            }
            if (code) {
                self->broken("connecting", code);
                return;
            }
            error_code ignored;
            self->link_->socket.set_option(tcp::no_delay(true), ignored);
            self->link_->socket.set_option(asio::socket_base::keep_alive(true), ignored);
            self->pool_->shared().connected.fetch_add(1);
            if (self->request_.url.scheme == "https") {
                self->start_tls();
                return;
            }
            self->deadline_->cancel();
            self->send();
        }
    );
}

void UpstreamExchange::start_tls() {
    error_code code;
    link_->tls = std::make_unique<asio::ssl::stream<tcp::socket&>>(link_->socket, pool_->tls());
    SSL* const handle = link_->tls->native_handle();
    error_code not_numeric;
    (void)asio::ip::make_address(request_.url.host, not_numeric);
    if (not_numeric) {
        SSL_set_tlsext_host_name(handle, request_.url.host.c_str());
    }
    link_->tls->set_verify_callback(asio::ssl::host_name_verification(request_.url.host), code);
    link_->tls->async_handshake(
        asio::ssl::stream_base::client,
        [self = shared_from_this()](error_code failed) {
            if (self->ended_) {
                return;
            }
            self->deadline_->cancel();
            if (!failed) {
                self->send();
                return;
            }
            const long verified = SSL_get_verify_result(self->link_->tls->native_handle());
            if (verified == X509_V_OK) {
                self->broken("the TLS handshake", failed);
                return;
            }
            self->fail_with(
                ErrorCode::Unavailable,
                self->origin_ + ": no TLS connection: " + X509_verify_cert_error_string(verified) +
                    "; install its certificate authority on this machine, or set SSL_CERT_FILE"
            );
        }
    );
}

/// Reads from the start: a server may answer, and refuse, before it has the whole body.
void UpstreamExchange::send() {
    sending_ = true;
    const std::string_view body = request_.body ? request_.body->view() : std::string_view();
    const std::array<asio::const_buffer, 2> parts{
        asio::buffer(head_out_), asio::buffer(body.data(), body.size())};
    const auto done = [self = shared_from_this(), attempt = attempt_](
                          error_code code, std::size_t count
                      ) { self->on_sent(attempt, code, count); };
    link_->tls ? asio::async_write(*link_->tls, parts, done)
               : asio::async_write(link_->socket, parts, done);
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(pool_->shared().options.header_bytes_max));
    parser_->body_limit(boost::none);
    parser_->skip(request_.method == "HEAD");
    read();
}

void UpstreamExchange::on_sent(int attempt, const error_code& code, std::size_t count) {
    if (attempt != attempt_) {
        return;
    }
    sending_ = false;
    sent_some_ = sent_some_ || count > 0;
    if (code && !ended_) {
        send_failure_ = code.message();  // Its answer, if one comes, is worth more than our error.
    }
}

void UpstreamExchange::read() {
    if (reading_ || paused_ || ended_) {
        return;
    }
    reading_ = true;
    const std::size_t size = got_some_ ? pool_->shared().options.read_bytes : first_read_bytes;
    link_->read(
        link_->buffer.prepare(size),
        [self = shared_from_this()](error_code code, std::size_t count) {
            self->reading_ = false;
            if (!self->ended_) {
                self->on_read(code, count);
            }
        }
    );
}

void UpstreamExchange::on_read(const error_code& code, std::size_t count) {
    if (!code) {
        got_some_ = true;
        link_->buffer.commit(count);
        parse();
        return;
    }
    if (repeat()) {
        return;
    }
    const bool end = code == asio::error::eof || code == asio::ssl::error::stream_truncated;
    if (end && head_told_ && parser_->need_eof()) {
        error_code wrong;
        parser_->put_eof(wrong);
        wrong ? broken("reading the answer", wrong) : finish();
        return;
    }
    if (!send_failure_.empty()) {
        fail_with(ErrorCode::Unavailable, origin_ + ": sending failed: " + send_failure_);
        return;
    }
    broken(head_told_ ? "reading the answer" : "waiting for the answer", code);
}

void UpstreamExchange::resume() {
    if (!std::exchange(paused_, false) || ended_ || !link_ || !parser_) {
        return;
    }
    read();
}

void UpstreamExchange::parse() {
    const auto self = shared_from_this();  // A callback may let go of the last other holder,
    const auto events = events_;           // and of itself.
    while (!ended_) {
        if (!(head_told_ ? parse_body() : parse_head())) {
            return;
        }
    }
}

/// True when there is more to parse.
bool UpstreamExchange::parse_head() {
    error_code code;
    link_->buffer.consume(parser_->put(link_->buffer.data(), code));
    if (code && code != http::error::need_more) {
        const bool two_ways = code == http::error::bad_content_length ||
                              code == http::error::multiple_content_length ||
                              code == http::error::bad_transfer_encoding;
        fail_with(
            two_ways ? ErrorCode::Corrupt : ErrorCode::Unavailable,
            origin_ + " did not answer in HTTP/1.1: " + code.message()
        );
        return false;
    }
    if (!parser_->is_header_done()) {
        read();
        return false;
    }
    const int status = static_cast<int>(parser_->get().result_int());
    if (status < 200) {
        if (status == 101 || ++interim_ > interim_answers_max) {
            fail_with(ErrorCode::Unavailable, origin_ + " sent interim answers without end");
            return false;
        }
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(pool_->shared().options.header_bytes_max));
        parser_->body_limit(boost::none);
        parser_->skip(request_.method == "HEAD");
        if (link_->buffer.size() == 0) {
            read();
            return false;
        }
        return true;
    }
    UpstreamHead head;
    head.status = status;
    for (const auto& field : parser_->get()) {
        head.headers.emplace_back(field.name_string(), field.value());
    }
    if (parser_->content_length()) {
        head.length = *parser_->content_length();
    }
    head_told_ = true;
    parser_->eager(true);
    if (events_->on_head) {
        events_->on_head(std::move(head));
    }
    return true;
}

bool UpstreamExchange::parse_body() {
    if (parser_->is_done()) {
        finish();
        return false;
    }
    if (link_->buffer.size() == 0) {
        read();
        return false;
    }
    std::vector<char>& part = pool_->part();
    auto& body = parser_->get().body();
    body.data = part.data();
    body.size = part.size();
    body.more = true;
    error_code code;
    link_->buffer.consume(parser_->put(link_->buffer.data(), code));
    const std::size_t got = part.size() - body.size;
    if (got > 0 && events_->on_chunk) {
        events_->on_chunk({part.data(), got});
    }
    if (ended_) {
        return false;
    }
    if (code == http::error::need_more) {
        read();
        return false;
    }
    if (code && code != http::error::need_buffer) {
        broken("reading the answer", code);
        return false;
    }
    return true;
}

void UpstreamExchange::finish() {
    const auto self = shared_from_this();
    ended_ = true;
    const bool reusable = parser_->keep_alive() && !parser_->need_eof() && !sending_ &&
                          send_failure_.empty() && link_->buffer.size() == 0;
    if (reusable) {
        pool_->keep(std::move(link_));
    } else {
        drop_link();
    }
    const auto events = std::exchange(events_, nullptr);
    pool_->remove(self);
    if (events->on_end) {
        events->on_end({});
    }
}

bool UpstreamExchange::repeat() {
    const bool harmless =
        is_idempotent(request_.method) || request_.may_repeat || (!sending_ && !sent_some_);
    if (!used_link_ || repeated_ || got_some_ || !harmless) {
        return false;
    }
    repeated_ = true;
    used_link_ = false;
    sent_some_ = false;
    send_failure_.clear();
    pool_->shared().repeated.fetch_add(1);
    sending_ = false;
    ++attempt_;
    drop_link();
    dead_link_ = std::move(link_);
    connect();
    return true;
}

void UpstreamExchange::fail_with(ErrorCode code, std::string message) {
    const auto self = shared_from_this();
    ended_ = true;
    drop_link();
    const auto events = std::exchange(events_, nullptr);
    pool_->remove(self);
    if (events->on_end) {
        events->on_end(fail(code, std::move(message)));
    }
}

void UpstreamExchange::broken(std::string_view doing, const error_code& code) {
    const std::string why = code == http::error::end_of_stream || code == asio::error::eof ||
                                    code == http::error::partial_message
                                ? "the connection was closed"
                                : code.message();
    fail_with(ErrorCode::Unavailable, origin_ + ": " + std::string(doing) + " failed: " + why);
}

}  // namespace tagout::net
