// One gateway's link to its control server: told over one long-lived stream, heard by short reports.
//
//   reader    holds the stream; checks, keeps and enforces what comes; fetches what is missing
//   reporter  acknowledges, sends heartbeats, and watches the lease
//   worker    runs probes, asks for approvals, hands over records and what was applied at the host
//
// The stream is HTTP/1.1 with signed frames (contain/fleet/frame.h); anything on it that does not check
// ends it, and it is opened anew. While the server is away the gateway goes on with what it holds, also
// over a restart; after the lease it stops the classes of tools that the terms name. The lease counts
// from the last beat that said "what you hold is the newest", so that somebody who lets beats through
// and keeps stops back only makes it run out.
//
// Thread-safe.
#pragma once

#include "base/metrics.h"
#include "base/mutex.h"
#include "contain/fleet/report.h"
#include "gateway/fleet/fleet_enforcer.h"
#include "gateway/fleet/held_snapshot.h"
#include "gateway/fleet/record_spool.h"
#include "gateway/fleet/remote_approvals.h"
#include "net/http_client.h"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace tagout::gateway {

struct LinkOptions {
    std::string control;  ///< "http://control.example:8321"
    std::string token;
    std::string name;
    std::string instance;  ///< Made anew at each start.
    std::string version;
    std::string address;   ///< Where agents reach this gateway.
    std::string folder;
    std::optional<verify::PublicKey> key;  ///< By configuration; else pinned on first contact.
};

struct LinkParts {
    Gateway& gateway;
    FleetEnforcer& enforcer;
    RemoteApprovals& approvals;
    RecordSpool& spool;
    const Clock& clock;
    MetricRegistry& metrics;
    /// Catalog and versions in use from now on; called before what needs them is enforced.
    std::function<void(const HeldParts&)> use_parts;
    /// What was applied at this host and is in force here.
    std::function<std::vector<Control>()> local_controls;
    /// The server has it in force, and so has this gateway: the local one may go.
    std::function<void(const contain::fleet::Adopted&)> hand_over;
};

struct LinkStatus {
    bool connected = false;
    bool lease_over = false;
    std::uint64_t edition = 0;
    std::uint64_t revision = 0;
    std::optional<Instant> last_contact;
    std::string trouble;  ///< Why it is not connected, or not in force; "" while all is well.
};

class FleetLink {
public:
    static constexpr std::size_t jobs_max = 10'000;

    /// Reads what an earlier life kept and enforces it, before anything is asked of the server. A kept
    /// snapshot that does not check is told loudly and not used.
    static Result<std::unique_ptr<FleetLink>> open(const LinkOptions& options, const LinkParts& parts);
    ~FleetLink();
    FleetLink(const FleetLink&) = delete;
    FleetLink& operator=(const FleetLink&) = delete;

    void start();
    void stop();
    [[nodiscard]] LinkStatus status() const;
    /// Something was applied at this host, or handed over.
    void local_changed();
    /// Records wait in the spool.
    void records_waiting();

private:
    struct ReconcileLocal {};
    struct SendRecords {};
    using Job = std::variant<
        contain::fleet::ApprovalAsk, contain::fleet::ProbeAsk, ReconcileLocal, SendRecords>;

    FleetLink(const LinkOptions& options, const LinkParts& parts);

    void read_loop();
    [[nodiscard]] Result<void> hold_stream();
    [[nodiscard]] Result<void> take(const contain::fleet::Frame& frame);
    [[nodiscard]] Result<void> take_hello(const contain::fleet::Frame& frame);
    [[nodiscard]] Result<void> take_beat(const contain::fleet::Beat& beat);
    [[nodiscard]] Result<void> take_step(const contain::fleet::Frame& frame);
    [[nodiscard]] Result<void> fetch_snapshot();
    [[nodiscard]] Result<std::string> fetch_part(const std::string& hash);
    void enforce_held();
    void in_contact();

    void report_loop();
    [[nodiscard]] contain::fleet::PointReport report() const;
    void watch_lease();
    void speak_up();
    void show_metrics(const contain::fleet::PointReport& report);

    void work_loop();
    void add_job(Job job);
    void run_probe(const contain::fleet::ProbeAsk& ask);
    void reconcile_local();
    void hand_over_what_stands();
    /// False: the server is not reached, and it is tried again later.
    [[nodiscard]] bool send_records();
    [[nodiscard]] Result<net::HttpResponse> post(
        net::HttpClient& client, std::string_view path, std::string body, std::string_view type
    );
    [[nodiscard]] net::Headers headers() const;

    const LinkOptions options_;
    const LinkParts parts_;

    // Of the reader alone.
    HeldSnapshot held_;
    net::HttpClient fetcher_;
    bool greeted_ = false;
    Instant newest_beat_;

    const Instant started_at_;
    net::HttpClient worker_client_;  ///< Of the worker alone.

    mutable Mutex mutex_;
    Condition changed_;       ///< For the reporter.
    Condition work_changed_;  ///< For the worker.
    Condition pause_;         ///< For the reader between two tries.
    bool stopping_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool connected_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool report_due_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool lease_over_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool holds_ TAGOUT_GUARDED_BY(mutex_) = false;
    contain::fleet::Terms terms_ TAGOUT_GUARDED_BY(mutex_);
    Instant last_contact_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t edition_ TAGOUT_GUARDED_BY(mutex_) = 0;   ///< Enforced.
    std::uint64_t revision_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::string trouble_ TAGOUT_GUARDED_BY(mutex_);       ///< Why what came is not enforced.
    std::string link_trouble_ TAGOUT_GUARDED_BY(mutex_);  ///< Why there is no stream.
    Instant spoke_up_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<Job> jobs_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<contain::fleet::Adopted> adopted_ TAGOUT_GUARDED_BY(mutex_);

    std::thread reader_;
    std::thread reporter_;
    std::thread worker_;
};

}  // namespace tagout::gateway
