// What names give away. A reviewer should be able to argue with each row.

#include "catalog/tool_words.h"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace tagout::catalog {
namespace {

constexpr auto unknown = ToolEffect::Unknown;
constexpr auto reads = ToolEffect::Read;
constexpr auto writes = ToolEffect::Write;
constexpr auto goes_out = ToolEffect::Egress;

TEST(ToolWords, Effects) {
    struct Row {
        const char* name;
        ToolEffect effect;
    };
    const Row rows[] = {
        // One verb, every way to write a name.
        {"get_order", reads},
        {"getOrder", reads},
        {"GetOrder", reads},
        {"get-order", reads},
        {"orders.get", reads},
        {"orders/get", reads},
        {"mcp__orders__get_order", reads},
        {"orders__deleteOrder", writes},
        {"HTTPGet", goes_out},
        {"listS3Buckets", reads},
        {"cancelOrder", writes},
        {"payments.refund", writes},
        {"send_email", goes_out},
        {"Gmail: Send Email", goes_out},
        // The server's name says nothing about the tool.
        {"mail.search", reads},
        {"email__list_threads", reads},
        {"webhook-server.get_status", reads},
        // A verb outweighs nouns that can be verbs.
        {"get_email", reads},
        {"search_contacts_by_email", reads},
        {"email_search", reads},
        {"order_cancel", writes},
        {"list_scheduled_payments", reads},
        {"update_order_status", writes},
        {"read_post", reads},
        {"find_user_id_by_email", reads},
        // A looking noun at the end.
        {"refund_status", reads},
        {"order_history", reads},
        {"transfer_policy", reads},
        {"post_status", goes_out},
        {"user_update_status", writes},
        {"weather_info", reads},
        // Nouns as verbs, and verbs that say nothing alone.
        {"refund_order", writes},
        {"email_customer", goes_out},
        {"book_flight", writes},
        {"process_refund", writes},
        {"make_payment", writes},
        {"run_query", reads},
        {"execute_sql", writes},
        {"Bash", writes},
        {"run_shell_command", writes},
        {"call_function", unknown},
        {"invoke", unknown},
        // Two verbs.
        {"get_or_create_user", writes},
        {"search_and_replace", writes},
        {"fetch_and_send_report", goes_out},
        // Out of the house.
        {"http_request", goes_out},
        {"http_get", goes_out},
        {"trigger_webhook", goes_out},
        {"slack_post_message", goes_out},
        {"chat.postMessage", goes_out},
        {"upload_file", goes_out},
        {"share_document", goes_out},
        {"publish_page", goes_out},
        {"notify_customer", goes_out},
        {"git_push", goes_out},
        // Hand-over between agents writes nothing.
        {"transfer_to_human_agents", reads},
        {"transfer_to_billing_agent", reads},
        {"transfer_money_to_account", writes},
        {"resolve-library-id", reads},
        {"resolve_ticket", writes},
        {"check_in_guest", writes},
        {"check_availability", reads},
        // Coding agents.
        {"Read", reads},
        {"Edit", writes},
        {"MultiEdit", writes},
        {"TodoWrite", writes},
        {"WebFetch", reads},
        {"WebSearch", reads},
        {"NotebookEdit", writes},
        {"Grep", reads},
        // Not a word that is known: no guess.
        {"", unknown},
        {"___", unknown},
        {"zorp", unknown},
        {"calendar", unknown},
        {"settings", unknown},
        {"reader", unknown},
        {"\xc3\xa9nvoyer", unknown},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(name_of(infer_tool(row.name).effect), name_of(row.effect)) << row.name;
        EXPECT_FALSE(infer_tool(row.name).configured) << row.name;
    }
}

TEST(ToolWords, RiskAndTheWayBack) {
    struct Row {
        const char* name;
        ToolRisk risk;
        Reversibility reversibility;
    };
    const Row rows[] = {
        {"pay_invoice", ToolRisk::High, Reversibility::Irreversible},
        {"payments.refund", ToolRisk::High, Reversibility::Irreversible},
        {"transfer_funds", ToolRisk::High, Reversibility::Irreversible},
        {"delete_user", ToolRisk::High, Reversibility::Irreversible},
        {"send_email", ToolRisk::High, Reversibility::Irreversible},
        {"book_flight", ToolRisk::Low, Reversibility::ExternallyReversible},
        {"create_ticket", ToolRisk::Low, Reversibility::Reversible},
        {"update_password", ToolRisk::High, Reversibility::Reversible},
        {"get_payment", ToolRisk::Low, Reversibility::ReadOnly},
        {"zorp", ToolRisk::Low, Reversibility::Unknown},
    };
    for (const Row& row : rows) {
        const ToolFacts facts = infer_tool(row.name);
        EXPECT_EQ(name_of(facts.risk), name_of(row.risk)) << row.name;
        EXPECT_EQ(name_of(facts.reversibility), name_of(row.reversibility)) << row.name;
    }
}

TEST(ToolWords, AnyBytesAreANameAndNoneIsTooLong) {
    std::string every_byte;
    for (int c = 0; c < 256; ++c) {
        every_byte.push_back(static_cast<char>(c));
    }
    for (int repeat = 0; repeat < 40; ++repeat) {
        every_byte += "_aB9";
        (void)infer_tool(every_byte);
    }
    EXPECT_EQ(infer_tool("send_" + std::string(100'000, 'x')).effect, goes_out);
    EXPECT_EQ(infer_tool(std::string(500, '_')).effect, unknown);
}

/// Names that are listed in a suite, with their state_changing flag.
std::map<std::string, bool> labelled_tools() {
    std::map<std::string, bool> tools;
    for (const char* file :
         {"tools_agentdojo.json", "tools_agentdyn.json", "tools_taubench.json"}) {
        std::stringstream text;
        text << std::ifstream(std::string(TAGOUT_SHARED_DIR) + "/data/" + file).rdbuf();
        const boost::json::value root = boost::json::parse(text.str());
        const auto take = [&](const boost::json::object& from, const std::string& name) {
            if (const auto* tool = from.if_contains(name); tool != nullptr && tool->is_object()) {
                tools[name] = tool->as_object().at("state_changing").as_bool();
            }
        };
        if (const auto* suites = root.as_object().if_contains("suites")) {
            for (const auto& suite : suites->as_object()) {
                for (const auto& name : suite.value().as_array()) {
                    take(root.as_object().at("tools").as_object(), std::string(name.as_string()));
                }
            }
            continue;
        }
        for (const auto& domain : root.as_object()) {
            for (const auto& tool : domain.value().as_object()) {
                take(domain.value().as_object(), std::string(tool.key()));
            }
        }
    }
    return tools;
}

TEST(SharedToolWords, RealToolsAreTakenForWhatTheyAre) {
    const std::map<std::string, bool> tools = labelled_tools();
    ASSERT_GT(tools.size(), 100U);
    int right = 0;
    int missed = 0;
    int mistaken = 0;
    std::string wrong;
    for (const auto& [name, changes] : tools) {
        const ToolEffect effect = infer_tool(name).effect;
        const bool guessed = effect == writes || effect == goes_out;
        right += changes && guessed ? 1 : 0;
        missed += changes && !guessed ? 1 : 0;
        mistaken += !changes && guessed ? 1 : 0;
        if (changes != guessed) {
            wrong += " " + name + "(" + std::string(name_of(effect)) + ")";
        }
    }
    const double recall = static_cast<double>(right) / (right + missed);
    const double precision = static_cast<double>(right) / (right + mistaken);
    RecordProperty("tools", static_cast<int>(tools.size()));
    RecordProperty("precision", std::to_string(precision));
    RecordProperty("recall", std::to_string(recall));
    EXPECT_GE(precision, 0.98) << wrong;
    EXPECT_GE(recall, 0.90) << wrong;
}

}  // namespace
}  // namespace tagout::catalog
