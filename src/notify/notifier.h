// The notifier: tells people, once and surely, when an incident opens, gets worse or is over.
//
//   desk's change -> event_for() -> channel of the owner -> notice.queued in the journal
//                 -> a delivery thread formats, sends, judges -> notice.delivered | attempted | failed
//
// At least once: a notice is durable before it is sent, and its outcome is durable after. A crash
// between the two sends it again under the same id. One channel is served by one thread at a time
// and in order for an incident; a hanging receiver holds one of settings.threads for
// attempt_timeout and nobody else. Retries: retry.h. Redirects are not followed.
//
// Deliberately absent: a list of allowed addresses. Channels are written by the operator, never by
// an agent, and a receiver on loopback is a normal one.
#pragma once

#include "base/metrics.h"
#include "catalog/catalog.h"
#include "incident/desk.h"
#include "notify/notice.h"
#include "notify/settings.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::notify {

/// Thread-safe.
class Notifier {
public:
    /// All references must outlive the notifier. `seed` drives the jitter of retries.
    Notifier(
        journal::Journal& journal, const Clock& clock,
        std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings,
        std::uint64_t seed, MetricRegistry& metrics
    );
    /// Stops. Waits for a delivery that is under way, at most settings.attempt_timeout.
    ~Notifier();
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;

    /// Folds the journal's notice entries. Call once, before anything else. Entries that cannot be
    /// read are logged and passed over: an old notice never keeps the program from starting.
    Result<void> rebuild();
    /// Starts the delivery threads. Without it only deliver_due() and test() send.
    void start();
    void use(std::shared_ptr<const catalog::Catalog> catalog);

    /// For incident::Desk::on_change. Queues what people must know of the change; one journal batch
    /// when there is something, nothing otherwise.
    void on_change(const incident::Change& change);
    /// Tells the default channel that an enforcement point fails, and whoever was told that it is well
    /// again.
    void on_point(
        std::string_view point, std::string_view sentence, bool failing, Instant at
    );
    /// Tells the owner's channel what people do not know yet of a control's review date: that it is
    /// near, that it passed, and whoever was told, that it was renewed or released. Compares `view`
    /// with what was told, so that it may be called again, and is at each start.
    void on_control(const contain::ControlView& view, const incident::Owner& owner);
    /// Called after each outcome is durable, on a delivery thread: for the incident's timeline.
    /// Set it before start().
    void on_outcome(std::function<void(const NoticeView&)> observer);

    /// Attempts everything that is due by the clock, on the calling thread; returns how many attempts
    /// were made, refreshes included.
    std::size_t deliver_due();

    /// The delivery log, newest first; of all incidents if `incident` is empty.
    [[nodiscard]] std::vector<NoticeView> list(std::string_view incident, std::size_t limit) const;

    /// Sends a test notice through `channel` now, once, and says what happened; success switches a
    /// disabled channel on again. NotFound: no such channel; the message lists those there are.
    Result<NoticeView> test(const std::string& channel);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tagout::notify
