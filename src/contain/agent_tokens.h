// By which tokens agents come to gateways (gateway.identity.mode token): a fold of the journal.
//
// A token is for agents whose name fits its pattern ("refund-bot", "refund-*"). It lets its holder
// call through a gateway as such an agent and opens nothing else: it reads no control and changes
// none. Of it only the SHA-256 is kept and told to gateways.
//
// Journal entries: agent.token_made, agent.token_revoked (subject: the token's id).
//
// AgentCredentials are immutable; AgentTokens is thread-safe.
#pragma once

#include "base/clock.h"
#include "contain/token_rows.h"
#include "journal/journal.h"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

inline constexpr std::string_view agent_token_prefix = "tagout_agent_";
inline constexpr std::size_t agent_tokens_max = 10'000;
inline constexpr std::size_t agent_pattern_bytes_max = 256;

/// Where an agent shows its token: in a header of Tagout's own, or as the client's API key.
inline constexpr std::array<std::string_view, 3> agent_token_headers{
    "tagout-token", "authorization", "x-api-key"};
/// The value of such a header without "Bearer ".
[[nodiscard]] std::string_view without_scheme(std::string_view value) noexcept;
/// Whether it is a token of an agent, bare or as Bearer.
[[nodiscard]] bool holds_agent_token(std::string_view value) noexcept;

/// What a gateway needs to know of every token.
class AgentCredentials {
public:
    struct Known {
        std::string id;
        std::string pattern;
        bool revoked = false;
        friend bool operator==(const Known&, const Known&) = default;
    };

    void put(const journal::Digest& digest, Known known);
    /// Null for a token that was never made; a revoked one says so. Tokens are compared as hashes,
    /// all bytes of them: what differs tells nothing of a token.
    [[nodiscard]] const Known* find(std::string_view token) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return by_digest_.size(); }

    /// As a part of what a gateway is told: hashes and names, no token. "" when there are none.
    [[nodiscard]] std::string part() const;
    [[nodiscard]] static Result<AgentCredentials> parse_part(std::string_view part);

private:
    std::map<journal::Digest, Known> by_digest_;
};

class AgentTokens {
public:
    virtual ~AgentTokens() = default;
    static std::unique_ptr<AgentTokens> make(
        journal::Journal& journal, const Clock& clock, FreshSecret fresh
    );

    /// Folds the journal. Once, before anything else.
    virtual Result<void> rebuild() = 0;

    /// InvalidArgument: no name of agents, no reason. LimitExceeded.
    virtual Result<MadeToken> make_token(const std::string& pattern, const By& by) = 0;
    /// By id. NotFound. Conflict: revoked already.
    virtual Result<IssuedToken> revoke(const std::string& id, const By& by) = 0;
    [[nodiscard]] virtual std::vector<IssuedToken> list() const = 0;
    /// As it stands. Cheap: never null.
    [[nodiscard]] virtual std::shared_ptr<const AgentCredentials> credentials() const = 0;
    /// Called after each change, with no lock held.
    virtual void on_change(std::function<void()> observer) = 0;
};

}  // namespace tagout::contain
