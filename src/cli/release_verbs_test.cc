#include "cli/release_verbs.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tagout::cli {
namespace {

const ApiVerb& verb(std::string_view group, std::string_view name) {
    static const std::vector<VerbGroup> groups{
        catalog_verbs(), release_verbs(), journey_verbs()};
    for (const VerbGroup& each : groups) {
        for (const ApiVerb& found : each.verbs) {
            if (each.name == group && found.name == name) {
                return found;
            }
        }
    }
    static const ApiVerb none{};
    ADD_FAILURE() << group << " " << name << " is no verb";
    return none;
}

TEST(ReleaseVerbs, SendWhatTheApiAsksFor) {
    struct Row {
        const char* group;
        const char* name;
        VerbValues values;
        const char* path;
        const char* body;
    };
    const Row rows[] = {
        {"catalog", "versions", {{"family", {"prompt"}}}, "/v1/versions?family=prompt", ""},
        {"catalog", "show", {{"hash", {"00ff"}}}, "/v1/versions/00ff", ""},
        {"catalog",
         "diff",
         {{"family", {"prompt"}}, {"name", {"p"}}, {"from", {"1"}}, {"to", {"production"}}},
         "/v1/diff?family=prompt&name=p&from=1&to=production",
         ""},
        {"catalog",
         "label",
         {{"family", {"prompt"}}, {"name", {"p"}}, {"label", {"canary"}}, {"to", {"2"}},
          {"reason", {"try"}}},
         "/v1/labels",
         R"({"family":"prompt","name":"p","label":"canary","to":"2","reason":"try"})"},
        {"", "rollback",
         {{"family", {"bundle"}}, {"name", {"refund-agent"}}, {"reason", {"r"}},
          {"incident", {"INC-1"}}, {"actor", {"ann"}}},
         "/v1/rollback",
         R"({"family":"bundle","name":"refund-agent","reason":"r","incident":"INC-1","actor":"ann"})"},
        {"", "freezes", {}, "/v1/freezes", ""},
        {"journeys", "run", {{"names", {"a", "b"}}}, "/v1/journeys/run", R"({"names":["a","b"]})"},
    };
    for (const Row& row : rows) {
        const Result<VerbRequest> request = request_of(verb(row.group, row.name), row.values);
        ASSERT_TRUE(request.has_value()) << row.name;
        EXPECT_EQ(request->path, row.path);
        EXPECT_EQ(request->body, row.body);
    }
}

TEST(ReleaseVerbs, AFailedJourneyIsANo) {
    const ExitCode code = verb("journeys", "run").exit_code;
    ASSERT_NE(code, nullptr);
    EXPECT_EQ(code(boost::json::object{{"passed", true}}), 0);
    EXPECT_EQ(code(boost::json::object{{"passed", false}}), 1);
}

}  // namespace
}  // namespace tagout::cli
