#include "net/http_connection.h"

namespace tagout::net {

namespace {

class Server final : public HttpServer {
public:
    explicit Server(std::shared_ptr<ServerShared> shared) : shared_(std::move(shared)) {}

    Result<void> open() {
        if (shared_->options.tls) {
            shared_->tls = TAGOUT_TRY(TlsDoor::open(*shared_->options.tls));
        }
        pool_ = TAGOUT_TRY(LoopPool::open(
            shared_->options,
            [shared = shared_](Loop& loop, boost::asio::ip::tcp::socket socket) {
                return std::make_shared<HttpConnection>(loop, std::move(socket), shared);
            }
        ));
        return {};
    }
    [[nodiscard]] std::uint16_t port() const override { return pool_->port(); }
    [[nodiscard]] std::vector<std::shared_ptr<EventLoop>> loops() const override {
        return pool_->loops();
    }
    Result<bool> reload_tls() override {
        return shared_->tls ? shared_->tls->reload() : Result<bool>(false);
    }
    [[nodiscard]] ServerStats stats() const override {
        return {
            pool_->accepted(),
            shared_->requests.load(),
            shared_->refused.load() + pool_->refused(),
            shared_->unanswered.load()};
    }

private:
    const std::shared_ptr<ServerShared> shared_;
    std::unique_ptr<LoopPool> pool_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(
    const ServerOptions& options, Handler handler
) {
    auto server = std::make_unique<Server>(std::make_shared<ServerShared>(options, std::move(handler)));
    TAGOUT_TRY(server->open());
    return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace tagout::net
