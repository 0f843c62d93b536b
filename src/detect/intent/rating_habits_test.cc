// What ratings change: whole conversations through the engine, whose users rate, and then others
// whose users say the same without rating.

#include "detect/intent/rating_habits.h"
#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace tagout::detect {
namespace {

const auto no_catalog = std::make_shared<const catalog::Catalog>();
constexpr std::array things{"lamp", "chair", "table", "socks", "pan", "kettle", "scarf", "clock"};

/// Someone asks, is answered, perhaps rates the answer, and says something more.
void talk(
    Story& story, const std::string& correlation, std::string_view workflow, std::string_view reply,
    int rating
) {
    story.session(correlation, "desk", workflow).user("show me something for the house");
    story.model(300, "Here is what we have.");
    story.end();
    if (rating != 0) {
        AgentEvent& event = story.judge("stars", rating > 0 ? 1.0 : 0.0);
        event.kind = EventKind::Feedback;
    }
    story.turn().user(reply);
    story.model(300, "As you say.");
    story.end();
    story.wait(std::chrono::seconds(1));
}

std::string upset_about(std::string_view thing) {
    return "no, meh, such a dull " + std::string(thing);
}
std::string content_with(std::string_view thing, int more) {
    return "no, take the " + std::string(thing) + " to my place" + std::string(more, '!') +
           (more > 1 ? " please" : "") + (more > 2 ? " today" : "");
}

void teach(Story& story) {
    int number = 0;
    for (const std::string_view thing : things) {
        for (int more = 0; more < 4; ++more) {
            const std::string name = "rated-" + std::to_string(number++);
            talk(story, name, "shop", content_with(thing, more), 1);
        }
        for (const std::string_view end : {"", " again", " really"}) {
            const std::string name = "rated-" + std::to_string(number++);
            talk(story, name, "shop", upset_about(thing) + std::string(end), -1);
        }
    }
    for (int i = 0; i < 20; ++i) {  // time for training
        talk(story, "later-" + std::to_string(i), "shop", "send it", 0);
    }
}

RunResult after(bool taught, bool upset, double chance_max, const RunOptions& options) {
    Story story;
    if (taught) {
        teach(story);
    }
    for (int i = 0; i < 16; ++i) {
        const std::string_view thing = things[static_cast<std::size_t>(i) % things.size()];
        const std::string reply =
            upset ? upset_about(thing) + " indeed" : content_with(thing, 0) + " then";
        talk(story, "judged-" + std::to_string(i), "outlet", reply, 0);
    }
    story.wait(std::chrono::seconds(30));
    talk(story, "last", "shop", "send it", 0);
    Settings settings;
    settings.intent.rated_chance_max = chance_max;
    return run(story.events, settings, no_catalog, options);
}

bool told_of_outlet(const RunResult& result) {
    for (const Finding& finding : result.of("intent.user_corrections")) {
        if (finding.cause.find("outlet") != std::string::npos) {
            return true;
        }
    }
    return false;
}

TEST(RatingHabits, WordsThatRatingsTaughtRaiseTheCorrectionRate) {
    struct Row {
        std::string_view name;
        bool taught;
        bool upset;
        double chance_max;
        bool told;
    };
    const Row rows[] = {
        {"what displeased others", true, true, 0.05, true},
        {"what contented others", true, false, 0.05, false},
        {"nobody rated", false, true, 0.05, false},
        {"too few rated for so small a chance", true, true, 0.001, false},
    };
    for (const Row& row : rows) {
        for (const bool over_the_wire : {false, true}) {
            const RunResult result = after(
                row.taught,
                row.upset,
                row.chance_max,
                {.shards = over_the_wire ? 3U : 1U, .over_the_wire = over_the_wire}
            );
            EXPECT_EQ(told_of_outlet(result), row.told) << row.name << over_the_wire;
            for (const auto& [correlation, session] : result.sessions) {
                if (correlation.starts_with("judged")) {  // a rate rises, no session fails by it
                    EXPECT_EQ(session.outcome, SessionOutcome::Succeeded) << correlation;
                }
            }
        }
    }
}

TEST(RatingHabits, RatedWordsSurviveTheWireAndNonsenseIsRefused) {
    KeyPartials partials;
    partials.newest = Instant(std::chrono::hours(24));
    RatingFact fact;
    fact.key = "shop";
    fact.pane = 7;
    fact.features = {0, 3, 40'000};
    fact.rating = -1;
    fact.exemplar.at = partials.newest;
    partials.ratings = {fact, fact};
    partials.ratings[1].rating = 0;
    partials.ratings[1].features.clear();
    const std::string bytes = to_bytes(partials);
    const auto parsed = parse_key_partials(bytes);
    ASSERT_TRUE(parsed.has_value());
    ASSERT_EQ(parsed->ratings.size(), 2U);
    EXPECT_EQ(parsed->ratings[0].features, fact.features);
    EXPECT_EQ(parsed->ratings[0].rating, -1);
    EXPECT_EQ(parsed->ratings[0].pane, 7);
    EXPECT_TRUE(parsed->ratings[1].features.empty());
    EXPECT_EQ(to_bytes(*parsed), bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(parse_key_partials(bytes.substr(0, size)).has_value());
    }
    partials.ratings[0].features = {5, 5};  // each stands once
    EXPECT_FALSE(parse_key_partials(to_bytes(partials)).has_value());
    partials.ratings[0].features = {static_cast<std::uint16_t>(TurnBuckets::end)};
    EXPECT_FALSE(parse_key_partials(to_bytes(partials)).has_value());
    partials.ratings[0] = fact;
    partials.ratings[0].rating = 2;
    EXPECT_FALSE(parse_key_partials(to_bytes(partials)).has_value());
    KeyPartials both;
    both.merge(*parsed);
    both.merge(*parsed);
    EXPECT_EQ(both.ratings.size(), 4U);
    EXPECT_FALSE(both.empty());
}

}  // namespace
}  // namespace tagout::detect
