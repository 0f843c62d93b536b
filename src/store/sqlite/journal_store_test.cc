#include "store/sqlite/journal_store.h"

#include "journal/sample_entries.h"
#include "store/sqlite/faulty_vfs.h"
#include "store/test_support.h"

#include <sys/resource.h>

#include <csignal>
#include <memory>

namespace tagout::store {
namespace {

using journal::chained_entries;
using journal::Journal;
using journal::stored_entries;

std::unique_ptr<SqliteJournalStore> open_at(const std::string& path, const std::string& vfs = "") {
    auto opened = SqliteJournalStore::open({.path = path, .vfs = vfs});
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
}

const ManualClock test_clock(Instant(std::chrono::seconds(1'800'000'000)));

TEST(SqliteJournal, TwoServersCannotShareIt) {
    const TemporaryDirectory directory;
    const auto first = open_at(directory.file("journal.db"));
    const auto second = SqliteJournalStore::open({.path = directory.file("journal.db")});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
    EXPECT_NE(second.error().message.find("another data directory"), std::string::npos);
}

TEST(SqliteJournal, ItIsReadWhileAServerWrites) {
    const TemporaryDirectory directory;
    const auto writer = open_at(directory.file("journal.db"));
    const auto entries = chained_entries({}, 3);
    ASSERT_TRUE(writer->append(entries).has_value());
    const SqliteJournalOptions read_only{
        .path = directory.file("journal.db"), .access = Access::ReadOnly};
    const auto reader = SqliteJournalStore::open(read_only).value();
    EXPECT_EQ(stored_entries(*reader).size(), 3U);
    ASSERT_TRUE(writer->append(chained_entries({3, entries[2].hash}, 2)).has_value());
    EXPECT_EQ(stored_entries(*reader).size(), 5U);
    EXPECT_EQ(reader->append(entries).error().code, ErrorCode::Unauthorized);
}

TEST(SqliteJournal, ReadingWhatIsNotThereCreatesNothing) {
    const TemporaryDirectory directory;
    const auto opened = SqliteJournalStore::open(
        {.path = directory.file("journal.db"), .access = Access::ReadOnly}
    );
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::NotFound);
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(SqliteJournal, TheFileIsItsOwnersOnly) {
    const TemporaryDirectory directory;
    const auto store = open_at(directory.file("journal.db"));
    for (const auto& file : std::filesystem::directory_iterator(directory.path())) {
        const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
        EXPECT_EQ(file.status().permissions() & others, std::filesystem::perms::none)
            << file.path();
    }
}

struct Refusal {
    const char* name;
    const char* sql;
    ErrorCode code;
    const char* says;
};

TEST(SqliteJournal, ForeignNewerAndChangedFilesAreRefused) {
    const Refusal rows[] = {
        {"a newer schema", "PRAGMA user_version=2", ErrorCode::InvalidArgument, "newer Tagout"},
        {"somebody else's file", "PRAGMA application_id=7", ErrorCode::InvalidArgument,
         "no Tagout journal"},
        {"a trigger was dropped", "DROP TRIGGER entry_unchanged", ErrorCode::Corrupt,
         "append-only triggers"},
        {"a table was added", "CREATE TABLE extra(a)", ErrorCode::Corrupt, "changed by"},
    };
    for (const Refusal& row : rows) {
        SCOPED_TRACE(row.name);
        const TemporaryDirectory directory;
        const std::string path = directory.file("journal.db");
        open_at(path);
        ASSERT_TRUE(Connection::open(path, Access::ReadWrite, "").value().run(row.sql).has_value());
        const auto opened = SqliteJournalStore::open({.path = path});
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, row.code) << opened.error().message;
        EXPECT_NE(opened.error().message.find(row.says), std::string::npos)
            << opened.error().message;
    }
}

TEST(SqliteJournal, TheSchemaRefusesEveryChange) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("journal.db");
    const auto store = open_at(path);
    ASSERT_TRUE(store->append(chained_entries({}, 3)).has_value());
    Connection other = Connection::open(path, Access::ReadWrite, "").value();
    for (const char* const sql : {
             "UPDATE entry SET reason = 'other' WHERE sequence = 2",
             "DELETE FROM entry WHERE sequence = 3",
             "DELETE FROM entry",
             "INSERT OR REPLACE INTO entry SELECT 2,1,1,'k','s','a','r','b',previous,hash"
             " FROM entry WHERE sequence = 1",
             "INSERT INTO entry SELECT 9,1,1,'k','s','a','r','b',previous,hash FROM entry",
             "UPDATE head SET sequence = 1",
             "DELETE FROM head",
         }) {
        EXPECT_FALSE(other.run(sql).has_value()) << sql;
    }
    EXPECT_EQ(stored_entries(*store).size(), 3U);
}

/// A journal of `count` entries with bodies large enough that several pages are in use.
void fill(const std::string& path, int count) {
    const auto journal = Journal::open(open_at(path), test_clock).value();
    for (int i = 1; i <= count; ++i) {
        const journal::EntryDraft draft{
            .kind = "incident.noted",
            .subject = "INC-" + std::to_string(i),
            .actor = Actor("person:ann"),
            .reason = "because of what was seen",
            .occurred_at = test_clock.now(),
            .body = "{\"text\":\"" + std::string(300, static_cast<char>('a' + i % 26)) + "\"}",
        };
        ASSERT_TRUE(journal->append({&draft, 1}).has_value());
    }
}

TEST(SqliteJournal, ARowEditedBehindOurBackIsNamed) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("journal.db");
    fill(path, 40);
    {
        Connection other = Connection::open(path, Access::ReadWrite, "").value();
        const std::string trigger = other.text(
            "SELECT sql FROM sqlite_master WHERE name = 'entry_unchanged'"
        ).value();
        ASSERT_TRUE(other.run(
            "DROP TRIGGER entry_unchanged;"
            "UPDATE entry SET actor = 'person:bob' WHERE sequence = 17;" + trigger
        ).has_value());
    }
    const auto journal = Journal::open(open_at(path), test_clock).value();
    const auto report = journal->verify().value();
    ASSERT_EQ(report.faults.size(), 1U);
    EXPECT_EQ(report.faults[0].sequence, 17U) << report.faults[0].what;
}

TEST(SqliteJournal, RowsCutFromTheEndAreFound) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("journal.db");
    fill(path, 20);
    {
        Connection other = Connection::open(path, Access::ReadWrite, "").value();
        const std::string trigger =
            other.text("SELECT sql FROM sqlite_master WHERE name = 'entry_kept'").value();
        ASSERT_TRUE(other.run(
            "DROP TRIGGER entry_kept; DELETE FROM entry WHERE sequence > 15;" + trigger
        ).has_value());
    }
    const auto opened = Journal::open(open_at(path), test_clock);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::Corrupt);
    EXPECT_NE(opened.error().message.find("head record says 20"), std::string::npos);
}

/// Everything that the file at `path` gives away about its entries, without trusting it.
struct Reading {
    bool reported = false;  ///< An error or a fault, whatever names it.
    std::vector<journal::JournalEntry> entries;
};

Reading read_damaged(const std::string& path) {
    Reading reading;
    auto store = SqliteJournalStore::open({.path = path});
    if (!store) {
        reading.reported = true;
        return reading;
    }
    auto journal = Journal::open(std::move(*store), test_clock);
    if (!journal) {
        reading.reported = true;
        return reading;
    }
    const auto report = (*journal)->verify();
    reading.reported = !report || !report->faults.empty();
    const auto read = (*journal)->read(1, [&reading](const journal::JournalEntry& entry) {
        reading.entries.push_back(entry);
        return true;
    });
    reading.reported = reading.reported || !read;
    return reading;
}

TEST(SqliteJournal, AFlippedBitIsReportedOrHarmless) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("journal.db");
    fill(path, 60);
    const auto original = stored_entries(*open_at(path));
    const std::string whole = file_bytes(path);
    SeededBits bits(20'261'124);
    int reported = 0;
    for (int round = 0; round < 250; ++round) {
        std::string damaged = whole;
        const std::uint64_t bit = bits.below(whole.size() * 8);
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        write_file(path, damaged);
        std::filesystem::remove(path + "-wal");
        std::filesystem::remove(path + "-shm");
        const Reading reading = read_damaged(path);
        reported += reading.reported ? 1 : 0;
        if (reading.reported) {
            continue;
        }
        // Not reported is right only where no entry was touched: free space, counters.
        ASSERT_EQ(reading.entries.size(), original.size()) << "bit " << bit;
        for (std::size_t i = 0; i < original.size(); ++i) {
            ASSERT_EQ(encode(reading.entries[i]), encode(original[i])) << "bit " << bit;
        }
    }
    EXPECT_GT(reported, 150) << "most bits of this file belong to entries";
}

TEST(SqliteJournal, EveryFlippedBitOfARowIsFoundAndNamed) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("journal.db");
    fill(path, 30);
    const std::string whole = file_bytes(path);
    const std::string text = "{\"text\":\"" + std::string(300, 'a' + 12) + "\"}";  // entry 12's body
    const std::size_t at = whole.find(text);
    ASSERT_NE(at, std::string::npos);
    SeededBits bits(7);
    for (int round = 0; round < 60; ++round) {
        std::string damaged = whole;
        const std::uint64_t bit = at * 8 + bits.below(text.size() * 8);
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        write_file(path, damaged);
        const auto journal = Journal::open(open_at(path), test_clock).value();
        const auto report = journal->verify().value();
        ASSERT_EQ(report.faults.size(), 1U);
        EXPECT_EQ(report.faults[0].sequence, 12U) << report.faults[0].what;
    }
}

TEST(SqliteJournal, WhicheverChangeOfTheFileFailsABatchIsAllOrNothing) {
    for (const int code : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC}) {
        FaultyVfs vfs("tagout-faulty");
        const TemporaryDirectory directory;
        const std::string path = directory.file("journal.db");
        const auto store = open_at(path, vfs.name());
        auto first = chained_entries({}, 4);
        ASSERT_TRUE(store->append(first).has_value());
        journal::JournalHead head{4, first.back().hash};
        int failures = 0;
        for (int n = 1; n < 200; ++n) {
            const auto batch = chained_entries(head, 30);
            vfs.fail_from(n, code);
            const Result<void> done = store->append(batch);
            const bool failed = vfs.has_failed();
            vfs.heal();
            if (done.has_value()) {
                ASSERT_EQ(store->head().value(), (journal::JournalHead{
                    batch.back().sequence, batch.back().hash}));
                head = store->head().value();
                if (!failed) {
                    break;  // n is past every change that an append makes
                }
                continue;
            }
            ++failures;
            EXPECT_EQ(done.error().code, ErrorCode::Unavailable) << done.error().message;
            EXPECT_EQ(store->head().value(), head) << "change " << n;
            EXPECT_EQ(stored_entries(*store).size(), head.sequence) << "change " << n;
        }
        EXPECT_GT(failures, 3);
        ASSERT_TRUE(store->append(chained_entries(head, 2)).has_value()) << "after healing";
        EXPECT_EQ(stored_entries(*store).size(), head.sequence + 2);
    }
}

TEST(SqliteJournal, AFullDiskIsUnavailableAndGoesOnWhenThereIsSpace) {
    const TemporaryDirectory directory;
    auto journal = Journal::open(open_at(directory.file("journal.db")), test_clock).value();
    const std::vector<journal::EntryDraft> drafts(
        20, {.kind = "k", .subject = "s", .actor = Actor("a"), .reason = "r",
             .occurred_at = test_clock.now(), .body = std::string(2'000, 'x')}
    );
    ASSERT_TRUE(journal->append(drafts).has_value());
    // A file size limit stands in for a full disk: it needs no privilege.
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit tight = old;
    tight.rlim_cur = 300'000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    std::size_t stored = 20;
    Result<std::vector<journal::JournalEntry>> appended = std::vector<journal::JournalEntry>{};
    for (int i = 0; i < 50 && appended; ++i) {
        appended = journal->append(drafts);
        stored += appended ? appended->size() : 0;
    }
    const Result<std::vector<journal::JournalEntry>> again = journal->append(drafts);
    ::setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, old_handler);
    ASSERT_FALSE(appended.has_value());
    EXPECT_EQ(appended.error().code, ErrorCode::Unavailable) << appended.error().message;
    EXPECT_FALSE(again.has_value());
    EXPECT_EQ(journal->verify().value().entries, stored);
    ASSERT_TRUE(journal->append(drafts).has_value());
    const auto report = journal->verify().value();
    EXPECT_EQ(report.entries, stored + drafts.size());
    EXPECT_TRUE(report.faults.empty());
}

}  // namespace
}  // namespace tagout::store
