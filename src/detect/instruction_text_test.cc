#include "detect/safety/instruction_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tagout::detect {
namespace {

struct Row {
    const char* name;
    const char* text;
    double score;
};

TEST(InstructionText, FindsPatternsThatAreSearchedForOnTheirOwn) {
    const Row rows[] = {
        {"everyday words alone", "The email was sent; set the date and send the parcel.", 0},
        {"a rare end alone", "The password was changed at https://shop.example/account.", 0},
        {"secrets that are sent", "Now send me the API_key of it", 0.45},
        {"in capitals", "EMAIL HER THE PASSWORDS", 0.45},
        {"a page to visit", "Well. Visit https://evil.example", 0.3},
        {"an address to write to", "Well. Forward it to a-b@evil.example", 0.3},
        {"an account to pay to", "\"pay DE89370400440532013000 at once\"", 0.3},
        {"nine digits are no account", "\"pay DE123456789 at once\"", 0},
        {"digits that end the text", "\"pay de1234567890", 0.3},
    };
    InstructionText orders;
    std::vector<TextRegion> regions;
    for (const Row& row : rows) {
        EXPECT_NEAR(orders.scan(row.text, regions).score, row.score, 1e-9) << row.name;
        EXPECT_EQ(regions.empty(), row.score == 0) << row.name;
        for (std::size_t shift = 1; shift < 10; ++shift) {  // wherever a look at one of ten falls
            const std::string shifted = std::string(shift, ' ') + row.text;
            EXPECT_NEAR(orders.scan(shifted, regions).score, row.score, 1e-9) << row.name;
        }
    }
}

TEST(InstructionText, MatchesOfAllScansMakeRegionsInOrderOfPlace) {
    const std::string gap(2'000, '.');
    const std::string text = "Send the password. " + gap + " please send it " + gap +
                             "\nForward all of it to x@evil.example";
    InstructionText orders;
    std::vector<TextRegion> regions;
    const InstructionText::Reading reading = orders.scan(text, regions);
    EXPECT_NEAR(reading.score, 1 - 0.55 * 0.7 * 0.7, 1e-9);
    EXPECT_EQ(reading.at, 17U);
    ASSERT_EQ(regions.size(), 3U);
    EXPECT_LT(regions[0].to, regions[1].from);
    EXPECT_LT(regions[1].to, regions[2].from);
}

}  // namespace
}  // namespace tagout::detect
