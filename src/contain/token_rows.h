// Tokens that people make, hand out and revoke: rows folded from the journal, for whoever keeps a
// book of them (AgentTokens, FleetBook).
//
// A token is for bearers whose name fits its pattern. Of it only the SHA-256 is kept.
//
// Journal entries: TokenKind::made and TokenKind::revoked, subject: the token's id. Whoever owns
// the rows writes them and folds what it wrote.
//
// Thread-compatible. Bounds: TokenKind::tokens_max rows; a revoked one keeps its row.
#pragma once

#include "base/clock.h"
#include "contain/controls.h"
#include "journal/chain.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

/// Gives 32 bytes that nobody can guess, in hex.
using FreshSecret = std::function<std::string()>;

inline constexpr std::size_t token_bytes_max = 200;

struct IssuedToken {
    std::string id;       ///< "AGT-1"
    std::string pattern;  ///< Names that it is for: exact, or a glob.
    Actor made_by;
    std::string reason;
    Instant made_at;
    Actor revoked_by;  ///< "" while it holds.
    std::optional<Instant> revoked_at;
};

struct MadeToken {
    IssuedToken facts;
    std::string token;  ///< Told this once.
};

/// What tells tokens of agents and of gateways apart.
struct TokenKind {
    std::string_view prefix;     ///< Every token begins so.
    std::string_view id_prefix;  ///< "AGT-"
    std::string_view made;       ///< Kind of the journal entry.
    std::string_view revoked;
    std::string_view bearer;   ///< "an agent", for sentences.
    std::string_view bearers;  ///< "agents"
    std::string_view list_command;
    std::string_view pattern_rule;  ///< "letters, digits, ... with * and ? for any"
    bool (*is_pattern)(std::string_view);
    std::size_t pattern_bytes_max;
    std::size_t tokens_max;
};

class TokenRows {
public:
    explicit TokenRows(const TokenKind& kind) : kind_(kind) {}

    struct Making {
        journal::EntryDraft draft;
        std::string token;
    };
    /// InvalidArgument: no pattern, no reason. LimitExceeded.
    [[nodiscard]] Result<Making> making(
        const std::string& pattern, const By& by, const FreshSecret& fresh, Instant now
    ) const;
    /// NotFound. Conflict: revoked already.
    [[nodiscard]] Result<journal::EntryDraft> revoking(
        const std::string& id, const By& by, Instant now
    ) const;
    /// Entries of other kinds change nothing. False: one of ours that cannot be read.
    bool fold(const journal::EntryDraft& draft);

    /// Null for a token that was never made. Compared as hashes: what differs tells nothing of a
    /// token.
    [[nodiscard]] const IssuedToken* find(std::string_view token) const;
    /// That of an id that stands here.
    [[nodiscard]] const IssuedToken& at(const std::string& id) const {
        return rows_[place_.at(id)].facts;
    }
    /// In the order in which they were made.
    [[nodiscard]] std::vector<IssuedToken> list() const;
    template <class Visit>
    void each(Visit&& visit) const {
        for (const Row& row : rows_) {
            visit(row.facts, row.digest);
        }
    }

private:
    struct Row {
        IssuedToken facts;
        journal::Digest digest{};
    };

    const TokenKind& kind_;
    std::vector<Row> rows_;
    std::map<std::string, std::size_t, std::less<>> place_;  ///< By id.
    std::map<journal::Digest, std::size_t> by_digest_;
};

/// SHA-256 of a token, as it is kept.
[[nodiscard]] journal::Digest digest_of_token(std::string_view token) noexcept;

}  // namespace tagout::contain
