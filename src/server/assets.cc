#include "server/assets.h"

#include <algorithm>

namespace tagout::server {

const Asset* find_asset(std::string_view path) noexcept {
    const auto at = [](std::string_view wanted) -> const Asset* {
        const std::span<const Asset> all = assets();
        const auto found = std::ranges::find(all, wanted, &Asset::path);
        return found == all.end() ? nullptr : &*found;
    };
    if (const Asset* const exact = at(path); exact != nullptr) {
        return exact;
    }
    // The page routes by path; a name with an extension is a file, and it is not there.
    const std::size_t slash = path.rfind('/');
    const bool is_file =
        slash == std::string_view::npos || path.find('.', slash) != std::string_view::npos;
    return is_file ? nullptr : at("/index.html");
}

}  // namespace tagout::server
