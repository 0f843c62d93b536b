#include "store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tagout::store {

Result<FileLock> FileLock::acquire(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return fail(
            ErrorCode::Unavailable, "cannot open " + path + ": " + std::strerror(errno) +
                                        "; the data directory must be writable by this user"
        );
    }
    FileLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        std::array<char, 32> holder{};
        const ssize_t size = ::pread(descriptor, holder.data(), holder.size() - 1, 0);
        std::string who(holder.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
        while (!who.empty() && who.back() == '\n') {
            who.pop_back();
        }
        return fail(
            ErrorCode::Unavailable, path + " is locked by process " + (who.empty() ? "?" : who) +
                                        ": stop that one, or give this one another data directory"
        );
    }
    const std::string self = std::to_string(::getpid()) + "\n";
    if (::ftruncate(descriptor, 0) == 0) {
        // Only for the message above: a disk too full to note the id is no reason to refuse.
        [[maybe_unused]] const ssize_t noted = ::pwrite(descriptor, self.data(), self.size(), 0);
    }
    return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

FileLock::~FileLock() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

}  // namespace tagout::store
