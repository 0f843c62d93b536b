#include "net/http_client.h"

#include "net/asio_setup.h"
#include "net/url.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <list>

namespace tagout::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Tls = asio::ssl::stream<tcp::socket&>;
using Parser = http::response_parser<http::buffer_body>;
using ChunkSink = std::function<bool(std::string_view)>;

constexpr std::size_t origins_max = 16;        // Idle connections kept, one an origin.
constexpr std::size_t read_bytes = 64 * 1024;  // Beast reads 512 bytes at a time unless reserved.
constexpr std::uint32_t header_bytes_max = 64 * 1024;
constexpr int interim_answers_max = 8;  // 1xx before the answer itself.

/// One connection, plain or with TLS on top.
struct Link {
    explicit Link(asio::io_context& io) : socket(io) { buffer.reserve(read_bytes); }

    std::string origin;
    tcp::socket socket;
    std::unique_ptr<Tls> tls;
    boost::beast::flat_buffer buffer;
    bool used = false;  ///< Carried an exchange before: the peer may close it at any moment.
};

bool is_idempotent(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
           method == "OPTIONS";
}

bool is_field_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return c > ' ' && c < 0x7f &&
               std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
    });
}

bool is_field_value(std::string_view value) {
    return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

/// The request line and headers as sent.
Result<std::string> head_of(const HttpRequest& request, const UrlParts& url) {
    if (!is_field_name(request.method)) {
        return fail(ErrorCode::InvalidArgument, "'" + request.method + "' is no HTTP method");
    }
    const bool v6 = url.host.find(':') != std::string::npos;
    std::string head = request.method + " " + url.target + " HTTP/1.1\r\nHost: ";
    head += v6 ? "[" + url.host + "]" : url.host;
    if (url.port != (url.scheme == "https" ? 443 : 80)) {
        head += ":" + std::to_string(url.port);
    }
    head += "\r\n";
    for (const auto& [name, value] : request.headers) {
        if (!is_field_name(name) || !is_field_value(value)) {
            return fail(
                ErrorCode::InvalidArgument,
                "header '" + name + "' has a character that no header has"
            );
        }
        if (!equal_ignoring_case(name, "Content-Length") &&
            !equal_ignoring_case(name, "Connection") && !equal_ignoring_case(name, "Host")) {
            head += name + ": " + value + "\r\n";
        }
    }
    if (find_header(request.headers, "User-Agent").empty()) {
        head += "User-Agent: tagout\r\n";
    }
    const bool sends_body = request.method != "GET" && request.method != "HEAD";
    if (sends_body || !request.body.empty()) {
        head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    }
    return head + "\r\n";
}

}  // namespace

struct HttpClient::State {
    asio::io_context io{1};
    tcp::resolver resolver{io};
    asio::steady_timer deadline{io};
    std::optional<asio::ssl::context> tls;  ///< Made at the first https:// (it reads the CA store).
    ClientTls own;
    std::list<std::unique_ptr<Link>> idle;  ///< Most recently used first.
    bool expired = false;
    std::shared_ptr<bool> exchange_runs;
    std::unique_ptr<Link> link;  ///< Of the exchange that runs.

    /// Runs the loop until the operation that `start` begins has ended.
    template <class Start>
    error_code run(Start&& start) {
        auto outcome = std::make_shared<std::optional<error_code>>();
        start([outcome](error_code code, const auto&...) { *outcome = code; });
        io.restart();
        while (!outcome->has_value() && io.run_one() > 0) {
        }
        return outcome->value_or(asio::error::operation_aborted);
    }

    Result<HttpResponse> exchange(const HttpRequest& request, const ChunkSink& chunk);
    Result<HttpResponse> attempt(
        const HttpRequest& request, const std::string& head, const ChunkSink& chunk,
        bool& nothing_came
    );
    template <class Stream>
    Result<HttpResponse> talk(
        Stream& stream, const HttpRequest& request, const std::string& head, const ChunkSink& chunk,
        bool& nothing_came
    );
    template <class Stream>
    Result<void> read_body(
        Stream& stream, Parser& parser, const ChunkSink& chunk, Duration silence_max, bool& stopped
    );
    std::unique_ptr<Link> take_idle(const std::string& origin);
    Result<void> connect(const UrlParts& url, const std::string& origin);
    Result<std::vector<tcp::endpoint>> resolve(const UrlParts& url);
    Result<void> start_tls(const UrlParts& url);
    Result<void> make_tls();
    std::shared_ptr<bool> start_deadline(Duration timeout);
    void arm_deadline(Duration timeout);
    std::unexpected<Error> broken(std::string_view doing, const error_code& code);
};

std::unexpected<Error> HttpClient::State::broken(std::string_view doing, const error_code& code) {
    const std::string where = link ? link->origin : "the server";
    if (expired) {
        return fail(
            ErrorCode::Unavailable,
            where + " did not answer in time (while " + std::string(doing) + ")"
        );
    }
    const std::string why = code == http::error::end_of_stream || code == asio::error::eof
                                ? "the connection was closed"
                                : code.message();
    return fail(ErrorCode::Unavailable, where + ": " + std::string(doing) + " failed: " + why);
}

/// The token says whether the exchange still runs: a timer that fires late must not cut the next
/// one.
std::shared_ptr<bool> HttpClient::State::start_deadline(Duration timeout) {
    exchange_runs = std::make_shared<bool>(true);
    expired = false;
    arm_deadline(timeout);
    return exchange_runs;
}

/// Moves the deadline of the exchange that runs.
void HttpClient::State::arm_deadline(Duration timeout) {
    deadline.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(timeout));
    deadline.async_wait([this, running = exchange_runs](error_code code) {
        if (code || !*running) {
            return;
        }
        expired = true;
        resolver.cancel();
        if (link) {
            error_code ignored;
            link->socket.close(ignored);
        }
    });
}

Result<std::vector<tcp::endpoint>> HttpClient::State::resolve(const UrlParts& url) {
    error_code not_numeric;
    const asio::ip::address address = asio::ip::make_address(url.host, not_numeric);
    if (!not_numeric) {
        return std::vector<tcp::endpoint>{{address, url.port}};
    }
    struct Found {
        bool done = false;
        error_code code;
        std::vector<tcp::endpoint> endpoints;
    };
    // getaddrinfo cannot be interrupted: past the deadline its answer goes into `found` unread.
    auto found = std::make_shared<Found>();
    resolver.async_resolve(
        url.host,
        std::to_string(url.port),
        [found](error_code code, const tcp::resolver::results_type& results) {
            found->done = true;
            found->code = code;
            found->endpoints.assign(results.begin(), results.end());
        }
    );
    io.restart();
    while (!found->done && !expired && io.run_one() > 0) {
    }
    if (!found->done || found->code) {
        return broken("looking up the host", found->code);
    }
    return std::move(found->endpoints);
}

Result<void> HttpClient::State::connect(const UrlParts& url, const std::string& origin) {
    link = std::make_unique<Link>(io);
    link->origin = origin;
    const std::vector<tcp::endpoint> endpoints = TAGOUT_TRY(resolve(url));
    const error_code refused =
        run([&](auto handler) { asio::async_connect(link->socket, endpoints, handler); });
    if (refused) {
        return broken("connecting", refused);
    }
    error_code ignored;
    link->socket.set_option(tcp::no_delay(true), ignored);
    return url.scheme == "https" ? start_tls(url) : Result<void>{};
}

Result<void> HttpClient::State::make_tls() {
    error_code code;
    tls.emplace(asio::ssl::context::tls_client);
    tls->set_verify_mode(asio::ssl::verify_peer, code);
    if (own.trusted.empty()) {
        tls->set_default_verify_paths(code);
        code = {};  // Without any, no server is trusted, and the handshake says so.
    } else {
        tls->load_verify_file(own.trusted, code);
        X509_VERIFY_PARAM_set_flags(
            SSL_CTX_get0_param(tls->native_handle()), X509_V_FLAG_PARTIAL_CHAIN
        );
    }
    if (!code && !own.certificate.empty()) {
        tls->use_certificate_chain_file(own.certificate, code);
        if (!code) {
            tls->use_private_key_file(own.key, asio::ssl::context::pem, code);
        }
    }
    if (code) {
        return fail(
            ErrorCode::InvalidArgument,
            "the files of the TLS client (" + own.trusted + " " + own.certificate + " " + own.key +
                ") are of no use: " + code.message()
        );
    }
    return {};
}

Result<void> HttpClient::State::start_tls(const UrlParts& url) {
    error_code code;
    if (!tls || !own.trusted.empty()) {
        TAGOUT_TRY(make_tls());
    }
    link->tls = std::make_unique<Tls>(link->socket, *tls);
    SSL* const handle = link->tls->native_handle();
    error_code not_numeric;
    (void)asio::ip::make_address(url.host, not_numeric);
    if (not_numeric) {
        SSL_set_tlsext_host_name(handle, url.host.c_str());
    }
    if (!own.any_host) {
        link->tls->set_verify_callback(asio::ssl::host_name_verification(url.host), code);
    }
    code = run([&](auto handler) {
        link->tls->async_handshake(asio::ssl::stream_base::client, handler);
    });
    if (code && !expired) {
        const char* const reason = X509_verify_cert_error_string(SSL_get_verify_result(handle));
        const bool distrust = SSL_get_verify_result(handle) != X509_V_OK;
        return fail(
            ErrorCode::Unavailable,
            link->origin +
                ": no TLS connection: " + (distrust ? std::string(reason) : code.message()) +
                (distrust
                     ? "; install its certificate authority on this machine, or set SSL_CERT_FILE"
                     : "")
        );
    }
    return code ? broken("the TLS handshake", code) : Result<void>{};
}

/// A kept connection that the peer has not closed or written to since.
std::unique_ptr<Link> HttpClient::State::take_idle(const std::string& origin) {
    const auto found =
        std::ranges::find_if(idle, [&](const auto& each) { return each->origin == origin; });
    if (found == idle.end()) {
        return nullptr;
    }
    std::unique_ptr<Link> taken = std::move(*found);
    idle.erase(found);
    char byte = 0;
    const ssize_t got = ::recv(taken->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool quiet = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return quiet ? std::move(taken) : nullptr;
}

template <class Stream>
Result<void> HttpClient::State::read_body(
    Stream& stream, Parser& parser, const ChunkSink& chunk, Duration silence_max, bool& stopped
) {
    std::vector<char> part(read_bytes);
    while (!parser.is_done()) {
        if (silence_max > Duration(0)) {
            arm_deadline(silence_max);
        }
        parser.get().body().data = part.data();
        parser.get().body().size = part.size();
        parser.get().body().more = true;
        error_code code = run([&](auto handler) {
            http::async_read_some(stream, link->buffer, parser, handler);
        });
        const std::size_t got = part.size() - parser.get().body().size;
        if (got > 0 && !chunk({part.data(), got})) {
            stopped = true;
            return {};
        }
        if (code && code != http::error::need_buffer) {
            return broken("reading the answer", code);
        }
    }
    return {};
}

template <class Stream>
Result<HttpResponse> HttpClient::State::talk(
    Stream& stream, const HttpRequest& request, const std::string& head, const ChunkSink& chunk,
    bool& nothing_came
) {
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(request.body)};
    const error_code unsent = run([&](auto handler) { asio::async_write(stream, parts, handler); });
    if (unsent && expired) {
        return broken("sending", unsent);
    }
    // A server may refuse a body before it has all of it: its answer is worth more than our error.
    std::optional<Parser> parser;
    for (int interim = 0; interim < interim_answers_max; ++interim) {
        parser.emplace();
        parser->header_limit(header_bytes_max);
        parser->body_limit(boost::none);
        parser->skip(request.method == "HEAD");
        const error_code code = run([&](auto handler) {
            http::async_read_header(stream, link->buffer, *parser, handler);
        });
        if (code) {
            nothing_came = interim == 0 && !parser->got_some() && !expired;
            return unsent ? broken("sending", unsent) : broken("waiting for the answer", code);
        }
        if (parser->get().result_int() >= 200) {
            break;
        }
    }
    if (parser->get().result_int() < 200) {
        return fail(ErrorCode::Unavailable, link->origin + " sent interim answers without end");
    }
    HttpResponse response;
    response.status = static_cast<int>(parser->get().result_int());
    for (const auto& field : parser->get()) {
        response.headers.emplace_back(field.name_string(), field.value());
    }
    bool stopped = false;
    TAGOUT_TRY(read_body(stream, *parser, chunk, request.silence_max, stopped));
    if (!stopped && !unsent && parser->keep_alive() && link->buffer.size() == 0) {
        link->used = true;
        idle.push_front(std::move(link));
        if (idle.size() > origins_max) {
            idle.pop_back();
        }
    }
    link.reset();
    return response;
}

Result<HttpResponse> HttpClient::State::attempt(
    const HttpRequest& request, const std::string& head, const ChunkSink& chunk, bool& nothing_came
) {
    return link->tls ? talk(*link->tls, request, head, chunk, nothing_came)
                     : talk(link->socket, request, head, chunk, nothing_came);
}

Result<HttpResponse> HttpClient::State::exchange(
    const HttpRequest& request, const ChunkSink& chunk
) {
    const UrlParts url = TAGOUT_TRY(parse_url(request.url));
    const std::string head = TAGOUT_TRY(head_of(request, url));
    const std::string origin = url.scheme + "://" + url.host + ":" + std::to_string(url.port);
    const std::shared_ptr<bool> running = start_deadline(request.timeout);
    const auto end = [&](Result<HttpResponse> result) {
        *running = false;
        deadline.cancel();
        link.reset();
        return result;
    };
    link = take_idle(origin);
    if (link) {
        bool nothing_came = false;
        Result<HttpResponse> result = attempt(request, head, chunk, nothing_came);
        // The peer closed the kept connection as we wrote to it. Only what may run twice is sent
        // again.
        if (result || !nothing_came || !is_idempotent(request.method)) {
            return end(std::move(result));
        }
    }
    const Result<void> connected = connect(url, origin);
    if (!connected) {
        return end(std::unexpected(connected.error()));
    }
    bool nothing_came = false;
    return end(attempt(request, head, chunk, nothing_came));
}

HttpClient::HttpClient(ClientTls tls) : state_(std::make_unique<State>()) {
    state_->own = std::move(tls);
}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
    std::string body;
    bool too_long = false;
    Result<HttpResponse> response = stream(request, [&](std::string_view part) {
        too_long = body.size() + part.size() > request.response_bytes_max;
        if (!too_long) {
            body += part;
        }
        return !too_long;
    });
    if (response && too_long) {
        return fail(
            ErrorCode::LimitExceeded,
            "the answer is longer than " + std::to_string(request.response_bytes_max) + " bytes"
        );
    }
    if (response) {
        response->body = std::move(body);
    }
    return response;
}

void HttpClient::cut() {
    asio::post(state_->io, [state = state_.get()] {
        error_code ignored;
        if (state->link) {
            state->link->socket.close(ignored);
        }
    });
}

Result<HttpResponse> HttpClient::stream(
    const HttpRequest& request, const std::function<bool(std::string_view)>& chunk
) {
    try {
        return state_->exchange(request, chunk);
    } catch (const boost::system::system_error& broken) {
        state_->link.reset();
        return fail(
            ErrorCode::Unavailable, std::string("the HTTP client failed: ") + broken.what()
        );
    }
}

}  // namespace tagout::net
