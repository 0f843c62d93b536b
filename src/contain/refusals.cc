#include "contain/refusals.h"

#include "base/log.h"
#include "base/mutex.h"
#include "contain/form_reader.h"
#include "contain/metrics.h"

#include <boost/json.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <tuple>

namespace tagout::contain {

namespace {

namespace json = boost::json;

constexpr std::size_t body_bytes_max = 8'000;
constexpr std::string_view several = "(several)";

/// What a stranger sent, fit to be shown: short, one line, no control characters.
std::string shown(std::string text) {
    if (text.size() > Refusals::text_bytes_max) {
        std::size_t end = Refusals::text_bytes_max;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        text.resize(end);
    }
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
            c = '?';
        }
    }
    return text;
}

using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;

Key key_of(const RefusedCaller& caller) {
    return {caller.road, caller.why, caller.claimed, caller.credential, caller.peer};
}

journal::EntryDraft draft_of(const RefusalRow& row) {
    const RefusedCaller& caller = row.caller;
    const json::object body{
        {"road", caller.road},
        {"why", caller.why},
        {"claimed", caller.claimed},
        {"credential", caller.credential},
        {"peer", caller.peer},
        {"count", row.count},
        {"first", unix_nanos(row.first)}};
    return {
        "identity.refused",
        caller.road,
        Actor("tagout"),
        caller.why,
        row.last,
        json::serialize(body)};
}

std::optional<RefusalRow> row_of(const journal::EntryDraft& draft) {
    const auto body = object_of(draft.body, "body", body_bytes_max);
    if (!body) {
        return std::nullopt;
    }
    FormReader reader(*body, "body");
    RefusalRow row;
    for (const auto& [name, field] :
         {std::pair("road", &row.caller.road),
          std::pair("why", &row.caller.why),
          std::pair("claimed", &row.caller.claimed),
          std::pair("credential", &row.caller.credential),
          std::pair("peer", &row.caller.peer)}) {
        *field = reader.text(name, 2 * Refusals::text_bytes_max, Needed::No);
    }
    row.count = reader.number("count", Needed::Yes);
    const auto first = reader.time("first", Needed::Yes);
    if (!reader.is_good() || !first) {
        return std::nullopt;
    }
    row.first = *first;
    row.last = draft.occurred_at;
    return row;
}

class LiveRefusals final : public Refusals {
public:
    LiveRefusals(journal::Journal& journal, const Clock& clock, MetricRegistry& metrics)
        : journal_(journal), clock_(clock), metrics_(metrics) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        return journal_.read(1, [&](const journal::JournalEntry& entry) {
            mutex_.assert_held();
            if (entry.draft.kind == "identity.refused") {
                if (auto row = row_of(entry.draft)) {
                    keep(std::move(*row));
                }
            }
            return true;
        });
    }

    void note(RefusedCaller caller) override {
        caller.claimed = shown(std::move(caller.claimed));
        caller.credential = shown(std::move(caller.credential));
        caller.peer = shown(std::move(caller.peer));
        const std::string_view labels[] = {caller.road, caller.why};
        metrics_.counter(refused_callers_total, labels).add();
        const Instant now = clock_.now();
        const MutexLock lock(mutex_);
        auto found = waiting_.find(key_of(caller));
        if (found == waiting_.end() && waiting_.size() >= rows_max) {
            caller.claimed = several;
            caller.credential = several;
            caller.peer = several;
            found = waiting_.find(key_of(caller));
        }
        if (found == waiting_.end()) {
            Key key = key_of(caller);
            found =
                waiting_.emplace(std::move(key), RefusalRow{std::move(caller), 0, now, now}).first;
        }
        ++found->second.count;
        found->second.last = now;
    }

    void tick() override {
        std::vector<journal::EntryDraft> drafts;
        const MutexLock lock(mutex_);
        refill_entries();
        std::vector<std::pair<Instant, Key>> due;
        for (const auto& [key, row] : waiting_) {
            due.emplace_back(row.first, key);
        }
        std::ranges::sort(due);
        due.resize(std::min(due.size(), entries_left_));
        for (const auto& [first, key] : due) {
            drafts.push_back(draft_of(waiting_.at(key)));
        }
        if (drafts.empty()) {
            return;
        }
        if (const auto stored = journal_.append(drafts); !stored) {
            log::warn("refused_callers_not_recorded", {{"error", stored.error().message}});
            return;
        }
        entries_left_ -= drafts.size();
        for (const auto& [first, key] : due) {
            const auto found = waiting_.find(key);
            const RefusedCaller& caller = found->second.caller;
            log::warn(
                "caller_refused",
                {{"road", caller.road},
                 {"why", caller.why},
                 {"claimed", caller.claimed},
                 {"credential", caller.credential},
                 {"peer", caller.peer},
                 {"count", found->second.count}}
            );
            keep(std::move(found->second));
            waiting_.erase(found);
        }
    }

    [[nodiscard]] std::vector<RefusalRow> list() const override {
        const MutexLock lock(mutex_);
        std::vector<RefusalRow> rows(written_.begin(), written_.end());
        for (const auto& [key, row] : waiting_) {
            rows.push_back(row);
        }
        std::ranges::stable_sort(rows, std::greater(), &RefusalRow::last);
        rows.resize(std::min(rows.size(), shown_max));
        return rows;
    }

private:
    void refill_entries() TAGOUT_REQUIRES(mutex_) {
        const Instant now = clock_.now();
        while (now - refilled_at_ >= refill && entries_left_ < burst_max) {
            refilled_at_ += refill;
            ++entries_left_;
        }
        if (entries_left_ >= burst_max) {
            refilled_at_ = now;
        }
    }

    void keep(RefusalRow row) TAGOUT_REQUIRES(mutex_) {
        written_.push_back(std::move(row));
        if (written_.size() > shown_max) {
            written_.pop_front();
        }
    }

    journal::Journal& journal_;
    const Clock& clock_;
    MetricRegistry& metrics_;
    mutable Mutex mutex_;
    std::map<Key, RefusalRow> waiting_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<RefusalRow> written_ TAGOUT_GUARDED_BY(mutex_);
    std::size_t entries_left_ TAGOUT_GUARDED_BY(mutex_) = burst_max;
    Instant refilled_at_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Refusals> Refusals::make(
    journal::Journal& journal, const Clock& clock, MetricRegistry& metrics
) {
    return std::make_unique<LiveRefusals>(journal, clock, metrics);
}

}  // namespace tagout::contain
