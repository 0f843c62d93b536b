// Controls as a fold of their journal entries, and the bodies of those entries: written by the book,
// read here.
//
// Thread-compatible. What a person sees after a restart is exactly what this makes of the journal.
#pragma once

#include "contain/controls.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tagout::contain {

enum class ProbeShowed : std::uint8_t { Nothing = 0, Proved = 1, Unproved = 2 };

struct BookRow {
    ControlView view;
    ProbeShowed showed = ProbeShowed::Nothing;
    std::set<std::string> decided_by;  ///< What the newest probes met: it may hide this one.
};

/// A point with what its probes found, for the bodies of control.proved and control.unproved.
struct ProbedPoint {
    std::string point;
    std::vector<ProbeResult> probes;
    std::string error;  ///< "" when all of them were refused.
};

/// A point that acknowledged, and when.
struct AckedPoint {
    std::string point;
    Instant at;
};

class BookFold {
public:
    /// `prefix` begins the ids of its controls.
    explicit BookFold(std::string prefix = "CTL-") : prefix_(std::move(prefix)) {}

    /// The row that the entry changed, or null: not a control's, or unreadable (counted).
    BookRow* apply(const journal::JournalEntry& entry);

    [[nodiscard]] BookRow* find(const ControlId& id);
    [[nodiscard]] const BookRow* find(const ControlId& id) const;
    /// By number, oldest first.
    [[nodiscard]] std::map<std::uint64_t, BookRow>& rows() { return rows_; }
    [[nodiscard]] const std::map<std::uint64_t, BookRow>& rows() const { return rows_; }
    /// What was adopted from there, or null.
    [[nodiscard]] const BookRow* find_origin(std::string_view origin) const;
    [[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view id) const;
    [[nodiscard]] std::vector<Control> in_force() const;
    [[nodiscard]] ControlId next_id() const;
    [[nodiscard]] std::uint64_t revision() const { return revision_; }
    [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }

private:
    const std::string prefix_;
    std::map<std::uint64_t, BookRow> rows_;
    std::map<std::string, std::uint64_t, std::less<>> origins_;
    std::uint64_t revision_ = 0;
    std::uint64_t unreadable_ = 0;
};

/// The effect of `point`, made if it is not there.
[[nodiscard]] PointEffect& effect_of(ControlView& view, std::string_view point);
/// Null if nothing is known of that point's side.
[[nodiscard]] const PointEffect* find_effect(const ControlView& view, std::string_view point);
/// State as its times and effects say, without what points say now.
void settle(BookRow& row);

/// `origin` "" unless it is adopted.
[[nodiscard]] std::string applied_body(
    const Control& control, std::uint64_t revision, std::string_view origin = {}
);
[[nodiscard]] std::string adopted_body(std::string_view origin, const Control& as_it_was);
[[nodiscard]] std::string acknowledged_body(
    const std::vector<AckedPoint>& points, const ControlView& view, bool by_all
);
[[nodiscard]] std::string probed_body(const std::vector<ProbedPoint>& points);
[[nodiscard]] std::string review_body(Instant review_by);
[[nodiscard]] std::string revision_body(std::uint64_t revision, std::string_view without_journeys);
[[nodiscard]] std::string stage_body(
    const Opening& opening, std::uint64_t revision, std::string_view without_journeys
);
[[nodiscard]] std::string policies_body(
    std::uint64_t revision, const std::vector<Policy>& policies
);

}  // namespace tagout::contain
