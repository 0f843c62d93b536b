// Calls made again: what counts as the same call, and when making it again is no fault.
#include "detect/context/repeated_actions.h"

#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

namespace tagout::detect {
namespace {

std::shared_ptr<const catalog::Catalog> office() {
    catalog::Contents contents;
    const auto add = [&](const char* name, ToolEffect effect) {
        catalog::Tool tool;
        tool.name = ToolName(name);
        tool.effect = effect;
        contents.tools.push_back(tool);
    };
    add("files.search", ToolEffect::Read);
    add("files.list", ToolEffect::Read);
    add("calendar.get", ToolEffect::Read);
    add("mail.send", ToolEffect::Egress);
    add("money.send", ToolEffect::Write);
    return std::make_shared<const catalog::Catalog>(std::move(contents));
}

constexpr const char* found = R"([{"file":"plan.docx","owner":"ann","size":48213}])";
constexpr const char* day = R"([{"title":"Weekly team sync","at":"2024-05-15 09:00"}])";

struct Row {
    const char* name;
    std::function<void(Story&)> tell;
    std::set<std::string> signals;
};

void search(Story& s, const char* arguments, const char* answer = found) {
    s.tool("files.search", arguments, answer);
}

const Row rows[] = {
    {"once is enough", [](Story& s) { search(s, R"({"q":"plan"})"); }, {}},
    {"the same search again",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         search(s, R"({"q":"plan"})");
     },
     {"context.duplicate_action"}},
    {"in another order and spelling",
     [](Story& s) {
         search(s, R"({"q":"plan","in":"/docs"})");
         search(s, R"({ "in": "docs/", "q": " PLAN." })");
     },
     {"context.duplicate_action"}},
    {"a number in quotes",
     [](Story& s) {
         search(s, R"({"q":"plan","n":10})");
         search(s, R"({"q":"plan","n":"10.0"})");
     },
     {"context.duplicate_action"}},
    {"one member more asks for nothing else",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         search(s, R"({"q":"plan","reason":"to be sure"})");
     },
     {"context.duplicate_action"}},
    {"another search that finds the same is another search",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         search(s, R"({"q":"documents of ann"})");
     },
     {}},
    {"another page",
     [](Story& s) {
         search(s, R"({"q":"plan","page":1})");
         search(s, R"({"q":"plan","page":2})", R"([{"file":"plan2.docx","owner":"bob"}])");
     },
     {}},
    {"the user wants it looked at again",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         s.turn().user("Look again, please").model();
         search(s, R"({"q":"plan"})");
     },
     {}},
    {"the user says the same again",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         s.turn().model();
         search(s, R"({"q":"plan"})");
     },
     {}},
    {"looked at again after a write",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         s.tool("mail.send", R"({"to":"ann@office.example"})", "sent");
         search(s, R"({"q":"plan"})");
     },
     {}},
    {"two at once are not one after the other",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         search(s, R"({"q":"plan"})");
         s.events.back().started_at = s.events[s.events.size() - 2].started_at;
     },
     {}},
    {"it came back to what it was",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         search(s, R"({"q":"plan"})", R"([{"file":"plan.docx","owner":"bob","size":3}])");
         search(s, R"({"q":"plan"})");
     },
     {}},
    {"a second look at what was read long ago",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         for (int i = 0; i < 5; ++i) {
             s.tool(
                 "calendar.get", R"({"day":)" + std::to_string(i) + "}", day + std::to_string(i)
             );
         }
         search(s, R"({"q":"plan"})");
     },
     {}},
    {"an answer that was withheld is asked for again",
     [](Story& s) {
         search(s, R"({"q":"plan"})", "<Data omitted because a prompt injection was detected>");
         search(s, R"({"q":"plan"})", "<Data omitted because a prompt injection was detected>");
     },
     {}},
    {"the same mail twice",
     [](Story& s) {
         s.tool("mail.send", R"({"to":"ann@office.example","body":"hi"})", "sent");
         search(s, R"({"q":"plan"})");
         s.tool("mail.send", R"({"to":"ann@office.example","body":"hi"})", "sent");
     },
     {"context.duplicate_action"}},
    {"the same words to somebody else",
     [](Story& s) {
         s.tool("mail.send", R"({"to":"ann@office.example","body":"hi"})", "sent");
         s.tool("mail.send", R"({"to":"bob@office.example","body":"hi"})", "sent");
     },
     {}},
    {"a payment that was not made yet",
     [](Story& s) {
         s.tool("money.send", R"({"to":"ann","amount":5})", "Verification required");
         s.tool("calendar.get", R"({"day":1})", day);
         s.tool("money.send", R"({"to":"ann","amount":5})", "Verification required");
     },
     {}},
    {"payments in parts, as asked",
     [](Story& s) {
         s.turn().user("Send ann 10 in two transfers of 5").model();
         s.tool("money.send", R"({"to":"ann","amount":5})", "sent");
         s.tool("money.send", R"({"to":"ann","amount":5})", "sent");
     },
     {}},
    {"round in a circle, in other words",
     [](Story& s) {
         search(s, R"({"q":"plan"})");
         s.tool("calendar.get", R"({"day":1})", day);
         search(s, R"({"q":"Plan"})");
         s.tool("calendar.get", R"({"day":"1"})", day);
     },
     {"context.duplicate_action", "context.circular_actions"}},
};

TEST(RepeatedActions, TellWhatIsMadeAgainForNothing) {
    for (const Row& row : rows) {
        Story story;
        story.session("s-1", "office-agent", "files").user("Find my plan").model();
        row.tell(story);
        story.end();
        const RunResult result = run(story.events, Settings{}, office());
        std::set<std::string> signals;
        for (const auto& [id, finding] : result.findings) {
            if (finding.failure_class == FailureClass::Context) {
                signals.insert(finding.signal);
            }
        }
        EXPECT_EQ(signals, row.signals) << row.name;
    }
}

TEST(RepeatedActions, WithoutTheUsersWordsFourAreNeeded) {
    for (int calls = 2; calls <= 4; ++calls) {
        Story story;
        story.session("s-1", "office-agent", "files");
        for (int i = 0; i < calls; ++i) {
            story.turn();
            search(story, R"({"q":"plan"})");
        }
        const RunResult result = run(story.events, Settings{}, office());
        EXPECT_EQ(result.of("context.duplicate_action").size(), calls == 4 ? 1U : 0U) << calls;
    }
}

TEST(RepeatedActions, EvidenceSaysWhatCameFirst) {
    Story story;
    story.session("s-1", "office-agent", "files").user("Find my plan").model();
    search(story, R"({"q":"plan"})");
    search(story, R"({"q":"PLAN"})");
    const auto told = run(story.events, Settings{}, office()).of("context.duplicate_action");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(
        told[0].evidence,
        "called files.search 2 times with the same arguments, in other words, and got the same "
        "result each time, first at step 1"
    );
    EXPECT_EQ(told[0].step, 2U);
}

TEST(RepeatedActions, SeveralIsWhatTheUserSays) {
    EXPECT_TRUE(wants_repeats(MessageWords("Send half of it within two transfers.")));
    EXPECT_TRUE(wants_repeats(MessageWords("Ring it twice")));
    EXPECT_TRUE(wants_repeats(MessageWords("Pay in 3 payments")));
    EXPECT_FALSE(wants_repeats(MessageWords("Send it to two people")));
    EXPECT_FALSE(wants_repeats(MessageWords("Order 3 bicycles")));
    EXPECT_TRUE(read_answer("Please verify your account").unfinished);
    EXPECT_FALSE(read_answer("Sent 5 to ann.").unfinished);
    EXPECT_FALSE(read_answer(std::string(300, 'x') + " please").unfinished) << "a record";
}

}  // namespace
}  // namespace tagout::detect
