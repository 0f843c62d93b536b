#include "app/stores.h"

#include "cli/json_text.h"
#include "store/segment/segment_log.h"
#include "store/sqlite/journal_store.h"

#include <boost/json.hpp>

#include <filesystem>
#include <limits>

namespace tagout::app {

namespace {

namespace json = boost::json;

std::string hex_of(const journal::Digest& digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : digest) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

Result<std::unique_ptr<journal::Journal>> read_only_journal(
    const std::string& data_dir, const Clock& clock
) {
    store::SqliteJournalOptions options;
    options.path = data_dir + "/journal.db";
    options.access = store::Access::ReadOnly;
    return journal::Journal::open(TAGOUT_TRY(store::SqliteJournalStore::open(options)), clock);
}

/// What was found in the evidence log, or that a running server holds it.
struct Evidence {
    std::vector<journal::EvidenceFault> faults;
    std::string not_verified;
};

Result<Evidence> verify_evidence(const std::string& data_dir, const Clock& clock) {
    store::SegmentLogOptions options;
    options.directory = data_dir + "/evidence";
    if (!std::filesystem::exists(options.directory)) {
        return Evidence{};
    }
    // Looking must not drop anything, whatever the server's retention is set to.
    options.retention_bytes = std::numeric_limits<std::uint64_t>::max();
    options.retention_age = Duration::max();
    const Result<std::unique_ptr<journal::EvidenceLog>> log =
        store::SegmentLog::open(options, clock);
    if (!log && log.error().code == ErrorCode::Unavailable) {
        return Evidence{{}, log.error().message};
    }
    if (!log) {
        return std::unexpected(log.error());
    }
    return Evidence{TAGOUT_TRY((*log)->verify()), ""};
}

}  // namespace

Result<int> verify_stores(const VerifyOptions& options, cli::Terminal& terminal) {
    const SystemClock clock;
    journal::VerifyReport chain;
    const Result<std::unique_ptr<journal::Journal>> opened =
        read_only_journal(options.data_dir, clock);
    if (!opened && opened.error().code != ErrorCode::Corrupt) {
        return std::unexpected(opened.error());
    }
    if (!opened) {
        chain.faults.push_back({0, opened.error().message});
    } else {
        chain = TAGOUT_TRY((*opened)->verify());
    }
    const Evidence evidence = TAGOUT_TRY(verify_evidence(options.data_dir, clock));
    const std::vector<journal::EvidenceFault>& blocks = evidence.faults;
    if (options.format != cli::Format::Table) {
        json::array faults;
        for (const journal::ChainFault& fault : chain.faults) {
            faults.push_back(
                {{"where", "journal"}, {"sequence", fault.sequence}, {"what", fault.what}}
            );
        }
        for (const journal::EvidenceFault& fault : blocks) {
            faults.push_back(
                {{"where", fault.segment}, {"offset", fault.offset}, {"what", fault.what}}
            );
        }
        terminal.line(cli::rendered(
            json::object{
                {"entries", chain.entries},
                {"head", hex_of(chain.head)},
                {"faults", std::move(faults)}},
            options.format
        ));
    } else {
        for (const journal::ChainFault& fault : chain.faults) {
            terminal.line("journal entry " + std::to_string(fault.sequence) + ": " + fault.what);
        }
        for (const journal::EvidenceFault& fault : blocks) {
            terminal.line(
                fault.segment + " at byte " + std::to_string(fault.offset) + ": " + fault.what
            );
        }
        if (!evidence.not_verified.empty()) {
            terminal.line("evidence was NOT verified: " + evidence.not_verified);
        }
        const std::string whole = evidence.not_verified.empty() ? "journal and evidence are whole"
                                                                : "the journal is whole";
        terminal.line(
            std::to_string(chain.entries) + " journal entries, head " + hex_of(chain.head) + ": " +
            (chain.faults.empty() && blocks.empty() ? whole : "NOT whole")
        );
    }
    return chain.faults.empty() && blocks.empty() ? 0 : 1;
}

Result<int> show_journal(const VerifyOptions& options, cli::Terminal& terminal) {
    const SystemClock clock;
    const std::unique_ptr<journal::Journal> journal =
        TAGOUT_TRY(read_only_journal(options.data_dir, clock));
    TAGOUT_TRY(journal->read(options.from, [&](const journal::JournalEntry& entry) {
        boost::system::error_code error;
        json::value body = json::parse(entry.draft.body, error);
        terminal.line(json::serialize(json::object{
            {"sequence", entry.sequence},
            {"recorded_at", to_rfc3339(entry.recorded_at)},
            {"occurred_at", to_rfc3339(entry.draft.occurred_at)},
            {"kind", entry.draft.kind},
            {"subject", entry.draft.subject},
            {"actor", entry.draft.actor.text()},
            {"reason", entry.draft.reason},
            {"body", error ? json::value(entry.draft.body) : std::move(body)},
            {"hash", hex_of(entry.hash)},
        }));
        return true;
    }));
    return 0;
}

}  // namespace tagout::app
