// tagout regressions run FILE...: cases against a configuration, offline, for CI.
#pragma once

#include "app/candidate.h"
#include "cli/terminal.h"

#include <string>
#include <vector>

namespace tagout::app {

struct RegressionsOptions {
    std::vector<std::string> files;  ///< Cases, as tagout regressions create writes them.
    std::string config;              ///< tagout.yaml: thresholds and tools.
    std::vector<std::string> policies;
    std::string bundle;
    std::string junit;
    cli::Format format = cli::Format::Table;
};

/// 0: all pass; 1: one would happen again; 2: one cannot be judged. A file that does not read is an
/// Error with its name, place and remedy, before anything was judged.
Result<int> run_regressions(
    const RegressionsOptions& options, const CompilePolicies& compile, cli::Terminal& terminal
);

}  // namespace tagout::app
