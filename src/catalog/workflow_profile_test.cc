// Profiles: what they learn, how they add and subtract, what reads as one and what is refused.
#include "catalog/workflow_profile.h"

#include "catalog/version.h"

#include <gtest/gtest.h>

namespace tagout::catalog {
namespace {

WorkflowProfile profile_of(std::initializer_list<const char*> tools, int sessions = 1) {
    WorkflowProfile profile;
    for (int i = 0; i < sessions; ++i) {
        profile.begin_session();
        for (const char* tool : tools) {
            profile.learn(ProfileFacet::Tools, tool);
        }
    }
    return profile;
}

TEST(WorkflowProfile, CountsTheGoodSessionsThatShowedAKey) {
    const WorkflowProfile profile = profile_of({"lookup", "refund"}, 3);
    EXPECT_EQ(profile.sessions(), 3U);
    EXPECT_EQ(profile.count(ProfileFacet::Tools, "refund"), 3U);
    EXPECT_TRUE(profile.knows(ProfileFacet::Tools, "refund"));
    EXPECT_FALSE(profile.knows(ProfileFacet::Tools, "delete_account"));
    EXPECT_FALSE(profile.knows(ProfileFacet::Hosts, "refund")) << "facets are apart";
}

TEST(WorkflowProfile, WhatAllButOneTaughtIsTheSumLessThatOne) {
    const WorkflowProfile a = profile_of({"lookup", "refund"}, 5);
    const WorkflowProfile b = profile_of({"lookup", "send_email"}, 2);
    WorkflowProfile sum;
    sum.merge(a);
    sum.merge(b);
    EXPECT_EQ(sum.count(ProfileFacet::Tools, "lookup"), 7U);
    WorkflowProfile rest = sum;
    rest.take_away(b);
    EXPECT_EQ(rest, a);
    rest.take_away(a);
    EXPECT_EQ(rest, WorkflowProfile{});
}

TEST(WorkflowProfile, AFullFacetLearnsNothingNewAndJudgesNothingNew) {
    WorkflowProfile profile;
    const std::size_t keys_max = info_of(ProfileFacet::Hosts).keys_max;
    for (std::size_t i = 0; i < keys_max; ++i) {
        profile.learn(ProfileFacet::Hosts, "host-" + std::to_string(i));
    }
    EXPECT_FALSE(profile.knows(ProfileFacet::Hosts, "other")) << "full, but nothing is lost yet";
    profile.learn(ProfileFacet::Hosts, "one-too-many");
    EXPECT_EQ(profile.counts(ProfileFacet::Hosts).size(), keys_max);
    EXPECT_EQ(profile.refused(ProfileFacet::Hosts), 1U);
    EXPECT_TRUE(profile.knows(ProfileFacet::Hosts, "other")) << "it may have been refused";
    profile.learn(ProfileFacet::Hosts, "host-1");
    EXPECT_EQ(profile.count(ProfileFacet::Hosts, "host-1"), 2U);
}

TEST(WorkflowProfile, LongAndOddKeysAreTheSameKeyEachTime) {
    WorkflowProfile profile;
    const std::string long_key(500, 'x');
    const std::string other = long_key + "y";
    profile.learn(ProfileFacet::Tools, long_key);
    profile.learn(ProfileFacet::Tools, "a\"b\nc\\d");
    EXPECT_EQ(profile.count(ProfileFacet::Tools, long_key), 1U);
    EXPECT_EQ(profile.count(ProfileFacet::Tools, other), 0U) << "the hash tells them apart";
    EXPECT_EQ(profile.count(ProfileFacet::Tools, "a\"b\nc\\d"), 1U);
    const Result<WorkflowProfile> read = parse_workflow_profile(to_json(profile));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, profile);
}

TEST(WorkflowProfile, JsonComesBackAndStaysBelowItsBound) {
    WorkflowProfile profile;
    profile.begin_session();
    for (const ProfileFacetInfo& facet : profile_facet_table) {
        for (std::size_t i = 0; i < facet.keys_max + 3; ++i) {
            for (int times = 0; times < 2; ++times) {
                profile.learn(facet.facet, std::to_string(i) + std::string(200, 'k'));
            }
        }
    }
    const std::string text = to_json(profile);
    EXPECT_LE(text.size(), WorkflowProfile::content_bytes_max);
    const Result<WorkflowProfile> read = parse_workflow_profile(text);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, profile);
    EXPECT_EQ(to_json(*read), text);
}

TEST(WorkflowProfile, AMistakeIsToldWithItsPlace) {
    struct Row {
        const char* name;
        std::string text;
        const char* says;
    };
    const std::string head = R"({"format":"tagout.profile/1",)";
    std::string many = head + R"("hosts":{)";
    for (int i = 0; i < 300; ++i) {
        many += (i == 0 ? "\"h" : ",\"h") + std::to_string(i) + "\":1";
    }
    const Row rows[] = {
        {"no JSON", "{", "a JSON object"},
        {"another form", R"({"format":"x"})", "format: "},
        {"no form", R"({"good_sessions":1})", "format: "},
        {"a typing mistake", head + R"("tolls":{}})", "tolls: no such member"},
        {"a list of tools", head + R"("tools":["a"]})", "tools: an object"},
        {"a negative count", head + R"("tools":{"refund":-1}})", "tools.refund: a whole number"},
        {"a text for a count",
         head + R"("good_sessions":"many"})",
         "good_sessions: a whole number"},
        {"too many hosts", many + "}}", "hosts: 300 keys; at most 256"},
    };
    for (const Row& row : rows) {
        const Result<WorkflowProfile> read = parse_workflow_profile(row.text);
        ASSERT_FALSE(read.has_value()) << row.name;
        EXPECT_NE(read.error().message.find(row.says), std::string::npos)
            << row.name << ": " << read.error().message;
    }
}

TEST(WorkflowProfile, EveryWorkflowHasANameInTheCatalog) {
    EXPECT_EQ(profile_name("refunds"), "refunds");
    for (const char* workflow : {"banking/user_task_1", "", "Kasse: Rückgabe", "../../etc", "-x"}) {
        const std::string name = profile_name(workflow);
        EXPECT_TRUE(check_version_name(name).has_value()) << workflow << " -> " << name;
    }
    EXPECT_NE(profile_name("a/b"), profile_name("a b"));
    EXPECT_TRUE(check_version_name(profile_name(std::string(5'000, '/'))).has_value());
}

TEST(WorkflowProfile, WhatWasAskedIsWrittenARequestALineAndReadAgain) {
    WorkflowProfile profile;
    profile.begin_session();
    profile.set_requests({"00ff", "0a1b2c"});
    const std::string text = to_json(profile);
    EXPECT_NE(text.find("\n    \"00ff\",\n    \"0a1b2c\"\n"), std::string::npos) << text;
    const Result<WorkflowProfile> again = parse_workflow_profile(text);
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(*again, profile);

    profile.set_requests(std::vector<std::string>(1'000, std::string(400, 'a')));
    EXPECT_EQ(profile.requests().size(), WorkflowProfile::requests_max);
    profile.set_requests(std::vector<std::string>(100, std::string(10'000, 'a')));
    EXPECT_EQ(profile.requests().size(), 9U);
    EXPECT_TRUE(parse_workflow_profile(to_json(profile)).has_value());
}

TEST(WorkflowProfile, LinesOfRequestsThatNobodyLearnedAreRefused) {
    const char* const wrong[] = {R"("ab")", R"([1])", R"(["xyz"])", R"([""])", R"(["AB"])"};
    for (const char* const value : wrong) {
        const Result<WorkflowProfile> read = parse_workflow_profile(
            std::string(R"({"format":"tagout.profile/1","good_sessions":1,"requests":)") + value +
            "}"
        );
        ASSERT_FALSE(read.has_value()) << value;
        EXPECT_NE(read.error().message.find("requests"), std::string::npos) << value;
    }
}

TEST(WorkflowProfile, AnArgumentThatTakesEverNewValuesBecomesOneOpenKey) {
    WorkflowProfile profile;
    for (std::size_t i = 0; i <= WorkflowProfile::values_max; ++i) {
        EXPECT_FALSE(profile.is_open("pay.order"));
        profile.learn(ProfileFacet::Values, "pay.order=" + std::to_string(i));
        profile.learn(ProfileFacet::Values, "pay.to=1");
    }
    EXPECT_TRUE(profile.is_open("pay.order"));
    EXPECT_FALSE(profile.is_open("pay.to"));
    EXPECT_EQ(profile.counts(ProfileFacet::Values).size(), 2U);
    profile.learn(ProfileFacet::Values, "pay.order=another");
    EXPECT_EQ(profile.counts(ProfileFacet::Values).size(), 2U);
    EXPECT_EQ(profile.count(ProfileFacet::Values, "pay.order=*"), WorkflowProfile::values_max + 2);
}

}  // namespace
}  // namespace tagout::catalog
