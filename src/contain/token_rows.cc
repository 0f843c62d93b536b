#include "contain/token_rows.h"

#include "base/assert.h"
#include "contain/control_rules.h"
#include "contain/form_reader.h"

#include <openssl/sha.h>
#include <boost/json.hpp>

namespace tagout::contain {

namespace {

namespace json = boost::json;

constexpr std::size_t secret_bytes_min = 40;
constexpr std::size_t body_bytes_max = 4'000;
constexpr std::size_t hex_digits = 64;
constexpr std::size_t shown_bytes_max = 60;

}  // namespace

journal::Digest digest_of_token(std::string_view token) noexcept {
    journal::Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
    return digest;
}

Result<TokenRows::Making> TokenRows::making(
    const std::string& pattern, const By& by, const FreshSecret& fresh, Instant now
) const {
    TAGOUT_TRY(check_reason(by, std::string(kind_.bearer) + "'s token"));
    if (pattern.size() > kind_.pattern_bytes_max || !kind_.is_pattern(pattern)) {
        return fail(
            ErrorCode::InvalidArgument,
            "'" + pattern.substr(0, shown_bytes_max) + "' is no name of " +
                std::string(kind_.bearers) + ": " + std::string(kind_.pattern_rule)
        );
    }
    if (rows_.size() >= kind_.tokens_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "there are " + std::to_string(kind_.tokens_max) + " tokens of " +
                std::string(kind_.bearers) + " already"
        );
    }
    const std::string secret = fresh();
    TAGOUT_ASSERT(secret.size() >= secret_bytes_min, "a token cannot be guessed");
    Making made;
    made.token = std::string(kind_.prefix) + secret;
    made.draft = {
        std::string(kind_.made),
        std::string(kind_.id_prefix) + std::to_string(rows_.size() + 1),
        by.actor,
        by.reason,
        now,
        json::serialize(json::object{
            {"pattern", pattern}, {"sha256", journal::to_hex(digest_of_token(made.token))}})};
    return made;
}

Result<journal::EntryDraft> TokenRows::revoking(const std::string& id, const By& by, Instant now)
    const {
    TAGOUT_TRY(check_reason(by, "revoking a token"));
    const auto found = place_.find(id);
    if (found == place_.end()) {
        return fail(
            ErrorCode::NotFound,
            "there is no token '" + id.substr(0, shown_bytes_max) + "' of " +
                std::string(kind_.bearers) + "; " + std::string(kind_.list_command) + " lists them"
        );
    }
    if (rows_[found->second].facts.revoked_at) {
        return fail(ErrorCode::Conflict, id + " is revoked already");
    }
    return journal::EntryDraft{std::string(kind_.revoked), id, by.actor, by.reason, now, "{}"};
}

bool TokenRows::fold(const journal::EntryDraft& draft) {
    if (draft.kind == kind_.made) {
        const auto body = object_of(draft.body, "body", body_bytes_max);
        if (!body) {
            return false;
        }
        FormReader reader(*body, "body");
        Row row;
        row.facts.id = draft.subject;
        row.facts.pattern = reader.text("pattern", kind_.pattern_bytes_max, Needed::Yes);
        row.facts.made_by = draft.actor;
        row.facts.reason = draft.reason;
        row.facts.made_at = draft.occurred_at;
        const auto digest = journal::digest_of_hex(reader.text("sha256", hex_digits, Needed::Yes));
        if (!reader.is_good() || !digest || place_.contains(draft.subject)) {
            return false;
        }
        row.digest = *digest;
        place_[draft.subject] = rows_.size();
        by_digest_[row.digest] = rows_.size();
        rows_.push_back(std::move(row));
    } else if (draft.kind == kind_.revoked) {
        const auto found = place_.find(draft.subject);
        if (found == place_.end()) {
            return false;
        }
        rows_[found->second].facts.revoked_at = draft.occurred_at;
        rows_[found->second].facts.revoked_by = draft.actor;
    }
    return true;
}

const IssuedToken* TokenRows::find(std::string_view token) const {
    if (token.size() > token_bytes_max || !token.starts_with(kind_.prefix)) {
        return nullptr;
    }
    const auto found = by_digest_.find(digest_of_token(token));
    return found == by_digest_.end() ? nullptr : &rows_[found->second].facts;
}

std::vector<IssuedToken> TokenRows::list() const {
    std::vector<IssuedToken> all;
    each([&](const IssuedToken& facts, const journal::Digest&) { all.push_back(facts); });
    return all;
}

}  // namespace tagout::contain
