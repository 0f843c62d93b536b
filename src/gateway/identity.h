// Which agent calls, as gateway.identity asks for it to be proved: by nothing but its own word
// (header), by a token of its own, or by the certificate of its connection.
//
// Done once a request, before any road looks at it. What was proved takes the place of what was
// said: the header tagout-agent names the proven agent from then on, and the credential is gone
// from the headers, whatever the mode: no upstream ever sees one. A request that proves nothing, or
// names another agent than it proves, is refused, counted and recorded (contain/refusals.h).
//
// A token comes in the header tagout-token, or where a client's API key goes: Authorization:
// Bearer, or x-api-key. Inside gateway/ only.
#pragma once

#include "gateway/core.h"

#include <optional>
#include <string_view>

namespace tagout::gateway {

/// Names the proven agent to the roads. A client's own is taken away.
inline constexpr std::string_view proven_agent_header = "tagout-proven-agent";

struct NotKnown {
    int status = 401;      ///< 403 where it is known and says it is another.
    std::string_view why;  ///< As the record has it.
    std::string message;   ///< With the remedy.
    std::string claimed;
    std::string credential;
};

/// Changes `headers` as said above. `certificate` may be null. Nothing: the caller is as known as
/// the configuration asks for.
[[nodiscard]] std::optional<NotKnown> prove_caller(
    const Core& core, net::Headers& headers, const net::PeerCertificate* certificate
);

/// The same for a request; its refusal, counted and recorded, with `road` as the record's.
[[nodiscard]] std::optional<net::ServerResponse> refuse_unknown(
    Core& core, std::string_view road, net::ServerRequest& request
);

/// Counts and records one that was refused; `peer` with or without its port, "" where it is not
/// known.
void note_unknown(
    Core& core, std::string_view road, const NotKnown& refused, std::string_view peer
);

/// A body names `agent` as the one whose call is asked about. Its refusal where another one was
/// proved.
[[nodiscard]] std::optional<net::ServerResponse> refuse_other_agent(
    Core& core, std::string_view road, const net::ServerRequest& request, std::string_view agent
);

}  // namespace tagout::gateway
