// Incidents as a fold over journal entries: live and after a restart the same entries give the same
// incidents. The one place that knows what an entry means.
//
//   incident.opened     a new incident with its facts        incident.findings  findings joined
//   incident.state      from, to                             incident.severity  set, by rule or
//   person incident.owner      from the map                         incident.assigned  to
//   incident.acked      by                                   incident.note      text
//   incident.anchor     a time corrected                     incident.merged    into another
//   incident.absorbed   another was merged into this         incident.quiet     no new findings for
//   long any other kind whose body has "timeline": true           a line of another room's
//
// Every body is a JSON object; counts in it are what happened, totals are reckoned here, so that a
// storm's totals are exact after a rebuild. A body that does not read is told and passed over.
#pragma once

#include "incident/incident.h"
#include "journal/journal_entry.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tagout::incident {

inline constexpr std::size_t findings_kept_max = 100;
inline constexpr std::size_t findings_known_max = 200'000;  ///< Ids told apart in one incident.
inline constexpr std::size_t timeline_max = 10'000;

/// What is remembered of each finding of an incident, whether or not it is kept whole.
struct KnownFinding {
    std::string correlation;
    SessionOutcome outcome = SessionOutcome::Unknown;
    bool rate = false;
    bool write_completed = false;
    bool supports = false;  ///< Explained by another: counts for nothing but itself.
    std::uint64_t sessions = 1;
};

/// One incident and what its totals are reckoned from.
struct Folded {
    Incident incident;
    bool severity_by_person = false;
    bool title_by_person = false;
    std::unordered_map<std::string, KnownFinding> known;
};

/// Thread-compatible.
class Fold {
public:
    /// Applies one entry; the incident it changed, or nullptr if it is not about one.
    Folded* apply(const journal::JournalEntry& entry);

    [[nodiscard]] const std::map<std::uint64_t, Folded>& incidents() const noexcept {
        return incidents_;
    }
    [[nodiscard]] Folded* find(const IncidentId& id);
    [[nodiscard]] const Folded* find(const IncidentId& id) const;
    /// The incident that holds a finding, nullptr if none does.
    [[nodiscard]] Folded* holder_of(const std::string& finding);
    [[nodiscard]] std::uint64_t next_number() const noexcept { return next_number_; }
    /// Entries that could not be read, for the log.
    [[nodiscard]] std::uint64_t unreadable() const noexcept { return unreadable_; }

private:
    struct Applying;

    std::map<std::uint64_t, Folded> incidents_;  ///< By number: "INC-7" is 7.
    std::unordered_map<std::string, std::uint64_t> holder_;
    std::uint64_t next_number_ = 1;
    std::uint64_t unreadable_ = 0;
};

/// 7 for "INC-7", 0 for what is no incident's id.
[[nodiscard]] std::uint64_t number_of(std::string_view id) noexcept;

/// Compact line of a finding in an incident.findings body; whole findings are added beside it.
struct JoinedFinding {
    std::string id;
    KnownFinding known;
};

}  // namespace tagout::incident
