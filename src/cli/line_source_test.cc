#include "cli/line_source.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tagout::cli {
namespace {

class LineSourceFiles : public testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("tagout-lines-" + std::to_string(::getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string file(const std::string& name, const std::string& content) {
        const std::string path = (folder_ / name).string();
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    std::string gzip_file(const std::string& name, const std::string& content) {
        const std::string path = (folder_ / name).string();
        const gzFile out = gzopen(path.c_str(), "ab");
        gzwrite(out, content.data(), static_cast<unsigned>(content.size()));
        gzclose(out);
        return path;
    }
    static std::vector<std::string> lines_of(const std::string& path) {
        Result<LineSource> source = LineSource::open(path);
        EXPECT_TRUE(source.has_value());
        std::vector<std::string> lines;
        LineSource::Line line;
        while (source->next(line).value()) {
            EXPECT_EQ(line.number, lines.size() + 1);
            lines.push_back(line.text);
        }
        return lines;
    }

    std::filesystem::path folder_;
};

using Lines = std::vector<std::string>;

TEST_F(LineSourceFiles, PlainAndGzipReadTheSame) {
    EXPECT_EQ(lines_of(file("plain", "one\ntwo\n\nfour")), (Lines{"one", "two", "", "four"}));
    EXPECT_EQ(
        lines_of(gzip_file("packed.gz", "one\ntwo\n\nfour")), (Lines{"one", "two", "", "four"})
    );
    EXPECT_EQ(lines_of(file("empty", "")), Lines{});
}

TEST_F(LineSourceFiles, SeveralGzipMembersAreOneFile) {
    gzip_file("two.gz", "one\n");
    EXPECT_EQ(lines_of(gzip_file("two.gz", "two\n")), (Lines{"one", "two"}));
}

TEST_F(LineSourceFiles, ALineLongerThanTheBufferIsWhole) {
    const std::string longest(1'000'000, 'x');
    EXPECT_EQ(lines_of(file("long", longest + "\nend")), (Lines{longest, "end"}));
}

TEST_F(LineSourceFiles, ALineOverTheBoundIsSkippedAndTheNextIsRead) {
    const std::string path =
        file("huge", std::string(LineSource::line_bytes_max + 10, 'x') + "\nnext\n");
    Result<LineSource> source = LineSource::open(path);
    LineSource::Line line;
    ASSERT_TRUE(source->next(line).value());
    EXPECT_TRUE(line.too_long);
    EXPECT_TRUE(line.text.empty());
    ASSERT_TRUE(source->next(line).value());
    EXPECT_FALSE(line.too_long);
    EXPECT_EQ(line.text, "next");
}

TEST_F(LineSourceFiles, DamagedGzipIsCorruptAndNotTheEnd) {
    std::string random;
    unsigned state = 1;
    for (int i = 0; i < 200'000; ++i) {
        state = state * 1664525 + 1013904223;
        random += static_cast<char>(' ' + (state >> 24U) % 90);
    }
    const std::string path = gzip_file("broken.gz", random);
    std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(5000);
    bytes.write("????????", 8);
    bytes.close();
    Result<LineSource> source = LineSource::open(path);
    LineSource::Line line;
    Result<bool> more = true;
    while (more && *more) {
        more = source->next(line);
    }
    ASSERT_FALSE(more.has_value());
    EXPECT_EQ(more.error().code, ErrorCode::Corrupt);
}

TEST_F(LineSourceFiles, WhatIsNotThereOrAFolderIsNamed) {
    const Result<LineSource> missing = LineSource::open((folder_ / "missing").string());
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    const Result<LineSource> folder = LineSource::open(folder_.string());
    ASSERT_FALSE(folder.has_value());
    EXPECT_NE(folder.error().message.find("folder"), std::string::npos);
}

TEST_F(LineSourceFiles, AWholeFileHasABound) {
    const std::string path = file("whole", std::string(1000, 'x'));
    EXPECT_EQ(read_whole(path, 1000).value().size(), 1000U);
    const Result<std::string> refused = read_whole(path, 999);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
}

}  // namespace
}  // namespace tagout::cli
