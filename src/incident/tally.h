// What an incident's totals are reckoned from, kept so that one more finding costs the same however
// many there were before: a storm of a hundred thousand findings is reckoned once, not each time.
//
// A session counts once, failed if any of its findings says so; a rate stands for the sessions that
// it counted itself; a finding that another explains counts for nothing. Thread-compatible.
#pragma once

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
};

class Tally {
public:
    void add(const KnownFinding& known) { count(known, true); }
    /// Takes back what add() of the same value did.
    void remove(const KnownFinding& known) { count(known, false); }

    /// Sets sessions, failed_sessions and writes.
    void fill(Impact& impact) const;

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
    };

    void count(const KnownFinding& known, bool up);

    std::unordered_map<std::string, Session> sessions_;
    std::uint64_t failed_sessions_ = 0;
    std::uint64_t writing_sessions_ = 0;
    std::multiset<std::uint64_t> rates_;  ///< Sessions that each rate counted.
    std::multiset<std::uint64_t> failed_rates_;
    std::uint64_t rate_writes_ = 0;
};

}  // namespace tagout::incident
