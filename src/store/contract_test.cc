// The contracts of journal/'s ports, run on every adapter of this room.

#include "journal/evidence_log_contract.h"
#include "journal/journal_store_contract.h"
#include "store/memory/evidence_log.h"
#include "store/memory/journal_store.h"
#include "store/segment/segment_log.h"
#include "store/sqlite/journal_store.h"
#include "store/test_support.h"

#include <memory>

namespace tagout::journal {
namespace {

JournalStoreFactory in_memory() {
    return {"memory", [] { return std::make_unique<store::MemoryJournalStore>(); }, nullptr};
}

JournalStoreFactory in_sqlite() {
    const auto directory = std::make_shared<std::unique_ptr<store::TemporaryDirectory>>();
    const auto open = [directory] {
        auto opened = store::SqliteJournalStore::open({.path = (*directory)->file("data/j.db")});
        EXPECT_TRUE(opened.has_value()) << opened.error().message;
        return std::move(*opened);
    };
    const auto create = [directory, open] {
        *directory = std::make_unique<store::TemporaryDirectory>();
        return open();
    };
    return {"sqlite", create, open};
}

INSTANTIATE_TEST_SUITE_P(
    Adapters, JournalStoreContract, testing::Values(in_memory(), in_sqlite()),
    [](const auto& row) { return row.param.name; }
);

EvidenceLogFactory evidence_in_memory() {
    return {
        "memory",
        [](const Clock& clock) { return std::make_unique<store::MemoryEvidenceLog>(clock); },
        nullptr,
    };
}

/// `tiny`: every group seals its segment, so that everything is found through index files.
EvidenceLogFactory evidence_in_segments(const char* name, bool tiny) {
    const auto directory = std::make_shared<std::unique_ptr<store::TemporaryDirectory>>();
    const auto open = [directory, tiny](const Clock& clock) {
        store::SegmentLogOptions options;
        options.directory = (*directory)->file("evidence");
        options.segment_bytes = tiny ? 1 : options.segment_bytes;
        auto opened = store::SegmentLog::open(options, clock);
        EXPECT_TRUE(opened.has_value()) << opened.error().message;
        return std::move(*opened);
    };
    const auto create = [directory, open](const Clock& clock) {
        *directory = std::make_unique<store::TemporaryDirectory>();
        return open(clock);
    };
    return {name, create, open};
}

INSTANTIATE_TEST_SUITE_P(
    Adapters, EvidenceLogContract,
    testing::Values(
        evidence_in_memory(), evidence_in_segments("segment", false),
        evidence_in_segments("segment_sealed", true)
    ),
    [](const auto& row) { return row.param.name; }
);

}  // namespace
}  // namespace tagout::journal
