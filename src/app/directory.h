// The directory: agents, tools, workflows and models as telemetry shows them, beside what the
// configuration says. What makes Tagout work without any configuration.
//
// Thread-safe. Shards offer every event; one that brings nothing new costs a hash look-up in the
// caller's own Seen set and takes no lock. Bounded: agents_max agents, names_max names of a kind
// each; past that, new names are counted and not kept.
#pragma once

#include "base/clock.h"
#include "base/mutex.h"
#include "catalog/catalog.h"
#include "detect/engine.h"
#include "domain/agent_event.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace tagout::app {

struct DirectoryAgent {
    std::string name;
    std::set<std::string> services;
    std::set<std::string> workflows;
    std::set<std::string> models;
    std::set<std::string> tools;
    Instant last_seen_at;
    std::uint64_t sessions_last_hour = 0;
    std::uint64_t failed_last_hour = 0;
};

/// Sessions that ended in the last hour.
struct OutcomeCounts {
    std::array<std::uint64_t, 5> by_outcome{};  ///< Indexed by SessionOutcome.
};

class Directory {
public:
    static constexpr std::size_t agents_max = 10'000;
    static constexpr std::size_t names_max = 500;
    static constexpr std::size_t ended_max = 200'000;  ///< Ended sessions remembered for the hour.

    /// Hashes of what one shard has offered already; owned by that shard's thread.
    struct Seen {
        static constexpr std::size_t hashes_max = 100'000;
        std::unordered_set<std::uint64_t> hashes;
    };

    void see(std::span<const AgentEvent> events, Seen& seen);
    void ended(std::span<const detect::SessionSummary> sessions, Instant now);

    [[nodiscard]] std::vector<DirectoryAgent> agents(Instant now) const;
    [[nodiscard]] OutcomeCounts last_hour(Instant now) const;

private:
    struct Ended {
        std::int64_t minute = 0;
        const DirectoryAgent* agent = nullptr;  ///< In agents_, whose entries stay; null: not kept.
        SessionOutcome outcome = SessionOutcome::Unknown;
    };
    void forget_before(std::int64_t minute) TAGOUT_REQUIRES(mutex_);

    mutable Mutex mutex_;
    std::map<std::string, DirectoryAgent, std::less<>> agents_ TAGOUT_GUARDED_BY(mutex_);
    /// By hash of the correlation: a thousand sessions may end in a second, and only counts are asked.
    boost::unordered_flat_map<std::uint64_t, Ended> ended_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<std::pair<std::int64_t, std::uint64_t>> order_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace tagout::app
