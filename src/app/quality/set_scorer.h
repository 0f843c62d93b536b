// How good the detectors are on labelled recordings: one scorer a set, each makes rows of a table.
//
// `tagout replay --score` gives every record to every scorer that wants its source, after the engine
// has judged it alone (by the profiles that were learned, if any). Scorers may read labels, because
// they only count; nothing that judges may. A set whose judgement is no finding about a record (an
// utterance's workflow, a point of a series) is computed by its scorer from the line, with the very
// functions that the detectors use.
//
// A new set: a class here in app/quality/, a line in make_scorers().
#pragma once

#include "app/quality/quality_row.h"
#include "detect/settings.h"
#include "domain/finding.h"
#include "intake/recorded_run.h"

#include <boost/json/object.hpp>

#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tagout::app {

/// One line of a recorded file; of a run, what the engine said about it.
struct JudgedRecord {
    std::string_view line;           ///< As it stood in the file.
    const intake::RecordedRun& run;  ///< Of series and request traces only kind and source.
    const boost::json::object& labels;
    std::span<const Finding> findings;  ///< The last word on each, of this run only.
    SessionOutcome outcome = SessionOutcome::Unknown;
};

/// Thread-compatible. Memory: counts, or what the set's figures need of each record.
class SetScorer {
public:
    virtual ~SetScorer() = default;
    /// Whether records of this `source` are its business.
    [[nodiscard]] virtual bool wants(std::string_view source) const = 0;
    /// Whether the engine must have judged its records; false saves the time.
    [[nodiscard]] virtual bool needs_findings() const { return true; }
    /// A record to learn from, before the first take(): of those that --learn names. No findings.
    virtual void learn(const JudgedRecord& /*record*/) {}
    virtual void take(const JudgedRecord& record) = 0;
    /// After the last record; empty when nothing was taken.
    [[nodiscard]] virtual std::vector<QualityRow> rows() = 0;
};

/// All of them, in the order of the table; `settings` are those that the engine judges with.
[[nodiscard]] std::vector<std::unique_ptr<SetScorer>> make_scorers(
    const detect::Settings& settings
);

}  // namespace tagout::app
