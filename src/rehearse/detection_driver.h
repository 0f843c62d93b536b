// Tagout's path from OTLP bytes to incidents in one object, for this room's tests: what the
// application does with threads and files happens here in the order of arrival and in memory.
#pragma once

#include "base/assert.h"
#include "base/mutex.h"
#include "detect/engine.h"
#include "incident/desk.h"
#include "intake/intake.h"
#include "net/http_server.h"
#include "store/memory/journal_store.h"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tagout::rehearse {

/// Thread-safe. Runs `speed` times as fast as `real`, so that minutes of a fleet pass in seconds.
class FastClock final : public Clock {
public:
    FastClock(const Clock& real, int speed) : real_(real), speed_(speed), start_(real.now()) {}
    [[nodiscard]] Instant now() const noexcept override {
        return start_ + (real_.now() - start_) * speed_;
    }

private:
    const Clock& real_;
    int speed_;
    Instant start_;
};

/// Thread-safe. Listens for OTLP/HTTP from its construction on.
class DetectionDriver {
public:
    explicit DetectionDriver(const Clock& clock)
        : clock_(clock), catalog_(std::make_shared<const catalog::Catalog>()),
          journal_(*journal::Journal::open(std::make_unique<store::MemoryJournalStore>(), clock)),
          desk_(incident::Desk::make(*journal_, clock, catalog_, incident::Settings{})),
          linker_(intake::LinkerOptions{}), sessions_(settings_, catalog_), keys_(settings_, catalog_),
          server_(*net::HttpServer::start(
              net::ServerOptions{},
              [this](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
                  const int status = take(std::move(request)) ? 200 : 400;
                  responder->respond({.status = status, .headers = {}, .body = {}});
              }
          )),
          ticker_([this] {
              while (!stopping_.load()) {
                  std::this_thread::sleep_for(std::chrono::milliseconds(50));
                  tick();
              }
          }) {}
    ~DetectionDriver() {
        stopping_.store(true);
        ticker_.join();
    }
    DetectionDriver(const DetectionDriver&) = delete;
    DetectionDriver& operator=(const DetectionDriver&) = delete;

    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_->port());
    }
    /// Incidents of any state but signal.
    [[nodiscard]] std::vector<incident::Incident> incidents() const { return desk_->list({}); }
    [[nodiscard]] std::vector<incident::Incident> signals() const {
        incident::Filter filter;
        filter.states = {IncidentState::Signal};
        return desk_->list(filter);
    }
    [[nodiscard]] std::map<std::string, Finding> findings() const {
        const MutexLock lock(mutex_);
        return findings_;
    }
    /// When each finding came first, by its id.
    [[nodiscard]] std::map<std::string, Instant> first_told() const {
        const MutexLock lock(mutex_);
        return first_told_;
    }
    /// When the span that it points at had been received; none for a finding that points at no span.
    [[nodiscard]] std::optional<Instant> received(const Finding& finding) const {
        const MutexLock lock(mutex_);
        const auto found = received_.find(finding.trace_id + finding.span_id);
        return found == received_.end() ? std::nullopt : std::optional(found->second);
    }
    /// How ended sessions came out, by name of the outcome.
    [[nodiscard]] std::map<std::string, int> outcomes() const {
        const MutexLock lock(mutex_);
        std::map<std::string, int> out;
        for (const auto& [id, outcome] : outcomes_) {
            ++out[std::string(name_of(outcome))];
        }
        return out;
    }

private:
    bool take(net::ServerRequest request) {
        const Signal signal = request.path == "/v1/logs" ? Signal::Logs : Signal::Traces;
        Result<std::shared_ptr<EventBatch>> batch = intake::decode(
            std::move(request.body), signal, intake::Encoding::Protobuf, intake::DecodeLimits{}
        );
        if (!batch) {
            return false;
        }
        const MutexLock lock(mutex_);
        const Instant now = clock_.now();
        for (const AgentEvent& event : (*batch)->events) {
            received_.emplace(to_hex(event.trace_id) + to_hex(event.span_id), now);
        }
        linker_.link(**batch);
        detect::Output out;
        sessions_.observe((*batch)->events, clock_.now(), out);
        settle(out);
        return true;
    }
    void tick() {
        const MutexLock lock(mutex_);
        detect::Output out;
        sessions_.tick(clock_.now(), out);
        keys_.merge(*sessions_.take_partials());
        keys_.evaluate(clock_.now(), out);
        settle(out);
    }
    void settle(const detect::Output& out) TAGOUT_REQUIRES(mutex_) {
        for (const Finding& finding : out.findings) {
            findings_.insert_or_assign(finding.id, finding);
            first_told_.emplace(finding.id, clock_.now());
        }
        for (const detect::SessionSummary& session : out.sessions) {
            outcomes_[session.correlation.text()] = session.outcome;
        }
        const Result<void> joined = desk_->join(out.findings, IncidentKind::Real);
        TAGOUT_ASSERT(joined.has_value(), "a journal in memory takes every entry");
    }

    const Clock& clock_;
    const detect::Settings settings_;
    std::shared_ptr<const catalog::Catalog> catalog_;
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<incident::Desk> desk_;

    mutable Mutex mutex_;
    intake::Linker linker_ TAGOUT_GUARDED_BY(mutex_);
    detect::SessionStage sessions_ TAGOUT_GUARDED_BY(mutex_);
    detect::KeyStage keys_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, Finding> findings_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, Instant> first_told_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, Instant> received_ TAGOUT_GUARDED_BY(mutex_);  ///< Of a short fleet.
    std::map<std::string, SessionOutcome> outcomes_ TAGOUT_GUARDED_BY(mutex_);

    std::atomic<bool> stopping_{false};
    std::unique_ptr<net::HttpServer> server_;
    std::thread ticker_;
};

}  // namespace tagout::rehearse
