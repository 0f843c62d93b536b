#include "gateway/fleet/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace tagout::gateway {

namespace {

constexpr mode_t own_file = 0600;

std::unexpected<Error> system_failure(const std::string& path) {
    return fail(ErrorCode::Unavailable, path + ": " + std::strerror(errno));
}

}  // namespace

Result<std::optional<std::string>> read_file(const std::string& path, std::size_t bytes_max) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return errno == ENOENT ? Result<std::optional<std::string>>(std::nullopt)
                               : system_failure(path);
    }
    std::string text;
    char part[65'536];
    ssize_t count = 0;
    while ((count = ::read(file, part, sizeof part)) > 0 && text.size() <= bytes_max) {
        text.append(part, static_cast<std::size_t>(count));
    }
    Result<std::optional<std::string>> result = std::optional(std::string());
    if (count < 0) {
        result = system_failure(path);
    } else if (text.size() > bytes_max) {
        result = fail(
            ErrorCode::LimitExceeded,
            path + " is longer than " + std::to_string(bytes_max) + " bytes"
        );
    } else {
        *result = std::move(text);
    }
    ::close(file);
    return result;
}

Result<void> write_file(const std::string& path, std::string_view text) {
    const std::string beside = path + ".new";
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, own_file);
    if (file < 0) {
        return system_failure(beside);
    }
    const bool written =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    Result<void> result = written ? Result<void>{} : system_failure(beside);
    if (::close(file) != 0 && result) {
        result = system_failure(beside);
    }
    if (result && std::rename(beside.c_str(), path.c_str()) != 0) {
        result = system_failure(path);
    }
    return result;
}

Result<void> make_folder(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (!error) {
        std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
    }
    return error ? Result<void>(fail(ErrorCode::Unavailable, path + ": " + error.message()))
                 : Result<void>{};
}

Result<FolderLock> FolderLock::take(const std::string& folder) {
    const std::string path = folder + "/lock";
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, own_file);
    if (file < 0) {
        return system_failure(path);
    }
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        ::close(file);
        return fail(
            ErrorCode::Conflict,
            folder + " is used by another gateway; give this one its own --data-dir"
        );
    }
    return FolderLock(file);
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

}  // namespace tagout::gateway
