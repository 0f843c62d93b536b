#include "contain/fleet/fleet_book.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mutex.h"
#include "catalog/catalog.h"
#include "contain/book.h"
#include "contain/fleet/report.h"
#include "contain/form_reader.h"
#include "journal/chain.h"

#include <boost/json.hpp>
#include <openssl/sha.h>

#include <charconv>
#include <map>

namespace tagout::contain::fleet {

namespace {

namespace json = boost::json;

constexpr std::string_view token_prefix = "tagout_gw_";
constexpr std::string_view id_prefix = "GWT-";
constexpr std::size_t secret_bytes_min = 40;
constexpr std::size_t token_bytes_max = 200;
constexpr std::size_t body_bytes_max = 4'000;

std::string hash_of(std::string_view token) {
    journal::Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
    return journal::to_hex(digest);
}

bool is_pattern(std::string_view pattern) {
    std::string plain;
    for (const char c : pattern) {
        plain += c == '*' || c == '?' ? 'x' : c;
    }
    return is_point_name(plain);
}

Result<void> check_by(const By& by, std::string_view what) {
    if (by.reason.empty() || by.reason.size() > Controls::reason_bytes_max) {
        return fail(
            ErrorCode::InvalidArgument,
            std::string(what) + " needs a reason of at most " +
                std::to_string(Controls::reason_bytes_max) + " bytes"
        );
    }
    return {};
}

struct TokenRow {
    GatewayToken facts;
    std::string hash;
};

}  // namespace

class LiveFleetBook final : public FleetBook {
public:
    LiveFleetBook(journal::Journal& journal, const Clock& clock, FreshSecret fresh)
        : journal_(journal), clock_(clock), fresh_(std::move(fresh)) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        std::size_t unreadable = 0;
        TAGOUT_TRY(journal_.read(1, [&](const journal::JournalEntry& entry) {
            mutex_.assert_held();
            unreadable += fold(entry.draft) ? 0 : 1;
            return true;
        }));
        if (unreadable > 0) {
            log::warn("fleet_entries_unreadable", {{"entries", unreadable}});
        }
        return {};
    }

    Result<MadeToken> make_token(const std::string& pattern, const By& by) override {
        TAGOUT_TRY(check_by(by, "a gateway's token"));
        if (!is_pattern(pattern)) {
            return fail(
                ErrorCode::InvalidArgument,
                "'" + pattern.substr(0, 60) +
                    "' is no name of gateways: letters, digits, dots, dashes and underscores, with * "
                    "and ? for any"
            );
        }
        const std::string secret = fresh_();
        TAGOUT_ASSERT(secret.size() >= secret_bytes_min, "a token cannot be guessed");
        std::string token = std::string(token_prefix) + secret;
        const MutexLock lock(mutex_);
        if (tokens_.size() >= tokens_max) {
            return fail(
                ErrorCode::LimitExceeded,
                "there are " + std::to_string(tokens_max) + " tokens of gateways already"
            );
        }
        const std::string id = std::string(id_prefix) + std::to_string(tokens_.size() + 1);
        const std::string body = json::serialize(
            json::object{{"pattern", pattern}, {"sha256", hash_of(token)}}
        );
        TAGOUT_TRY(write({"fleet.token_made", id, by.actor, by.reason, clock_.now(), body}));
        return MadeToken{tokens_.at(id).facts, std::move(token)};
    }

    Result<GatewayToken> revoke(const std::string& id, const By& by) override {
        TAGOUT_TRY(check_by(by, "revoking a token"));
        const MutexLock lock(mutex_);
        const auto found = tokens_.find(id);
        if (found == tokens_.end()) {
            return fail(
                ErrorCode::NotFound,
                "there is no gateway token '" + id.substr(0, 40) + "'; tagout fleet tokens lists them"
            );
        }
        if (found->second.facts.revoked_at) {
            return fail(ErrorCode::Conflict, id + " is revoked already");
        }
        TAGOUT_TRY(write({"fleet.token_revoked", id, by.actor, by.reason, clock_.now(), "{}"}));
        return found->second.facts;
    }

    [[nodiscard]] std::optional<GatewayToken> find(std::string_view token) const override {
        if (token.size() > token_bytes_max || !token.starts_with(token_prefix)) {
            return std::nullopt;
        }
        // Compared as hashes: what differs tells nothing of the token.
        const std::string hash = hash_of(token);
        const MutexLock lock(mutex_);
        const auto found = by_hash_.find(hash);
        if (found == by_hash_.end()) {
            return std::nullopt;
        }
        const GatewayToken& facts = tokens_.at(found->second).facts;
        return facts.revoked_at ? std::nullopt : std::optional(facts);
    }

    [[nodiscard]] std::vector<GatewayToken> tokens() const override {
        const MutexLock lock(mutex_);
        std::vector<GatewayToken> all;
        for (const auto& [id, row] : tokens_) {
            all.push_back(row.facts);
        }
        return all;
    }

    Result<void> join(const std::string& point, const GatewayToken& token) override {
        if (!is_point_name(point) || point == "gateway") {
            return fail(
                ErrorCode::InvalidArgument,
                "'" + point.substr(0, 60) +
                    "' is no name for a gateway of the fleet (\"gateway\" is the server's own); "
                    "--name sets another"
            );
        }
        if (!catalog::glob_matches(token.pattern, point)) {
            return fail(
                ErrorCode::Unauthorized,
                "token " + token.id + " is for gateways named " + token.pattern + ", and this is " +
                    point + "; make one with tagout fleet token " + point
            );
        }
        const MutexLock lock(mutex_);
        if (members_.contains(point)) {
            return {};
        }
        if (members_.size() >= points_max) {
            return fail(
                ErrorCode::LimitExceeded,
                "there are " + std::to_string(points_max) +
                    " gateways; retire those that are gone: tagout fleet retire NAME"
            );
        }
        const std::string body = json::serialize(json::object{{"token", token.id}});
        return write({"fleet.joined", point, Actor("gateway:" + point), "", clock_.now(), body});
    }

    Result<void> retire(const std::string& point, const By& by) override {
        TAGOUT_TRY(check_by(by, "retiring a gateway"));
        const MutexLock lock(mutex_);
        if (!members_.contains(point)) {
            return fail(
                ErrorCode::NotFound, "there is no gateway '" + point.substr(0, 60) + "' in the fleet"
            );
        }
        return write({"fleet.retired", point, by.actor, by.reason, clock_.now(), "{}"});
    }

    [[nodiscard]] std::vector<Member> members() const override {
        const MutexLock lock(mutex_);
        std::vector<Member> all;
        for (const auto& [point, joined_at] : members_) {
            all.push_back({point, joined_at});
        }
        return all;
    }

private:
    Result<void> write(const journal::EntryDraft& draft) TAGOUT_REQUIRES(mutex_) {
        TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
        fold(draft);
        return {};
    }

    bool fold(const journal::EntryDraft& draft) TAGOUT_REQUIRES(mutex_) {
        if (draft.kind == "fleet.token_made") {
            const auto body = object_of(draft.body, "body", body_bytes_max);
            if (!body) {
                return false;
            }
            FormReader reader(*body, "body");
            TokenRow row;
            row.facts.id = draft.subject;
            row.facts.pattern = reader.text("pattern", point_name_bytes_max, Needed::Yes);
            row.facts.made_by = draft.actor;
            row.facts.reason = draft.reason;
            row.facts.made_at = draft.occurred_at;
            row.hash = reader.text("sha256", 64, Needed::Yes);
            if (!reader.is_good()) {
                return false;
            }
            by_hash_[row.hash] = draft.subject;
            tokens_[draft.subject] = std::move(row);
        } else if (draft.kind == "fleet.token_revoked") {
            const auto found = tokens_.find(draft.subject);
            if (found == tokens_.end()) {
                return false;
            }
            found->second.facts.revoked_at = draft.occurred_at;
            found->second.facts.revoked_by = draft.actor;
        } else if (draft.kind == "fleet.joined") {
            members_[draft.subject] = draft.occurred_at;
        } else if (draft.kind == "fleet.retired") {
            members_.erase(draft.subject);
        }
        return true;
    }

    journal::Journal& journal_;
    const Clock& clock_;
    const FreshSecret fresh_;
    mutable Mutex mutex_;
    std::map<std::string, TokenRow> tokens_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, std::string> by_hash_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, Instant> members_ TAGOUT_GUARDED_BY(mutex_);
};

std::unique_ptr<FleetBook> FleetBook::make(
    journal::Journal& journal, const Clock& clock, FreshSecret fresh
) {
    return std::make_unique<LiveFleetBook>(journal, clock, std::move(fresh));
}

}  // namespace tagout::contain::fleet
