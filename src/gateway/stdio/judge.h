// How `tagout mcp` asks the gateway: the steps of /v1/stdio, each one POST.
//
// Thread-compatible: one judge, one thread (it keeps one connection). Cost: a round trip a step.
#pragma once

#include "gateway/rpc_body.h"
#include "net/http_client.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::gateway {

/// Where and as whom; the same for all that one wrapper asks.
struct JudgeOptions {
    std::string gateway;  ///< "http://127.0.0.1:8322", no slash behind it.
    std::string server;   ///< The MCP server's name in controls and policies.
    std::string agent;    ///< "" lets the client's own name stand.
    std::string session;
    std::string token;  ///< The agent's, where the gateway asks for one: it says who the agent is.
    net::ClientTls tls = {};  ///< Where the gateway is reached over https.
    Duration timeout = std::chrono::seconds(3);
};

struct Judged {
    /// Empty where the gateway answered; else why it could not be asked.
    std::string away;
    std::string send;    ///< The message as it may go to the server.
    std::string answer;  ///< The message that the client gets instead.
    bool hold = false;   ///< A person decides: ask hold().
    bool redact = false;
    std::uint64_t revision = 0;  ///< Of the controls that let it go.
};

struct ToolsJudged {
    std::set<std::string> hidden;
    std::set<std::string> reads;
};

class Judge {
public:
    explicit Judge(JudgeOptions options) : options_(std::move(options)), client_(options_.tls) {}

    /// `message`: a tools/call as the client wrote it. `agent`: what the client calls itself.
    Judged call(std::string_view message, const std::string& agent);
    /// Waits as long as a person needs.
    Judged hold(std::string_view message, const std::string& agent);
    /// On any thread while hold() waits: nobody needs to decide any more.
    void cut() { client_.cut(); }
    /// By controls of that revision, or later ones.
    Judged again(std::string_view message, const std::string& agent, std::uint64_t revision);
    /// `answer` "" for a call that the client cancelled.
    Judged result(
        std::string_view message, std::string_view answer, Duration took, const std::string& agent
    );
    /// Unavailable: it could not be asked.
    /// `definitions` of each, where the server just told them; else empty.
    Result<ToolsJudged> tools(
        const std::vector<std::string>& names, const std::vector<RawJson>& definitions,
        const std::string& agent, std::uint64_t revision
    );
    /// Returns when the stream ends; `changed` is called when controls may have changed, and at
    /// once.
    void watch(const std::function<void(std::uint64_t revision)>& changed);

private:
    Result<std::string> ask(
        std::string_view step, std::string body, const std::string& agent, Duration timeout
    );
    Result<std::string> ask_by(
        std::uint64_t revision, std::string_view step, const std::string& body,
        const std::string& agent
    );
    Judged judged(const Result<std::string>& answer) const;

    const JudgeOptions options_;
    net::HttpClient client_;
};

/// The path segment for `name`, percent-encoded.
[[nodiscard]] std::string path_segment(std::string_view name);

}  // namespace tagout::gateway
