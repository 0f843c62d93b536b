// The shop behind the sample tools: a small SQLite database in memory with real rows, real conflicts
// and a record of every write, so that a simulated user can judge afterwards what was done for them.
//
// Every row belongs to one user; a tool call sees and changes that user's rows only.
#pragma once

#include "base/mutex.h"
#include "base/result.h"
#include "rehearse/script.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace tagout::rehearse {

enum class ToolServerKind : std::uint8_t { Orders = 0, Mail = 1, Payments = 2 };

struct ToolInfo {
    ToolServerKind server;
    std::string_view name;
    std::string_view description;
    std::string_view input_schema;  ///< JSON Schema of its arguments.
    bool read_only;
};

/// Every tool of the three sample servers, in the order in which they list them.
[[nodiscard]] std::span<const ToolInfo> sample_tools() noexcept;
[[nodiscard]] const ToolInfo* find_tool(std::string_view name) noexcept;

/// What a tool's backend answered: an HTTP status of its own and a JSON text.
struct ToolAnswer {
    int status = 200;
    std::string body;
};

/// Thread-safe: one call at a time.
class Shop {
public:
    static Result<std::unique_ptr<Shop>> open();
    ~Shop();
    Shop(const Shop&) = delete;
    Shop& operator=(const Shop&) = delete;

    /// Puts one conversation's user, order, payment, invoice and mails into the database.
    Result<void> add(const World& world);
    /// Takes them out again, so that a long run stays small.
    void remove(const World& world);

    /// Does what `tool` does for `user`. `arguments` is JSON from outside: what does not fit the
    /// tool's schema gets 400, what is not there 404, what cannot be done now 409.
    [[nodiscard]] ToolAnswer call(
        std::string_view tool, std::string_view arguments, const std::string& user
    );

    /// What was written for `user`, each "tool entity value", in order.
    [[nodiscard]] std::vector<std::string> writes_of(const std::string& user);

private:
    explicit Shop(sqlite3* database) : database_(database) {}

    Mutex mutex_;
    sqlite3* database_;
};

}  // namespace tagout::rehearse
