// One request to an upstream and its answer, and the connections that are kept for the next one.
// Inside net/ only: includes Asio, Beast and OpenSSL.
#pragma once

#include "net/loop_pool.h"
#include "net/upstream_client.h"

#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <list>

namespace tagout::net {

struct UpstreamShared {
    explicit UpstreamShared(const UpstreamOptions& client_options) : options(client_options) {}
    const UpstreamOptions options;
    std::atomic<std::uint64_t> connected{0};
    std::atomic<std::uint64_t> reused{0};
    std::atomic<std::uint64_t> repeated{0};
};

/// One connection, plain or with TLS on top.
struct UpstreamLink {
    using Socket = boost::asio::ip::tcp::socket;
    explicit UpstreamLink(boost::asio::io_context& io) : socket(io) {}

    std::string origin;
    Socket socket;
    std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls;
    boost::beast::flat_buffer buffer;
    std::int64_t kept_at = 0;  ///< Pool's tick.

    template <class Buffers, class Done>
    void read(const Buffers& buffers, Done&& done) {
        tls ? tls->async_read_some(buffers, std::forward<Done>(done))
            : socket.async_read_some(buffers, std::forward<Done>(done));
    }
};

class UpstreamExchange;

/// What one loop keeps. Confined to its thread; ends with it.
class UpstreamPool : public std::enable_shared_from_this<UpstreamPool> {
public:
    UpstreamPool(boost::asio::io_context& context, std::shared_ptr<UpstreamShared> client);

    boost::asio::io_context& io() noexcept { return io_; }
    UpstreamShared& shared() noexcept { return *shared_; }
    std::vector<char>& part() noexcept { return part_; }
    boost::asio::ssl::context& tls();

    /// A kept connection that its peer has not closed, or null.
    std::unique_ptr<UpstreamLink> take(const std::string& origin);
    void keep(std::unique_ptr<UpstreamLink> link);
    /// An exchange lives from start to end here, whoever else holds it.
    void add(std::shared_ptr<UpstreamExchange> exchange) { running_.insert(std::move(exchange)); }
    void remove(const std::shared_ptr<UpstreamExchange>& exchange) { running_.erase(exchange); }

private:
    void arm();

    boost::asio::io_context& io_;
    const std::shared_ptr<UpstreamShared> shared_;
    std::optional<boost::asio::ssl::context>
        tls_;                 ///< Made at the first https:// (reads the CA store).
    std::vector<char> part_;  ///< Scratch for bytes on their way to on_chunk.
    boost::asio::steady_timer timer_;
    std::int64_t ticks_ = 0;
    bool ticking_ = false;
    std::unordered_set<std::shared_ptr<UpstreamExchange>> running_;
    std::list<std::unique_ptr<UpstreamLink>> idle_;  ///< Most recently used first.
};

class UpstreamExchange final : public UpstreamCall,
                               public std::enable_shared_from_this<UpstreamExchange> {
public:
    UpstreamExchange(UpstreamPool& pool, UpstreamRequest request, UpstreamEvents events);
    ~UpstreamExchange() override = default;

    /// Calls no event within.
    void start();
    void cancel() override;
    void pause() override { paused_ = true; }
    void resume() override;

private:
    using error_code = boost::system::error_code;
    using tcp = boost::asio::ip::tcp;
    using Parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

    void connect();
    void connect_to(std::vector<tcp::endpoint> endpoints);
    void start_tls();
    void arm_deadline();
    void send();
    void on_sent(int attempt, const error_code& code, std::size_t count);
    void read();
    void on_read(const error_code& code, std::size_t count);
    void parse();
    bool parse_head();
    bool parse_body();
    void finish();
    /// Replaces a dead kept connection; false if that must not or need not be.
    bool repeat();
    void fail_with(ErrorCode code, std::string message);
    void broken(std::string_view doing, const error_code& code);
    void drop_link();

    UpstreamPool* const pool_;  ///< Of the loop; not touched by what is left when that has ended.
    UpstreamRequest request_;
    std::shared_ptr<UpstreamEvents> events_;  ///< Shared: one may run while it is let go of.
    std::string origin_;
    std::string head_out_;
    std::unique_ptr<UpstreamLink> link_;
    std::unique_ptr<UpstreamLink> dead_link_;  ///< Replaced; its handlers still refer to it.
    int attempt_ = 0;
    std::optional<boost::asio::ip::tcp::resolver> resolver_;
    std::optional<boost::asio::steady_timer> deadline_;
    std::optional<Parser> parser_;
    std::string send_failure_;
    int interim_ = 0;
    bool used_link_ = false;  ///< It carried an exchange before.
    bool repeated_ = false;
    bool expired_ = false;
    bool sending_ = false;
    bool sent_some_ = false;
    bool got_some_ = false;
    bool head_told_ = false;
    bool reading_ = false;
    bool paused_ = false;
    bool ended_ = false;
};

}  // namespace tagout::net
