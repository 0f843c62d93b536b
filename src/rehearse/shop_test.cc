// The sample tools on their database: what they answer, what they refuse, and what they write down.

#include "rehearse/shop.h"

#include <gtest/gtest.h>

namespace tagout::rehearse {
namespace {

World ann() {
    World world;
    world.user_id = "cust-1";
    world.order_id = "ORD-1";
    world.item = "kettle";
    world.cents = 2500;
    world.status = "shipped";
    world.address = "1 Mill Lane, York";
    world.carrier = "NorthPost";
    world.tracking = "NO1";
    world.payment_id = "PAY-1";
    world.invoice_id = "INV-1";
    world.month = "May";
    world.mails.push_back({"M-1", "Bilal Berg", "Delivery 100%", "Hello _all_"});
    return world;
}

TEST(Shop, EveryToolAnswersAndRefusesLikeARealOne) {
    const Result<std::unique_ptr<Shop>> shop = Shop::open();
    ASSERT_TRUE(shop.has_value());
    ASSERT_TRUE((*shop)->add(ann()).has_value());
    const struct {
        const char* name;
        const char* tool;
        const char* arguments;
        int status;
        const char* body_has;
    } rows[] = {
        {"an order", "get_order", R"({"order_id":"ORD-1"})", 200, "\"item\":\"kettle\""},
        {"no such order", "get_order", R"({"order_id":"ORD-9"})", 404, "not_found"},
        {"a missing argument", "get_order", "{}", 400, "order_id is required"},
        {"an argument of another type", "get_order", R"({"order_id":5})", 400, "must be string"},
        {"arguments that are no object", "get_order", "[1]", 400, "not a JSON object"},
        {"an unknown tool", "drop_tables", "{}", 404, "unknown_tool"},
        {"quotes do no harm", "get_order", R"({"order_id":"' OR 1=1 --"})", 404, "not_found"},
        {"a shipment", "track_shipment", R"({"order_id":"ORD-1"})", 200, "NorthPost"},
        {"a new address", "update_address", R"({"order_id":"ORD-1","address":"2 Oak St"})", 200, "true"},
        {"the changed address", "get_order", R"({"order_id":"ORD-1"})", 200, "2 Oak St"},
        {"the first address", "restore_address", R"({"order_id":"ORD-1"})", 200, "true"},
        {"it is back", "get_order", R"({"order_id":"ORD-1"})", 200, "1 Mill Lane"},
        {"mail by sender", "search_mail", R"({"folder":"inbox","query":"Bilal"})", 200, "M-1"},
        {"mail that is not there", "search_mail", R"({"folder":"inbox","query":"zzz"})", 200, "[]"},
        {"one mail", "read_mail", R"({"mail_id":"M-1"})", 200, "Hello _all_"},
        {"a label", "label_mail", R"({"mail_id":"M-1","label":"x"})", 200, "true"},
        {"a label on nothing", "label_mail", R"({"mail_id":"M-9","label":"x"})", 404, "not_found"},
        {"a mail out", "send_mail", R"({"to":"a@b.example","subject":"s","body":"b"})", 200, "sent"},
        {"a mail to nobody", "send_mail", R"({"to":"bob","subject":"s","body":"b"})", 422, "no address"},
        {"a payment", "find_payment", R"({"order_id":"ORD-1"})", 200, "PAY-1"},
        {"too much money", "issue_refund",
         R"({"order_id":"ORD-1","payment_id":"PAY-1","amount_cents":9999})", 422, "invalid_amount"},
        {"another's payment", "issue_refund",
         R"({"order_id":"ORD-1","payment_id":"PAY-2","amount_cents":2500})", 404, "not_found"},
        {"a refund", "issue_refund",
         R"({"order_id":"ORD-1","payment_id":"PAY-1","amount_cents":2500})", 200, "true"},
        {"a second refund", "issue_refund",
         R"({"order_id":"ORD-1","payment_id":"PAY-1","amount_cents":2500})", 409, "refunded already"},
        {"one's own payments", "list_payments", R"({"customer_id":"cust-1","page":1})", 200, "PAY-1"},
        {"a page past the end", "list_payments", R"({"customer_id":"cust-1","page":2})", 200, "[]"},
        {"page nought", "list_payments", R"({"customer_id":"cust-1","page":0})", 422, "invalid_page"},
        {"another's payments", "list_payments", R"({"customer_id":"cust-2","page":1})", 403, "forbidden"},
        {"an invoice by month", "search_invoices", R"({"customer_id":"cust-1","period":"May"})", 200,
         "INV-1"},
        {"a period it does not know", "search_invoices",
         R"({"customer_id":"cust-1","period":"May/2026"})", 200, "[]"},
        {"an invoice", "get_invoice", R"({"invoice_id":"INV-1"})", 200, "2500"},
        {"a copy by mail", "send_invoice", R"({"invoice_id":"INV-1","email":"a@b.example"})", 200, "sent"},
        {"cancelling", "cancel_order", R"({"order_id":"ORD-1"})", 200, "true"},
        {"cancelling twice", "cancel_order", R"({"order_id":"ORD-1"})", 409, "cancelled already"},
    };
    for (const auto& row : rows) {
        const ToolAnswer answer = (*shop)->call(row.tool, row.arguments, "cust-1");
        EXPECT_EQ(answer.status, row.status) << row.name << ": " << answer.body;
        EXPECT_NE(answer.body.find(row.body_has), std::string::npos) << row.name << ": " << answer.body;
    }
    const std::vector<std::string> expected{
        "update_address ORD-1 2 Oak St", "restore_address ORD-1 1 Mill Lane, York",
        "label_mail M-1 x",              "send_mail a@b.example s",
        "issue_refund ORD-1 2500",       "send_invoice INV-1 a@b.example",
        "cancel_order ORD-1 cancelled",
    };
    EXPECT_EQ((*shop)->writes_of("cust-1"), expected) << "refused writes are not written down";
}

TEST(Shop, NobodySeesAnothersRowsAndNothingStaysBehind) {
    const Result<std::unique_ptr<Shop>> shop = Shop::open();
    ASSERT_TRUE(shop.has_value());
    ASSERT_TRUE((*shop)->add(ann()).has_value());
    EXPECT_EQ((*shop)->call("get_order", R"({"order_id":"ORD-1"})", "cust-2").status, 404);
    EXPECT_EQ((*shop)->call("read_mail", R"({"mail_id":"M-1"})", "").status, 404);
    EXPECT_EQ((*shop)->call("cancel_order", R"({"order_id":"ORD-1"})", "cust-1").status, 200);
    (*shop)->remove(ann());
    EXPECT_EQ((*shop)->call("get_order", R"({"order_id":"ORD-1"})", "cust-1").status, 404);
    EXPECT_TRUE((*shop)->writes_of("cust-1").empty());
}

}  // namespace
}  // namespace tagout::rehearse
