#include "prevent/actions.h"

#include "base/log.h"
#include "prevent/json_read.h"
#include "prevent/teller.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace tagout::prevent {

std::uint64_t number_in(std::string_view id, std::string_view prefix) noexcept {
    if (!id.starts_with(prefix) || id.size() > prefix.size() + 18) {
        return 0;
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(id.data() + prefix.size(), id.data() + id.size(), number);
    return error == std::errc{} && end == id.data() + id.size() ? number : 0;
}

namespace {

namespace json = boost::json;

constexpr std::string_view prefix = "ACT-";

struct KindName {
    ActionKind kind;
    std::string_view name;
};
constexpr std::array<KindName, 3> kind_names{{
    {ActionKind::Prevent, "prevent"},
    {ActionKind::Mitigate, "mitigate"},
    {ActionKind::Detect, "detect"},
}};

/// Thread-safe.
class LiveActions final : public Actions {
public:
    LiveActions(
        journal::Journal& journal, const Clock& clock, std::function<bool(const IncidentId&)> exists
    )
        : journal_(journal), clock_(clock), exists_(std::move(exists)) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        return journal_.read(1, [this](const journal::JournalEntry& entry) TAGOUT_REQUIRES(mutex_) {
            apply(entry);
            return true;
        });
    }

    void on_change(std::function<void(const ActionChange&)> observer) override {
        teller_.on_change(std::move(observer));
    }

    Result<void> tick() override {
        const By itself{Actor("tagout"), "its due date is past"};
        Result<void> done;
        {
            const MutexLock lock(mutex_);
            const Instant now = clock_.now();
            std::vector<std::uint64_t> late;
            for (const auto& [number, action] : actions_) {
                if (action.is_overdue(now) && !action.told_overdue) {
                    late.push_back(number);
                }
            }
            for (const std::uint64_t number : late) {
                const Result<Action> told =
                    commit("action.overdue", number, itself, "{}", ActionChange::What::Overdue);
                if (!told) {
                    done = std::unexpected(told.error());
                    break;
                }
            }
        }
        teller_.tell();
        return done;
    }

    Result<Action> add(const ActionDraft& draft, const By& by) override {
        TAGOUT_TRY(check(draft));
        const json::object body{
            {"incident", draft.incident.text()},
            {"title", draft.title},
            {"kind", name_of(draft.kind)},
            {"owner", draft.owner},
            {"due", to_rfc3339(draft.due)},
        };
        Result<Action> added = fail(ErrorCode::LimitExceeded, "there are 100000 actions already");
        {
            const MutexLock lock(mutex_);
            if (actions_.size() < actions_max) {
                added = commit(
                    "action.added", next_, by, json::serialize(body), ActionChange::What::Added
                );
            }
        }
        teller_.tell();
        return added;
    }

    Result<Action> close(const std::string& id, const std::string& evidence, const By& by) override {
        if (evidence.empty()) {
            return fail(
                ErrorCode::InvalidArgument,
                "an action is closed with evidence: a link, a commit or a case that shows it was done"
            );
        }
        Result<Action> closed = get(id);
        {
            const MutexLock lock(mutex_);
            const auto found = actions_.find(number_in(id, prefix));
            if (found != actions_.end() && found->second.closed) {
                closed = fail(
                    ErrorCode::Conflict,
                    id + " was closed by " + found->second.closed_by.text() + " on " +
                        to_rfc3339(found->second.closed_at.value_or(Instant{}))
                );
            } else if (found != actions_.end()) {
                closed = commit(
                    "action.closed",
                    found->first,
                    by,
                    json::serialize(json::object{{"evidence", evidence}}),
                    ActionChange::What::Closed
                );
            }
        }
        teller_.tell();
        return closed;
    }

    [[nodiscard]] Result<Action> get(const std::string& id) const override {
        const MutexLock lock(mutex_);
        const auto found = actions_.find(number_in(id, prefix));
        if (found == actions_.end()) {
            return fail(ErrorCode::NotFound, "there is no action '" + id.substr(0, 40) + "'");
        }
        return found->second;
    }

    [[nodiscard]] std::vector<Action> list(const IncidentId& incident) const override {
        std::vector<Action> all;
        {
            const MutexLock lock(mutex_);
            for (const auto& [number, action] : actions_) {
                if (incident.empty() || action.incident == incident) {
                    all.push_back(action);
                }
            }
        }
        std::ranges::stable_sort(all, [](const Action& a, const Action& b) {
            return a.closed != b.closed ? b.closed : a.due < b.due;
        });
        return all;
    }

    [[nodiscard]] std::vector<Action> due() const override {
        std::vector<Action> all = list(IncidentId());
        const Instant now = clock_.now();
        std::erase_if(all, [&](const Action& action) { return !action.is_overdue(now); });
        return all;
    }

private:
    Result<void> check(const ActionDraft& draft) const {
        if (draft.title.empty()) {
            return fail(ErrorCode::InvalidArgument, "an action needs a title: what will be done");
        }
        if (draft.owner.empty()) {
            return fail(ErrorCode::InvalidArgument, "an action needs an owner: who does it");
        }
        if (!exists_(draft.incident)) {
            return fail(
                ErrorCode::NotFound,
                "there is no incident '" + draft.incident.text().substr(0, 40) + "'"
            );
        }
        return {};
    }

    Result<Action> commit(
        std::string_view kind, std::uint64_t number, const By& by, std::string body,
        ActionChange::What what
    ) TAGOUT_REQUIRES(mutex_) {
        const journal::EntryDraft draft{
            std::string(kind),
            std::string(prefix) + std::to_string(number),
            by.actor,
            by.reason,
            clock_.now(),
            std::move(body)};
        const auto entries = TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
        apply(entries.front());
        const Action& changed = actions_.at(number);
        teller_.add(ActionChange{what, changed, by});
        return changed;
    }

    void apply(const journal::JournalEntry& entry) TAGOUT_REQUIRES(mutex_) {
        const std::uint64_t number = number_in(entry.draft.subject, prefix);
        if (number == 0 || !entry.draft.kind.starts_with("action.")) {
            return;
        }
        boost::system::error_code error;
        const json::value body = json::parse(entry.draft.body, error);
        const bool is_new = entry.draft.kind == "action.added";
        if (error || !body.is_object() || (!is_new && !actions_.contains(number))) {
            log::warn("action_entry_unreadable", {{"sequence", entry.sequence}});
            return;
        }
        const json::object& tree = body.as_object();
        Action& action = actions_[number];
        if (is_new) {
            action.id = entry.draft.subject;
            action.incident = IncidentId(text_at(tree, "incident"));
            action.title = text_at(tree, "title");
            action.kind = parse_action_kind(text_at(tree, "kind")).value_or(ActionKind::Prevent);
            action.owner = text_at(tree, "owner");
            action.due = time_at(tree, "due").value_or(entry.draft.occurred_at);
            action.created_at = entry.draft.occurred_at;
            action.created_by = entry.draft.actor;
            next_ = std::max(next_, number + 1);
        } else if (entry.draft.kind == "action.closed") {
            action.closed = true;
            action.closed_at = entry.draft.occurred_at;
            action.closed_by = entry.draft.actor;
            action.evidence = text_at(tree, "evidence");
        } else if (entry.draft.kind == "action.overdue") {
            action.told_overdue = true;
        }
    }

    journal::Journal& journal_;
    const Clock& clock_;
    const std::function<bool(const IncidentId&)> exists_;
    Teller<ActionChange> teller_;

    mutable Mutex mutex_;
    std::map<std::uint64_t, Action> actions_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t next_ TAGOUT_GUARDED_BY(mutex_) = 1;
};

}  // namespace

std::string_view name_of(ActionKind kind) noexcept {
    for (const KindName& row : kind_names) {
        if (row.kind == kind) {
            return row.name;
        }
    }
    return "?";
}

std::optional<ActionKind> parse_action_kind(std::string_view name) noexcept {
    for (const KindName& row : kind_names) {
        if (row.name == name) {
            return row.kind;
        }
    }
    return std::nullopt;
}

std::string to_json(const Action& action, Instant now) {
    json::object out{
        {"id", action.id},
        {"incident", action.incident.text()},
        {"title", action.title},
        {"kind", name_of(action.kind)},
        {"owner", action.owner},
        {"due", to_rfc3339(action.due)},
        {"state", action.closed ? "closed" : "open"},
        {"overdue", action.is_overdue(now)},
        {"created_at", to_rfc3339(action.created_at)},
        {"created_by", action.created_by.text()},
    };
    put(out, "closed_at", action.closed_at);
    put(out, "closed_by", action.closed_by.text());
    put(out, "evidence", action.evidence);
    return json::serialize(out);
}

std::unique_ptr<Actions> Actions::make(
    journal::Journal& journal, const Clock& clock, std::function<bool(const IncidentId&)> exists
) {
    return std::make_unique<LiveActions>(journal, clock, std::move(exists));
}

}  // namespace tagout::prevent
