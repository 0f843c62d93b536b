// The contracts of journal/'s ports, run on every adapter of this room.

#include "journal/journal_store_contract.h"
#include "store/memory/journal_store.h"
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

}  // namespace
}  // namespace tagout::journal
