// `tagout mcp -- COMMAND...`: stands between an agent's client and an MCP server that speaks over
// stdio, and lets through what the gateway lets through.
//
//   client ──stdin──►  judge each tools/call  ──►  server (a child process)
//          ◄─stdout──  cut lists, redact, refuse  ◄──
//
// Like the HTTP road it changes nothing but tools: a call is judged (and waits for a person where a
// control says so), a list is cut, a call in flight whose tool is stopped is cancelled at the
// server and answered at the client, and clients are told when what they may list changes. A
// refusal is a result that the model can read, so the agent's loop goes on.
//
// It fails closed: a call that the gateway cannot be asked about is refused, but for `reads_go_on`.
// What is already running when the gateway goes away runs on. Results that must be redacted and
// cannot be are withheld.
//
// Bounds are below; whoever meets one gets an answer that says so, and a line on standard error.
#pragma once

#include "gateway/rpc_body.h"
#include "gateway/stdio/judge.h"
#include "gateway/stdio/pipes.h"

#include <deque>
#include <map>
#include <memory>
#include <thread>

namespace tagout::gateway {

struct WrapperOptions {
    JudgeOptions judge;
    /// Tools that the catalogue knows to change nothing, and that were open when last heard of, go
    /// on while the gateway cannot be asked.
    bool reads_go_on = false;
    std::vector<std::string> command;
};

inline constexpr std::size_t stdio_calls_max = 1'000;    ///< In flight at a time.
inline constexpr std::size_t stdio_held_max = 64;        ///< Of them waiting for a person.
inline constexpr std::size_t stdio_records_max = 1'000;  ///< Results not yet told to the gateway.

/// Two ids are the same to some client when they print the same: 1, 1.0 and "1".
[[nodiscard]] std::string id_key(RawJson id);

/// What passes between the pipes. Thread-safe: each side has a thread, and some more ask the
/// gateway; no lock is held while one asks or writes.
class StdioWrapper : public std::enable_shared_from_this<StdioWrapper> {
public:
    StdioWrapper(
        WrapperOptions options, const Clock& clock, int to_client, int to_server,
        std::function<void(const std::string&)> note
    );

    /// On one thread for each side.
    void on_client_line(std::string_view line);
    void on_server_line(std::string_view line);
    void on_client_overlong();
    void on_server_overlong();

    /// Follows controls until end(). On a thread of its own.
    void follow_controls();
    /// Tells results to the gateway until end(), then those that are left. On a thread of its own.
    void tell_results();
    /// No more input comes from the client: the server is told by the end of its input.
    void close_server();
    void end();

private:
    struct Call {
        std::string line;
        RpcMessage message;  ///< Views into `body`.
        std::shared_ptr<const PaddedBytes> body;
        Instant started_at;
        bool waits = true;  ///< Not with the server yet.
        bool redact = false;
        Judge* asks = nullptr;  ///< Waits for a person's answer.
    };
    struct Told {
        std::string call;
        std::string answer;  ///< "" where the client cancelled.
        Duration took;
    };

    // From the client.
    void pass_batch(const RpcBody& rpc, std::string_view line);
    void on_request(
        RpcMessage message, std::shared_ptr<const PaddedBytes> body, std::string_view line
    );
    void on_call(RpcMessage message, std::shared_ptr<const PaddedBytes> body);
    void on_client_cancels(RawJson id, std::string_view line);
    void hold(const std::string& key, const std::shared_ptr<Call>& call);
    void act(
        const std::string& key, const std::shared_ptr<Call>& call, Judged judged, Judge& judge
    );
    void send(
        const std::string& key, const std::shared_ptr<Call>& call, Judged judged, Judge& judge
    );
    void pass(const std::string& key, const std::shared_ptr<Call>& call, std::string_view line);
    void refuse(const RpcMessage& message, const std::string& why);
    void answer_error(int code, std::string_view message, std::string_view id);
    [[nodiscard]] bool may_go_on(const std::string& tool);

    // From the server.
    void on_server_message(const RpcMessage& message, std::string_view line);
    void on_result(const Call& call, std::string_view line);
    void on_list(std::string_view line);
    void keep_result(Told told);

    // When controls change.
    void judge_again(Judge& judge, std::uint64_t revision);
    void judge_tools(Judge& judge, std::uint64_t revision);
    void tell_tools_changed();

    /// The call of that id, which is then in flight no more; null if there is none.
    std::shared_ptr<Call> take(const std::string& key);
    /// Whether `call` was in flight until now.
    bool take(const std::string& key, const std::shared_ptr<Call>& call);
    void forget_answer(const std::string& key) TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] std::string agent();

    const WrapperOptions options_;
    const Clock& clock_;
    const std::function<void(const std::string&)> note_;
    LineWriter client_;
    LineWriter server_;
    Judge client_judge_;  ///< Of the client's thread.
    Judge server_judge_;  ///< Of the server's thread.

    Mutex mutex_;
    Condition changed_;
    bool ended_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::uint64_t revision_ TAGOUT_GUARDED_BY(mutex_) = 0;  ///< Of the controls last told of.
    std::string agent_ TAGOUT_GUARDED_BY(mutex_);           ///< As the client calls itself.
    bool initialized_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::map<std::string, std::shared_ptr<Call>> calls_ TAGOUT_GUARDED_BY(mutex_);
    std::size_t held_ TAGOUT_GUARDED_BY(mutex_) = 0;
    /// Ids that were answered here: what the server says of them still is dropped.
    std::deque<std::string> answered_ TAGOUT_GUARDED_BY(mutex_);
    std::set<std::string> lists_ TAGOUT_GUARDED_BY(mutex_);      ///< Of tools/list.
    std::deque<std::string> listens_ TAGOUT_GUARDED_BY(mutex_);  ///< Ids, as JSON.
    std::set<std::string> tools_ TAGOUT_GUARDED_BY(mutex_);
    ToolsJudged judged_tools_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<Told> results_ TAGOUT_GUARDED_BY(mutex_);
};

/// Runs the server until it or the client ends; its exit code. Only from the main thread, before
/// any other was started. InvalidArgument: the command cannot be started.
Result<int> run_wrapper(const WrapperOptions& options, const Clock& clock);

}  // namespace tagout::gateway
