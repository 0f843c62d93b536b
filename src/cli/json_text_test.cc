#include "cli/json_text.h"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace tagout::cli {
namespace {

boost::json::value parsed(std::string_view text) {
    return boost::json::parse(text);
}

TEST(JsonText, IndentedJsonReadsBackAsTheSameValue) {
    const boost::json::value value = parsed(R"({"a":[1,{"b":"x\"y"},[],{}],"c":null,"d":true})");
    EXPECT_EQ(boost::json::parse(to_indented(value)), value);
    EXPECT_NE(to_indented(value).find("\n    1,\n"), std::string::npos);
}

TEST(JsonText, YamlQuotesWhatWouldReadAsSomethingElse) {
    struct Row {
        const char* json;
        const char* yaml;
    };
    const Row rows[] = {
        {R"({"a":"plain text"})", "a: plain text"},
        {R"({"a":"yes"})", "a: \"yes\""},
        {R"({"a":"12"})", "a: \"12\""},
        {R"({"a":12})", "a: 12"},
        {R"({"a":"x: y"})", "a: \"x: y\""},
        {R"({"a":""})", "a: \"\""},
        {R"({"a":[]})", "a: []"},
        {R"({"a":[{"b":1,"c":2}]})", "a:\n  - b: 1\n    c: 2"},
        {R"({"a":"line\nbreak"})", "a: \"line\\nbreak\""},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(to_yaml(parsed(row.json)), row.yaml) << row.json;
    }
}

TEST(JsonText, FieldsAreFoundByPathAndAbsentOnesAreEmpty) {
    const boost::json::value value = parsed(R"({"owner":{"team":"ops"},"n":3,"t":true})");
    EXPECT_EQ(field(value, "owner.team"), "ops");
    EXPECT_EQ(field(value, "n"), "3");
    EXPECT_EQ(field(value, "t"), "true");
    EXPECT_EQ(field(value, "owner.none"), "");
    EXPECT_EQ(field(value, "n.deeper"), "");
}

TEST(JsonText, FractionsAreWrittenForPeople) {
    const boost::json::value value = parsed(R"({"rate":44.0381,"none":0.0,"count":1200000})");
    EXPECT_EQ(field(value, "rate"), "44.0381");
    EXPECT_EQ(field(value, "none"), "0");
    EXPECT_EQ(field(value, "count"), "1200000");
}

TEST(JsonText, TimesAreShortOnTheSameDay) {
    EXPECT_EQ(short_time("2026-11-24T03:39:27.123Z", "2026-11-24T09:00:00.000Z"), "03:39:27");
    EXPECT_EQ(short_time("2026-11-23T03:39:27.123Z", "2026-11-24T09:00:00.000Z"), "11-23 03:39");
    EXPECT_EQ(short_time("", "2026-11-24T09:00:00.000Z"), "");
}

}  // namespace
}  // namespace tagout::cli
