// The road of an MCP server that speaks over stdio: `tagout mcp` stands before it and asks here.
//
// What passes over HTTP passes through the gateway; here the wrapper holds the pipes and the
// gateway decides. Each step is one POST /v1/stdio/{server}/{step}, and says who calls as every
// road does (tagout-agent, tagout-session, ...).
//
//   step     body                          answer
//   call     a tools/call                  {"send": MESSAGE, "redact": BOOL}  it may go out so
//                                          {"answer": MESSAGE}                it is refused so
//                                          {"hold": CONTROL}                  a person decides: ask
//                                          hold
//   hold     the same                      as call, when the person has decided; never "hold"
//   again    the same, while it runs       {"redact": BOOL} it goes on; {"answer": MESSAGE} stop it
//   result   {"call", "answer" or          {"answer": MESSAGE}, redacted where a control says so;
//            "cancelled": true, "tookMs"}  the call is recorded
//   tools    {"tools": [NAME, ..],         {"hidden": [NAME, ..], "reads": [NAME, ..]}
//             "definitions": [TOOL, ..]}   definitions as the server listed them, for their pins
//
// What lets go says "revision" too, that of the controls it was judged by. `reads` are the tools
// that the catalogue knows to change nothing, and that pass untouched. When controls change GET
// /ofrep/v1/events says so, with the new one; the wrapper then asks again until it is judged by
// that. Inside gateway/ only; on the request's loop, controls being in force. Tested in
// stdio_test.cc.
#pragma once

#include "gateway/exchange.h"

namespace tagout::gateway {

inline constexpr std::string_view stdio_path = "/v1/stdio/";
inline constexpr std::size_t stdio_tools_max = 10'000;

/// `rest` is what stands behind stdio_path: "{server}/{step}".
void answer_stdio(
    const std::shared_ptr<Core>& core, std::string_view rest, net::ServerRequest request,
    const std::shared_ptr<net::Responder>& responder
);

}  // namespace tagout::gateway
