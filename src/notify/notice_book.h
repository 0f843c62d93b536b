// The notice book: what was queued, tried, delivered and given up, as a fold of the journal's
// `notice.*` entries. Live and after a restart the same entries give the same book, so what was not
// delivered before kill -9 goes on after it, with the same ids and the same number of attempts.
//
//   notice.queued     {notice, channel, type, event, content}
//   notice.attempted  {notice, attempts, status, error, next_attempt_at}
//   notice.delivered  {notice, channel, attempts, status, test}
//   notice.failed     {notice, channel, attempts, status, error, channel_disabled}
//
// Bounds: pending notices are bounded by whoever queues them, finished ones by log_max here.
#pragma once

#include "journal/journal_entry.h"
#include "notify/notice.h"

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tagout::notify {

/// What people already know about an open incident.
struct Told {
    Severity severity = Severity::Sev3;
    bool declared = false;
    bool contained = false;
    bool overdue = false;  ///< Of a control: that its review date passed.
    std::vector<std::string> channels;
};

/// What a change means for people; nothing when they know it already or need not know. `told` is
/// null when nothing was said since the incident opened or was last over.
[[nodiscard]] std::optional<Event> event_for(
    const incident::Incident& incident, const Told* told, bool tell_in_triage
) noexcept;

[[nodiscard]] journal::EntryDraft queued_entry(const Notice& notice);
[[nodiscard]] journal::EntryDraft attempted_entry(const Notice& notice, Instant at);
[[nodiscard]] journal::EntryDraft delivered_entry(const Notice& notice, Instant at);
[[nodiscard]] journal::EntryDraft failed_entry(
    const Notice& notice, Instant at, bool channel_disabled
);

/// Thread-compatible.
class NoticeBook {
public:
    explicit NoticeBook(std::size_t log_max) : log_max_(log_max) {}

    /// Entries of other kinds are passed over. InvalidArgument: a body that cannot be read; the book
    /// is as it was.
    Result<void> apply(const journal::JournalEntry& entry);

    /// The first notice, in the order of queueing, that may be tried at `now`: due, on a channel that
    /// `busy` does not name, and the oldest of its incident on that channel (a resolve never
    /// overtakes its declare).
    [[nodiscard]] const Notice* due(Instant now, const std::set<std::string>& busy) const;
    /// The earliest time at which due() would find something.
    [[nodiscard]] std::optional<Instant> next_due(const std::set<std::string>& busy) const;
    /// Tests are sent by whoever asked; those still pending after a restart were cut off.
    [[nodiscard]] std::vector<Notice> pending_tests() const;
    /// News about an incident is a reason to try its waiting notices on that channel again now,
    /// unless the receiver itself asked for the wait.
    void hasten(const std::string& incident, const std::string& channel, Instant now);
    void pace_by_receiver(const std::string& id);

    [[nodiscard]] const Notice* pending(const std::string& id) const;
    [[nodiscard]] std::size_t pending_count() const noexcept { return pending_.size(); }
    [[nodiscard]] const Told* told(const std::string& incident) const;
    [[nodiscard]] bool disabled(const std::string& channel) const {
        return disabled_.contains(channel);
    }
    [[nodiscard]] std::size_t disabled_count() const noexcept { return disabled_.size(); }
    /// Open incidents that an Alertmanager was told of, to be sent again.
    [[nodiscard]] const std::map<std::pair<std::string, std::string>, Notice>& firing() const noexcept {
        return firing_;
    }
    /// Newest first; all incidents if `incident` is empty.
    [[nodiscard]] std::vector<NoticeView> list(std::string_view incident, std::size_t limit) const;

private:
    using Pending = std::map<std::uint64_t, Notice>;  ///< By the sequence of notice.queued.

    /// The oldest notice of each incident and channel that may go now or later.
    void each_head(
        const std::set<std::string>& busy, const std::function<bool(const Notice&)>& visit
    ) const;
    void add(std::uint64_t sequence, Notice notice);
    void finish(Pending::iterator at);
    Pending::iterator find(const std::string& id);

    std::size_t log_max_;
    Pending pending_;
    std::unordered_map<std::string, std::uint64_t> sequence_of_;
    std::deque<NoticeView> finished_;  ///< Oldest first.
    std::map<std::string, Told> told_;
    std::set<std::string> disabled_;
    std::map<std::pair<std::string, std::string>, Notice> firing_;  ///< By incident and channel.
};

}  // namespace tagout::notify
