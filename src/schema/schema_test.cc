#include "schema/schema.h"

#include "schema/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tagout::schema {
namespace {

using ::testing::HasSubstr;

struct Case {
    const char* name;
    const char* schema;
    std::vector<const char*> fit;
    std::vector<const char*> do_not;
};

std::string judged(const Schema& schema, const char* text) {
    Instance instance;
    if (const auto read = instance.read(text); !read) {
        return read.error().message;
    }
    const auto found = conforms(schema, instance);
    return !found ? found.error().message : *found ? "fits" : "does not fit";
}

// One line for each keyword, so that a lone clone without the public suite notices what breaks.
TEST(JsonSchema, EachKeywordTellsRightFromWrong) {
    const std::vector<Case> cases{
        {"type", R"({"type":"integer"})", {"1", "1.0", "-3"}, {"1.5", "\"1\"", "null"}},
        {"types", R"({"type":["string","null"]})", {"\"\"", "null"}, {"0", "[]", "false"}},
        {"const", R"({"const":{"a":[1,2.0]}})", {R"({"a":[1.0,2]})"}, {R"({"a":[2,1]})", "{}"}},
        {"enum", R"({"enum":["a",1,null]})", {"\"a\"", "1.0", "null"}, {"\"b\"", "2", "false"}},
        {"bounds", R"({"minimum":1,"exclusiveMaximum":3})", {"1", "2.99"}, {"0.99", "3"}},
        {"multiple", R"({"multipleOf":0.01})", {"19.99", "0", "-4.35"}, {"19.999", "0.005"}},
        {"large", R"({"maximum":9007199254740992})", {"9007199254740992"}, {"9007199254740993"}},
        {"lengths",
         R"({"minLength":2,"maxLength":2})",
         {"\"\u00fc\u00df\"", "7"},
         {"\"a\"", "\"abc\""}},
        {"pattern",
         R"({"pattern":"^[A-Z]{2}\\d+$"})",
         {"\"DE12\"", "12"},
         {"\"de12\"", "\"xDE1\""}},
        {"items",
         R"({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}})",
         {"[\"a\",1,2]", "[]"},
         {"[1]", "[\"a\",\"b\"]"}},
        {"counts",
         R"({"minItems":1,"maxItems":2,"uniqueItems":true})",
         {"[1]", "[1,2]"},
         {"[]", "[1,2,3]", "[1,1.0]"}},
        {"contains",
         R"({"contains":{"const":1},"minContains":2,"maxContains":3})",
         {"[1,1,0]"},
         {"[1]", "[1,1,1,1]"}},
        {"members",
         R"({"properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false})",
         {R"({"a":1})"},
         {"{}", R"({"a":"1"})", R"({"a":1,"b":2})"}},
        {"twice",
         R"({"properties":{"a":{"maximum":5}}})",
         {R"({"a":1,"a":2})"},
         {R"({"a":9,"a":1})", R"({"a":1,"a":9})"}},
        {"names",
         R"({"propertyNames":{"maxLength":2},"maxProperties":2})",
         {R"({"ab":1})"},
         {R"({"abc":1})", R"({"a":1,"b":1,"c":1})"}},
        {"patterns",
         R"({"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":{"type":"null"}})",
         {R"({"x-a":"","b":null})"},
         {R"({"x-a":1})", R"({"b":1})"}},
        {"dependent",
         R"({"dependentRequired":{"a":["b"]},"dependentSchemas":{"c":{"required":["d"]}}})",
         {R"({"a":1,"b":1})", R"({"c":1,"d":1})", "{}"},
         {R"({"a":1})", R"({"c":1})"}},
        {"anyOf", R"({"anyOf":[{"type":"string"},{"minimum":5}]})", {"\"a\"", "5"}, {"4"}},
        {"oneOf", R"({"oneOf":[{"multipleOf":2},{"multipleOf":3}]})", {"2", "3"}, {"6", "1"}},
        {"not", R"({"not":{"type":"string"}})", {"1"}, {"\"a\""}},
        {"if",
         R"({"if":{"type":"string"},"then":{"minLength":1},"else":{"minimum":1}})",
         {"\"a\"", "1"},
         {"\"\"", "0"}},
        {"ref",
         R"({"$ref":"#/$defs/n","$defs":{"n":{"properties":{"next":{"$ref":"#/$defs/n"}},"required":["v"]}}})",
         {R"({"v":1,"next":{"v":2}})"},
         {R"({"v":1,"next":{}})"}},
        {"anchor",
         R"({"$ref":"#it","$defs":{"x":{"$anchor":"it","type":"integer"}}})",
         {"1"},
         {"\"a\""}},
        {"dynamic",
         R"({"$id":"http://a/strict","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false,
          "$defs":{"t":{"$id":"http://a/tree","$dynamicAnchor":"node","properties":{"v":true,"c":{"items":{"$dynamicRef":"#node"}}}}}})",
         {R"({"v":1,"c":[{"v":2}]})"},
         {R"({"w":1})", R"({"c":[{"w":2}]})"}},
        {"unevaluated items",
         R"({"prefixItems":[true],"contains":{"const":7},"unevaluatedItems":false})",
         {"[1,7]", "[7,7,7]"},
         {"[1,7,8]"}},
        {"unevaluated members",
         R"({"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":{"type":"null"}})",
         {R"({"a":1,"b":null})"},
         {R"({"a":1,"b":2})"}},
        {"draft-07",
         R"({"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"string"}],"additionalItems":false})",
         {"[\"a\"]"},
         {"[1]", "[\"a\",1]"}},
        {"draft-07 ref",
         R"({"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/a","type":"string","definitions":{"a":{"type":"integer"}}})",
         {"1"},
         {"\"a\""}},
        {"dependencies",
         R"({"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":["b"]}})",
         {R"({"b":1})"},
         {R"({"a":1})"}},
        {"format says nothing", R"({"format":"ipv4"})", {"\"no address\""}, {}},
        {"false", "false", {}, {"1", "{}"}},
    };
    for (const Case& one : cases) {
        const auto schema = Schema::compile(one.schema);
        ASSERT_TRUE(schema) << one.name << ": " << schema.error().message;
        for (const char* text : one.fit) {
            EXPECT_EQ(judged(*schema, text), "fits") << one.name << " " << text;
        }
        for (const char* text : one.do_not) {
            EXPECT_EQ(judged(*schema, text), "does not fit") << one.name << " " << text;
        }
    }
}

TEST(JsonSchema, AViolationNamesBothPlacesAndSaysItInWords) {
    const auto schema = Schema::compile(R"({"type":"object","properties":{
        "to":{"type":"string","pattern":"@"},
        "items":{"type":"array","items":{"properties":{"quantity":{"type":"integer","minimum":1}}}},
        "kind":{"enum":["refund","credit"]}},
        "required":["to","amount"],"additionalProperties":false})");
    ASSERT_TRUE(schema);
    Instance instance;
    ASSERT_TRUE(instance.read(
        R"({"to":"bob","items":[{"quantity":2},{"quantity":0}],"kind":"gift","note":1})"
    ));
    const auto found = violations(*schema, instance);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 5U);
    EXPECT_EQ((*found)[0].words, "to is the string \"bob\", which the pattern @ does not match");
    EXPECT_EQ((*found)[1].instance_path, "/items/1/quantity");
    EXPECT_EQ((*found)[1].schema_path, "#/properties/items/items/properties/quantity/minimum");
    EXPECT_EQ((*found)[1].words, "items.1.quantity is 0, but must be at least 1");
    EXPECT_EQ(
        (*found)[2].words, "kind is the string \"gift\", but must be one of \"refund\", \"credit\""
    );
    EXPECT_EQ((*found)[3].words, "the whole value has the member \"note\", which is not foreseen");
    EXPECT_EQ((*found)[4].words, "the whole value lacks the member \"amount\"");
    EXPECT_EQ((*found)[4].keyword, "required");
}

TEST(JsonSchema, OfAlternativesTheNearestIsTold) {
    const auto schema = Schema::compile(
        R"({"properties":{"by":{"anyOf":[{"type":"string"},{"properties":{"id":{"type":"integer"}}}]}}})"
    );
    ASSERT_TRUE(schema);
    Instance instance;
    ASSERT_TRUE(instance.read(R"({"by":{"id":"x"}})"));
    const auto found = violations(*schema, instance);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(
        (*found)[0].words,
        "by fits none of 2 alternatives; nearest: by.id is the string \"x\", but must be a whole "
        "number"
    );
}

// A schema that nobody could judge by is refused with its place and what to do.
TEST(JsonSchema, WhatIsNoSchemaIsRefusedWithItsPlace) {
    const std::vector<std::pair<const char*, const char*>> refused{
        {"", "is no JSON"},
        {"[]", "neither an object nor a boolean"},
        {R"({"properties":{"a":{"type":"text"}}})", "#/properties/a/type must be one of"},
        {R"({"properties":{"a":{"minLength":-1}}})",
         "#/properties/a/minLength must be a whole number"},
        {R"({"required":true})", "#/required must be a list"},
        {R"({"items":[{}]})", "prefixItems"},
        {R"x({"pattern":"a(?=b)"})x", "look-ahead"},
        {R"({"pattern":"(a)\\1"})", "back-reference"},
        {R"({"pattern":"(a"})", "cannot be run"},
        {R"({"pattern":"((a{1000}){1000}){1000}"})", "cannot be run"},
        {R"({"$ref":"http://elsewhere/x"})", "nobody handed in http://elsewhere/x"},
        {R"({"$ref":"#/$defs/none"})", "leads nowhere"},
        {R"({"$schema":"https://json-schema.org/draft/2019-09/schema"})",
         "neither draft 2020-12 nor draft-07"},
    };
    for (const auto& [text, message] : refused) {
        const auto schema = Schema::compile(text);
        ASSERT_FALSE(schema) << text;
        EXPECT_THAT(schema.error().message, HasSubstr(message)) << text;
    }
}

TEST(JsonSchema, APatternThatCannotBeRunMayBeSkippedAlone) {
    const auto schema = Schema::compile(
        R"x({"properties":{"a":{"pattern":"a(?=b)","minLength":2}},"patternProperties":{"(?!x)":true},"additionalProperties":false})x",
        {.unsupported_patterns = UnsupportedPatterns::Skip}
    );
    ASSERT_TRUE(schema) << schema.error().message;
    EXPECT_EQ(schema->skipped_patterns(), 2U);
    EXPECT_EQ(judged(*schema, R"({"a":"zz","other":1})"), "fits");
    EXPECT_EQ(judged(*schema, R"({"a":"z"})"), "does not fit");
}

TEST(JsonSchema, RemotesAreHandedInAndNeverFetched) {
    const Remotes remotes{{"http://here/money", R"({"type":"object","required":["amount"]})"}};
    const auto schema =
        Schema::compile(R"({"properties":{"price":{"$ref":"http://here/money"}}})", {}, remotes);
    ASSERT_TRUE(schema) << schema.error().message;
    Instance instance;
    ASSERT_TRUE(instance.read(R"({"price":{}})"));
    const auto found = violations(*schema, instance);
    ASSERT_TRUE(found && found->size() == 1);
    EXPECT_EQ((*found)[0].schema_path, "http://here/money#/required");
}

TEST(JsonSchema, FormatsAreAssertedOnRequest) {
    const auto schema = Schema::compile(R"({"format":"date-time"})", {.assert_formats = true});
    ASSERT_TRUE(schema);
    EXPECT_EQ(judged(*schema, R"("2026-02-28T23:59:60Z")"), "fits");
    EXPECT_EQ(judged(*schema, R"("2026-02-29T10:00:00Z")"), "does not fit");
    EXPECT_EQ(judged(*schema, "5"), "fits");
}

}  // namespace
}  // namespace tagout::schema
