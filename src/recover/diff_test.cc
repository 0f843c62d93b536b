#include "recover/diff.h"

#include "base/prng.h"

#include <gtest/gtest.h>

namespace tagout::recover {
namespace {

TEST(Diff, ShowsWhatAPersonChanged) {
    struct Row {
        const char* what;
        std::string from;
        std::string to;
        std::string unified;
    };
    const Row rows[] = {
        {"nothing", "a\nb\n", "a\nb\n", ""},
        {"a line changed", "a\nb\nc\n", "a\nB\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
        {"a line more", "a\n", "a\nb\n", "@@ -1,1 +1,2 @@\n a\n+b\n"},
        {"all new", "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
        {"all gone", "a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
        {"the last line's end",
         "a",
         "a\n",
         "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"},
        {"far from both ends",
         "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n",
         "1\n2\n3\n4\n5\nsix\n7\n8\n9\n10\n11\n",
         "@@ -3,7 +3,7 @@\n 3\n 4\n 5\n-6\n+six\n 7\n 8\n 9\n"},
    };
    for (const Row& row : rows) {
        const Diff made = diff(row.from, row.to);
        const std::string head = row.unified.empty() ? "" : "--- x\n+++ y\n";
        EXPECT_EQ(unified(made, "x", "y"), head + row.unified) << row.what;
        EXPECT_FALSE(made.whole) << row.what;
    }
}

TEST(Diff, TwoChangesFarApartAreTwoHunks) {
    std::string from;
    std::string to;
    for (int i = 1; i <= 30; ++i) {
        from += std::to_string(i) + "\n";
        to += i == 5 || i == 25 ? "x\n" : std::to_string(i) + "\n";
    }
    const std::string text = unified(diff(from, to), "a", "b");
    EXPECT_NE(text.find("@@ -1,8 +1,8 @@"), std::string::npos) << text;
    EXPECT_NE(text.find("@@ -22,7 +22,7 @@"), std::string::npos) << text;
}

/// Puts the shown lines together again: a diff that loses a line is no diff.
std::string side(const Diff& made, DiffLine::Kind left_out) {
    std::string text;
    for (const DiffLine& line : made.lines) {
        if (line.kind != left_out && line.kind != DiffLine::Kind::Gap) {
            text += line.text + "\n";
        }
    }
    return text;
}

TEST(Diff, LosesNoLine) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Prng prng(seed);
        std::string from;
        std::string to;
        for (std::size_t i = prng.below(12); i > 0; --i) {
            const std::string line(1, static_cast<char>('a' + prng.below(3)));
            from += prng.below(3) == 0 ? "" : line + "\n";
            to += prng.below(3) == 0 ? "" : line + "\n";
        }
        const Diff made = diff(from, to);
        bool has_gap = false;
        for (const DiffLine& line : made.lines) {
            has_gap = has_gap || line.kind == DiffLine::Kind::Gap;
        }
        if (!has_gap) {
            EXPECT_EQ(side(made, DiffLine::Kind::Added), from) << seed;
            EXPECT_EQ(side(made, DiffLine::Kind::Removed), to) << seed;
        }
    }
}

TEST(Diff, PastItsBoundItSaysSo) {
    std::string from = "head\n";
    std::string to = "head\n";
    for (std::size_t i = 0; i <= Diff::lines_max; ++i) {
        from += "old " + std::to_string(i) + "\n";
        to += "new " + std::to_string(i) + "\n";
    }
    const Diff made = diff(from, to);
    EXPECT_TRUE(made.whole);
    EXPECT_EQ(made.added, Diff::lines_max + 1);
    EXPECT_EQ(made.removed, Diff::lines_max + 1);
    std::string large;
    for (int i = 0; i < 50'000; ++i) {
        large += "same\n";
    }
    EXPECT_FALSE(diff(large, large + "one\n").whole) << "what both share costs nothing";
}

}  // namespace
}  // namespace tagout::recover
