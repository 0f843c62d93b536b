// The published schema is what the code says. UPDATE_GOLDEN=1 writes it anew.

#include "catalog/config_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tagout::catalog {
namespace {

namespace json = boost::json;

TEST(ConfigSchema, ThePublishedOneIsFresh) {
    const char* const path = TAGOUT_SOURCE_DIR "/api/tagout.schema.json";
    const std::string made = config_schema();
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::ofstream(path) << made;
    }
    std::stringstream committed;
    committed << std::ifstream(path).rdbuf();
    EXPECT_EQ(made, committed.str()) << "run UPDATE_GOLDEN=1 catalog_test and commit it";
}

TEST(ConfigSchema, KeysAreClosedAndRequiredOnesAreNamed) {
    const json::value schema = json::parse(config_schema());
    EXPECT_EQ(schema.at("additionalProperties"), json::value(false));
    const json::value& owner = schema.at("properties").at("owners").at("items");
    EXPECT_EQ(owner.at("required"), (json::array{"match", "team"}));
    EXPECT_EQ(owner.at("additionalProperties"), json::value(false));
    const json::value& tool = schema.at("properties").at("tools").at("additionalProperties");
    EXPECT_EQ(tool.at("type"), (json::array{"object", "null"})) << "an empty entry is enough";
    EXPECT_EQ(tool.at("properties").at("risk").at("enum"), (json::array{"low", "high"}));
    const json::value& channel = schema.at("properties")
                                     .at("notices")
                                     .at("properties")
                                     .at("channels")
                                     .at("additionalProperties");
    EXPECT_THAT(
        json::serialize(channel.at("properties").at("type").at("enum")), testing::HasSubstr("slack")
    );
    EXPECT_EQ(
        schema.at("properties").at("detection").as_object().if_contains("properties"), nullptr
    ) << "settings of other rooms stay open unless they are handed in";
}

TEST(ConfigSchema, SettingsThatAreHandedInStandAtTheirPaths) {
    const std::vector<SettingDeclared> settings{
        {.path = "detection.tool.4xx_spike.rate_min",
         .type = ValueType::Number,
         .value = "0.2",
         .min = 0,
         .max = 1,
         .unit = "",
         .help = "Share of calls.",
         .choices = {}},
        {.path = "incidents.join_window",
         .type = ValueType::Duration,
         .value = "6h",
         .min = 1,
         .max = 9e5,
         .unit = "",
         .help = "How long.",
         .choices = {}},
    };
    const json::value schema = json::parse(config_schema(settings));
    const json::value& spike = schema.at("properties")
                                   .at("detection")
                                   .at("properties")
                                   .at("tool")
                                   .at("properties")
                                   .at("4xx_spike");
    EXPECT_EQ(spike.at("additionalProperties"), json::value(false));
    EXPECT_EQ(spike.at("properties").at("rate_min").at("default"), json::value("0.2"));
    EXPECT_EQ(
        spike.at("properties").at("rate_min").at("anyOf").at(0).at("maximum").to_number<double>(),
        1.0
    );
    EXPECT_EQ(
        schema.at("properties").at("incidents").at("properties").at("join_window").at("type"),
        json::value("string")
    );
    EXPECT_EQ(schema.at("properties").at("server").as_object().if_contains("properties"), nullptr);
}

}  // namespace
}  // namespace tagout::catalog
