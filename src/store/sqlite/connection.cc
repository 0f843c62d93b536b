#include "store/sqlite/connection.h"

#include "base/assert.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace tagout::store {

namespace {

/// A damaged length must not make SQLite allocate a gigabyte; entries are bounded far below.
constexpr int row_bytes_max = 16 << 20;
constexpr int busy_wait_ms = 5'000;

struct Meaning {
    ErrorCode code;
    const char* remedy;
};

Meaning meaning_of(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return {ErrorCode::Unavailable, "free space on that disk"};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_FORMAT:
        case SQLITE_TOOBIG:
        case SQLITE_ERROR:  // our statements are fixed: only a damaged schema makes them wrong
        case SQLITE_MISMATCH:
            return {ErrorCode::Corrupt, "the file is damaged: keep it and restore a backup"};
        case SQLITE_CONSTRAINT:
            return {ErrorCode::Conflict, "read the end again"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::Unavailable, "another program holds the file"};
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_READONLY:
            return {ErrorCode::Unavailable, "the directory and file must be writable by this user"};
        default:
            return {ErrorCode::Unavailable, "look at the disk"};
    }
}

}  // namespace

Error sqlite_error(sqlite3* handle, int code) {
    const char* const path = handle != nullptr ? sqlite3_db_filename(handle, "main") : nullptr;
    const Meaning meaning = meaning_of(code);
    std::string message = path != nullptr ? path : "sqlite";
    message += ": ";
    // errmsg() tells of the connection's newest call; it is only right while that is the failed one.
    const bool fresh = handle != nullptr && sqlite3_extended_errcode(handle) == code;
    message += fresh ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    message += " (sqlite code " + std::to_string(code) + "); ";
    message += meaning.remedy;
    return {meaning.code, std::move(message)};
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
}

Statement::~Statement() {
    sqlite3_finalize(statement_);
}

void Statement::bind(int index, std::int64_t value) {
    const int code = sqlite3_bind_int64(statement_, index, value);
    TAGOUT_ASSERT(code == SQLITE_OK, "the statement has this parameter and was reset");
}

void Statement::bind_text(int index, std::string_view text) {
    const int code = sqlite3_bind_text64(
        statement_, index, text.data() != nullptr ? text.data() : "", text.size(), SQLITE_STATIC,
        SQLITE_UTF8
    );
    TAGOUT_ASSERT(code == SQLITE_OK, "the statement has this parameter and the text is bounded");
}

void Statement::bind_blob(int index, std::span<const std::uint8_t> bytes) {
    const int code =
        sqlite3_bind_blob64(statement_, index, bytes.data(), bytes.size(), SQLITE_STATIC);
    TAGOUT_ASSERT(code == SQLITE_OK, "the statement has this parameter and the blob is bounded");
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code == SQLITE_DONE) {
        return false;
    }
    return std::unexpected(sqlite_error(sqlite3_db_handle(statement_), code));
}

void Statement::reset() noexcept {
    sqlite3_reset(statement_);
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::bytes(int column) const {
    const void* const data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    if (data == nullptr || size <= 0) {
        return {};
    }
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Connection::Connection(Connection&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

Connection::~Connection() {
    sqlite3_close_v2(handle_);
}

Result<Connection> Connection::open(
    const std::string& path, Access access, const std::string& vfs
) {
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
    if (access == Access::ReadWrite) {
        flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        // Made here so that it is readable by its owner only; -wal and -shm take over its mode.
        const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor >= 0) {
            ::close(descriptor);
        }
    } else {
        flags |= SQLITE_OPEN_READONLY;
    }
    sqlite3* handle = nullptr;
    const int code =
        sqlite3_open_v2(path.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
    Connection connection(handle);
    if (code != SQLITE_OK) {
        Error error = sqlite_error(handle, code);
        error.message = path + ": " + error.message;
        return std::unexpected(std::move(error));
    }
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, row_bytes_max);
    sqlite3_busy_timeout(handle, busy_wait_ms);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    TAGOUT_TRY(connection.run("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0"));
    return connection;
}

Result<Statement> Connection::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(
        handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
        nullptr
    );
    if (code != SQLITE_OK) {
        return std::unexpected(sqlite_error(handle_, code));
    }
    return Statement(statement);
}

Result<void> Connection::run(const std::string& sql) {
    const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return std::unexpected(sqlite_error(handle_, code));
    }
    return {};
}

Result<std::int64_t> Connection::integer(std::string_view sql) {
    Statement statement = TAGOUT_TRY(prepare(sql));
    const bool row = TAGOUT_TRY(statement.step());
    return row ? statement.integer(0) : 0;
}

Result<std::string> Connection::text(std::string_view sql) {
    Statement statement = TAGOUT_TRY(prepare(sql));
    const bool row = TAGOUT_TRY(statement.step());
    return row ? std::string(statement.bytes(0)) : std::string();
}

void Connection::roll_back() noexcept {
    if (sqlite3_get_autocommit(handle_) == 0) {
        sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

}  // namespace tagout::store
