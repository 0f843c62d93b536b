#include "net/upstream_client.h"

#include "net/upstream_exchange.h"
#include "net/url.h"

#include <algorithm>
#include <array>

namespace tagout::net {

namespace {

class Client final : public UpstreamClient {
public:
    explicit Client(const UpstreamOptions& options)
        : shared_(std::make_shared<UpstreamShared>(options)) {}

    std::shared_ptr<UpstreamCall> send(
        const std::shared_ptr<EventLoop>& loop, UpstreamRequest request, UpstreamEvents events
    ) override {
        // Every EventLoop is a Gate: LoopPool makes no other.
        Loop& running = static_cast<Gate&>(*loop).loop();
        std::shared_ptr<void>& beside = running.beside(shared_.get());
        if (!beside) {
            beside = std::make_shared<UpstreamPool>(running.io(), shared_);
        }
        auto exchange = std::make_shared<UpstreamExchange>(
            *std::static_pointer_cast<UpstreamPool>(beside), std::move(request), std::move(events)
        );
        exchange->start();
        return exchange;
    }
    [[nodiscard]] UpstreamStats stats() const override {
        return {shared_->connected.load(), shared_->reused.load(), shared_->repeated.load()};
    }

private:
    const std::shared_ptr<UpstreamShared> shared_;
};

constexpr std::array<std::string_view, 10> between_neighbours{
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "Proxy-Authenticate",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "HTTP2-Settings"};

}  // namespace

std::shared_ptr<UpstreamClient> UpstreamClient::make(const UpstreamOptions& options) {
    return std::make_shared<Client>(options);
}

Headers end_to_end(const Headers& headers) {
    Headers kept;
    kept.reserve(headers.size());
    for (const auto& header : headers) {
        const std::string& name = header.first;
        const bool hop = std::ranges::any_of(between_neighbours, [&](std::string_view each) {
            return equal_ignoring_case(name, each);
        });
        if (hop || equal_ignoring_case(name, "Content-Length") ||
            equal_ignoring_case(name, "Host")) {
            continue;
        }
        const bool named = std::ranges::any_of(headers, [&](const auto& other) {
            return equal_ignoring_case(other.first, "Connection") && has_token(other.second, name);
        });
        if (!named) {
            kept.push_back(header);
        }
    }
    return kept;
}

}  // namespace tagout::net
