// replay --learn and --score: each record judged alone, by profiles that healthy runs taught, and the
// judgements compared with labels.
#pragma once

#include "app/offline.h"
#include "app/quality/quality_row.h"
#include "app/replay_output.h"

#include <vector>

namespace tagout::app {

struct ScoreReport {
    std::vector<QualityRow> rows;  ///< Empty when no scores were asked for.
    ReplayTally tally;
};

/// Findings go to options.findings, or to standard output when no scores are asked for. Streams:
/// memory holds profiles and counts.
Result<ScoreReport> evaluate(const ReplayOptions& options, cli::Terminal& terminal);

/// evaluate(), with scores on standard output. 0, or 1 when nothing could be read.
Result<int> score(const ReplayOptions& options, cli::Terminal& terminal);

}  // namespace tagout::app
