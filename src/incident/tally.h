// What an incident's totals are reckoned from, kept so that one more finding costs the same however
// many there were before: a storm of a hundred thousand findings is reckoned once, not each time.
//
// A session counts once, failed if any of its findings says so, with the largest tokens and money
// that any of them told; a rate stands for the sessions that it counted itself. A finding that
// another explains counts for nothing. Users are counted together, by hash: who was named once stays
// named. Thread-compatible.
#pragma once

#include "base/distinct_count.h"
#include "incident/incident.h"

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>

namespace tagout::incident {

/// What is remembered of each finding of an incident, whether or not it is kept whole.
struct KnownFinding {
    std::string correlation;
    SessionOutcome outcome = SessionOutcome::Unknown;
    bool rate = false;
    bool write_completed = false;
    bool supports = false;  ///< Explained by another: counts for nothing but itself.
    std::uint64_t sessions = 1;
    DistinctCount users;
    std::int64_t tokens = 0;
    double cost_usd = 0;
};

class Tally {
public:
    void add(const KnownFinding& known) { count(known, true); }
    /// Takes back what add() of the same value did.
    void remove(const KnownFinding& known) { count(known, false); }

    /// Sets all of it. A completed write makes a session of class safety a failed one. Users are
    /// exact up to DistinctCount::kept_max, then estimated.
    void fill(Impact& impact, FailureClass failure_class) const;

    /// Findings whose outcome makes an incident of a signal: a failed session or rate, or, where
    /// the class is safety, a completed write.
    [[nodiscard]] bool opens(FailureClass failure_class) const;
    /// Among them one that needs no companions: a rate, or a completed unsafe write.
    [[nodiscard]] bool opens_alone(FailureClass failure_class) const;

private:
    struct Session {
        std::uint32_t findings = 0;
        std::uint32_t failed = 0;
        std::uint32_t writes = 0;
        std::int64_t tokens = 0;
        std::int64_t cost_micro_usd = 0;
    };

    void count(const KnownFinding& known, bool up);
    void count_session(const KnownFinding& known, bool up);

    std::unordered_map<std::string, Session> sessions_;
    std::uint64_t failed_sessions_ = 0;
    std::uint64_t writing_sessions_ = 0;
    std::uint64_t harmed_sessions_ = 0;   ///< Failed, or with a completed write.
    std::multiset<std::uint64_t> rates_;  ///< Sessions that each rate counted.
    std::multiset<std::uint64_t> failed_rates_;
    std::uint64_t rate_writes_ = 0;
    std::multiset<std::int64_t> rate_tokens_;
    std::multiset<double> rate_costs_;
    std::int64_t tokens_ = 0;         ///< Of sessions_;
    std::int64_t cost_micro_usd_ = 0;  ///< whole, so that what is taken back leaves nothing.
    DistinctCount users_;
};

}  // namespace tagout::incident
