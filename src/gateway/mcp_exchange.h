// One MCP request (Streamable HTTP, both eras) on its way through the gateway.
//
// Transparent but for tools: tools/call is judged, tools/list is cut, and streams that tell of
// changes tell of stopped tools too. The era is the upstream's: nothing is negotiated here. The
// request stands in mcp_request.cc, what comes back in mcp_answer.cc, how a person is asked in
// mcp_ask.cc.
#pragma once

#include "gateway/event_splitter.h"
#include "gateway/exchange.h"
#include "gateway/json_redact.h"
#include "gateway/rpc_body.h"
#include "gateway/tool_list.h"
#include "gateway/user_approval.h"

namespace tagout::gateway {

class McpExchange final : public Exchange {
public:
    /// On the request's loop, controls being in force.
    static void start(
        std::shared_ptr<Core> core, std::shared_ptr<const catalog::Catalog> catalog,
        const catalog::McpServer& server, net::ServerRequest request,
        std::shared_ptr<net::Responder> responder
    );

    void judge_again(const Snapshot& before, const Snapshot& now) override;

private:
    /// One tools/call of the request.
    struct Call {
        std::size_t message = 0;
        Ruling ruling;
        std::string sent_arguments;  ///< "" when they went out as they came.
        std::string result;
        bool is_error = false;
        bool answered = false;
    };
    /// What must be known of the answer.
    enum class Reading : std::uint8_t {
        Nothing,
        JsonResult,  ///< Passed on, and kept for the record.
        JsonList,    ///< Kept whole, cut, then passed on.
        Redacted,    ///< Kept whole, redacted, then passed on.
        Wrapped,     ///< Kept whole, then passed on as an event: its user was asked on the stream.
        Events,      ///< Passed event by event, each looked at.
    };
    static constexpr std::size_t result_bytes_max = 1024 * 1024;
    static constexpr std::size_t list_bytes_max = 16 * 1024 * 1024;

    McpExchange(
        std::shared_ptr<Core> core, std::shared_ptr<const catalog::Catalog> catalog,
        const catalog::McpServer& server, net::ServerRequest request,
        std::shared_ptr<net::Responder> responder
    );

    // The request.
    void begin();
    void post();
    [[nodiscard]] std::string unreadable() const;
    void know_caller();
    [[nodiscard]] ToolCall facts(std::string_view tool) const;
    [[nodiscard]] ToolCall facts(const RpcMessage& message) const;
    void judge();
    [[nodiscard]] std::shared_ptr<const PaddedBytes> redacted_body();
    void send_on();
    void ask_person();
    void hold();
    bool ask_operator();
    [[nodiscard]] std::string principal() const;
    bool open_seal();
    bool restore_body();
    void take_sealed_answer();
    void record_users_answer(UserAnswer said);
    void ask_again_with_answer();
    [[nodiscard]] bool can_ask_on_stream() const;
    void ask_on_stream();
    void on_users_answer(UserAnswer said);
    [[nodiscard]] bool is_users_answer() const;
    void take_users_answer();
    void on_approval(contain::ApprovalAnswer answered, const contain::By& by);
    void withdraw();
    void refuse(Outcome outcome);
    void refuse_malformed(int status, int code, std::string_view message, std::string_view id);
    void answer_probe();
    [[nodiscard]] bool is_refused() const;
    [[nodiscard]] bool takes_json() const;
    [[nodiscard]] bool takes_events() const;
    [[nodiscard]] std::string refusals() const;
    void report_calls(bool cancelled);
    void tell_upstream();

    // What comes back.
    void on_head(net::UpstreamHead head) override;
    void on_bytes(std::string_view bytes) override;
    void on_upstream_end(const Result<void>& end) override;
    void on_client_gone() override;
    void pass_events(std::string_view bytes);
    [[nodiscard]] std::string pass_event(std::string_view block);
    void read_answers(std::string_view json);
    void read_answer(RawJson json);
    void finish_list();
    void finish_redacted();
    void finish_wrapped();
    /// Its answer cannot be redacted: it is refused, or cut where some of it went out.
    void withhold(std::string_view why);
    void open_late();
    void stop_in_flight();
    void tell_of_changed_tools(const Snapshot& before, const Snapshot& now);
    void tell_if_pending();
    [[nodiscard]] std::optional<EditedList> edited(std::string_view json);

    const std::shared_ptr<const catalog::Catalog> catalog_;
    const std::string server_;
    const std::string url_;
    Caller caller_;
    RpcBody rpc_;
    std::shared_ptr<const PaddedBytes> body_;
    std::vector<Call> calls_;
    Redaction redaction_;
    std::string approval_;  ///< Id of the question to a person, "" when none is open.
    std::optional<SealedCall> seal_;  ///< It came again with its user's answer.
    UserAnswer users_answer_ = UserAnswer::None;
    bool dismissed_ = false;   ///< Its user closed the question without an answer.
    std::string client_;       ///< That asked its user.
    std::string elicitation_;  ///< Id of the question on the stream, "" when none is open.
    bool asked_on_stream_ = false;
    bool reported_ = false;

    Reading reading_ = Reading::Nothing;
    std::optional<net::UpstreamHead> late_head_;  ///< Not told to the client yet.
    std::string kept_;
    bool kept_all_ = true;
    EventSplitter splitter_;
    bool splits_ = true;
    std::uint64_t events_ = 0;
    bool tools_changed_ = false;  ///< To be told at the next boundary.
};

/// The answer to a call that was refused, as clients of both eras were measured to take it: a
/// result, not an error of protocol or transport.
[[nodiscard]] std::string refusal_result(const RpcMessage& message, const Ruling& ruling);

}  // namespace tagout::gateway
