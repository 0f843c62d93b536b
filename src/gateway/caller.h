// Who calls, as headers, W3C baggage and the protocol say, and what that means for a decision.
//
// What a caller says of itself is taken as it is; which agent it is, identity.h has proved before
// where the configuration asks for that. Texts longer than decide() takes are judged as what they
// are: a denial.
#pragma once

#include "domain/control.h"
#include "net/http_client.h"

#include <string>
#include <string_view>

namespace tagout::gateway {

struct Caller {
    std::string agent;
    std::string workflow;
    std::string session;
    std::string user;
    std::string tenant;
    std::string environment;
    std::string prompt;       ///< NAME@VERSION
    std::string traceparent;  ///< As it was sent.
    bool journey = false;

    /// Facts about a call of this caller: views into it.
    [[nodiscard]] ToolCall call(CallKind kind) const noexcept;
    /// Fills what headers left open: baggage members, then the trace id as the session.
    void add_baggage(std::string_view baggage);
    void add_traceparent(std::string_view sent);
};

/// `journey_secret` "" lets no call be a journey's.
[[nodiscard]] Caller read_caller(const net::Headers& headers, std::string_view journey_secret);

/// Whether two secrets are the same, in a time that does not tell how far they are.
[[nodiscard]] bool is_same_secret(std::string_view sent, std::string_view secret) noexcept;

/// `headers` as they go to an upstream: end-to-end ones, without what is between caller and gateway
/// (tagout-*), without ways to say another method, and asking for an answer that can be read.
[[nodiscard]] net::Headers upstream_headers(const net::Headers& headers);

}  // namespace tagout::gateway
