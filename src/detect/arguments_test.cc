#include "detect/arguments.h"

#include <gtest/gtest.h>

#include <string>

namespace tagout::detect {
namespace {

struct Pair {
    const char* name;
    const char* left;
    const char* right;
    bool equal;
};

TEST(Arguments, EqualCallsShareOneHash) {
    const Pair rows[] = {
        {"blanks do not matter", R"({"id": 1, "to":"a"})", R"( { "id":1,"to" : "a" } )", true},
        {"order of keys does not matter", R"({"a":1,"b":2})", R"({"b":2,"a":1})", true},
        {"order in nested objects neither",
         R"({"x":{"a":1,"b":2}})",
         R"({"x":{"b":2,"a":1}})",
         true},
        {"order in arrays matters", "[1,2]", "[2,1]", false},
        {"another value is another call", R"({"id":"A-1"})", R"({"id":"A-2"})", false},
        {"swapped values are another call", R"({"a":1,"b":2})", R"({"a":2,"b":1})", false},
        {"a number is no string", R"({"id":1})", R"({"id":"1"})", false},
        {"no arguments are no empty object", "", "{}", false},
        {"bare text is compared as it stands", "ls -la", "  ls -la ", true},
        {"bare text with a comma is one text", "ls, then cd", "ls", false},
        {"a missing key is another call", R"({"a":1})", R"({"a":1,"b":null})", false},
    };
    for (const Pair& row : rows) {
        EXPECT_EQ(hash_arguments(row.left) == hash_arguments(row.right), row.equal) << row.name;
    }
}

TEST(Arguments, ValuesComeWithTheirNames) {
    std::vector<ArgumentValue> values;
    const std::string json =
        R"({"to":"a@b.c","lines":[{"sku":"X\u002d1"},"y"],"n":12.5,"ok":true})";
    read_values(json, {}, values);
    ASSERT_EQ(values.size(), 5U);
    EXPECT_EQ(values[0].name, "to");
    EXPECT_EQ(values[0].text, "a@b.c");
    EXPECT_TRUE(values[0].quoted);
    EXPECT_EQ(values[1].text, "X-1");
    EXPECT_EQ(values[2].name, "lines");
    EXPECT_EQ(values[3].text, "12.5");
    EXPECT_FALSE(values[3].quoted);
    EXPECT_EQ(values[4].text, "true");
}

TEST(Arguments, AnythingIsReadToItsEnd) {
    const std::string deep = std::string(100'000, '[') + "1";
    const std::string rows[] = {
        deep,
        "{",
        "{\"a",
        "{\"a\":",
        "{\"a\":}",
        "{,,,}",
        "[}",
        "{\"a\" \"b\"}",
        "\\",
        "\"\\",
        std::string(50'000, '{'),
        "{\"a\":\"" + std::string(100'000, 'x'),
        "}}}}",
        "{:}",
    };
    for (const std::string& row : rows) {
        std::vector<ArgumentValue> values;
        read_values(row, {}, values);
        EXPECT_LE(values.size(), ArgumentLimits{}.values_max);
        EXPECT_EQ(hash_arguments(row), hash_arguments(row)) << row.substr(0, 20);
        for (const ArgumentValue& value : values) {
            EXPECT_LE(value.text.size(), ArgumentLimits{}.value_bytes_max + 3);
        }
    }
}

}  // namespace
}  // namespace tagout::detect
