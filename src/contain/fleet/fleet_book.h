// Which gateways there are and by which tokens they come: a fold of the journal.
//
// A token is for points whose name fits its pattern ("edge-1", "edge-*"). It may read snapshots,
// acknowledge and report, and nothing else; of it only the SHA-256 is kept. A point that came once is
// expected until a person retires it: a gateway that is gone is shown and told, not forgotten.
//
// Journal entries: fleet.token_made, fleet.token_revoked (subject: the token's id), fleet.joined,
// fleet.retired (subject: the point's name).
//
// Thread-safe.
#pragma once

#include "base/clock.h"
#include "contain/token_rows.h"
#include "journal/journal.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain::fleet {

struct Member {
    std::string point;
    Instant joined_at;
};

class FleetBook {
public:
    static constexpr std::size_t points_max = 2'000;
    static constexpr std::size_t tokens_max = 2'000;

    virtual ~FleetBook() = default;
    static std::unique_ptr<FleetBook> make(
        journal::Journal& journal, const Clock& clock, FreshSecret fresh
    );

    /// Folds the journal. Once, before anything else.
    virtual Result<void> rebuild() = 0;

    virtual Result<MadeToken> make_token(const std::string& pattern, const By& by) = 0;
    /// By id. Conflict: revoked already.
    virtual Result<IssuedToken> revoke(const std::string& id, const By& by) = 0;
    /// Nothing for a token that was never made or was revoked. Takes no longer for a near miss.
    [[nodiscard]] virtual std::optional<IssuedToken> find(std::string_view token) const = 0;
    [[nodiscard]] virtual std::vector<IssuedToken> tokens() const = 0;

    /// Unauthorized: the token is for other names. LimitExceeded. Journaled the first time.
    virtual Result<void> join(const std::string& point, const IssuedToken& token) = 0;
    /// NotFound: never joined, or retired.
    virtual Result<void> retire(const std::string& point, const By& by) = 0;
    [[nodiscard]] virtual std::vector<Member> members() const = 0;
};

}  // namespace tagout::contain::fleet
