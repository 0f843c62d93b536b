// A POSIX tar (ustar) of a few small files, in one canonical form: what an evidence pack lies in.
//
// Any tar program unpacks what write_tar() makes. read_tar() is much stricter than tar: it takes only
// the bytes that write_tar() would have made from the same files, so that no byte of an archive is
// without meaning and each one that was changed is found, headers and padding too.
//
// The form: regular files only, names of lower-case letters, digits, '.', '_' and '-' (no folders, so
// no way out of one), mode 0644, owner 0, one time for all files, two zero blocks at the end and not
// a byte behind them. Untrusted bytes in: bounded, never a crash, nothing is ever written to disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::verify {

inline constexpr std::size_t tar_block_bytes = 512;
inline constexpr std::size_t tar_files_max = 64;
inline constexpr std::size_t tar_name_bytes_max = 99;
inline constexpr std::size_t tar_faults_max = 100;  ///< Of one reading; the rest is the same story.

struct TarFile {
    std::string name;
    std::string content;
};

/// `modified_at_s` is seconds since 1970. The files must fit the bounds above: names valid and unique.
[[nodiscard]] std::string write_tar(const std::vector<TarFile>& files, std::int64_t modified_at_s);
[[nodiscard]] bool is_tar_name(std::string_view name) noexcept;

/// A file inside the bytes that were read: views, no copies.
struct TarView {
    std::string_view name;
    std::string_view content;
};

struct TarReading {
    std::vector<TarView> files;  ///< As far as they could be read.
    std::int64_t modified_at_s = 0;
    std::vector<std::string> faults;  ///< Each names the file or byte; empty when it is canonical.
};

[[nodiscard]] TarReading read_tar(std::string_view bytes);

}  // namespace tagout::verify
