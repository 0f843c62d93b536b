// What all requests of one gateway share: the parts it was given, a snapshot for each event loop,
// the calls in flight on it, and what was learned of tools and sessions.
//
// A snapshot is kept once a loop and replaced on that loop's thread (Core::enforce). A request is
// decided and put into flight in one step on its loop, so a new snapshot meets every call: those
// decided before it are in flight by then and are judged again, those after it read it.
//
// Inside gateway/ only.
#pragma once

#include "contain/call_memory.h"
#include "gateway/caller.h"
#include "gateway/clerk.h"
#include "gateway/gateway.h"
#include "gateway/metrics.h"
#include "gateway/user_approval.h"
#include "net/http_server.h"
#include "net/upstream_client.h"

#include "base/mutex.h"

#include <array>
#include <list>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace tagout::gateway {

using Snapshot = std::shared_ptr<const contain::ControlSnapshot>;

enum class Road : std::uint8_t { Mcp = 0, Model = 1, Decide = 2, Versions = 3, Other = 4, Workflow = 5 };
enum class Outcome : std::uint8_t {
    Forwarded = 0,
    Refused = 1,    ///< By a control or a rule, or by a person.
    Invalid = 2,    ///< Not a request that can be judged.
    Failed = 3,     ///< The upstream.
    Cancelled = 4,  ///< By a control, in flight.
    Gone = 5,       ///< The client went.
    Answered = 6,   ///< By the gateway itself.
    Probe = 7,
};

/// A request that waits for something and is judged again when controls change. Confined to its
/// loop.
class InFlight {
public:
    virtual ~InFlight() = default;
    virtual void judge_again(const Snapshot& before, const Snapshot& now) = 0;
    /// The gateway ends: answers what can be answered.
    virtual void shut_down() = 0;
};

/// References into the registry, made once.
struct Meters {
    explicit Meters(MetricRegistry& registry);
    [[nodiscard]] Counter& request(Road road, Outcome outcome) const {
        return *requests[static_cast<std::size_t>(road)][static_cast<std::size_t>(outcome)];
    }
    void count_decision(CallKind kind, Verdict verdict) const;

    std::array<std::array<Counter*, 8>, 6> requests{};
    std::array<std::array<Counter*, 6>, 4> decisions{};
    Gauge& in_flight;
    std::array<Counter*, 6> cancelled{};
    std::array<Histogram*, 6> upstream_seconds{};
    Histogram& added_seconds;
    Counter& hidden_tools;
    std::array<Counter*, 2> shadow{};  ///< By a control, by a rule.
    Counter& condition_faults;
    Counter& forgotten;
    std::array<Counter*, 2> spent_tokens{};  ///< As told, and estimated.
    MetricRegistry& registry;
};

/// A decision with its texts: outlives the snapshot that made it.
struct Ruling {
    Verdict verdict = Verdict::Allow;
    std::string by;
    std::string for_model;
    std::string for_person;
    std::string incident;
    std::string route_to;
    std::string shadow;
    std::uint64_t revision = 0;
    bool user_approves = false;    ///< Of Escalate: the user at the client may say yes.
    std::uint64_t redactions = 0;  ///< Of the snapshot that made it.
    Duration retry_after{};        ///< Of a throttled call.
    std::uint8_t budgets = 0;      ///< What is to be counted of it: Decision::budgets.
};

/// What the model is told, with who decided behind it: a telemetry convention that repeats only the
/// words of a failed call still tells a refusal from a fault (intake's StepOutcome::Denied).
[[nodiscard]] std::string refusal_text(const Ruling& ruling);

class Core : public std::enable_shared_from_this<Core> {
public:
    static constexpr std::size_t known_tools_max = 10'000;
    static constexpr std::size_t client_names_max = 10'000;

    Core(const GatewayOptions& options, const GatewayParts& parts, std::string probe_secret);

    /// Once. Until then there is no snapshot, whoever asks.
    void use_loops(std::vector<std::shared_ptr<net::EventLoop>> loops);

    /// On any thread.
    void enforce(Snapshot snapshot, std::function<void(Result<std::uint64_t>)> done);
    /// On any thread: ends what is in flight; the doors close next.
    void shut_down();
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.load(); }
    /// Counts of decisions and what is in force, for whoever shows this point.
    [[nodiscard]] contain::PointContact contact() const;

    /// On `loop`'s thread.
    [[nodiscard]] const Snapshot& snapshot(const net::EventLoop& loop) const {
        static const Snapshot none;
        return ready_.load(std::memory_order_acquire) ? loops_[loop.index()].snapshot : none;
    }
    /// On any thread: the newest that was handed to enforce(), null before the first.
    [[nodiscard]] Snapshot newest() const { return newest_.load(std::memory_order_acquire); }
    void enter(const net::EventLoop& loop, InFlight& call);
    void leave(const net::EventLoop& loop, InFlight& call);

    /// A call that is about to happen: it counts for limits, marks its session when it passes, and
    /// what shadow rules say of it is counted.
    [[nodiscard]] Ruling admit(const contain::ControlSnapshot& snapshot, ToolCall call) const;
    /// What comes of a call by itself: one that is under way, one that is only asked about.
    [[nodiscard]] Ruling rule(const contain::ControlSnapshot& snapshot, ToolCall call) const;
    /// The same for a probe: what controls and rules say, whatever else may be against the tool.
    [[nodiscard]] Ruling probe(const contain::ControlSnapshot& snapshot, ToolCall call) const;
    /// A call that waited for a person goes out: it marks its session.
    void let_through(const contain::ControlSnapshot& snapshot, ToolCall call) const;
    /// What a request to a model that was let through has cost, for the budgets that cover it.
    void spend(
        const contain::ControlSnapshot& snapshot, ToolCall call, const contain::Spent& spent
    ) const;
    /// The version of that label, or the one that a control pins for the caller; `pinned_by` is its id.
    [[nodiscard]] Result<FetchedVersion> version(
        const Snapshot& snapshot, const Caller& caller, std::string_view family, std::string_view name,
        std::string_view label, std::string& pinned_by
    ) const;
    void report(SeenCall seen) const;
    /// Counts and, once a second at most, logs.
    void met_limit(std::string_view limit);
    [[nodiscard]] Instant now() const noexcept { return parts.clock.now(); }

    /// Tools that a server was seen to offer, or that were called there.
    void learn_tools(const std::string& server, const std::vector<std::string>& tools);
    [[nodiscard]] std::vector<std::string> tools_of(const std::string& server) const;
    /// MCP servers that are known to offer a tool of that name, "mcp__SERVER__TOOL" too.
    [[nodiscard]] std::vector<std::string> servers_of(std::string_view tool) const;
    /// Of a session that an MCP server minted: the client that opened it.
    struct Client {
        std::string name;
        bool elicits = false;  ///< It said that it asks its user by form.
    };
    void learn_client(const std::string& session, Client client);
    [[nodiscard]] bool client_elicits(const std::string& session) const;
    [[nodiscard]] std::string client_of(const std::string& session) const;

    const GatewayOptions options;
    const GatewayParts parts;
    const std::string probe_secret;
    const Meters meters;
    const std::shared_ptr<net::UpstreamClient> upstreams;
    UserApprovals user_approvals;
    Clerk clerk;

private:
    [[nodiscard]] Ruling ruling_of(const Decision& decision) const;
    /// Whether it calls a tool whose definition is no longer the pinned one, where that is refused.
    [[nodiscard]] bool is_changed(const ToolCall& call) const;
    static void refuse_changed(Ruling& ruling);

    struct PerLoop {
        std::shared_ptr<net::EventLoop> loop;
        Snapshot snapshot;
        std::unordered_set<InFlight*> calls;
    };

    void replace(PerLoop& own, const Snapshot& snapshot);

    std::vector<PerLoop> loops_;  ///< Each confined to its loop.
    std::atomic<Snapshot> newest_;  ///< For roads without a loop of their own here.
    std::atomic<bool> ready_{false};
    std::atomic<std::size_t> in_flight_{0};
    std::atomic<std::int64_t> limit_logged_at_{0};
    mutable contain::CallMemory memory_;
    mutable std::atomic<std::uint64_t> forgotten_told_{0};
    mutable Mutex mutex_;
    std::map<std::string, std::set<std::string>, std::less<>> tools_ TAGOUT_GUARDED_BY(mutex_);
    std::size_t tools_count_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::unordered_map<std::string, Client> clients_ TAGOUT_GUARDED_BY(mutex_);
    std::list<std::string> client_order_ TAGOUT_GUARDED_BY(mutex_);
};

/// The first call_text_bytes_max bytes, not ending within a character.
[[nodiscard]] std::string clipped(std::string_view text);
}  // namespace tagout::gateway
