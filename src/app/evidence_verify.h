// `tagout evidence verify`: an evidence pack checked with nothing but the file and a public key.
#pragma once

#include "base/result.h"
#include "cli/terminal.h"

#include <string>

namespace tagout::app {

struct EvidenceVerifyOptions {
    std::string file = {};
    /// File with the trusted public key, or its 64 hex digits; "" for data_dir's.
    std::string key = {};
    std::string incident = {};  ///< "" takes a pack of any.
    std::string data_dir = "data";
    bool any_key = false;
    cli::Format format = cli::Format::Table;
};

/// 0 when the pack is whole and signed by the trusted key, else 1 after naming every fault. Needs no
/// server and writes nothing. InvalidArgument: the pack or the key cannot be read.
Result<int> verify_evidence_pack(const EvidenceVerifyOptions& options, cli::Terminal& terminal);

}  // namespace tagout::app
