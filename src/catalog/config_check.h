// What one value alone cannot tell: formats of texts, and references between parts of tagout.yaml.
//
// Internal to the catalog room; config.cc reads, this judges. Pure functions.
#pragma once

#include "catalog/config_describe.h"
#include "catalog/mistake.h"
#include "catalog/value_text.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tagout::catalog {

inline constexpr std::size_t name_bytes_max = 256;

/// Where each value that was read stands in the file, by its path.
class Places {
public:
    void put(std::string path, int line, int column) {
        places_.try_emplace(std::move(path), Place{line, column});
    }
    [[nodiscard]] Mistake mistake(std::string path, std::string what, std::string remedy) const;

private:
    struct Place {
        int line = 0;
        int column = 0;
    };
    std::unordered_map<std::string, Place> places_;
};

/// Nothing if `text` is as `format` says.
[[nodiscard]] std::optional<Problem> check_format(std::string_view text, Format format);
/// Prefixes and forms of well-known credentials, user and password in a URL, Slack hook addresses.
[[nodiscard]] bool looks_secret(std::string_view text);
/// A key under which people write credentials: secret, token, api_key, password, ...
[[nodiscard]] bool names_secret(std::string_view key);

/// References, duplicates of rules, contradictions and what each channel type needs. What lacks
/// something only because it was `misread` is not told twice.
[[nodiscard]] std::vector<Mistake> check_contents(
    const Contents& contents, const Places& places, std::span<const Mistake> misread
);

}  // namespace tagout::catalog
