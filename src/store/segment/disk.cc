#include "store/segment/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tagout::store {

namespace {

std::unexpected<Error> disk_failure(std::string_view doing, std::string_view what) {
    const int reason = errno;
    std::string message = "evidence log: cannot ";
    message.append(doing).append(" ").append(what).append(": ").append(std::strerror(reason));
    if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG) {
        message += "; free space on that disk or lower evidence.retention_bytes";
    } else if (reason == EACCES || reason == EPERM || reason == EROFS) {
        message += "; the directory must be writable by this user";
    } else if (reason == EMFILE || reason == ENFILE) {
        message += "; raise the limit of open files (ulimit -n)";
    }
    return fail(reason == ENOENT ? ErrorCode::NotFound : ErrorCode::Unavailable, std::move(message));
}

}  // namespace

OpenFile::~OpenFile() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

Result<std::size_t> OpenFile::read(char* to, std::size_t size, std::uint64_t offset) const {
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got =
            ::pread(descriptor_, to + done, size - done, static_cast<off_t>(offset + done));
        if (got == 0) {
            break;
        }
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return disk_failure("read", "a segment");
        }
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Result<std::uint64_t> OpenFile::size() const {
    struct stat info {};
    if (::fstat(descriptor_, &info) != 0) {
        return disk_failure("look at", "a segment");
    }
    return static_cast<std::uint64_t>(info.st_size);
}

Result<OpenFile> Disk::open(const std::string& path, OpenMode mode) {
    int flags = O_CLOEXEC;
    switch (mode) {
        case OpenMode::Read:
            flags |= O_RDONLY;
            break;
        case OpenMode::ReadWrite:
            flags |= O_RDWR;
            break;
        case OpenMode::CreateNew:
            flags |= O_RDWR | O_CREAT | O_TRUNC;
            break;
    }
    const int descriptor = ::open(path.c_str(), flags, 0600);
    if (descriptor < 0) {
        return disk_failure("open", path);
    }
    return OpenFile(descriptor);
}

Result<void> Disk::write(const OpenFile& file, std::string_view bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(
            file.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset)
        );
        if (put < 0) {
            if (errno == EINTR) {
                continue;
            }
            return disk_failure("write", "a segment");
        }
        bytes.remove_prefix(static_cast<std::size_t>(put));
        offset += static_cast<std::uint64_t>(put);
    }
    return {};
}

Result<void> Disk::sync(const OpenFile& file) {
    if (::fdatasync(file.descriptor()) != 0) {
        return disk_failure("sync", "a segment");
    }
    return {};
}

Result<void> Disk::truncate(const OpenFile& file, std::uint64_t size) {
    if (::ftruncate(file.descriptor(), static_cast<off_t>(size)) != 0) {
        return disk_failure("truncate", "a segment");
    }
    return {};
}

Result<void> Disk::rename(const std::string& from, const std::string& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0) {
        return disk_failure("rename", from);
    }
    return {};
}

Result<void> Disk::remove(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return disk_failure("remove", path);
    }
    return {};
}

Result<void> Disk::sync_directory(const std::string& directory) {
    const OpenFile opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.is_open() || ::fsync(opened.descriptor()) != 0) {
        return disk_failure("sync", directory);
    }
    return {};
}

Result<void> Disk::replace(
    const std::string& directory, const std::string& name, std::string_view bytes
) {
    const std::string path = directory + "/" + name;
    const std::string fresh = path + ".new";
    const auto put = [&]() -> Result<void> {
        const OpenFile file = TAGOUT_TRY(open(fresh, OpenMode::CreateNew));
        TAGOUT_TRY(write(file, bytes, 0));
        TAGOUT_TRY(sync(file));
        TAGOUT_TRY(rename(fresh, path));
        return sync_directory(directory);
    };
    Result<void> done = put();
    if (!done) {
        static_cast<void>(remove(fresh));  // a leftover would only take space
    }
    return done;
}

Disk& Disk::system() {
    static Disk disk;
    return disk;
}

Result<std::string> read_file(Disk& disk, const std::string& path) {
    const OpenFile file = TAGOUT_TRY(disk.open(path, OpenMode::Read));
    const std::uint64_t size = TAGOUT_TRY(file.size());
    std::string bytes(size, '\0');
    bytes.resize(TAGOUT_TRY(file.read(bytes.data(), bytes.size(), 0)));
    return bytes;
}

}  // namespace tagout::store
