#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace tagout::cli {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
    EXPECT_EQ(
        table({"ID", "WHAT"}, {{"INC-1", "short"}, {"INC-22", "also short"}}, 80),
        "ID      WHAT\n"
        "INC-1   short\n"
        "INC-22  also short"
    );
}

TEST(Table, TheLastColumnIsClippedToTheTerminal) {
    const std::string text = table({"A", "B"}, {{"x", std::string(200, 'y')}}, 40);
    const std::size_t line = text.find('\n') + 1;
    EXPECT_EQ(display_width(text.substr(line)), 40U);
    EXPECT_TRUE(text.ends_with("…"));
}

TEST(Table, LettersBeyondAsciiAndColoursTakeTheirTrueWidth) {
    EXPECT_EQ(display_width("Zürich"), 6U);
    EXPECT_EQ(display_width("\033[31mSEV1\033[0m"), 4U);
    const std::string text =
        table({"SEV", "OWNER"}, {{"\033[31mSEV1\033[0m", "ops"}, {"SEV2", "é"}}, 80);
    EXPECT_NE(text.find("\033[31mSEV1\033[0m  ops"), std::string::npos);
    EXPECT_NE(text.find("SEV2  é"), std::string::npos);
}

TEST(Table, ClippingNeverCutsALetterInTwo) {
    std::string umlauts;
    for (int i = 0; i < 100; ++i) {
        umlauts += "ü";
    }
    const std::string text = table({"A"}, {{umlauts}}, 20);
    const std::string cell = text.substr(text.find('\n') + 1);
    EXPECT_EQ(display_width(cell), 20U);
    EXPECT_EQ((cell.size() - std::string("…").size()) % 2, 0U);
}

}  // namespace
}  // namespace tagout::cli
