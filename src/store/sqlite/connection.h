// A thin hold on SQLite's C interface: a connection and a prepared statement that close themselves,
// and one table from SQLite's result codes to ours.
//
// Thread-compatible: whoever shares a connection brings the lock (SQLite is opened without its own).
#pragma once

#include "base/result.h"

#include <sqlite3.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tagout::store {

enum class Access : std::uint8_t { ReadWrite, ReadOnly };

class Statement {
public:
    Statement() = default;
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&& other) noexcept;
    ~Statement();

    void bind(int index, std::int64_t value);
    /// The bytes must live until reset().
    void bind_text(int index, std::string_view text);
    void bind_blob(int index, std::span<const std::uint8_t> bytes);

    /// True: a row stands ready. False: done.
    Result<bool> step();
    void reset() noexcept;

    [[nodiscard]] std::int64_t integer(int column) const;
    /// Valid until the next step() or reset().
    [[nodiscard]] std::string_view bytes(int column) const;

private:
    sqlite3_stmt* statement_ = nullptr;
};

class Connection {
public:
    Connection() = default;
    Connection(Connection&& other) noexcept;
    Connection& operator=(Connection&& other) noexcept;
    ~Connection();

    /// `vfs` "" is the system's own. ReadWrite creates the file, for its owner only.
    static Result<Connection> open(const std::string& path, Access access, const std::string& vfs);

    Result<Statement> prepare(std::string_view sql);
    /// Runs one or more statements and throws their rows away.
    Result<void> run(const std::string& sql);
    /// The first column of the first row; 0 without one.
    Result<std::int64_t> integer(std::string_view sql);
    Result<std::string> text(std::string_view sql);
    /// Ends a transaction that SQLite may have ended itself already.
    void roll_back() noexcept;

private:
    explicit Connection(sqlite3* handle) : handle_(handle) {}
    sqlite3* handle_ = nullptr;
};

/// What an SQLite result code means for a caller, with the message and the remedy.
[[nodiscard]] Error sqlite_error(sqlite3* handle, int code);

}  // namespace tagout::store
