#include "cli/verb.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace tagout::cli {
namespace {

const ApiVerb release{
    "release",
    "Release it",
    "POST",
    "/v1/controls/{id}/release",
    {{"id", "The control", ArgumentKind::Text, true, true},
     reason_argument,
     as_argument,
     {"without_journeys", "Why none is needed"},
     {"allowed", "Tools", ArgumentKind::List},
     {"depth", "How deep", ArgumentKind::Number},
     {"content", "What", ArgumentKind::File, false, false, "--file"}},
    {{"state", "done"}},
};

TEST(Verb, WhatIsGivenStandsInThePathOrTheBody) {
    const Result<VerbRequest> request = request_of(
        release,
        {{"id", {"CTL/1"}},
         {"reason", {"mended"}},
         {"actor", {""}},
         {"allowed", {"a", "b"}},
         {"depth", {"7"}}}
    );
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->path, "/v1/controls/CTL%2F1/release");
    EXPECT_EQ(
        request->body, R"({"state":"done","reason":"mended","allowed":["a","b"],"depth":7})"
    );
}

TEST(Verb, AGetHasAQueryAndNoBody) {
    const ApiVerb list{
        "list", "List", "GET", "/v1/versions", {{"family", ""}, {"name", ""}}, {{"limit", "5"}}};
    const Result<VerbRequest> request = request_of(list, {{"name", {"a b"}}});
    ASSERT_TRUE(request);
    EXPECT_EQ(request->path, "/v1/versions?limit=5&name=a%20b");
    EXPECT_EQ(request->body, "");
}

TEST(Verb, WhatCannotBeSentIsNamed) {
    const Result<VerbRequest> number =
        request_of(release, {{"id", {"CTL-1"}}, {"depth", {"7x"}}});
    ASSERT_FALSE(number);
    EXPECT_EQ(number.error().message, "--depth: '7x' is no number");
    const Result<VerbRequest> file =
        request_of(release, {{"id", {"CTL-1"}}, {"content", {"/does/not/exist"}}});
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().message, "/does/not/exist: cannot be read");
}

TEST(Verb, AFilesContentIsSent) {
    const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                       ("tagout-verb-" + std::to_string(::getpid()) + ".txt");
    std::ofstream(path) << "You help \"customers\".\n";
    const Result<VerbRequest> request =
        request_of(release, {{"id", {"CTL-1"}}, {"content", {path.string()}}});
    std::filesystem::remove(path);
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(
        request->body, R"({"state":"done","content":"You help \"customers\".\n"})"
    );
}

TEST(Verb, EveryRowCanBeCalled) {
    for (const VerbGroup& group : verb_groups()) {
        std::set<std::string_view> names;
        for (const ApiVerb& verb : group.verbs) {
            const std::string name = std::string(group.name) + " " + std::string(verb.name);
            EXPECT_TRUE(names.insert(verb.name).second) << name << " stands twice";
            EXPECT_TRUE(verb.method == "GET" || verb.method == "POST") << name;
            EXPECT_FALSE(verb.help.empty()) << name;
            std::string path(verb.path);
            for (const VerbArgument& argument : verb.arguments) {
                const std::string place = "{" + std::string(argument.member) + "}";
                if (const std::size_t at = path.find(place); at != std::string::npos) {
                    path.erase(at, place.size());
                    EXPECT_TRUE(argument.required) << name << ": " << argument.member;
                }
            }
            EXPECT_EQ(path.find('{'), std::string::npos) << name << ": " << path;
        }
    }
}

}  // namespace
}  // namespace tagout::cli
