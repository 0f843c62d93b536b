// The page's files, built by Vite and embedded in the program, each gzip-compressed at build time.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tagout::server {

struct Asset {
    std::string_view path;  ///< "/index.html"
    std::string_view type;  ///< Content-Type
    std::string_view etag;  ///< Quoted
    std::string_view gzip;  ///< The content, compressed
    std::string_view plain;
};

/// All embedded files, in order of path. Without a built page: one index.html that says how to
/// build it.
[[nodiscard]] std::span<const Asset> assets() noexcept;

/// The file at `path`, index.html for "/" and for paths of the page's own routes, nullptr for a
/// missing file with an extension.
[[nodiscard]] const Asset* find_asset(std::string_view path) noexcept;

}  // namespace tagout::server
