#include "contain/agent_tokens.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mutex.h"
#include "contain/form_reader.h"
#include "journal/chain.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <boost/json.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>

namespace tagout::contain {

namespace {

namespace json = boost::json;

constexpr std::string_view id_prefix = "AGT-";
constexpr std::size_t secret_bytes_min = 40;
constexpr std::size_t body_bytes_max = 4'000;
constexpr std::size_t part_bytes_max = 8 * 1024 * 1024;
constexpr std::size_t id_bytes_max = 40;
constexpr std::size_t hex_digits = 64;

AgentCredentials::Digest digest_of(std::string_view token) {
    AgentCredentials::Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
    return digest;
}

std::optional<AgentCredentials::Digest> digest_from(std::string_view hex) {
    const auto value = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    AgentCredentials::Digest digest{};
    if (hex.size() != hex_digits) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = value(hex[2 * i]);
        const int low = value(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        digest[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return digest;
}

/// A name of agents, or a glob over them.
bool is_pattern(std::string_view pattern) {
    return !pattern.empty() && pattern.size() <= agent_pattern_bytes_max &&
           std::ranges::all_of(pattern, [](char c) {
               return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && c != '"' && c != '\\';
           });
}

Result<void> check_reason(const By& by, std::string_view what) {
    if (by.reason.empty() || by.reason.size() > Controls::reason_bytes_max) {
        return fail(
            ErrorCode::InvalidArgument,
            std::string(what) + " needs a reason of at most " +
                std::to_string(Controls::reason_bytes_max) + " bytes"
        );
    }
    return {};
}

class LiveAgentTokens final : public AgentTokens {
public:
    LiveAgentTokens(journal::Journal& journal, const Clock& clock, FreshSecret fresh)
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
            log::warn("agent_token_entries_unreadable", {{"entries", unreadable}});
        }
        publish();
        return {};
    }

    Result<Made> make_token(const std::string& pattern, const By& by) override {
        TAGOUT_TRY(check_reason(by, "an agent's token"));
        if (!is_pattern(pattern)) {
            return fail(
                ErrorCode::InvalidArgument,
                "'" + pattern.substr(0, 60) +
                    "' is no name of agents: visible characters without spaces and quotes, * and ? "
                    "for any"
            );
        }
        const std::string secret = fresh_();
        TAGOUT_ASSERT(secret.size() >= secret_bytes_min, "a token cannot be guessed");
        Made made;
        made.token = std::string(agent_token_prefix) + secret;
        {
            const MutexLock lock(mutex_);
            if (tokens_.size() >= agent_tokens_max) {
                return fail(
                    ErrorCode::LimitExceeded,
                    "there are " + std::to_string(agent_tokens_max) + " tokens of agents already"
                );
            }
            const std::string id = std::string(id_prefix) + std::to_string(tokens_.size() + 1);
            const std::string body = json::serialize(json::object{
                {"pattern", pattern}, {"sha256", journal::to_hex(digest_of(made.token))}});
            TAGOUT_TRY(write({"agent.token_made", id, by.actor, by.reason, clock_.now(), body}));
            made.facts = tokens_.at(id).facts;
        }
        tell();
        return made;
    }

    Result<AgentToken> revoke(const std::string& id, const By& by) override {
        TAGOUT_TRY(check_reason(by, "revoking a token"));
        AgentToken revoked;
        {
            const MutexLock lock(mutex_);
            const auto found = tokens_.find(id);
            if (found == tokens_.end()) {
                return fail(
                    ErrorCode::NotFound,
                    "there is no agent's token '" + id.substr(0, id_bytes_max) +
                        "'; tagout identity tokens lists them"
                );
            }
            if (found->second.facts.revoked_at) {
                return fail(ErrorCode::Conflict, id + " is revoked already");
            }
            TAGOUT_TRY(write({"agent.token_revoked", id, by.actor, by.reason, clock_.now(), "{}"}));
            revoked = found->second.facts;
        }
        tell();
        return revoked;
    }

    [[nodiscard]] std::vector<AgentToken> list() const override {
        const MutexLock lock(mutex_);
        std::vector<AgentToken> all;
        for (const auto& [id, row] : tokens_) {
            all.push_back(row.facts);
        }
        std::ranges::sort(all, {}, &AgentToken::made_at);
        return all;
    }

    [[nodiscard]] std::shared_ptr<const AgentCredentials> credentials() const override {
        return credentials_.load();
    }

    void on_change(std::function<void()> observer) override {
        const MutexLock lock(mutex_);
        observer_ = std::move(observer);
    }

private:
    struct Row {
        AgentToken facts;
        AgentCredentials::Digest digest{};
    };

    Result<void> write(const journal::EntryDraft& draft) TAGOUT_REQUIRES(mutex_) {
        TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
        fold(draft);
        publish();
        return {};
    }

    void publish() TAGOUT_REQUIRES(mutex_) {
        auto next = std::make_shared<AgentCredentials>();
        for (const auto& [id, row] : tokens_) {
            next->put(row.digest, {id, row.facts.pattern, row.facts.revoked_at.has_value()});
        }
        credentials_.store(std::move(next));
    }

    void tell() {
        std::function<void()> observer;
        {
            const MutexLock lock(mutex_);
            observer = observer_;
        }
        if (observer) {
            observer();
        }
    }

    /// False: an entry of ours that cannot be read.
    bool fold(const journal::EntryDraft& draft) TAGOUT_REQUIRES(mutex_) {
        if (draft.kind == "agent.token_made") {
            const auto body = object_of(draft.body, "body", body_bytes_max);
            if (!body) {
                return false;
            }
            FormReader reader(*body, "body");
            Row row;
            row.facts.id = draft.subject;
            row.facts.pattern = reader.text("pattern", agent_pattern_bytes_max, Needed::Yes);
            row.facts.made_by = draft.actor;
            row.facts.reason = draft.reason;
            row.facts.made_at = draft.occurred_at;
            const auto digest = digest_from(reader.text("sha256", hex_digits, Needed::Yes));
            if (!reader.is_good() || !digest) {
                return false;
            }
            row.digest = *digest;
            tokens_[draft.subject] = std::move(row);
        } else if (draft.kind == "agent.token_revoked") {
            const auto found = tokens_.find(draft.subject);
            if (found == tokens_.end()) {
                return false;
            }
            found->second.facts.revoked_at = draft.occurred_at;
            found->second.facts.revoked_by = draft.actor;
        }
        return true;
    }

    journal::Journal& journal_;
    const Clock& clock_;
    const FreshSecret fresh_;
    std::atomic<std::shared_ptr<const AgentCredentials>> credentials_ =
        std::make_shared<const AgentCredentials>();
    mutable Mutex mutex_;
    std::map<std::string, Row> tokens_ TAGOUT_GUARDED_BY(mutex_);
    std::function<void()> observer_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace

std::size_t AgentCredentials::DigestHash::operator()(const Digest& digest) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
}

void AgentCredentials::put(const Digest& digest, Known known) {
    by_digest_.insert_or_assign(digest, std::move(known));
}

const AgentCredentials::Known* AgentCredentials::find(std::string_view token) const noexcept {
    if (token.size() > agent_token_bytes_max || !token.starts_with(agent_token_prefix)) {
        return nullptr;
    }
    const Digest digest = digest_of(token);
    const auto found = by_digest_.find(digest);
    if (found == by_digest_.end() ||
        CRYPTO_memcmp(found->first.data(), digest.data(), digest.size()) != 0) {
        return nullptr;
    }
    return &found->second;
}

std::string AgentCredentials::part() const {
    if (by_digest_.empty()) {
        return "";
    }
    // In order, so that the same tokens are the same part.
    std::map<std::string, const Known*> rows;
    for (const auto& [digest, known] : by_digest_) {
        rows.emplace(journal::to_hex(digest), &known);
    }
    json::array tokens;
    for (const auto& [hex, known] : rows) {
        json::object row{{"sha256", hex}, {"id", known->id}, {"pattern", known->pattern}};
        if (known->revoked) {
            row["revoked"] = true;
        }
        tokens.push_back(std::move(row));
    }
    return json::serialize(json::object{{"tokens", std::move(tokens)}});
}

Result<AgentCredentials> AgentCredentials::parse_part(std::string_view part) {
    AgentCredentials read;
    const json::object form = TAGOUT_TRY(object_of(part, "agents", part_bytes_max));
    FormReader reader(form, "agents");
    std::size_t number = 0;
    for (const json::object* const each : reader.objects("tokens", agent_tokens_max)) {
        FormReader row(*each, "tokens[" + std::to_string(number++) + "]");
        const auto digest = digest_from(row.text("sha256", hex_digits, Needed::Yes));
        Known known;
        known.id = row.text("id", id_bytes_max, Needed::Yes);
        known.pattern = row.text("pattern", agent_pattern_bytes_max, Needed::Yes);
        known.revoked = row.flag("revoked");
        if (!digest) {
            row.wrong("sha256", "is no SHA-256 in hex");
        } else {
            read.put(*digest, std::move(known));
        }
        reader.take(row.end());
    }
    TAGOUT_TRY(reader.end());
    return read;
}

std::unique_ptr<AgentTokens> AgentTokens::make(
    journal::Journal& journal, const Clock& clock, FreshSecret fresh
) {
    return std::make_unique<LiveAgentTokens>(journal, clock, std::move(fresh));
}

}  // namespace tagout::contain
