// One request of a user to an agent's own endpoint on its way through the gateway: it goes to the
// workflow that it names, or, while a control routes that away, to the fallback; it is refused in
// plain JSON while the workflow is stopped, and cut when that happens meanwhile.
//
//   /workflow/{name}{rest}  ->  url of {name} in tagout.yaml, {rest} behind it
//
// Which workflow answered stands in the answer's header tagout-route. A request in flight stays
// where it went; the next one moves. The body is not read: what a user's own agent speaks is its
// own affair.
//
// Inside gateway/ only.
#pragma once

#include "gateway/exchange.h"

namespace tagout::gateway {

class WorkflowExchange final : public Exchange {
public:
    /// `rest` is the target behind /workflow/{name}: path and query, as sent.
    static void start(
        std::shared_ptr<Core> core, std::shared_ptr<const catalog::Catalog> catalog,
        const catalog::Workflow& workflow, std::string rest, net::ServerRequest request,
        std::shared_ptr<net::Responder> responder
    );

    void judge_again(const Snapshot& before, const Snapshot& now) override;

private:
    WorkflowExchange(
        std::shared_ptr<Core> core, std::shared_ptr<const catalog::Catalog> catalog,
        const catalog::Workflow& workflow, std::string rest, net::ServerRequest request,
        std::shared_ptr<net::Responder> responder
    );

    void begin();
    [[nodiscard]] ToolCall facts() const;
    [[nodiscard]] ToolCall facts_there() const;
    /// Endpoint of who answers; "" if tagout.yaml names none.
    [[nodiscard]] std::string destination() const;
    void send_on();
    void refuse(Outcome outcome);
    void report(bool cancelled);

    void on_head(net::UpstreamHead head) override;
    void on_bytes(std::string_view bytes) override;
    void on_upstream_end(const Result<void>& end) override;
    void on_client_gone() override;

    const std::shared_ptr<const catalog::Catalog> catalog_;
    const catalog::Workflow workflow_;
    const std::string rest_;
    Caller caller_;
    Ruling ruling_;
    std::string answered_by_;
    std::string trouble_;  ///< Why the upstream did not answer.
    bool reported_ = false;
};

}  // namespace tagout::gateway
