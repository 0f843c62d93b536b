#include "verify/tar.h"

#include "base/assert.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

namespace tagout::verify {

namespace {

// Offsets and sizes of POSIX.1-1988 ustar.
constexpr std::size_t name_at = 0;
constexpr std::size_t mode_at = 100;
constexpr std::size_t owner_at = 108;
constexpr std::size_t group_at = 116;
constexpr std::size_t size_at = 124;
constexpr std::size_t size_digits = 11;
constexpr std::size_t time_at = 136;
constexpr std::size_t checksum_at = 148;
constexpr std::size_t checksum_bytes = 8;
constexpr std::size_t type_at = 156;
constexpr std::size_t magic_at = 257;
constexpr std::size_t device_at = 329;

constexpr std::int64_t time_max_s = 077777777777;
constexpr std::size_t content_bytes_max = 077777777777;

using Header = std::array<char, tar_block_bytes>;

void put_octal(Header& header, std::size_t at, std::size_t digits, std::uint64_t value) {
    for (std::size_t i = digits; i-- > 0;) {
        header[at + i] = static_cast<char>('0' + (value & 7U));
        value >>= 3U;
    }
    header[at + digits] = '\0';
}

Header header_of(std::string_view name, std::size_t size, std::int64_t modified_at_s) {
    Header header{};
    std::copy(name.begin(), name.end(), header.begin() + name_at);
    put_octal(header, mode_at, 7, 0644);
    put_octal(header, owner_at, 7, 0);
    put_octal(header, group_at, 7, 0);
    put_octal(header, size_at, size_digits, size);
    put_octal(header, time_at, 11, static_cast<std::uint64_t>(modified_at_s));
    header[type_at] = '0';
    std::memcpy(header.data() + magic_at, "ustar\00000", 8);
    put_octal(header, device_at, 7, 0);
    put_octal(header, device_at + 8, 7, 0);
    std::fill_n(header.begin() + checksum_at, checksum_bytes, ' ');
    std::uint64_t sum = 0;
    for (const char byte : header) {
        sum += static_cast<unsigned char>(byte);
    }
    put_octal(header, checksum_at, 6, sum);
    return header;
}

/// Digits and then a zero byte: any other form is refused.
bool read_octal(
    std::string_view header, std::size_t at, std::size_t digits, std::uint64_t& value
) noexcept {
    value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        const char digit = header[at + i];
        if (digit < '0' || digit > '7') {
            return false;
        }
        value = value << 3U | static_cast<std::uint64_t>(digit - '0');
    }
    return header[at + digits] == '\0';
}

std::size_t padded(std::size_t size) noexcept {
    return (size + tar_block_bytes - 1) / tar_block_bytes * tar_block_bytes;
}

bool is_zero(std::string_view bytes) noexcept {
    return std::ranges::all_of(bytes, [](char byte) { return byte == '\0'; });
}

std::string printable(std::string_view name) {
    std::string text;
    for (const char byte : name.substr(0, tar_name_bytes_max)) {
        text += byte >= ' ' && byte <= '~' ? byte : '?';
    }
    return text;
}

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    TarReading read() {
        while (next()) {
        }
        return std::move(reading_);
    }

private:
    void fault(std::string what) {
        if (reading_.faults.size() < tar_faults_max) {
            reading_.faults.push_back(std::move(what));
        }
    }
    [[nodiscard]] std::string place() const { return "at byte " + std::to_string(at_); }
    [[nodiscard]] std::string last_name() const {
        return reading_.files.empty() ? std::string("the beginning")
                                      : "'" + std::string(reading_.files.back().name) + "'";
    }

    /// One file. False at the end of the archive, and where nothing more can be made out.
    bool next() {
        const std::string_view rest = bytes_.substr(at_);
        if (rest.size() < tar_block_bytes) {
            fault(
                "truncated behind " + last_name() + ": " + std::to_string(rest.size()) +
                " bytes are left, and the end of an archive is two zero blocks of 512"
            );
            return false;
        }
        const std::string_view header = rest.substr(0, tar_block_bytes);
        if (is_zero(header)) {
            end_of_archive(rest);
            return false;
        }
        return file(header);
    }

    void end_of_archive(std::string_view rest) {
        if (rest.size() < 2 * tar_block_bytes) {
            fault("truncated: the second of the two zero blocks at the end is cut");
        } else if (rest.size() > 2 * tar_block_bytes) {
            fault(
                std::to_string(rest.size() - 2 * tar_block_bytes) +
                " bytes stand behind the end of the archive"
            );
        }
        if (!is_zero(rest.substr(0, std::min(rest.size(), 2 * tar_block_bytes)))) {
            fault("the zero blocks at the end of the archive were changed");
        }
    }

    bool file(std::string_view header) {
        const std::string_view field = header.substr(name_at, mode_at);
        const std::string_view name = field.substr(0, field.find('\0'));
        if (reading_.files.size() >= tar_files_max) {
            fault(
                "more than " + std::to_string(tar_files_max) + " files; a pack never has so many"
            );
            return false;
        }
        if (header[type_at] != '0') {
            fault(
                "'" + printable(name) + "' " + place() +
                " is no regular file (a link, a folder or an extension); a pack has none"
            );
            return false;
        }
        if (!is_tar_name(name)) {
            fault(
                "a file named '" + printable(name) + "' " + place() +
                ": that is no name of a pack's file (lower-case letters, digits, '.', '_', '-')"
            );
            return false;
        }
        std::uint64_t size = 0;
        std::uint64_t time = 0;
        if (!read_octal(header, size_at, size_digits, size) || !read_octal(header, time_at, 11, time)) {
            fault("the header of '" + std::string(name) + "' " + place() + " has no valid size or time");
            return false;
        }
        if (reading_.files.empty()) {
            reading_.modified_at_s = static_cast<std::int64_t>(time);
        }
        return take(header, name, size);
    }

    bool take(std::string_view header, std::string_view name, std::uint64_t size) {
        const Header canonical =
            header_of(name, static_cast<std::size_t>(size), reading_.modified_at_s);
        const auto [ours, theirs] =
            std::mismatch(canonical.begin(), canonical.end(), header.begin());
        if (ours != canonical.end()) {
            fault(
                "the header of '" + std::string(name) + "' was changed at byte " +
                std::to_string(at_ + static_cast<std::size_t>(theirs - header.begin()))
            );
        }
        if (!names_.emplace(name).second) {
            fault("'" + std::string(name) + "' stands twice");
        }
        at_ += tar_block_bytes;
        const std::string_view rest = bytes_.substr(at_);
        if (size > rest.size()) {
            fault(
                "'" + std::string(name) + "' is truncated: " + std::to_string(size) +
                " bytes were promised, " + std::to_string(rest.size()) + " are there"
            );
            return false;
        }
        const auto length = static_cast<std::size_t>(size);
        reading_.files.push_back({name, rest.substr(0, length)});
        const std::size_t whole = padded(length);
        const std::string_view padding =
            rest.substr(length, std::min(whole, rest.size()) - length);
        if (!is_zero(padding)) {
            fault("the padding behind '" + std::string(name) + "' was changed");
        }
        if (whole > rest.size()) {
            fault("truncated in the padding behind '" + std::string(name) + "'");
            return false;
        }
        at_ += whole;
        return true;
    }

    std::string_view bytes_;
    std::size_t at_ = 0;
    std::set<std::string_view> names_;
    TarReading reading_;
};

}  // namespace

bool is_tar_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= tar_name_bytes_max && name.front() != '.' &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                      c == '-';
           });
}

std::string write_tar(const std::vector<TarFile>& files, std::int64_t modified_at_s) {
    TAGOUT_ASSERT(files.size() <= tar_files_max, "a pack has a dozen files");
    const std::int64_t time = std::clamp<std::int64_t>(modified_at_s, 0, time_max_s);
    std::size_t size = 2 * tar_block_bytes;
    for (const TarFile& file : files) {
        size += tar_block_bytes + padded(file.content.size());
    }
    std::string bytes;
    bytes.reserve(size);
    for (const TarFile& file : files) {
        TAGOUT_ASSERT(is_tar_name(file.name), "names of a pack's files are ours");
        TAGOUT_ASSERT(file.content.size() <= content_bytes_max, "bounded by whoever made it");
        const Header header = header_of(file.name, file.content.size(), time);
        bytes.append(header.data(), header.size());
        bytes += file.content;
        bytes.append(padded(file.content.size()) - file.content.size(), '\0');
    }
    bytes.append(2 * tar_block_bytes, '\0');
    return bytes;
}

TarReading read_tar(std::string_view bytes) {
    return Reader(bytes).read();
}

}  // namespace tagout::verify
