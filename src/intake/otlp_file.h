// OTLP that lies in files: what `tagout events` and `tagout replay` read.
//
// A file is one request in protobuf or JSON, or several in JSON one after the other (as the
// Collector's file exporter writes them, one a line), of any signals mixed. Encoding and signals are
// found out from the content. Files given together are linked as one: spans and log records of one
// run enrich each other, and a parent that is in none of them never comes.
#pragma once

#include "intake/intake.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::intake {

struct OtlpFile {
    std::string_view name;     ///< For error messages.
    std::string_view content;  ///< Decompressed.
};

/// All events of the files, linked, in order of ended_at; items and memory with them.
/// InvalidArgument names the file, the request in it and the place in that.
[[nodiscard]] Result<std::shared_ptr<EventBatch>> read_otlp_files(
    std::span<const OtlpFile> files, const DecodeLimits& limits
);

/// One JSON line for each of those events (event_json.h), spans and records in the files' order.
[[nodiscard]] Result<std::vector<std::string>> event_lines_of_files(
    std::span<const OtlpFile> files, const DecodeLimits& limits
);

}  // namespace tagout::intake
