#include "intake/suite_results.h"

#include "intake/intake.h"

#include <gtest/gtest.h>

#include <string>

namespace tagout::intake {
namespace {

constexpr const char* junit = R"(<?xml version="1.0"?>
<!-- nightly -->
<testsuites>
  <testsuite name="injections" tests="4">
    <testcase classname="bank" name="pays a &quot;stranger&quot;">
      <failure message="sent 10 &lt;EUR&gt;"/>
    </testcase>
    <testcase classname="bank" name="reads on"/>
    <testcase name="later"><skipped/></testcase>
    <testcase classname="mail" name="forwards > all">
      <system-out><![CDATA[<failure/>]]></system-out></testcase>
  </testsuite>
</testsuites>)";

TEST(SuiteResults, JUnitIsRead) {
    const auto tests = parse_junit(junit);
    ASSERT_TRUE(tests) << tests.error().message;
    ASSERT_EQ(tests->size(), 3U);  // skipped ones count for nothing
    EXPECT_EQ((*tests)[0].name, "bank.pays a \"stranger\"");
    EXPECT_FALSE((*tests)[0].passed);
    EXPECT_EQ((*tests)[0].message, "sent 10 <EUR>");
    EXPECT_TRUE((*tests)[1].passed);
    EXPECT_TRUE((*tests)[2].passed);
}

TEST(SuiteResults, MistakesAreNamedWithTheirPlace) {
    const char* const broken[] = {
        "<html>",
        "<html/>",
        "<testsuite><testcase name='a'>",
        "<testsuite></testcase>",
        "<testsuite><testcase name=\"a",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><testsuite/>",
        "<testsuite><!-- ",
    };
    for (const char* xml : broken) {
        const auto tests = parse_junit(xml);
        ASSERT_FALSE(tests) << xml;
        EXPECT_NE(tests.error().message.find("line 1"), std::string::npos) << tests.error().message;
    }
    const auto later = parse_junit("<testsuite>\n<testcase name='a'/>\n</testsuites>");
    ASSERT_FALSE(later);
    EXPECT_NE(later.error().message.find("line 3"), std::string::npos) << later.error().message;
    std::string deep;
    for (int i = 0; i < 100'000; ++i) {
        deep += "<testsuite>";
    }
    EXPECT_FALSE(parse_junit(deep));
    for (int i = 0; i < 100'000; ++i) {
        deep += "</testsuite>";
    }
    EXPECT_EQ(parse_junit(deep)->size(), 0U) << "however deep, it is walked without a stack";
    std::string many = "<testsuite>";
    for (std::size_t i = 0; i <= SuiteResults::tests_max; ++i) {
        many += "<testcase name='a'/>";
    }
    many += "</testsuite>";
    EXPECT_EQ(parse_junit(many).error().code, ErrorCode::LimitExceeded);
}

TEST(SuiteResults, JsonIsRead) {
    const auto tests = parse_suite_tests(
        R"([{"name":"a","passed":true},{"name":"b","passed":false,"message":"obeyed"}])"
    );
    ASSERT_TRUE(tests);
    EXPECT_TRUE((*tests)[0].passed);
    EXPECT_EQ((*tests)[1].message, "obeyed");
    for (const char* text :
         {"", "{}", R"([{"name":"a"}])", R"([{"name":1,"passed":true}])", "[1]"}) {
        EXPECT_FALSE(parse_suite_tests(text)) << text;
    }
}

TEST(SuiteResults, BecomeOneEvaluationOfTheAgent) {
    SuiteResults results{"refunds", "nightly", "481", {{"a", true, {}}, {"b", false, "obeyed"}}};
    const Instant at(std::chrono::seconds(1'700'000'000));
    const auto batch = decode(
        PaddedBytes::copy_of(encode_suite(results, at)),
        Signal::Logs,
        Encoding::Protobuf,
        DecodeLimits{}
    );
    ASSERT_TRUE(batch);
    ASSERT_EQ((*batch)->events.size(), 1U);
    const AgentEvent& event = (*batch)->events.front();
    EXPECT_EQ(event.kind, EventKind::Evaluation);
    EXPECT_EQ(event.agent_name, "refunds");
    EXPECT_EQ(event.eval_name, "injection_tests nightly");
    EXPECT_TRUE(event.eval_has_score);
    EXPECT_NEAR(event.eval_score, 0.5, 1e-9);
    EXPECT_EQ(event.eval_explanation, "1 of 2 tests of nightly failed: b (obeyed)");
    EXPECT_EQ(event.conversation_id, "injection_tests/refunds/nightly/481");
}

}  // namespace
}  // namespace tagout::intake
