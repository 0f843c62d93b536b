// Small files of a gateway's folder, whole or not at all.
//
// Thread-safe. Errors name the path.
#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace tagout::gateway {

/// Nothing if there is no such file; LimitExceeded past `bytes_max`.
[[nodiscard]] Result<std::optional<std::string>> read_file(
    const std::string& path, std::size_t bytes_max
);
/// Written beside and renamed: a reader, and a restart, sees the old or the new. Mode 0600.
Result<void> write_file(const std::string& path, std::string_view text);
/// Makes the folder and those above it, for its owner alone.
Result<void> make_folder(const std::string& path);

/// One process at a time: held until it goes. Conflict: another process has it.
class FolderLock {
public:
    [[nodiscard]] static Result<FolderLock> take(const std::string& folder);
    FolderLock(FolderLock&& other) noexcept;
    FolderLock& operator=(FolderLock&&) = delete;
    ~FolderLock();

private:
    explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace tagout::gateway
