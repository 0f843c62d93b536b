// The few things that the evidence log asks of a disk, as a seam: tests put a disk behind it that is
// full, fails the n-th call or loses an fsync.
//
// Errors are Unavailable and name the file, the system's reason and the remedy. A failed sync says
// that earlier writes may be lost although a second sync would succeed (the kernel marks the pages
// clean, fsync(2)): whoever sees one abandons the file.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tagout::store {

/// Thread-compatible. A file descriptor that closes itself.
class OpenFile {
public:
    OpenFile() = default;
    explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
    OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    OpenFile& operator=(OpenFile&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~OpenFile();

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

    /// Up to `size` bytes from `offset`; fewer only at the end of the file.
    [[nodiscard]] Result<std::size_t> read(char* to, std::size_t size, std::uint64_t offset) const;
    [[nodiscard]] Result<std::uint64_t> size() const;

private:
    int descriptor_ = -1;
};

enum class OpenMode : std::uint8_t { Read, ReadWrite, CreateNew };

/// Thread-safe.
class Disk {
public:
    virtual ~Disk() = default;

    /// NotFound: Read or ReadWrite of what is not there.
    virtual Result<OpenFile> open(const std::string& path, OpenMode mode);
    /// Writes all of `bytes`, or says that any part of them may have been written.
    virtual Result<void> write(const OpenFile& file, std::string_view bytes, std::uint64_t offset);
    virtual Result<void> sync(const OpenFile& file);
    virtual Result<void> truncate(const OpenFile& file, std::uint64_t size);
    virtual Result<void> rename(const std::string& from, const std::string& to);
    virtual Result<void> remove(const std::string& path);
    /// Makes names that were created, renamed or removed in `directory` durable.
    virtual Result<void> sync_directory(const std::string& directory);

    /// Replaces `directory`/`name` with `bytes`, all or nothing, durable on return.
    Result<void> replace(
        const std::string& directory, const std::string& name, std::string_view bytes
    );

    /// The machine's own.
    static Disk& system();
};

/// The whole file; NotFound if there is none.
Result<std::string> read_file(Disk& disk, const std::string& path);

}  // namespace tagout::store
