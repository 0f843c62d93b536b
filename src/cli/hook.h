// tagout hook: the command hook that a coding agent runs before it uses a tool (the PreToolUse
// contract of Claude Code and its kin), answered by the gateway's decision.
//
//   stdin   {"hook_event_name":"PreToolUse","session_id":..,"tool_name":..,"tool_input":{..},..}
//   allow   exit 0 and no output, so the agent's own permission rules go on to apply
//   ask     exit 0 and {"hookSpecificOutput":{..,"permissionDecision":"ask",..}}: the person
//   decides deny    exit 2 and the reason on stderr, which the agent shows to its model
//
// It fails closed: such agents let a tool run when their hook breaks, is refused a connection or
// exits with anything but 2. So whatever goes wrong in here is exit 2 with what to do about it. Set
// the agent's own limit for the hook above `timeout`: past that one it would let the call through.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "cli/terminal.h"
#include "net/http_client.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace tagout::cli {

inline constexpr int hook_refuses = 2;
inline constexpr std::size_t hook_bytes_max = 16 * 1024 * 1024;

struct HookOptions {
    std::string gateway =
        {};  ///< "" is TAGOUT_GATEWAY of the environment, else the default port here.
    std::string agent = {};  ///< "" takes what the hook's input says, else "coding-agent".
    std::string token =
        {};  ///< The agent's, where the gateway asks for one: it says who the agent is.
    net::ClientTls tls = {};  ///< Where the gateway is reached over https.
    Duration timeout = std::chrono::seconds(3);
};

/// What the hook says: an exit code with a text for stdout or stderr.
struct HookAnswer {
    int exit_code = hook_refuses;
    std::string out;
    std::string err;
};

/// Where the gateway is: `said`, else TAGOUT_GATEWAY, else the default port here; no slash behind it.
[[nodiscard]] std::string gateway_address(std::string_view said);
/// TAGOUT_AGENT_TOKEN of the environment, "" if it is not set. A token is no argument: others could
/// read it in the list of processes.
[[nodiscard]] std::string agent_token();
/// TAGOUT_GATEWAY_CA, TAGOUT_CLIENT_CERT and TAGOUT_CLIENT_KEY of the environment: files of PEM.
[[nodiscard]] net::ClientTls agent_tls();
/// The body for POST /v1/decide. InvalidArgument: `input` is no PreToolUse of a tool.
[[nodiscard]] Result<std::string> decide_body(std::string_view input, const HookOptions& options);
/// From what the gateway answered.
[[nodiscard]] HookAnswer hook_answer(int status, std::string_view body);

/// Reads standard input, asks, answers; never an error.
Result<int> run_hook(const HookOptions& options, Terminal& terminal);

}  // namespace tagout::cli
