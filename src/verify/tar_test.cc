#include "verify/tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tagout::verify {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

/// Puts `text` into the header at `at` and makes its checksum right again, as a hostile writer does.
std::string with_field(std::string tar, std::size_t at, std::string_view text) {
    tar.replace(at, text.size(), text);
    const std::size_t header = at / tar_block_bytes * tar_block_bytes;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < tar_block_bytes; ++i) {
        const bool checksum = i >= 148 && i < 156;
        sum += checksum ? ' ' : static_cast<unsigned char>(tar[header + i]);
    }
    for (std::size_t i = 6; i-- > 0;) {
        tar[header + 148 + i] = static_cast<char>('0' + (sum & 7U));
        sum >>= 3U;
    }
    return tar;
}

const std::vector<TarFile> two{{"a.json", "{}"}, {"b.md", std::string(513, 'b')}};

TEST(Tar, ReadsWhatItWrote) {
    const std::string bytes = write_tar(two, 1'800'000'000);
    const TarReading reading = read_tar(bytes);
    EXPECT_THAT(reading.faults, IsEmpty());
    ASSERT_EQ(reading.files.size(), 2U);
    EXPECT_EQ(reading.files[1].name, "b.md");
    EXPECT_EQ(reading.files[1].content, two[1].content);
    EXPECT_EQ(reading.modified_at_s, 1'800'000'000);
    EXPECT_THAT(read_tar(write_tar({}, 0)).faults, IsEmpty());
}

TEST(Tar, AnyTarProgramUnpacksIt) {
    std::string folder = (std::filesystem::temp_directory_path() / "tagout-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    std::ofstream(folder + "/pack.tar", std::ios::binary) << write_tar(two, 1'600'000'000);
    const std::string command = "cd " + folder + " && tar -xf pack.tar 2>said && test ! -s said";
    EXPECT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(std::filesystem::file_size(folder + "/b.md"), 513U);
    std::filesystem::remove_all(folder);
}

TEST(Tar, HostileArchivesAreRefused) {
    const std::string good = write_tar(two, 1'800'000'000);
    struct Row {
        std::string_view what;
        std::size_t at;
        std::string_view text;
        std::string_view says;
    };
    const Row rows[] = {
        {"a way out", 0, "../etc", "no name of a pack's file"},
        {"an absolute path", 0, "/tmp/x", "no name of a pack's file"},
        {"a folder in the name", 0, "a/json", "no name of a pack's file"},
        {"no name", 0, std::string_view("\0\0\0\0\0\0", 6), "no name of a pack's file"},
        {"a hard link", 156, "1", "no regular file"},
        {"a symbolic link", 156, "2", "no regular file"},
        {"a device", 156, "3", "no regular file"},
        {"a folder", 156, "5", "no regular file"},
        {"a pax header", 156, "x", "no regular file"},
        {"a long-name header", 156, "L", "no regular file"},
        {"a size past the end", 124, "77777777777", "is truncated: 8589934591 bytes were promised"},
        {"a size in base 256", 124, "\x80", "no valid size"},
        {"a negative size", 124, "-0000000001", "no valid size"},
        {"set-uid", 100, "0004755", "was changed at byte 103"},
        {"an owner", 108, "0001750", "was changed at byte"},
        {"a link's target", 157, "x", "was changed at byte 1"},
        {"a prefix", 345, "etc", "was changed at byte 1"},
    };
    for (const Row& row : rows) {
        const TarReading reading = read_tar(with_field(good, row.at, row.text));
        EXPECT_THAT(reading.faults, Contains(HasSubstr(std::string(row.says)))) << row.what;
    }
}

TEST(Tar, NamesThatStandTwiceAndTooManyFilesAreRefused) {
    EXPECT_THAT(
        read_tar(write_tar({{"a", "1"}, {"a", "2"}}, 0)).faults, Contains("'a' stands twice")
    );
    std::string many;
    for (std::size_t i = 0; i < 10 * tar_files_max; ++i) {
        const std::string one = write_tar({{"f" + std::to_string(i), ""}}, 0);
        many += one.substr(0, tar_block_bytes);
    }
    const TarReading reading = read_tar(many);
    EXPECT_EQ(reading.files.size(), tar_files_max);
    EXPECT_THAT(reading.faults, Contains(HasSubstr("more than 64 files")));
}

TEST(Tar, OneFileOfAnotherTimeIsFound) {
    const std::string a = write_tar({{"a", ""}}, 1'800'000'000).substr(0, tar_block_bytes);
    const std::string b = write_tar({{"b", ""}}, 1'800'000'001);
    EXPECT_THAT(read_tar(a + b).faults, Contains(HasSubstr("the header of 'b' was changed")));
}

}  // namespace
}  // namespace tagout::verify
