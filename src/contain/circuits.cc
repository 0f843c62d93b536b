#include "contain/circuits.h"

#include "base/log.h"
#include "base/mutex.h"
#include "contain/metrics.h"

#include <boost/json.hpp>

#include <array>
#include <map>
#include <optional>

namespace tagout::contain {

namespace {

namespace json = boost::json;

struct Circuit {
    CircuitState state = CircuitState::Closed;
    std::uint32_t failures = 0;
    std::string why;
    Instant since;
    bool on_trial = false;
};

struct Change {
    std::string upstream;
    CircuitState state = CircuitState::Closed;
    std::string why;
    Instant at;
};

journal::EntryDraft draft_of(const Change& change) {
    const bool opened = change.state == CircuitState::Open;
    const json::object body{{"upstream", change.upstream}, {"why", change.why}};
    return {
        opened ? "circuit.opened" : "circuit.closed",
        change.upstream,
        Actor("tagout"),
        opened ? "failed: " + change.why : "it answers again",
        change.at,
        json::serialize(body)};
}

class LiveCircuits final : public Circuits {
public:
    LiveCircuits(journal::Journal& journal, const Clock& clock, MetricRegistry& metrics)
        : journal_(journal), clock_(clock), metrics_(metrics) {}

    [[nodiscard]] CircuitWay choose(const std::string& upstream) override {
        const MutexLock lock(mutex_);
        const auto found = circuits_.find(upstream);
        if (found == circuits_.end() || found->second.state == CircuitState::Closed) {
            return CircuitWay::Straight;
        }
        Circuit& circuit = found->second;
        if (circuit.state == CircuitState::Open && clock_.now() - circuit.since >= pause) {
            become(upstream, circuit, CircuitState::HalfOpen);
        }
        if (circuit.state == CircuitState::Open || circuit.on_trial) {
            return CircuitWay::Fallback;
        }
        circuit.on_trial = true;
        return CircuitWay::Trial;
    }

    void answered(const std::string& upstream) override {
        const MutexLock lock(mutex_);
        const auto found = circuits_.find(upstream);
        if (found == circuits_.end()) {
            return;
        }
        Circuit& circuit = found->second;
        circuit.failures = 0;
        circuit.on_trial = false;
        if (circuit.state == CircuitState::HalfOpen) {
            become(upstream, circuit, CircuitState::Closed);
        }
    }

    void failed(const std::string& upstream, std::string why) override {
        why.resize(std::min(why.size(), why_bytes_max));
        const MutexLock lock(mutex_);
        auto found = circuits_.find(upstream);
        if (found == circuits_.end()) {
            if (circuits_.size() >= upstreams_max) {
                return;
            }
            found = circuits_.emplace(upstream, Circuit{.why = {}, .since = clock_.now()}).first;
        }
        Circuit& circuit = found->second;
        ++circuit.failures;
        circuit.why = std::move(why);
        circuit.on_trial = false;
        const bool too_often =
            circuit.state == CircuitState::Closed && circuit.failures >= failures_max;
        if (too_often || circuit.state == CircuitState::HalfOpen) {
            become(upstream, circuit, CircuitState::Open);
        }
    }

    void left(const std::string& upstream) override {
        const MutexLock lock(mutex_);
        if (const auto found = circuits_.find(upstream); found != circuits_.end()) {
            found->second.on_trial = false;
        }
    }

    void count_fallback(const std::string& upstream, std::string_view why) override {
        const std::array<std::string_view, 2> labels{upstream, why};
        metrics_.counter(fallbacks_total, labels).add();
    }

    void tick() override {
        std::vector<Change> changes;
        {
            const MutexLock lock(mutex_);
            changes.swap(changes_);
        }
        if (changes.empty()) {
            return;
        }
        std::vector<journal::EntryDraft> drafts;
        for (const Change& change : changes) {
            drafts.push_back(draft_of(change));
        }
        if (const auto stored = journal_.append(drafts); !stored) {
            log::warn("circuits_not_recorded", {{"error", stored.error().message}});
            const MutexLock lock(mutex_);
            changes.insert(changes.end(), changes_.begin(), changes_.end());
            changes_ = std::move(changes);
        }
    }

    [[nodiscard]] std::vector<CircuitRow> list() const override {
        std::vector<CircuitRow> rows;
        const MutexLock lock(mutex_);
        for (const auto& [upstream, circuit] : circuits_) {
            if (circuit.state != CircuitState::Closed || circuit.failures > 0) {
                rows.push_back(
                    {upstream, circuit.state, circuit.failures, circuit.why, circuit.since}
                );
            }
        }
        return rows;
    }

private:
    void become(const std::string& upstream, Circuit& circuit, CircuitState state)
        TAGOUT_REQUIRES(mutex_) {
        circuit.state = state;
        circuit.since = clock_.now();
        const std::array<std::string_view, 1> labels{upstream};
        metrics_.gauge(circuit_state, labels).set(static_cast<double>(state));
        if (state == CircuitState::HalfOpen) {
            return;
        }
        if (state == CircuitState::Open) {
            log::warn("circuit_opened", {{"upstream", upstream}, {"why", circuit.why}});
        } else {
            log::info("circuit_closed", {{"upstream", upstream}});
        }
        if (changes_.size() >= changes_max) {
            log::warn("circuit_change_not_recorded", {{"upstream", changes_.front().upstream}});
            changes_.erase(changes_.begin());
        }
        changes_.push_back({upstream, state, circuit.why, circuit.since});
    }

    journal::Journal& journal_;
    const Clock& clock_;
    MetricRegistry& metrics_;
    mutable Mutex mutex_;
    std::map<std::string, Circuit> circuits_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<Change> changes_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Circuits> Circuits::make(
    journal::Journal& journal, const Clock& clock, MetricRegistry& metrics
) {
    return std::make_unique<LiveCircuits>(journal, clock, metrics);
}

}  // namespace tagout::contain
