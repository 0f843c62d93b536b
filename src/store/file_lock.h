// One process at a time: an advisory lock on a file, held while the object lives.
//
// Two servers on one data directory would each believe to be the only writer. The kernel releases
// the lock when the process ends, however it ends, so nothing stale is ever left to clean up; the
// file stays and holds the process id of whoever locked it last, for the message.
#pragma once

#include "base/result.h"

#include <string>

namespace tagout::store {

/// Thread-compatible. Movable; the moved-from object holds nothing.
class FileLock {
public:
    /// Creates `path` if need be. Unavailable names the process that holds the lock, and the remedy.
    static Result<FileLock> acquire(const std::string& path);
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock();

private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace tagout::store
