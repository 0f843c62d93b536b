// Runner: a whole engine (one or more shards and the KeyStage) driven by a list of events in order
// of arrival, for tests of this room only.
#pragma once

#include "detect/engine.h"
#include "detect/hash.h"
#include "detect/key_partials.h"

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tagout::detect {

/// What a run came to: the last word on each finding and on each session.
struct RunResult {
    std::map<std::string, Finding> findings;
    std::map<std::string, SessionSummary> sessions;
    std::uint64_t findings_sent = 0;

    [[nodiscard]] std::vector<Finding> of(std::string_view signal) const {
        std::vector<Finding> found;
        for (const auto& [id, finding] : findings) {
            if (finding.signal == signal) {
                found.push_back(finding);
            }
        }
        return found;
    }
    /// Those that open an incident: leaders whose outcome failed, or safety with a completed write.
    /// As the desk does: class, agent and cause make one incident.
    [[nodiscard]] std::map<std::string, std::vector<Finding>> incidents() const {
        std::map<std::string, std::vector<Finding>> opened;
        for (const auto& [id, finding] : findings) {
            const bool safety =
                finding.failure_class == FailureClass::Safety && finding.write_completed;
            if (finding.explained_by.empty() &&
                (finding.outcome == SessionOutcome::Failed || safety)) {
                opened
                    [std::string(name_of(finding.failure_class)) + "/" + finding.agent.text() +
                     "/" + finding.cause]
                        .push_back(finding);
            }
        }
        return opened;
    }
};

struct RunOptions {
    std::size_t shards = 1;
    std::size_t batch_max = 512;
    Duration tick = std::chrono::seconds(1);
    Duration arrival_delay = std::chrono::milliseconds(50);
    bool over_the_wire = false;  ///< Partials are written and read back.
};

inline RunResult run(
    std::span<const AgentEvent> events, const Settings& settings,
    const std::shared_ptr<const catalog::Catalog>& catalog, const RunOptions& options = {}
) {
    std::vector<std::unique_ptr<SessionStage>> stages;
    for (std::size_t i = 0; i < options.shards; ++i) {
        stages.push_back(std::make_unique<SessionStage>(settings, catalog));
    }
    KeyStage keys(settings, catalog);
    RunResult result;
    const auto take = [&](Output& out) {
        for (Finding& finding : out.findings) {
            ++result.findings_sent;
            result.findings.insert_or_assign(finding.id, std::move(finding));
        }
        for (SessionSummary& summary : out.sessions) {
            result.sessions.insert_or_assign(summary.correlation.text(), std::move(summary));
        }
        out = {};
    };
    const auto pass_on = [&](Output& out) {
        for (auto& stage : stages) {
            const auto partials = stage->take_partials();
            if (options.over_the_wire) {
                keys.merge(*parse_key_partials(to_bytes(*partials)));
            } else {
                keys.merge(*partials);
            }
        }
        take(out);
    };
    Output out;
    Instant arrived = Instant::min();
    Instant ticked;
    std::vector<std::vector<AgentEvent>> batches(options.shards);
    const auto flush = [&](Instant now) {
        for (std::size_t i = 0; i < options.shards; ++i) {
            stages[i]->observe(batches[i], now, out);
            batches[i].clear();
        }
        take(out);
    };
    for (const AgentEvent& event : events) {
        const Instant now = std::max(arrived, event.ended_at + options.arrival_delay);
        if (now != arrived) {
            flush(arrived);
        }
        arrived = now;
        if (ticked == Instant{}) {
            ticked = now;
        }
        while (ticked + options.tick <= now) {
            flush(now);
            ticked += options.tick;
            for (auto& stage : stages) {
                stage->tick(ticked, out);
            }
            pass_on(out);
            keys.evaluate(ticked, out);
            take(out);
        }
        std::vector<AgentEvent>& batch =
            batches[options.shards == 1 ? 0 : hash_of(event.correlation) % options.shards];
        batch.push_back(event);
        if (batch.size() >= options.batch_max) {
            flush(now);
        }
    }
    flush(arrived);
    for (int i = 0; i < 30; ++i) {
        ticked += options.tick;
        for (auto& stage : stages) {
            stage->tick(ticked, out);
        }
        pass_on(out);
        keys.evaluate(ticked, out);
        take(out);
    }
    for (auto& stage : stages) {
        stage->finish(out);
    }
    pass_on(out);
    keys.finish(out);
    take(out);
    return result;
}

}  // namespace tagout::detect
