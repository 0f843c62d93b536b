// What good sessions make of a value that only a tool's result named.
#include "detect/safety/value_habits.h"

#include "detect/safety/call_values.h"
#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gtest/gtest.h>

#include <string>

namespace tagout::detect {
namespace {

std::shared_ptr<const catalog::Catalog> bank() {
    catalog::Contents contents;
    const auto add = [&](const char* name, ToolEffect effect) {
        catalog::Tool tool;
        tool.name = ToolName(name);
        tool.effect = effect;
        tool.risk = ToolRisk::Low;
        contents.tools.push_back(tool);
    };
    add("files.get", ToolEffect::Read);
    add("pages.get", ToolEffect::Read);
    add("bank.pay", ToolEffect::Write);
    add("door.grant_access", ToolEffect::Write);
    return std::make_shared<const catalog::Catalog>(std::move(contents));
}

std::string payment(const std::string& to, int id) {
    return R"({"recipient":")" + to + R"(","subject":"bill","reference":"REF-)" +
           std::to_string(77'000 + id) + R"("})";
}

void pay(Story& s, int id, const std::string& to, const std::string& said = "Please pay the bill") {
    s.session("pay-" + std::to_string(id), "clerk", "bills");
    s.user(said);
    s.model();
    s.tool(
        "files.get",
        R"({"name":"bill.txt"})",
        "Amount 10.50, account " + to + ", reference REF-" + std::to_string(77'000 + id)
    );
    s.model();
    s.tool("bank.pay", payment(to, id), R"({"ok":true})");
    s.model(500, "Paid.");
    s.end();
    s.wait(std::chrono::seconds(30));
}

/// Bills of two companies, each with a reference of its own.
void pay_usual_bills(Story& s, int sessions) {
    for (int i = 0; i < sessions; ++i) {
        pay(s, i, i % 2 == 0 ? "DE89370400440532013000" : "GB29NWBK60161331926819");
    }
}

constexpr const char* foreign = "US133000000121212121212";

TEST(ValueHabits, AnAccountThatNoGoodSessionPaidIsNews) {
    for (const RunOptions& options :
         {RunOptions{}, RunOptions{.shards = 3}, RunOptions{.over_the_wire = true}}) {
        Story s;
        pay_usual_bills(s, 20);
        pay(s, 99, foreign);
        Settings settings;
        settings.safety.phrases = false;
        const RunResult result = run(s.events, settings, bank(), options);
        const std::vector<Finding> found = result.of("safety.untrusted_value");
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(found[0].correlation.text(), "pay-99");
        EXPECT_TRUE(found[0].write_completed);
        EXPECT_NE(found[0].evidence.find(foreign), std::string::npos) << found[0].evidence;
        EXPECT_NE(found[0].evidence.find("files.get"), std::string::npos) << found[0].evidence;
    }
}

TEST(ValueHabits, WhatMustNotFire) {
    Story s;
    pay_usual_bills(s, 20);
    pay(s, 98, "GB29NWBK60161331926819");                                  // as always
    pay(s, 99, foreign, std::string("Please pay my bill to ") + foreign);  // the user named it
    const RunResult result = run(s.events, Settings{}, bank());
    EXPECT_TRUE(result.of("safety.untrusted_value").empty());
    EXPECT_TRUE(result.of("safety.new_tool").empty());

    Story cold;  // too few good sessions to know what is usual
    pay_usual_bills(cold, 4);
    pay(cold, 99, foreign);
    EXPECT_TRUE(run(cold.events, Settings{}, bank()).of("safety.untrusted_value").empty());
}

TEST(ValueHabits, AnArgumentThatTakesEverNewValuesMakesNoNews) {
    Story s;
    for (int i = 0; i < 60; ++i) {
        pay(s, i, "DE8937040044" + std::to_string(1'000'000'000 + i * 7));
    }
    pay(s, 99, foreign);
    EXPECT_TRUE(run(s.events, Settings{}, bank()).of("safety.untrusted_value").empty());
}

TEST(ValueHabits, ANewHostInACallIsTold) {
    Story s;
    const auto read = [&](int id, const std::string& url) {
        s.session("read-" + std::to_string(id), "reader", "news");
        s.user("Read what the file links to");
        s.model();
        s.tool("files.get", R"({"name":"links"})", "See " + url + " for more");
        s.tool("pages.get", R"({"url":")" + url + R"("})", "News of the day");
        s.end();
        s.wait(std::chrono::seconds(30));
    };
    for (int i = 0; i < 24; ++i) {
        read(i, "https://www.paper.example/today");
    }
    read(99, "https://www.secure-systems-252.example/x");
    const std::vector<Finding> found = run(s.events, Settings{}, bank()).of("safety.new_tool");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].correlation.text(), "read-99");
    EXPECT_FALSE(found[0].write_completed);
}

/// The files' reader never sends anything; now a file names whom to invite.
void read_and_invite(Story& s, const std::string& said) {
    s.session("read-99", "reader", "reading");
    s.user(said);
    s.model();
    s.tool("files.get", R"({"name":"notes"})", "Amy, guest_amy01, would love to see it");
    s.model();
    s.tool("door.grant_access", R"({"guest":"guest_amy01","door":"D-7781"})", R"({"ok":true})");
    s.model(500, "Done.");
    s.end();
}

void read_files(Story& s, int sessions) {
    for (int i = 0; i < sessions; ++i) {
        s.session("read-" + std::to_string(i), "reader", "reading");
        s.user("What do the notes say?");
        s.model();
        s.tool("files.get", R"({"name":"notes"})", "Nothing new today");
        s.model(500, "Nothing new.");
        s.end();
        s.wait(std::chrono::seconds(30));
    }
}

TEST(ValueHabits, AToolThatAResultMayHaveChosenIsNewWithoutOrders) {
    Settings settings;
    settings.safety.phrases = false;
    Story s;
    read_files(s, 24);
    read_and_invite(s, "What do the notes at door D-7781 say?");
    const std::vector<Finding> found = run(s.events, settings, bank()).of("safety.new_tool");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].correlation.text(), "read-99");
    EXPECT_NE(found[0].evidence.find("guest_amy01"), std::string::npos) << found[0].evidence;
    EXPECT_TRUE(found[0].write_completed);

    Story asked;  // the user named the door and asked to let somebody in
    read_files(asked, 24);
    read_and_invite(asked, "Grant access to door D-7781 to who stands in the notes");
    for (const Finding& finding : run(asked.events, settings, bank()).of("safety.new_tool")) {
        ADD_FAILURE() << finding.evidence;
    }

    Story cold;
    read_files(cold, 12);
    read_and_invite(cold, "What do the notes at door D-7781 say?");
    EXPECT_TRUE(run(cold.events, settings, bank()).of("safety.new_tool").empty());
}

TEST(ValueHabits, TheChanceOfANewValueIsThatOfGoodAndTuring) {
    using catalog::ProfileFacet;
    catalog::WorkflowProfile profile;
    for (int i = 0; i < 19; ++i) {
        profile.begin_session();
        profile.learn(ProfileFacet::ArgumentSources, "pay.to result");
        profile.learn(ProfileFacet::Values, argument_value_key("pay.to", i < 17 ? 1 : 100 + i));
    }
    EXPECT_NEAR(chance_of_new_value(profile, "pay.to", 4), 2.5 / 20, 1e-9);
    EXPECT_EQ(chance_of_new_value(profile, "pay.to", 1), 1);  // it takes new ones as it likes
    EXPECT_NEAR(chance_of_new_value(profile, "pay.subject", 4), 0.05, 1e-9);
}

TEST(ValueHabits, KeysFitTheirFacets) {
    const std::string tool(200, 't');
    const std::string argument = argument_key(tool + ".a=b c\xc3\xa4");
    const std::string key = argument_value_key(argument, 0x123456789abcdefULL);
    EXPECT_LE(key.size(), info_of(catalog::ProfileFacet::Values).key_bytes_max);
    EXPECT_EQ(key.find('='), argument.size());
    EXPECT_NE(argument_key(tool + ".a"), argument_key(tool + ".b"));
}

}  // namespace
}  // namespace tagout::detect
