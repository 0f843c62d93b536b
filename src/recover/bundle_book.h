// The book of bundles: what each agent ran, from when to when, and what is known for and against it.
//
// Thread-compatible; a part of ReleaseFold, changed by journal entries alone. A bundle is good once
// an entry says so and no incident stands against it. Memory is bounded: bundles_max of an agent, of
// which the oldest that is neither good nor in force is forgotten first; periods_max of an agent.
#pragma once

#include "catalog/version.h"

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::recover {

/// Sessions that ended under a bundle, by outcome.
struct OutcomeTally {
    std::array<std::uint64_t, 5> by_outcome{};  ///< Indexed by SessionOutcome.

    [[nodiscard]] std::uint64_t of(SessionOutcome outcome) const noexcept {
        return by_outcome[static_cast<std::size_t>(outcome)];
    }
    void add(SessionOutcome outcome, std::uint64_t count = 1) noexcept {
        by_outcome[static_cast<std::size_t>(outcome)] += count;
    }
    void add(const OutcomeTally& other) noexcept;
    [[nodiscard]] std::uint64_t total() const noexcept;
    /// Failed and abandoned of those whose outcome is known; 0 without any.
    [[nodiscard]] double failed_share() const noexcept;
};

struct BundleRecord {
    catalog::Bundle bundle;
    Instant made_at;
    Actor made_by;
    OutcomeTally evidence;
    Duration in_force_for{0};                ///< Of periods that are over.
    std::optional<Instant> in_force_since;   ///< Set while it is in force.
    std::optional<Instant> last_in_force_at;
    std::optional<Instant> good_at;
    std::string good_reason;
    std::set<IncidentId> blocked_by;

    [[nodiscard]] bool is_good() const noexcept { return good_at && blocked_by.empty(); }
    [[nodiscard]] Duration in_force_until(Instant now) const;
};

class BundleBook {
public:
    static constexpr std::size_t periods_max = 1'000;

    explicit BundleBook(std::size_t bundles_max) : bundles_max_(bundles_max) {}

    void make(catalog::Bundle bundle, Instant at, const Actor& by);
    void put_in_force(const AgentName& agent, const std::string& id, Instant at);
    void add_evidence(const AgentName& agent, const std::string& id, const OutcomeTally& tally);
    void set_good(
        const AgentName& agent, const std::string& id, Instant at, const std::string& reason
    );
    void block(const AgentName& agent, const std::string& id, const IncidentId& incident);
    void unblock(const IncidentId& incident);

    [[nodiscard]] const BundleRecord* find(const AgentName& agent, std::string_view id) const;
    [[nodiscard]] const BundleRecord* in_force(const AgentName& agent) const;
    /// The one that was in force at `at`.
    [[nodiscard]] const BundleRecord* in_force_at(const AgentName& agent, Instant at) const;
    /// The good one that was in force last; without the one in force when `other_than_now`.
    [[nodiscard]] const BundleRecord* last_known_good(
        const AgentName& agent, bool other_than_now
    ) const;
    [[nodiscard]] bool is_blocked_by(const IncidentId& incident) const;
    /// In order of making, oldest first.
    [[nodiscard]] std::vector<const BundleRecord*> of(const AgentName& agent) const;
    [[nodiscard]] std::vector<AgentName> agents() const;

private:
    struct Period {
        std::string id;
        Instant from;
    };
    struct AgentBook {
        std::deque<BundleRecord> records;  ///< In order of making.
        std::deque<Period> periods;
        std::string now;  ///< Id of the one in force, "" for none.
    };
    [[nodiscard]] BundleRecord* record(const AgentName& agent, std::string_view id);

    std::size_t bundles_max_;
    std::map<AgentName, AgentBook> agents_;
};

}  // namespace tagout::recover
