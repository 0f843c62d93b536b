// An SQLite VFS for tests that fails the n-th change of a file (write, sync, truncate), and every
// one after it until it is healed: a disk that becomes full or dies in the middle of something.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <string>

namespace tagout::store {

/// Thread-safe. Registers itself under its name while it lives; wraps the default VFS.
class FaultyVfs {
public:
    explicit FaultyVfs(std::string name);
    ~FaultyVfs();
    FaultyVfs(const FaultyVfs&) = delete;
    FaultyVfs& operator=(const FaultyVfs&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    /// The `n`-th change from now fails with `code`, and all after it. 1 is the next one.
    void fail_from(int n, int code);
    void heal();
    [[nodiscard]] bool has_failed() const { return failed_; }

    /// For the file methods: SQLITE_OK, or the code to fail with.
    int next_change();

private:
    std::string name_;
    sqlite3_vfs vfs_{};
    std::atomic<int> left_{0};  ///< 0: healthy.
    std::atomic<int> code_{SQLITE_OK};
    std::atomic<bool> failed_{false};
};

}  // namespace tagout::store
