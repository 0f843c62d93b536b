// What replay tells while it runs and at its end: findings as JSON lines, progress, counts.
#pragma once

#include "cli/line_source.h"
#include "cli/terminal.h"
#include "domain/finding.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tagout::app {

struct ReplayTally {
    std::uint64_t records = 0;
    std::uint64_t other_lines = 0;
    std::uint64_t malformed = 0;
    std::uint64_t events = 0;
    std::uint64_t findings = 0;
    std::map<SessionOutcome, std::uint64_t> outcomes;
    std::map<std::string, std::uint64_t> by_signal;  ///< "class signal"

    void count(const Finding& finding);
};

/// One finding of `record` ("": its correlation names it) as a JSON object on one line.
[[nodiscard]] std::string finding_line(const Finding& finding, const std::string& record);

/// "FILE:LINE: "
[[nodiscard]] std::string at_line(const std::string& file, std::uint64_t line);

void show_progress(
    const cli::LineSource& source, const std::string& file, std::uint64_t records,
    std::uint64_t findings, cli::Terminal& terminal
);

/// On standard error, where findings do not go.
void print_summary(const ReplayTally& tally, cli::Format format, cli::Terminal& terminal);

}  // namespace tagout::app
