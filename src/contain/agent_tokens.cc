#include "contain/agent_tokens.h"

#include "base/log.h"
#include "base/mutex.h"
#include "contain/form_reader.h"

#include <boost/json.hpp>

#include <algorithm>
#include <atomic>

namespace tagout::contain {

namespace {

namespace json = boost::json;

constexpr std::size_t part_bytes_max = 8 * 1024 * 1024;
constexpr std::size_t id_bytes_max = 40;
constexpr std::size_t hex_digits = 64;

/// A name of agents, or a glob over them.
bool is_pattern(std::string_view pattern) {
    return !pattern.empty() &&
           std::ranges::all_of(pattern, [](char c) {
               return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && c != '"' && c != '\\';
           });
}

constexpr TokenKind kind{
    .prefix = agent_token_prefix,
    .id_prefix = "AGT-",
    .made = "agent.token_made",
    .revoked = "agent.token_revoked",
    .bearer = "an agent",
    .bearers = "agents",
    .list_command = "tagout identity tokens",
    .pattern_rule = "visible characters without spaces and quotes, * and ? for any",
    .is_pattern = is_pattern,
    .pattern_bytes_max = agent_pattern_bytes_max,
    .tokens_max = agent_tokens_max,
};

class LiveAgentTokens final : public AgentTokens {
public:
    LiveAgentTokens(journal::Journal& journal, const Clock& clock, FreshSecret fresh)
        : journal_(journal), clock_(clock), fresh_(std::move(fresh)) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        std::size_t unreadable = 0;
        TAGOUT_TRY(journal_.read(1, [&](const journal::JournalEntry& entry) {
            mutex_.assert_held();
            unreadable += rows_.fold(entry.draft) ? 0 : 1;
            return true;
        }));
        if (unreadable > 0) {
            log::warn("agent_token_entries_unreadable", {{"entries", unreadable}});
        }
        publish();
        return {};
    }

    Result<MadeToken> make_token(const std::string& pattern, const By& by) override {
        MadeToken made;
        {
            const MutexLock lock(mutex_);
            TokenRows::Making making = TAGOUT_TRY(rows_.making(pattern, by, fresh_, clock_.now()));
            TAGOUT_TRY(write(making.draft));
            made = {rows_.at(making.draft.subject), std::move(making.token)};
        }
        tell();
        return made;
    }

    Result<IssuedToken> revoke(const std::string& id, const By& by) override {
        IssuedToken revoked;
        {
            const MutexLock lock(mutex_);
            const journal::EntryDraft draft = TAGOUT_TRY(rows_.revoking(id, by, clock_.now()));
            TAGOUT_TRY(write(draft));
            revoked = rows_.at(id);
        }
        tell();
        return revoked;
    }

    [[nodiscard]] std::vector<IssuedToken> list() const override {
        const MutexLock lock(mutex_);
        return rows_.list();
    }

    [[nodiscard]] std::shared_ptr<const AgentCredentials> credentials() const override {
        return credentials_.load();
    }

    void on_change(std::function<void()> observer) override {
        const MutexLock lock(mutex_);
        observer_ = std::move(observer);
    }

private:
    Result<void> write(const journal::EntryDraft& draft) TAGOUT_REQUIRES(mutex_) {
        TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
        rows_.fold(draft);
        publish();
        return {};
    }

    void publish() TAGOUT_REQUIRES(mutex_) {
        auto next = std::make_shared<AgentCredentials>();
        rows_.each([&](const IssuedToken& facts, const journal::Digest& digest) {
            next->put(digest, {facts.id, facts.pattern, facts.revoked_at.has_value()});
        });
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

    journal::Journal& journal_;
    const Clock& clock_;
    const FreshSecret fresh_;
    std::atomic<std::shared_ptr<const AgentCredentials>> credentials_ =
        std::make_shared<const AgentCredentials>();
    mutable Mutex mutex_;
    TokenRows rows_ TAGOUT_GUARDED_BY(mutex_){kind};
    std::function<void()> observer_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace

std::string_view without_scheme(std::string_view value) noexcept {
    constexpr std::string_view scheme = "bearer ";
    const bool has_scheme =
        value.size() >= scheme.size() &&
        std::ranges::equal(value.substr(0, scheme.size()), scheme, [](char a, char b) {
            return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
        });
    return has_scheme ? value.substr(scheme.size()) : value;
}

bool holds_agent_token(std::string_view value) noexcept {
    return without_scheme(value).starts_with(agent_token_prefix);
}

void AgentCredentials::put(const journal::Digest& digest, Known known) {
    by_digest_.insert_or_assign(digest, std::move(known));
}

const AgentCredentials::Known* AgentCredentials::find(std::string_view token) const noexcept {
    if (token.size() > token_bytes_max || !token.starts_with(agent_token_prefix)) {
        return nullptr;
    }
    const auto found = by_digest_.find(digest_of_token(token));
    return found == by_digest_.end() ? nullptr : &found->second;
}

std::string AgentCredentials::part() const {
    if (by_digest_.empty()) {
        return "";
    }
    json::array tokens;
    for (const auto& [digest, known] : by_digest_) {
        json::object row{
            {"sha256", journal::to_hex(digest)}, {"id", known.id}, {"pattern", known.pattern}};
        if (known.revoked) {
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
        const auto digest = journal::digest_of_hex(row.text("sha256", hex_digits, Needed::Yes));
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
