#include "store/sqlite/journal_store.h"

#include "base/assert.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

namespace tagout::store {

using journal::JournalEntry;
using journal::JournalHead;

namespace {

/// Each statement exactly as SQLite keeps it in sqlite_master, in order of name.
constexpr std::string_view schema[] = {
    "CREATE TABLE entry(sequence INTEGER PRIMARY KEY CHECK(sequence > 0),"
    " recorded_at INTEGER NOT NULL, occurred_at INTEGER NOT NULL, kind TEXT NOT NULL,"
    " subject TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL,"
    " previous BLOB NOT NULL CHECK(length(previous) = 32),"
    " hash BLOB NOT NULL CHECK(length(hash) = 32)) STRICT",
    "CREATE TRIGGER entry_follows BEFORE INSERT ON entry"
    " WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM entry)"
    " BEGIN SELECT RAISE(ABORT, 'the entry does not follow the last one'); END",
    "CREATE TRIGGER entry_kept BEFORE DELETE ON entry"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER entry_unchanged BEFORE UPDATE ON entry"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TABLE head(only INTEGER PRIMARY KEY CHECK(only = 1), sequence INTEGER NOT NULL,"
    " hash BLOB NOT NULL CHECK(length(hash) = 32)) STRICT",
    "CREATE TRIGGER head_forward BEFORE UPDATE ON head WHEN NEW.sequence <= OLD.sequence"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER head_kept BEFORE DELETE ON head"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
};

constexpr std::string_view columns =
    "sequence, recorded_at, occurred_at, kind, subject, actor, reason, body, previous, hash";

constexpr std::size_t page_entries_max = 256;
constexpr std::size_t page_bytes_max = std::size_t{4} << 20;

std::string expected_schema() {
    std::string text;
    for (const std::string_view statement : schema) {
        text += (text.empty() ? "" : ";\n") + std::string(statement);
    }
    return text;
}

Result<void> create_schema(Connection& connection) {
    TAGOUT_TRY(connection.run("BEGIN IMMEDIATE"));
    Result<void> made = connection.run(
        expected_schema() + ";INSERT INTO head VALUES(1, 0, zeroblob(32));PRAGMA application_id=" +
        std::to_string(SqliteJournalStore::application_id) + ";PRAGMA user_version=" +
        std::to_string(SqliteJournalStore::schema_version) + ";COMMIT"
    );
    connection.roll_back();
    return made;
}

Result<void> check_schema(Connection& connection, const std::string& path) {
    const std::int64_t application = TAGOUT_TRY(connection.integer("PRAGMA application_id"));
    const std::int64_t version = TAGOUT_TRY(connection.integer("PRAGMA user_version"));
    if (application != SqliteJournalStore::application_id) {
        return fail(
            ErrorCode::InvalidArgument,
            path + " is no Tagout journal (application_id " + std::to_string(application) +
                "): give another path, or, if it once was one, restore it from a backup"
        );
    }
    if (version != SqliteJournalStore::schema_version) {
        return fail(
            ErrorCode::InvalidArgument,
            path + " has schema " + std::to_string(version) + " and this program knows " +
                std::to_string(SqliteJournalStore::schema_version) +
                ": start the newer Tagout that wrote it"
        );
    }
    const std::string found = TAGOUT_TRY(connection.text(
        "SELECT group_concat(sql, ';' || char(10)) FROM"
        " (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name)"
    ));
    if (found != expected_schema()) {
        return fail(
            ErrorCode::Corrupt, path + ": its tables or append-only triggers were changed by "
                                       "somebody else; run `tagout journal verify` on a copy and "
                                       "restore a backup"
        );
    }
    return {};
}

Result<void> prepare_file(Connection& connection, const std::string& path) {
    const std::string mode = TAGOUT_TRY(connection.text("PRAGMA journal_mode=WAL"));
    if (mode != "wal") {
        return fail(
            ErrorCode::Unavailable, path + ": this file system cannot hold a write-ahead log "
                                           "(network share?); use a local disk"
        );
    }
    TAGOUT_TRY(connection.run("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216"));
    const std::int64_t objects =
        TAGOUT_TRY(connection.integer("SELECT count(*) FROM sqlite_master"));
    const std::int64_t application = TAGOUT_TRY(connection.integer("PRAGMA application_id"));
    if (objects == 0 && application == 0) {
        TAGOUT_TRY(create_schema(connection));
    }
    return check_schema(connection, path);
}

/// A damaged row gives what is there: the chain will say that it does not fit.
journal::Digest digest_of(std::string_view bytes) {
    journal::Digest digest{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
    return digest;
}

JournalEntry entry_of(const Statement& row) {
    JournalEntry entry;
    entry.sequence = static_cast<std::uint64_t>(row.integer(0));
    entry.recorded_at = Instant(Duration(row.integer(1)));
    entry.draft.occurred_at = Instant(Duration(row.integer(2)));
    entry.draft.kind = row.bytes(3);
    entry.draft.subject = row.bytes(4);
    entry.draft.actor = Actor(row.bytes(5));
    entry.draft.reason = row.bytes(6);
    entry.draft.body = row.bytes(7);
    entry.previous = digest_of(row.bytes(8));
    entry.hash = digest_of(row.bytes(9));
    return entry;
}

/// Resets a shared statement however its use ends: an open one would hold back checkpoints.
class Reset {
public:
    explicit Reset(Statement& statement) : statement_(statement) {}
    ~Reset() { statement_.reset(); }
    Reset(const Reset&) = delete;
    Reset& operator=(const Reset&) = delete;

private:
    Statement& statement_;
};

}  // namespace

struct SqliteJournalStore::Page {
    std::vector<JournalEntry> entries;
    bool more = false;
};

SqliteJournalStore::SqliteJournalStore(
    std::optional<FileLock> lock, std::optional<Writer> writer, Reader reader
)
    : lock_(std::move(lock)), writer_(std::move(writer)), reader_(std::move(reader)) {}

Result<std::unique_ptr<SqliteJournalStore>> SqliteJournalStore::open(
    const SqliteJournalOptions& options
) {
    std::optional<FileLock> lock;
    std::optional<Writer> writer;
    std::error_code error;
    const std::filesystem::path path(options.path);
    if (options.access == Access::ReadWrite) {
        if (path.has_parent_path()) {
            std::filesystem::create_directories(path.parent_path(), error);
        }
        lock = TAGOUT_TRY(FileLock::acquire(options.path + ".lock"));
        writer = TAGOUT_TRY(open_writer(options));
    } else if (!std::filesystem::exists(path, error)) {
        return fail(ErrorCode::NotFound, options.path + ": there is no journal");
    }
    Reader reader = TAGOUT_TRY(open_reader(options));
    return std::unique_ptr<SqliteJournalStore>(
        new SqliteJournalStore(std::move(lock), std::move(writer), std::move(reader))
    );
}

Result<SqliteJournalStore::Writer> SqliteJournalStore::open_writer(
    const SqliteJournalOptions& options
) {
    Writer writer;
    writer.connection =
        TAGOUT_TRY(Connection::open(options.path, Access::ReadWrite, options.vfs));
    TAGOUT_TRY(prepare_file(writer.connection, options.path));
    writer.insert = TAGOUT_TRY(writer.connection.prepare(
        "INSERT INTO entry(" + std::string(columns) + ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"
    ));
    writer.move_head =
        TAGOUT_TRY(writer.connection.prepare("UPDATE head SET sequence = ?1, hash = ?2"));
    return writer;
}

Result<SqliteJournalStore::Reader> SqliteJournalStore::open_reader(
    const SqliteJournalOptions& options
) {
    Reader reader;
    reader.connection = TAGOUT_TRY(Connection::open(options.path, Access::ReadOnly, options.vfs));
    TAGOUT_TRY(check_schema(reader.connection, options.path));
    const std::string select = "SELECT " + std::string(columns) + " FROM entry ";
    reader.page = TAGOUT_TRY(
        reader.connection.prepare(select + "WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2")
    );
    reader.last =
        TAGOUT_TRY(reader.connection.prepare(select + "ORDER BY sequence DESC LIMIT 1"));
    reader.head = TAGOUT_TRY(reader.connection.prepare("SELECT sequence, hash FROM head"));
    return reader;
}

Result<void> SqliteJournalStore::append(std::span<const JournalEntry> entries) {
    if (entries.empty()) {
        return {};
    }
    const MutexLock lock(writer_mutex_);
    if (!writer_) {
        return fail(ErrorCode::Unauthorized, "journal: it was opened for reading only");
    }
    Result<void> done = write(entries);
    if (!done) {
        writer_->connection.roll_back();
    }
    return done;
}

Result<void> SqliteJournalStore::write(std::span<const JournalEntry> entries) {
    Writer& writer = *writer_;
    TAGOUT_TRY(writer.connection.run("BEGIN IMMEDIATE"));
    for (const JournalEntry& entry : entries) {
        const Reset reset(writer.insert);
        writer.insert.bind(1, static_cast<std::int64_t>(entry.sequence));
        writer.insert.bind(2, unix_nanos(entry.recorded_at));
        writer.insert.bind(3, unix_nanos(entry.draft.occurred_at));
        writer.insert.bind_text(4, entry.draft.kind);
        writer.insert.bind_text(5, entry.draft.subject);
        writer.insert.bind_text(6, entry.draft.actor.text());
        writer.insert.bind_text(7, entry.draft.reason);
        writer.insert.bind_text(8, entry.draft.body);
        writer.insert.bind_blob(9, entry.previous);
        writer.insert.bind_blob(10, entry.hash);
        TAGOUT_TRY(writer.insert.step());
    }
    {
        const Reset reset(writer.move_head);
        writer.move_head.bind(1, static_cast<std::int64_t>(entries.back().sequence));
        writer.move_head.bind_blob(2, entries.back().hash);
        TAGOUT_TRY(writer.move_head.step());
    }
    return writer.connection.run("COMMIT");
}

Result<SqliteJournalStore::Page> SqliteJournalStore::read_page(std::int64_t first) {
    const MutexLock lock(reader_mutex_);
    const Reset reset(reader_.page);
    reader_.page.bind(1, first);
    reader_.page.bind(2, static_cast<std::int64_t>(page_entries_max));
    Page page;
    std::size_t bytes = 0;
    while (bytes < page_bytes_max) {
        Result<bool> row = reader_.page.step();
        if (!row) {
            if (page.entries.empty()) {
                return std::unexpected(std::move(row).error());
            }
            page.more = true;  // Hand out what stands before the damage; the next page names it.
            return page;
        }
        if (!*row) {
            page.more = page.entries.size() == page_entries_max;
            return page;
        }
        JournalEntry& entry = page.entries.emplace_back(entry_of(reader_.page));
        bytes += entry.draft.body.size() + entry.draft.reason.size() + entry.draft.subject.size();
    }
    page.more = true;
    return page;
}

Result<void> SqliteJournalStore::read(
    std::uint64_t first, const std::function<bool(const JournalEntry&)>& visit
) {
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    // From the beginning means from there, even for rows that have no business to exist.
    std::int64_t next = first == 0 ? least : static_cast<std::int64_t>(first);
    while (true) {
        const Page page = TAGOUT_TRY(read_page(next));
        for (const JournalEntry& entry : page.entries) {
            const auto sequence = static_cast<std::int64_t>(entry.sequence);
            if (sequence < next) {
                return fail(
                    ErrorCode::Corrupt, "journal: rows are out of order around entry " +
                                            std::to_string(sequence) + ": the file is damaged"
                );
            }
            if (!visit(entry) || sequence == most) {
                return {};
            }
            next = sequence + 1;
        }
        if (!page.more) {
            return {};
        }
    }
}

Result<JournalEntry> SqliteJournalStore::last() {
    const MutexLock lock(reader_mutex_);
    const Reset reset(reader_.last);
    const bool row = TAGOUT_TRY(reader_.last.step());
    return row ? entry_of(reader_.last) : JournalEntry{};
}

Result<JournalHead> SqliteJournalStore::head() {
    const MutexLock lock(reader_mutex_);
    const Reset reset(reader_.head);
    const bool row = TAGOUT_TRY(reader_.head.step());
    if (!row) {
        return fail(ErrorCode::Corrupt, "journal: the head record is gone; restore a backup");
    }
    return JournalHead{
        static_cast<std::uint64_t>(reader_.head.integer(0)), digest_of(reader_.head.bytes(1))
    };
}

}  // namespace tagout::store
