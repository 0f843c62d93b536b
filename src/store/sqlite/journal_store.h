// The journal on disk: one SQLite file in WAL mode, synchronous=FULL, one writer.
//
// Thread-safe. A batch is one transaction; when append() returns its WAL frames are on disk
// (fdatasync), so it survives kill -9 and power loss. Readers use a connection of their own and see
// whole batches; a visitor runs without any lock and may append or read itself.
//
// Table `entry` holds the rows, table `head` one row: sequence and hash of the newest entry, written
// in the same transaction (what that proves: journal/chain.h). Triggers refuse UPDATE and DELETE of
// entries, a sequence that does not follow, and a head that goes back; the schema itself is compared
// with what this program would create, so a file without its triggers is refused. None of this stops
// somebody who edits the file's bytes: that is found by the chain.
//
// `application_id` is "TGJ1"; `user_version` is the schema's number. A file with a newer one is
// refused: an older program would write what it does not understand. A second writer is refused
// through <path>.lock; reading (`tagout journal verify`) is possible while a server runs.
//
// Cost: 0.2 ms a batch on a quiet disk, mostly the fdatasync, and about 5 us an entry.
#pragma once

#include "base/mutex.h"
#include "journal/journal.h"
#include "store/file_lock.h"
#include "store/sqlite/connection.h"

#include <memory>
#include <optional>
#include <string>

namespace tagout::store {

struct SqliteJournalOptions {
    std::string path;                    ///< The file; its directory is created if need be.
    Access access = Access::ReadWrite;   ///< ReadOnly takes no lock and creates nothing.
    std::string vfs = "";                ///< An SQLite VFS by name, for tests; "" is the system's.
};

class SqliteJournalStore final : public journal::JournalStore {
public:
    static constexpr std::int64_t application_id = 0x54474a31;  // "TGJ1"
    static constexpr std::int64_t schema_version = 1;

    /// Unavailable: locked by another process, or the disk says no. NotFound: nothing there to read.
    /// InvalidArgument: not a journal, or one of a newer Tagout. Corrupt: damaged, or its schema was
    /// changed.
    static Result<std::unique_ptr<SqliteJournalStore>> open(const SqliteJournalOptions& options);

    Result<void> append(std::span<const journal::JournalEntry> entries) override;
    Result<void> read(
        std::uint64_t first, const std::function<bool(const journal::JournalEntry&)>& visit
    ) override;
    Result<journal::JournalEntry> last() override;
    Result<journal::JournalHead> head() override;

private:
    struct Writer {
        Connection connection;
        Statement insert;
        Statement move_head;
    };
    struct Reader {
        Connection connection;
        Statement page;
        Statement last;
        Statement head;
    };
    struct Page;

    SqliteJournalStore(std::optional<FileLock> lock, std::optional<Writer> writer, Reader reader);
    static Result<Writer> open_writer(const SqliteJournalOptions& options);
    static Result<Reader> open_reader(const SqliteJournalOptions& options);
    Result<void> write(std::span<const journal::JournalEntry> entries) TAGOUT_REQUIRES(writer_mutex_);
    Result<Page> read_page(std::int64_t first);

    const std::optional<FileLock> lock_;
    Mutex writer_mutex_;
    std::optional<Writer> writer_ TAGOUT_GUARDED_BY(writer_mutex_);
    Mutex reader_mutex_;
    Reader reader_ TAGOUT_GUARDED_BY(reader_mutex_);
};

}  // namespace tagout::store
