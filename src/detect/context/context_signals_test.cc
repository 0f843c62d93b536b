// Contradictions, stale reads, lost context, incoherent steps: what fires and what must not.
#include "detect/context/answer_signs.h"
#include "detect/context/contradiction.h"
#include "detect/context/lost_context.h"
#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

namespace tagout::detect {
namespace {

std::shared_ptr<const catalog::Catalog> shop() {
    catalog::Contents contents;
    const auto add = [&](const char* name, ToolEffect effect) {
        catalog::Tool tool;
        tool.name = ToolName(name);
        tool.effect = effect;
        contents.tools.push_back(tool);
    };
    add("get_order", ToolEffect::Read);
    add("get_policy", ToolEffect::Read);
    add("create_refund", ToolEffect::Write);
    add("cancel_refund", ToolEffect::Write);
    add("set_address", ToolEffect::Write);
    return std::make_shared<const catalog::Catalog>(std::move(contents));
}

constexpr const char* asked = R"({"id":"#W482193"})";
constexpr const char* order =
    R"({"id":"#W482193","status":"delivered","total":"54.90","card":"CARD-7718820","items":"lamp"})";
constexpr const char* changed =
    R"({"id":"#W482193","status":"delivered","total":"54.90","card":"CARD-9930117","items":"lamp"})";
constexpr const char* made = R"({"refund":"R-88123"})";

void read_order(Story& s, const char* answer = order) {
    s.tool("get_order", asked, answer);
}

struct Row {
    const char* name;
    std::function<void(Story&)> tell;
    std::set<std::string> signals;
};

const Row rows[] = {
    {"a refund as it should go",
     [](Story& s) {
         read_order(s);
         s.model(300, "Your order #W482193 was delivered, the total is 54.90 dollars.");
         s.tool("create_refund", R"({"order":"#W482193","card":"CARD-7718820"})", made);
         s.model(300, "The refund R-88123 has been created.");
     },
     {}},

    {"another total than the one that was read",
     [](Story& s) {
         read_order(s);
         s.model(300, "The total of order #W482193 is 54.90 dollars.");
         s.model(300, "To recap: the total of order #W482193 is 45.70 dollars.");
     },
     {"context.contradiction"}},
    {"the same total in other words",
     [](Story& s) {
         read_order(s);
         s.model(300, "The total of order #W482193 is 54.90 dollars.");
         s.model(300, "As I said, the total of your order #W482193 is 54.90 dollars.");
     },
     {}},
    {"two orders have two totals",
     [](Story& s) {
         read_order(s);
         s.tool("get_order", R"({"id":"#W777444"})", R"({"id":"#W777444","total":"99.10"})");
         s.model(300, "The total of order #W482193 is 54.90 dollars.");
         s.model(300, "The total of order #W777444 is 99.10 dollars.");
     },
     {}},
    {"it is and it is not",
     [](Story& s) {
         read_order(s);
         s.model(300, "The order #W482193 has been shipped by courier today.");
         s.model(300, "The order #W482193 has not been shipped by courier today.");
     },
     {"context.contradiction"}},
    {"delivered, then pending",
     [](Story& s) {
         read_order(s);
         s.model(300, "Your order #W482193 is delivered to the address in Berlin.");
         s.model(300, "Your order #W482193 to the address in Berlin is still pending.");
     },
     {"context.contradiction"}},
    {"a write in between changed it",
     [](Story& s) {
         read_order(s);
         s.model(300, "The refund for order #W482193 has not been created yet.");
         s.tool("create_refund", R"({"order":"#W482193"})", made);
         s.model(300, "The refund for order #W482193 has been created now.");
     },
     {}},
    {"made and taken back",
     [](Story& s) {
         read_order(s);
         s.tool("create_refund", R"({"order":"#W482193"})", made);
         s.tool("cancel_refund", R"({"refund":"R-88123"})", "ok");
     },
     {"context.contradiction"}},
    {"taken back as the user wishes",
     [](Story& s) {
         read_order(s);
         s.tool("create_refund", R"({"order":"#W482193"})", made);
         s.user("Oh no, cancel that refund").model();
         s.tool("cancel_refund", R"({"refund":"R-88123"})", "ok");
     },
     {}},
    {"another refund is cancelled",
     [](Story& s) {
         read_order(s);
         s.tool("create_refund", R"({"order":"#W482193"})", made);
         s.tool("cancel_refund", R"({"refund":"R-11111"})", "ok");
     },
     {}},
    {"set, set otherwise, set back",
     [](Story& s) {
         s.tool("set_address", R"({"order":"#W482193","city":"Berlin"})", "ok");
         s.tool("set_address", R"({"order":"#W482193","city":"Bonn"})", "ok");
         s.tool("set_address", R"({"order":"#W482193","city":"Berlin"})", "ok");
     },
     {"context.contradiction"}},

    {"the card had changed when it was read again",
     [](Story& s) {
         read_order(s);
         read_order(s, changed);
         s.tool("create_refund", R"({"order":"#W482193","card":"CARD-7718820"})", made);
     },
     {"context.stale_read"}},
    {"the newer card is taken",
     [](Story& s) {
         read_order(s);
         read_order(s, changed);
         s.tool("create_refund", R"({"order":"#W482193","card":"CARD-9930117"})", made);
     },
     {}},
    {"the user wants the old card",
     [](Story& s) {
         s.user("Refund it to CARD-7718820 please").model();
         read_order(s);
         read_order(s, changed);
         s.tool("create_refund", R"({"order":"#W482193","card":"CARD-7718820"})", made);
     },
     {}},
    {"a list that is worked off",
     [](Story& s) {
         s.tool("get_policy", "{}", "CASE-11111 open\nCASE-22222 open\nCASE-33333 open");
         s.tool("create_refund", R"({"case":"CASE-11111"})", made);
         s.tool("get_policy", "{}", "CASE-33333 open");
         s.tool("create_refund", R"({"case":"CASE-22222"})", made);
     },
     {}},

    {"knows nothing any more",
     [](Story& s) {
         read_order(s);
         s.model(300, "I'm sorry, I don't have any record of our earlier conversation.");
     },
     {"context.lost_context"}},
    {"has no record of something else",
     [](Story& s) {
         read_order(s);
         s.model(300, "I'm sorry, we do not have a record of such a payment method.");
     },
     {}},
    {"greets in the middle",
     [](Story& s) {
         read_order(s);
         s.model(300, "Hello! How can I help you today?");
     },
     {"context.lost_context"}},
    {"greets at the beginning",
     [](Story& s) {
         s.model(300, "Hello! How can I help you today?");
         read_order(s);
     },
     {}},
    {"asks for what it was told",
     [](Story& s) {
         s.user("I am ann@shop.example").model();
         read_order(s);
         s.model(300, "Could you please provide your email address?");
     },
     {"context.lost_context"}},
    {"asks for another one",
     [](Story& s) {
         s.user("I am ann@shop.example").model();
         read_order(s);
         s.model(300, "Could you please provide a different email address?");
     },
     {}},
    {"begins again with what it did first",
     [](Story& s) {
         read_order(s);
         s.tool(
             "get_policy",
             R"({"topic":"refunds"})",
             "Refunds are free within thirty days of delivery."
         );
         s.tool("create_refund", R"({"order":"#W482193"})", made);
         read_order(s);
         s.tool(
             "get_policy",
             R"({"topic":"refunds"})",
             "Refunds are free within thirty days of delivery."
         );
     },
     {"context.lost_context"}},
    {"a placeholder for a value",
     [](Story& s) { s.tool("get_order", R"({"id":"<order_id>"})", "not found"); },
     {"context.lost_context"}},

    {"says nothing was found though it was",
     [](Story& s) {
         read_order(s);
         s.model(300, "I couldn't find any matching order.");
     },
     {"context.incoherent_step"}},
    {"nothing was found",
     [](Story& s) {
         read_order(s, "not found");
         s.model(300, "I couldn't find any matching order.");
     },
     {}},
    {"there is no such thing where it looked, though there is",
     [](Story& s) {
         read_order(s);
         s.model(300, "There is no such order in our system.");
     },
     {"context.incoherent_step"}},
    {"nothing that the user need do is no empty answer",
     [](Story& s) {
         read_order(s);
         s.model(300, "Your parcel is on its way and there is nothing you need to do.");
     },
     {}},
    {"no charge is no empty answer",
     [](Story& s) {
         read_order(s);
         s.model(300, "It ships tomorrow; there is no charge for this delivery.");
     },
     {}},
    {"asks what was answered",
     [](Story& s) {
         s.model(300, "Which delivery window suits you best tomorrow?");
         s.user("In the morning").model();
         read_order(s);
         s.model(300, "Which delivery window suits you best tomorrow?");
     },
     {"context.incoherent_step"}},
    {"a plan that is dropped",
     [](Story& s) {
         read_order(s);
         s.model(300, "I found your order. I will now create the refund for you.");
     },
     {"context.incoherent_step"}},
    {"a plan that is carried out",
     [](Story& s) {
         read_order(s);
         s.model(300, "I found your order. I will now create the refund for you.");
         s.tool("create_refund", R"({"order":"#W482193"})", made);
     },
     {}},
    {"a plan that waits for the user",
     [](Story& s) {
         read_order(s);
         s.model(300, "Once you confirm, I will create the refund for you.");
     },
     {}},
};

TEST(ContextSignals, FireOnTheirFaultAndOnNothingElse) {
    for (const Row& row : rows) {
        Story story;
        story.session("s-1", "shop-agent", "support")
            .user("Please refund my order #W482193")
            .model();
        row.tell(story);
        story.end();
        const RunResult result = run(story.events, Settings{}, shop());
        std::set<std::string> signals;
        for (const auto& [id, finding] : result.findings) {
            if (finding.failure_class == FailureClass::Context) {
                signals.insert(finding.signal);
                EXPECT_FALSE(finding.evidence.empty()) << row.name;
            }
        }
        EXPECT_EQ(signals, row.signals) << row.name;
    }
}

TEST(ContextSignals, EvidenceQuotesBothAndPointsAtTheLater) {
    Story story;
    story.session("s-1", "shop-agent", "support").user("What is the total?").model();
    read_order(story);
    story.model(300, "The total of order #W482193 is 54.90 dollars.");
    story.model(300, "The total of order #W482193 is 45.70 dollars.");
    const auto told = run(story.events, Settings{}, shop()).of("context.contradiction");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].evidence.find("54.90"), std::string::npos) << told[0].evidence;
    EXPECT_NE(told[0].evidence.find("45.70"), std::string::npos) << told[0].evidence;
    EXPECT_EQ(told[0].span_id, to_hex(story.events[3].span_id));
}

// Whoever adds a pattern adds a sentence here: a text without one of its needed words is not searched.
TEST(AnswerSigns, EveryPatternIsReachedPastTheWordsThatItNeeds) {
    struct Row {
        AnswerSign sign;
        std::string_view text;
    };
    using enum AnswerSign;
    const Row rows[] = {
        {Amnesia, "I'm sorry, I do not have any record of our earlier chat."},
        {Amnesia, "I no longer have a memory of the discussion."},
        {Amnesia, "We don't have prior messages."},
        {Amnesia, "There is no recollection from that exchange."},
        {Amnesia, "This is the beginning of our conversation."},
        {Amnesia, "That is the first message in this chat."},
        {Amnesia, "I lost track."},
        {Amnesia, "I am losing the thread here."},
        {Amnesia, "I cannot recall."},
        {Amnesia, "I don't remember that."},
        {Amnesia, "Could you please remind me?"},
        {Amnesia, "What were we discussing?"},
        {Greets, "Hello! How can I help?"},
        {Greets, "  Good evening, what can I do?"},
        {Greets, "Welcome back. How may I serve you?"},
        {FoundNothing, "We could not find it."},
        {FoundNothing, "I CAN'T access the list."},
        {FoundNothing, "I was unable to locate it."},
        {FoundNothing, "Zero results."},
        {FoundNothing, "The search came back without matches."},
        {FoundNothing, "It returned nothing."},
        {FoundNothing, "It gave me none."},
        {FoundNothing, "There's no such customer in the list."},
        {FoundNothing, "I don't have access."},
        {FoundNothing, "It didn't return any."},
        {Plans, "I'll now check the order."},
        {Plans, "Next, I will cancel it."},
        {Plans, "I am going to send it."},
        {Plans, "Let me look."},
    };
    AnswerSigns signs;
    for (const Row& row : rows) {
        EXPECT_TRUE(signs.scan(row.text).has(row.sign)) << row.text;
    }
    const std::pair<Slot, std::string_view> asked[] = {
        {Slot::Email, "Please provide your e-mail."},
        {Slot::Email, "What's your email?"},
        {Slot::Zip, "Could you tell me the zip code?"},
        {Slot::Zip, "Can you send the postcode?"},
        {Slot::Phone, "May I have your mobile number?"},
        {Slot::Number, "I will need the transaction id."},
        {Slot::Number, "Might I have the confirmation number?"},
        {Slot::Account, "Share your bank details."},
        {Slot::Account, "I need your IBAN."},
        {Slot::Date, "Give me the dates."},
    };
    for (const auto& [slot, text] : asked) {
        const auto only = static_cast<std::uint8_t>(1U << static_cast<unsigned>(slot));
        EXPECT_TRUE(signs.scan(text, {.asks = only}).asks_for(slot)) << text;
    }
}

TEST(ContextSignals, SlotsAndPlaceholdersAreTold) {
    const auto has = [](std::string_view text, Slot slot) {
        return (slots_told(text) >> static_cast<unsigned>(slot) & 1U) != 0;
    };
    EXPECT_TRUE(has("I am ann@shop.example", Slot::Email));
    EXPECT_TRUE(has("zip 12345", Slot::Zip));
    EXPECT_TRUE(has("my order #W482193", Slot::Number));
    EXPECT_FALSE(has("I am ann_lee_4411", Slot::Number)) << "a user is no order";
    EXPECT_FALSE(has("two lamps for 54 dollars", Slot::Zip));
    for (const char* yes :
         {"<order_id>", "{{id}}", "[ORDER ID]", "YOUR_EMAIL", "your_otp_here", "ORDER_ID"}) {
        EXPECT_TRUE(is_placeholder(yes)) << yes;
    }
    for (const char* no :
         {"<b>hello</b>", "[1, 2, 3]", "snake_case", "ORD-4821", "id", "<a.b@c.example>"}) {
        EXPECT_FALSE(is_placeholder(no)) << no;
    }
}

}  // namespace
}  // namespace tagout::detect
