// One request of an agent on its way through the gateway: to the upstream and back, with a client
// that may go, be slow, or be stopped meanwhile.
//
// Confined to the loop of its connection. What it means is the roads' work (McpExchange,
// ModelExchange); here is what they share. Inside gateway/ only.
#pragma once

#include "gateway/core.h"

namespace tagout::gateway {

class Exchange : public InFlight, public std::enable_shared_from_this<Exchange> {
public:
    ~Exchange() override = default;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    void shut_down() override;

protected:
    Exchange(
        std::shared_ptr<Core> core, Road road, net::ServerRequest request,
        std::shared_ptr<net::Responder> responder
    );

    /// Into flight: the client is watched, controls are heard of. Before anything that waits.
    void enter();
    void forward(net::UrlParts url, std::shared_ptr<const PaddedBytes> body, bool may_repeat);
    void cancel_upstream();

    /// A whole answer; ends the exchange.
    void answer(net::ServerResponse response, Outcome outcome);
    void open(net::ServerResponse head, std::optional<std::uint64_t> length);
    void write(std::string bytes);
    /// What is recorded of any call of `caller` that was ruled so, until now.
    [[nodiscard]] SeenCall seen_of(const Caller& caller, const Ruling& ruling) const;
    /// The body that was opened is complete; ends the exchange.
    void finish(Outcome outcome);
    /// It never will be; ends the exchange.
    void cut(Outcome outcome);

    [[nodiscard]] bool has_opened() const noexcept { return stream_ != nullptr; }
    [[nodiscard]] bool has_ended() const noexcept { return responder_ == nullptr; }
    [[nodiscard]] bool is_probe() const noexcept { return probe_; }
    [[nodiscard]] const Snapshot& snapshot() const { return core_->snapshot(*loop_); }
    [[nodiscard]] const net::ServerRequest& request() const noexcept { return request_; }
    [[nodiscard]] net::ServerRequest& request() noexcept { return request_; }

    virtual void on_head(net::UpstreamHead head) = 0;
    virtual void on_bytes(std::string_view bytes) = 0;
    virtual void on_upstream_end(const Result<void>& end) = 0;
    /// Before the upstream is cancelled and the exchange ends.
    virtual void on_client_gone() = 0;

    const std::shared_ptr<Core> core_;
    const std::shared_ptr<net::EventLoop> loop_;
    const Instant received_at_;
    int upstream_status_ = 0;

private:
    void end(Outcome outcome);

    const Road road_;
    const bool probe_;
    net::ServerRequest request_;
    std::shared_ptr<net::Responder> responder_;
    std::weak_ptr<net::UpstreamCall> upstream_;  ///< The client keeps it while it runs.
    std::shared_ptr<net::EventStream> stream_;
    Instant forwarded_at_;
};

/// The error of a request that no road takes: {"error": {"code", "message"}}, as the API's.
[[nodiscard]] net::ServerResponse error_response(
    int status, std::string_view code, std::string_view message
);
/// "tagout-decision": what was decided, for whoever looks at headers.
[[nodiscard]] std::string decision_header(const Ruling& ruling);
/// Of a throttled call: whole seconds, as the header Retry-After has them.
[[nodiscard]] std::string retry_after(const Ruling& ruling);
/// Whether a session is among the `percent` that go to the fallback: the same answer each time, at every
/// gateway. A caller that names no session is told apart by its user, then its agent.
[[nodiscard]] bool is_of_share(const Caller& caller, std::uint64_t percent);
/// A path behind a road's own that leads out of the upstream's: "..", also in escapes.
[[nodiscard]] bool leads_out(std::string_view rest);
/// Path and query of a target; the query with its "?", or "".
[[nodiscard]] std::string path_of(std::string_view target);
[[nodiscard]] std::string query_of(std::string_view target);
/// `base` with what stands behind it: "http://h/mcp" and "?a=b".
[[nodiscard]] Result<net::UrlParts> joined_url(
    const std::string& base, std::string_view path, std::string_view query
);

}  // namespace tagout::gateway
