// Calls past the gateways: tool calls that an agent's own telemetry shows and no gateway saw. A
// stop holds only where calls pass, so who goes round has to be known before it matters.
//
// A gateway tells each call that it saw as a span (gateway_calls.h). An agent's call is matched
// with one of the same tool in the same trace, else in the same session; it waits for `grace`,
// because the two reports come in any order. A call that was asked about and let go (`tagout hook`,
// POST /v1/decide at this server's own gateway) was seen as well: by its trace or session as the
// question named them. At a gateway of the fleet such questions leave no sighting.
//
// Thread-safe. Bounds: waiting_max calls wait, past that the oldest are judged early; sightings_max
// sightings are kept for `kept`; pairs_max agents' tools are counted, further ones only in the
// metric. Cost: one lock a batch that has tool calls, some 100 ns a call.
#pragma once

#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "domain/agent_event.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::app {

struct CallCounts {
    std::uint64_t calls = 0;
    std::uint64_t unseen = 0;  ///< Of them, by every gateway.
};

struct AgentCalls {
    CallCounts all;
    std::vector<std::pair<std::string, CallCounts>> unseen_tools;  ///< Most unseen first.
};

class Bypass {
public:
    static constexpr Duration grace = std::chrono::seconds(10);
    static constexpr Duration kept = std::chrono::minutes(10);
    static constexpr std::size_t waiting_max = 100'000;
    static constexpr std::size_t sightings_max = 200'000;
    static constexpr std::size_t pairs_max = 10'000;

    explicit Bypass(MetricRegistry& metrics);

    void see(std::span<const AgentEvent> events, Instant now);
    /// A call was asked about and let go. `session` or `traceparent` may be "".
    void decided(
        std::string_view tool, std::string_view session, std::string_view traceparent, Instant now
    );
    /// By agent, or by service where telemetry names no agent.
    [[nodiscard]] std::map<std::string, AgentCalls, std::less<>> last_hour(Instant now);

private:
    static constexpr std::size_t buckets = 12;  ///< Of five minutes.
    static constexpr std::uint32_t no_pair = 0xffffffff;

    struct Bucket {
        std::int64_t slot = -1;
        CallCounts counts;
    };
    struct Pair {
        std::string agent;
        std::string tool;
        std::array<Bucket, buckets> recent;
    };
    /// Where a call can be matched: its tool in its trace, and in its session.
    struct Keys {
        std::uint64_t trace = 0;
        std::uint64_t session = 0;
    };
    struct Waiting {
        Instant due;
        Keys keys;
        std::int64_t slot = 0;
        std::uint32_t pair = no_pair;
        bool wrapper = false;  ///< Repeats another report of the call, unless a gateway saw it.
    };
    struct Sighting {
        Instant at;
        std::uint64_t key = 0;
    };
    /// Of one key: those not matched yet, and when the newest came.
    struct Sighted {
        std::uint32_t left = 0;
        Instant newest;
    };

    static Keys keys_of(const AgentEvent& event) noexcept;
    void take(const AgentEvent& event, Instant now) TAGOUT_REQUIRES(mutex_);
    void sight(std::uint64_t key, Instant now) TAGOUT_REQUIRES(mutex_);
    /// Forgets the oldest sighting's key, unless it was sighted again since.
    void forget_oldest() TAGOUT_REQUIRES(mutex_);
    /// Takes one sighting away.
    bool use(std::uint64_t key) TAGOUT_REQUIRES(mutex_);
    void judge(const Waiting& call) TAGOUT_REQUIRES(mutex_);
    void judge_due(Instant now) TAGOUT_REQUIRES(mutex_);
    [[nodiscard]] std::uint32_t pair_of(const AgentEvent& event) TAGOUT_REQUIRES(mutex_);

    Counter& seen_total_;
    Counter& unseen_total_;
    Mutex mutex_;
    std::vector<Pair> pairs_ TAGOUT_GUARDED_BY(mutex_);
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> pair_numbers_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<Waiting> calls_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<Waiting> wrappers_ TAGOUT_GUARDED_BY(mutex_);  ///< Judged after the calls in them.
    boost::unordered_flat_map<std::uint64_t, Sighted> sighted_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<Sighting> sightings_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace tagout::app
