#include "contain/fleet/fleet_book.h"

#include "base/log.h"
#include "base/mutex.h"
#include "catalog/catalog.h"
#include "contain/book.h"
#include "contain/fleet/report.h"
#include "contain/control_rules.h"

#include <boost/json.hpp>

#include <map>

namespace tagout::contain::fleet {

namespace {

namespace json = boost::json;

bool is_pattern(std::string_view pattern) {
    std::string plain;
    for (const char c : pattern) {
        plain += c == '*' || c == '?' ? 'x' : c;
    }
    return is_point_name(plain);
}

constexpr TokenKind kind{
    .prefix = "tagout_gw_",
    .id_prefix = "GWT-",
    .made = "fleet.token_made",
    .revoked = "fleet.token_revoked",
    .bearer = "a gateway",
    .bearers = "gateways",
    .list_command = "tagout fleet tokens",
    .pattern_rule = "letters, digits, dots, dashes and underscores, with * and ? for any",
    .is_pattern = is_pattern,
    .pattern_bytes_max = point_name_bytes_max,
    .tokens_max = FleetBook::tokens_max,
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
        const MutexLock lock(mutex_);
        TokenRows::Making making = TAGOUT_TRY(rows_.making(pattern, by, fresh_, clock_.now()));
        TAGOUT_TRY(write(making.draft));
        return MadeToken{rows_.at(making.draft.subject), std::move(making.token)};
    }

    Result<IssuedToken> revoke(const std::string& id, const By& by) override {
        const MutexLock lock(mutex_);
        const journal::EntryDraft draft = TAGOUT_TRY(rows_.revoking(id, by, clock_.now()));
        TAGOUT_TRY(write(draft));
        return rows_.at(id);
    }

    [[nodiscard]] std::optional<IssuedToken> find(std::string_view token) const override {
        const MutexLock lock(mutex_);
        const IssuedToken* const found = rows_.find(token);
        return found == nullptr || found->revoked_at ? std::nullopt : std::optional(*found);
    }

    [[nodiscard]] std::vector<IssuedToken> tokens() const override {
        const MutexLock lock(mutex_);
        return rows_.list();
    }

    Result<void> join(const std::string& point, const IssuedToken& token) override {
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
        TAGOUT_TRY(check_reason(by, "retiring a gateway"));
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
        if (draft.kind == "fleet.joined") {
            members_[draft.subject] = draft.occurred_at;
        } else if (draft.kind == "fleet.retired") {
            members_.erase(draft.subject);
        }
        return rows_.fold(draft);
    }

    journal::Journal& journal_;
    const Clock& clock_;
    const FreshSecret fresh_;
    mutable Mutex mutex_;
    TokenRows rows_ TAGOUT_GUARDED_BY(mutex_){kind};
    std::map<std::string, Instant> members_ TAGOUT_GUARDED_BY(mutex_);
};

std::unique_ptr<FleetBook> FleetBook::make(
    journal::Journal& journal, const Clock& clock, FreshSecret fresh
) {
    return std::make_unique<LiveFleetBook>(journal, clock, std::move(fresh));
}

}  // namespace tagout::contain::fleet
