// tagout.yaml, read and checked whole.
//
// Every mistake is found in one pass, each with its line and what to write instead: unknown keys,
// wrong types, values out of bounds, duplicates, references to what is not there, bad globs and
// URLs, contradictions, secrets written into the file. The settings under detection, incidents and
// server are carried as text; the rooms that own them check them with catalog/setting_reader.h.
//
// Untrusted input: any bytes give a report within the bounds of YamlLimits. Pure; thread-safe.
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "catalog/mistake.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::catalog {

/// Past this, the rest are counted in a last one without a line.
inline constexpr std::size_t mistakes_max = 200;

struct ConfigReport {
    std::string file;                  ///< As it was called, for messages.
    std::optional<Contents> contents;  ///< Only when there is no mistake.
    std::vector<Mistake> mistakes;     ///< In order of line.

    /// One line a mistake, "" when there is none.
    [[nodiscard]] std::string text() const;
};

[[nodiscard]] ConfigReport read_config(std::string_view yaml, std::string_view file_name);

/// Fills `url` of each channel that names `url_env`, with what `environment` (as getenv) gives.
/// NotFound names the channel and the variable that is not set.
[[nodiscard]] Result<void> fill_channel_urls(
    Contents& contents, const std::function<const char*(const char*)>& environment
);

}  // namespace tagout::catalog
