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
#include "incident/tally.h"
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
/// Of the timeline, what findings alone may fill: people always find room for theirs.
inline constexpr std::size_t timeline_of_findings_max = 5'000;
static_assert(timeline_of_findings_max < timeline_max);

/// One incident and what its totals are reckoned from.
struct Folded {
    Incident incident;
    bool severity_by_person = false;
    bool title_by_person = false;
    bool quiet_by_rule = false;        ///< impact_ended_at was set because nothing new came.
    std::optional<Severity> proposed;  ///< What the rules would make of what a person graded.
    std::unordered_map<std::string, KnownFinding> known;
    Tally tally;

    /// The timeline's line that findings are added to for a minute, so that a storm is a line a
    /// minute; `npos` if there is none.
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    std::size_t findings_line = npos;
    std::uint64_t line_fresh = 0;
    std::uint64_t line_failed = 0;
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

/// One incident.findings entry.
struct JoinedFindings {
    std::vector<JoinedFinding> joined;
    std::vector<Finding> whole;        ///< Of those that may be kept.
    std::vector<std::string> signals;  ///< Distinct, in order of first sight.
    std::optional<Instant> onset_at;   ///< Earliest of those that lead.
    Instant last_at;                   ///< Latest of all.
};

}  // namespace tagout::incident
