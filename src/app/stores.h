// Opening and checking the stores of a data directory.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "cli/terminal.h"
#include "journal/evidence_log.h"
#include "journal/journal.h"

#include <memory>
#include <string>

namespace tagout::app {

struct VerifyOptions {
    std::string data_dir = "data";
    std::uint64_t from = 1;
    cli::Format format = cli::Format::Table;
};

/// `tagout journal verify`: 0 when the journal's chain and every evidence block are whole, else 1
/// with what was altered and where. Beside a running server, which holds the evidence, it verifies
/// the journal alone and says so.
Result<int> verify_stores(const VerifyOptions& options, cli::Terminal& terminal);

/// `tagout journal show`: entries as JSON lines.
Result<int> show_journal(const VerifyOptions& options, cli::Terminal& terminal);

}  // namespace tagout::app
