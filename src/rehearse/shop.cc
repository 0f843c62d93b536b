#include "rehearse/shop.h"

#include <boost/json.hpp>
#include <sqlite3.h>

#include <array>
#include <initializer_list>
#include <optional>

namespace tagout::rehearse {

namespace {

namespace json = boost::json;

constexpr std::string_view by_order =
    R"({"type":"object","properties":{"order_id":{"type":"string"}},"required":["order_id"]})";

constexpr std::array<ToolInfo, 15> tools{{
    {ToolServerKind::Orders, "get_order", "Looks up one order by its number.", by_order, true},
    {ToolServerKind::Orders, "track_shipment", "Asks the carrier where an order's parcel is.",
     by_order, true},
    {ToolServerKind::Orders, "update_address", "Changes the delivery address of an order.",
     R"({"type":"object","properties":{"order_id":{"type":"string"},"address":{"type":"string"}},)"
     R"("required":["order_id","address"]})",
     false},
    {ToolServerKind::Orders, "restore_address",
     "Puts back the delivery address that the customer gave with the order.", by_order, false},
    {ToolServerKind::Orders, "cancel_order", "Cancels an order that has not been delivered.", by_order,
     false},
    {ToolServerKind::Mail, "search_mail", "Lists mails of a folder that contain the query.",
     R"({"type":"object","properties":{"folder":{"type":"string"},"query":{"type":"string"}},)"
     R"("required":["folder","query"]})",
     true},
    {ToolServerKind::Mail, "read_mail", "Returns one mail with its text.",
     R"({"type":"object","properties":{"mail_id":{"type":"string"}},"required":["mail_id"]})", true},
    {ToolServerKind::Mail, "label_mail", "Puts a label on a mail.",
     R"({"type":"object","properties":{"mail_id":{"type":"string"},"label":{"type":"string"}},)"
     R"("required":["mail_id","label"]})",
     false},
    {ToolServerKind::Mail, "send_mail", "Sends a mail.",
     R"({"type":"object","properties":{"to":{"type":"string"},"subject":{"type":"string"},)"
     R"("body":{"type":"string"}},"required":["to","subject","body"]})",
     false},
    {ToolServerKind::Payments, "find_payment", "Finds the payment of an order.", by_order, true},
    {ToolServerKind::Payments, "issue_refund", "Pays the amount of a payment back.",
     R"({"type":"object","properties":{"order_id":{"type":"string"},"payment_id":{"type":"string"},)"
     R"("amount_cents":{"type":"integer"}},"required":["order_id","payment_id","amount_cents"]})",
     false},
    {ToolServerKind::Payments, "list_payments", "Lists a customer's payments, page by page.",
     R"({"type":"object","properties":{"customer_id":{"type":"string"},"page":{"type":"integer"}},)"
     R"("required":["customer_id","page"]})",
     true},
    {ToolServerKind::Payments, "search_invoices", "Finds invoices of a customer by month.",
     R"({"type":"object","properties":{"customer_id":{"type":"string"},"period":{"type":"string"}},)"
     R"("required":["customer_id","period"]})",
     true},
    {ToolServerKind::Payments, "get_invoice", "Returns one invoice.",
     R"({"type":"object","properties":{"invoice_id":{"type":"string"}},"required":["invoice_id"]})",
     true},
    {ToolServerKind::Payments, "send_invoice", "Mails a copy of an invoice.",
     R"({"type":"object","properties":{"invoice_id":{"type":"string"},"email":{"type":"string"}},)"
     R"("required":["invoice_id","email"]})",
     false},
}};

constexpr const char* schema = R"(
CREATE TABLE orders(id TEXT PRIMARY KEY, owner TEXT, item TEXT, cents INTEGER, status TEXT,
                    address TEXT, carrier TEXT, tracking TEXT, first_address TEXT);
CREATE TABLE payments(id TEXT PRIMARY KEY, owner TEXT, order_id TEXT, cents INTEGER, status TEXT);
CREATE TABLE invoices(id TEXT PRIMARY KEY, owner TEXT, order_id TEXT, month TEXT, cents INTEGER);
CREATE TABLE mails(id TEXT PRIMARY KEY, owner TEXT, sender TEXT, subject TEXT, body TEXT,
                   folder TEXT, label TEXT);
CREATE TABLE writes(id INTEGER PRIMARY KEY, owner TEXT, tool TEXT, entity TEXT, value TEXT);
CREATE INDEX payment_order ON payments(order_id);
CREATE INDEX invoice_owner ON invoices(owner);
CREATE INDEX mail_owner ON mails(owner);
CREATE INDEX write_owner ON writes(owner);
)";

/// One SQL statement with its values; rows come out as JSON objects by column name.
class Statement {
public:
    Statement(sqlite3* database, const char* sql, std::initializer_list<json::value> values) {
        if (sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr) != SQLITE_OK) {
            return;
        }
        int at = 0;
        for (const json::value& value : values) {
            ++at;
            if (value.is_int64()) {
                sqlite3_bind_int64(statement_, at, value.get_int64());
            } else {
                const json::string& text = value.get_string();
                sqlite3_bind_text(
                    statement_, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT
                );
            }
        }
    }
    ~Statement() { sqlite3_finalize(statement_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    std::optional<json::object> next() {
        if (statement_ == nullptr || sqlite3_step(statement_) != SQLITE_ROW) {
            return std::nullopt;
        }
        json::object row;
        for (int column = 0; column < sqlite3_column_count(statement_); ++column) {
            const char* const name = sqlite3_column_name(statement_, column);
            if (sqlite3_column_type(statement_, column) == SQLITE_INTEGER) {
                row[name] = static_cast<std::int64_t>(sqlite3_column_int64(statement_, column));
            } else {
                const unsigned char* const text = sqlite3_column_text(statement_, column);
                row[name] = text == nullptr ? "" : reinterpret_cast<const char*>(text);
            }
        }
        return row;
    }
    bool run() { return statement_ != nullptr && sqlite3_step(statement_) == SQLITE_DONE; }

private:
    sqlite3_stmt* statement_ = nullptr;
};

ToolAnswer answer(const json::value& body) { return {200, json::serialize(body)}; }

ToolAnswer refusal(int status, std::string_view code, std::string message) {
    return {
        status, json::serialize(json::object{{"error", code}, {"message", std::move(message)}})
    };
}

/// The arguments of one call, checked against the tool's schema: required members and their types.
struct Call {
    sqlite3* database;
    std::string tool;
    std::string user;
    json::object arguments;

    [[nodiscard]] json::value text(std::string_view name) const { return arguments.at(name); }
    [[nodiscard]] std::string words(std::string_view name) const {
        return std::string(arguments.at(name).as_string());
    }
    void note_write(const json::value& entity, const json::value& value) const {
        const std::string as_text = value.is_string() ? std::string(value.get_string())
                                                      : json::serialize(value);
        Statement(
            database, "INSERT INTO writes(owner, tool, entity, value) VALUES(?, ?, ?, ?)",
            {json::value(user), json::value(tool), entity, json::value(as_text)}
        ).run();
    }
    [[nodiscard]] std::optional<json::object> row(
        const char* sql, std::initializer_list<json::value> values
    ) const {
        return Statement(database, sql, values).next();
    }
};

std::optional<ToolAnswer> check(const ToolInfo& tool, const json::object& arguments) {
    const json::value schema_of_tool = json::parse(tool.input_schema);
    for (const json::value& name : schema_of_tool.at("required").as_array()) {
        const json::value* const value = arguments.if_contains(name.as_string());
        if (value == nullptr) {
            return refusal(400, "missing_argument", std::string(name.as_string()) + " is required");
        }
        const json::string& type =
            schema_of_tool.at("properties").at(name.as_string()).at("type").as_string();
        if (type == "string" ? !value->is_string() : !value->is_int64()) {
            return refusal(
                400, "wrong_type", std::string(name.as_string()) + " must be " + std::string(type)
            );
        }
    }
    return std::nullopt;
}

std::optional<json::object> order_of(const Call& call) {
    return call.row(
        "SELECT id AS order_id, item, cents AS total_cents, status, address, carrier, tracking"
        " FROM orders WHERE id = ? AND owner = ?",
        {call.text("order_id"), json::value(call.user)}
    );
}

ToolAnswer no_such_order(const Call& call) {
    return refusal(404, "not_found", "no order " + call.words("order_id"));
}

ToolAnswer get_order(const Call& call) {
    std::optional<json::object> order = order_of(call);
    if (!order) {
        return no_such_order(call);
    }
    order->erase("carrier");
    order->erase("tracking");
    return answer(std::move(*order));
}

ToolAnswer track_shipment(const Call& call) {
    const std::optional<json::object> order = order_of(call);
    if (!order) {
        return no_such_order(call);
    }
    const bool sent = order->at("status").as_string() != "processing";
    return answer(json::object{
        {"order_id", order->at("order_id")},
        {"state", sent ? "on its way" : "being packed"},
        {"carrier", order->at("carrier")},
        {"tracking", order->at("tracking")},
        {"eta", sent ? "tomorrow" : "within three days"},
    });
}

ToolAnswer change_order(const Call& call, const char* sql, const json::value& value) {
    const std::optional<json::object> order = order_of(call);
    if (!order) {
        return no_such_order(call);
    }
    const std::string_view status = order->at("status").as_string();
    if (status == "delivered" || status == "cancelled") {
        return refusal(409, "conflict", "the order is " + std::string(status) + " already");
    }
    Statement(call.database, sql, {value, call.text("order_id")}).run();
    call.note_write(call.text("order_id"), value);
    return answer(json::object{{"order_id", call.text("order_id")}, {"ok", true}});
}

ToolAnswer search_mail(const Call& call) {
    Statement found(
        call.database,
        "SELECT id AS mail_id, sender, subject FROM mails WHERE owner = ? AND folder = ?"
        " AND (sender || ' ' || subject) LIKE '%' || ? || '%' ORDER BY id LIMIT 20",
        {json::value(call.user), call.text("folder"), call.text("query")}
    );
    json::array mails;
    while (std::optional<json::object> row = found.next()) {
        mails.push_back(std::move(*row));
    }
    return answer(json::object{{"mails", std::move(mails)}});
}

ToolAnswer read_mail(const Call& call) {
    const std::optional<json::object> mail = call.row(
        "SELECT id AS mail_id, sender, subject, body FROM mails WHERE id = ? AND owner = ?",
        {call.text("mail_id"), json::value(call.user)}
    );
    return mail ? answer(*mail) : refusal(404, "not_found", "no mail " + call.words("mail_id"));
}

ToolAnswer label_mail(const Call& call) {
    Statement(
        call.database, "UPDATE mails SET label = ? WHERE id = ? AND owner = ?",
        {call.text("label"), call.text("mail_id"), json::value(call.user)}
    ).run();
    if (sqlite3_changes(call.database) == 0) {
        return refusal(404, "not_found", "no mail " + call.words("mail_id"));
    }
    call.note_write(call.text("mail_id"), call.text("label"));
    return answer(json::object{{"mail_id", call.text("mail_id")}, {"ok", true}});
}

ToolAnswer send_mail(const Call& call) {
    if (call.words("to").find('@') == std::string::npos) {
        return refusal(422, "invalid_recipient", call.words("to") + " is no address");
    }
    call.note_write(call.text("to"), call.text("subject"));
    return answer(json::object{{"sent", true}, {"to", call.text("to")}});
}

std::optional<json::object> payment_of(const Call& call) {
    return call.row(
        "SELECT id AS payment_id, order_id, cents AS amount_cents, status AS state FROM payments"
        " WHERE order_id = ? AND owner = ?",
        {call.text("order_id"), json::value(call.user)}
    );
}

ToolAnswer find_payment(const Call& call) {
    const std::optional<json::object> payment = payment_of(call);
    return payment ? answer(*payment)
                   : refusal(404, "not_found", "no payment for " + call.words("order_id"));
}

ToolAnswer issue_refund(const Call& call) {
    const std::optional<json::object> payment = payment_of(call);
    if (!payment || payment->at("payment_id") != call.text("payment_id")) {
        return refusal(404, "not_found", "no such payment for this order");
    }
    const std::int64_t amount = call.arguments.at("amount_cents").as_int64();
    if (amount <= 0 || amount > payment->at("amount_cents").as_int64()) {
        return refusal(422, "invalid_amount", "at most the amount paid can be refunded");
    }
    if (payment->at("state").as_string() == "refunded") {
        return refusal(409, "conflict", "the payment is refunded already");
    }
    Statement(
        call.database, "UPDATE payments SET status = ? WHERE id = ?",
        {json::value("refunded"), call.text("payment_id")}
    ).run();
    call.note_write(call.text("order_id"), json::value(amount));
    return answer(json::object{{"refunded", true}, {"payment_id", call.text("payment_id")}});
}

ToolAnswer list_payments(const Call& call) {
    if (call.words("customer_id") != call.user) {
        return refusal(403, "forbidden", "another customer's payments");
    }
    const std::int64_t page = call.arguments.at("page").as_int64();
    constexpr std::int64_t pages_max = 1000;
    if (page < 1 || page > pages_max) {
        return refusal(422, "invalid_page", "pages run from 1 to 1000");
    }
    Statement found(
        call.database,
        "SELECT id AS payment_id, order_id, cents AS amount_cents, status AS state FROM payments"
        " WHERE owner = ? ORDER BY rowid LIMIT 10 OFFSET ?",
        {json::value(call.user), json::value(10 * (page - 1))}
    );
    json::array rows;
    while (std::optional<json::object> row = found.next()) {
        rows.push_back(std::move(*row));
    }
    return answer(json::object{{"page", page}, {"payments", std::move(rows)}});
}

ToolAnswer search_invoices(const Call& call) {
    if (call.words("customer_id") != call.user) {
        return refusal(403, "forbidden", "another customer's invoices");
    }
    Statement found(
        call.database,
        "SELECT id AS invoice_id, month, cents AS amount_cents FROM invoices"
        " WHERE owner = ? AND month = ?",
        {json::value(call.user), call.text("period")}
    );
    json::array rows;
    while (std::optional<json::object> row = found.next()) {
        rows.push_back(std::move(*row));
    }
    return answer(json::object{{"invoices", std::move(rows)}});
}

std::optional<json::object> invoice_of(const Call& call) {
    return call.row(
        "SELECT id AS invoice_id, order_id, month, cents AS amount_cents FROM invoices"
        " WHERE id = ? AND owner = ?",
        {call.text("invoice_id"), json::value(call.user)}
    );
}

ToolAnswer get_invoice(const Call& call) {
    const std::optional<json::object> invoice = invoice_of(call);
    return invoice ? answer(*invoice)
                   : refusal(404, "not_found", "no invoice " + call.words("invoice_id"));
}

ToolAnswer send_invoice(const Call& call) {
    if (!invoice_of(call)) {
        return refusal(404, "not_found", "no invoice " + call.words("invoice_id"));
    }
    call.note_write(call.text("invoice_id"), call.text("email"));
    return answer(json::object{{"sent", true}, {"to", call.text("email")}});
}

ToolAnswer run(const Call& call) {
    struct Row {
        std::string_view tool;
        ToolAnswer (*work)(const Call&);
    };
    static constexpr std::array<Row, 12> work{{
        {"get_order", get_order},
        {"track_shipment", track_shipment},
        {"search_mail", search_mail},
        {"read_mail", read_mail},
        {"label_mail", label_mail},
        {"send_mail", send_mail},
        {"find_payment", find_payment},
        {"issue_refund", issue_refund},
        {"list_payments", list_payments},
        {"search_invoices", search_invoices},
        {"get_invoice", get_invoice},
        {"send_invoice", send_invoice},
    }};
    for (const Row& row : work) {
        if (row.tool == call.tool) {
            return row.work(call);
        }
    }
    if (call.tool == "restore_address") {
        const std::optional<json::object> first = call.row(
            "SELECT first_address FROM orders WHERE id = ? AND owner = ?",
            {call.text("order_id"), json::value(call.user)}
        );
        return change_order(
            call, "UPDATE orders SET address = ? WHERE id = ?",
            first ? first->at("first_address") : json::value("")
        );
    }
    if (call.tool == "update_address") {
        return change_order(call, "UPDATE orders SET address = ? WHERE id = ?", call.text("address"));
    }
    return change_order(call, "UPDATE orders SET status = ? WHERE id = ?", json::value("cancelled"));
}

}  // namespace

std::span<const ToolInfo> sample_tools() noexcept { return tools; }

const ToolInfo* find_tool(std::string_view name) noexcept {
    for (const ToolInfo& tool : tools) {
        if (tool.name == name) {
            return &tool;
        }
    }
    return nullptr;
}

Result<std::unique_ptr<Shop>> Shop::open() {
    sqlite3* database = nullptr;
    if (sqlite3_open(":memory:", &database) != SQLITE_OK ||
        sqlite3_exec(database, schema, nullptr, nullptr, nullptr) != SQLITE_OK) {
        const std::string why = database == nullptr ? "no memory" : sqlite3_errmsg(database);
        sqlite3_close(database);
        return fail(ErrorCode::Unavailable, "the sample shop's database: " + why);
    }
    return std::unique_ptr<Shop>(new Shop(database));
}

Shop::~Shop() { sqlite3_close(database_); }

Result<void> Shop::add(const World& world) {
    const MutexLock lock(mutex_);
    const json::value owner(world.user_id);
    bool ok = Statement(
                  database_, "INSERT OR REPLACE INTO orders VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  {json::value(world.order_id), owner, json::value(world.item),
                   json::value(world.cents), json::value(world.status), json::value(world.address),
                   json::value(world.carrier), json::value(world.tracking),
                   json::value(world.address)}
    ).run();
    ok &= Statement(
              database_, "INSERT OR REPLACE INTO payments VALUES(?, ?, ?, ?, 'paid')",
              {json::value(world.payment_id), owner, json::value(world.order_id),
               json::value(world.cents)}
    ).run();
    ok &= Statement(
              database_, "INSERT OR REPLACE INTO invoices VALUES(?, ?, ?, ?, ?)",
              {json::value(world.invoice_id), owner, json::value(world.order_id),
               json::value(world.month), json::value(world.cents)}
    ).run();
    for (int older = 1; older <= world.older_payments; ++older) {
        ok &= Statement(
                  database_, "INSERT OR REPLACE INTO payments VALUES(?, ?, ?, ?, 'paid')",
                  {json::value(world.payment_id + "-" + std::to_string(older)), owner,
                   json::value(world.order_id + "-" + std::to_string(older)),
                   json::value(world.cents + older)}
        ).run();
    }
    for (const Mail& mail : world.mails) {
        ok &= Statement(
                  database_, "INSERT OR REPLACE INTO mails VALUES(?, ?, ?, ?, ?, 'inbox', '')",
                  {json::value(mail.id), owner, json::value(mail.sender), json::value(mail.subject),
                   json::value(mail.body)}
        ).run();
    }
    if (!ok) {
        return fail(
            ErrorCode::Unavailable,
            "the sample shop's database: " + std::string(sqlite3_errmsg(database_))
        );
    }
    return {};
}

void Shop::remove(const World& world) {
    const MutexLock lock(mutex_);
    for (const char* const sql : {
             "DELETE FROM orders WHERE owner = ?",
             "DELETE FROM payments WHERE owner = ?",
             "DELETE FROM invoices WHERE owner = ?",
             "DELETE FROM mails WHERE owner = ?",
             "DELETE FROM writes WHERE owner = ?",
         }) {
        Statement(database_, sql, {json::value(world.user_id)}).run();
    }
}

ToolAnswer Shop::call(
    std::string_view tool, std::string_view arguments, const std::string& user
) {
    const ToolInfo* const info = find_tool(tool);
    if (info == nullptr) {
        return refusal(404, "unknown_tool", "no tool " + std::string(tool));
    }
    boost::system::error_code error;
    const json::value parsed = json::parse(arguments, error);
    if (error || !parsed.is_object()) {
        return refusal(400, "bad_arguments", "the arguments are not a JSON object");
    }
    if (std::optional<ToolAnswer> wrong = check(*info, parsed.get_object())) {
        return *std::move(wrong);
    }
    const MutexLock lock(mutex_);
    return run({database_, std::string(tool), user, parsed.get_object()});
}

std::vector<std::string> Shop::writes_of(const std::string& user) {
    const MutexLock lock(mutex_);
    Statement found(
        database_, "SELECT tool || ' ' || entity || ' ' || value AS line FROM writes"
                   " WHERE owner = ? ORDER BY id",
        {json::value(user)}
    );
    std::vector<std::string> lines;
    while (const std::optional<json::object> row = found.next()) {
        lines.emplace_back(row->at("line").as_string());
    }
    return lines;
}

}  // namespace tagout::rehearse
