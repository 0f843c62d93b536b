// One request to a model API on its way through the gateway: passed on as it is but for tools that
// are stopped, answered in the protocol's own form when it is stopped, cut when it is stopped while
// it streams. Calls in its answer are judged before the agent sees them.
//
// Inside gateway/ only.
#pragma once

#include "gateway/answer_edit.h"
#include "gateway/event_splitter.h"
#include "gateway/exchange.h"
#include "gateway/json_redact.h"
#include "gateway/offered_tools.h"
#include "gateway/usage.h"

#include <set>

namespace tagout::gateway {

class ModelExchange final : public Exchange {
public:
    /// `rest` is the target behind /model/{upstream}: path and query, as sent.
    static void start(
        std::shared_ptr<Core> core, const catalog::ModelUpstream& upstream, std::string rest,
        net::ServerRequest request, std::shared_ptr<net::Responder> responder
    );

    void judge_again(const Snapshot& before, const Snapshot& now) override;

private:
    ModelExchange(
        std::shared_ptr<Core> core, const catalog::ModelUpstream& upstream, std::string rest,
        net::ServerRequest request, std::shared_ptr<net::Responder> responder
    );

    void begin();
    /// Fills model_; a sentence when the body could be read in two ways.
    [[nodiscard]] std::string read_body();
    [[nodiscard]] ToolCall facts() const;
    [[nodiscard]] ToolCall tool_facts(const NamedTool& tool) const;
    /// A request names a tool without its MCP server: all that offer one of that name are meant.
    [[nodiscard]] std::vector<std::string> servers_of(const NamedTool& tool) const;
    [[nodiscard]] bool is_hidden(const NamedTool& tool) const;
    /// The strictest ruling of those that a call of `tool` may meet.
    [[nodiscard]] Ruling rule_tool(
        const NamedTool& tool, std::string_view arguments = {}, bool counts = false
    ) const;
    void rule_offered();
    [[nodiscard]] std::string unredactable() const;
    void refuse_unredacted(std::string_view why);
    /// To MODEL, UPSTREAM/MODEL or UPSTREAM/. False: it was refused, because it cannot go there.
    [[nodiscard]] bool apply_route(const std::string& to);
    /// Before it goes out: to the fallback while the upstream fails, and by share.
    [[nodiscard]] bool choose_way();
    /// Once, and only before a byte of an answer went out.
    [[nodiscard]] bool can_fall_back() const;
    /// The upstream failed: the same request goes to its fallback, or is refused there.
    void fall_back();
    [[nodiscard]] bool counts_as_failure(int status) const;
    [[nodiscard]] bool take_fallback(std::string_view why);
    void tell_circuit(bool answered, std::string_view why);
    [[nodiscard]] net::Headers answer_headers(const net::Headers& headers) const;
    void forward_model();
    void redact_body();
    [[nodiscard]] const std::string& paid_model() const noexcept {
        return routed_model_.empty() ? model_ : routed_model_;
    }
    /// Why its cost cannot be counted for a budget in money; "" if none covers it, or it can.
    [[nodiscard]] std::string uncountable() const;
    /// Counts what it cost, once, for the budgets that cover it.
    void charge(bool cancelled);
    /// Cuts stopped tools out of what goes to the upstream.
    void cut_tools();
    /// The sentence in place of a call that the model proposes, if it is refused.
    [[nodiscard]] std::optional<std::string> judge_proposed(const ProposedCall& call);
    /// True if the answer is of no use: it was answered with a refusal.
    bool refuse_unreadable(const net::UpstreamHead& head);
    void finish_whole();
    void send_on();
    void hold();
    void on_approval(contain::ApprovalAnswer answered, const contain::By& by);
    void withdraw();
    void add_key();
    void refuse(Outcome outcome);
    [[nodiscard]] bool is_anthropic() const noexcept { return upstream_.protocol == "anthropic"; }
    [[nodiscard]] net::ServerResponse protocol_error(
        int status, std::string_view type, std::string_view message
    ) const;
    void report(bool cancelled);

    void on_head(net::UpstreamHead head) override;
    void on_bytes(std::string_view bytes) override;
    void on_upstream_end(const Result<void>& end) override;
    void on_client_gone() override;

    catalog::ModelUpstream upstream_;  ///< Another one once it is routed there.
    const std::string rest_;
    Caller caller_;
    std::string model_;
    std::set<std::string> counted_;  ///< Proposed calls that count for limits already, by id.
    std::shared_ptr<const PaddedBytes> body_;
    Ruling ruling_;
    Redaction redaction_;
    std::string approval_;
    std::string primary_;   ///< Upstream whose circuit waits for what becomes of this; "" for none.
    bool fell_back_ = false;
    std::string routed_model_;  ///< That answers, and is paid, in its place; "" for the one asked for.
    std::string routed_to_;  ///< As it stands in the answer's tagout-route; "" where it was asked.
    bool reported_ = false;
    bool failed_ = false;
    std::string result_;
    const std::shared_ptr<const catalog::Catalog> catalog_;
    const ModelApi api_;
    std::optional<UsageMeter> meter_;  ///< Where a budget covers it, once it is sent.
    std::unique_ptr<AnswerEditor> editor_;  ///< Null where no call is read in the answer.
    std::optional<net::UpstreamHead> whole_head_;  ///< Of a JSON answer that is judged as a whole.
    std::string whole_;
    bool is_events_ = false;
    EventSplitter splitter_;
    bool splits_ = true;
};

}  // namespace tagout::gateway
