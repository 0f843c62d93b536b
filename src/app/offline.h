// Verbs that need files and no server: replay and check.
#pragma once

#include "base/result.h"
#include "cli/terminal.h"

#include <string>
#include <vector>

namespace tagout::app {

struct ReplayOptions {
    std::vector<std::string> files;
    std::string config;
    std::string findings;                     ///< Written as JSON lines; "" for standard output.
    cli::Format format = cli::Format::Table;  ///< Of the summary on standard error, of scores.
    std::vector<std::string> learn;           ///< Recorded runs whose healthy ones teach profiles.
    std::string leave_out;                    ///< "agent": judged by what other agents' runs taught.
    std::string against;  ///< Another tagout.yaml: what pages `config` gains and loses against it.
    bool score = false;                       ///< Compare with labels, see app/quality/.
};

/// tagout replay FILE...: recorded runs (JSON lines, plain or gzip) and OTLP files through the live
/// engine. A malformed line is told with file and line and skipped. Streams: memory does not grow
/// with the number of records beyond one outcome and one id each.
Result<int> replay(const ReplayOptions& options, cli::Terminal& terminal);

/// tagout check FILE: 0, or 1 after printing every mistake with its line and remedy.
Result<int> check_config(const std::string& file, cli::Format format, cli::Terminal& terminal);

}  // namespace tagout::app
