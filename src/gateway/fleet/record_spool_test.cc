#include "gateway/fleet/record_spool.h"

#include "gateway/fleet/files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tagout::gateway {
namespace {

class RecordSpoolTest : public testing::Test {
protected:
    RecordSpoolTest() {
        folder_ = testing::TempDir() + "spool-" +
                  testing::UnitTest::GetInstance()->current_test_info()->name();
        std::filesystem::remove_all(folder_);
        open();
    }
    ~RecordSpoolTest() override { std::filesystem::remove_all(folder_); }
    void open(std::uint64_t bytes = RecordSpool::bytes_max) {
        spool_.reset();
        auto opened = RecordSpool::open(folder_, bytes);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        spool_ = std::move(*opened);
    }

    std::string folder_;
    std::unique_ptr<RecordSpool> spool_;
};

TEST_F(RecordSpoolTest, BatchesWaitInOrderAlsoOverARestartUntilTheyAreDone) {
    ASSERT_TRUE(spool_->put("one", 3).has_value());
    ASSERT_TRUE(spool_->put("two", 4).has_value());
    const std::string name = spool_->name();
    open();
    EXPECT_EQ(spool_->name(), name);
    EXPECT_EQ(spool_->waiting(), 2U);
    const auto first = spool_->oldest();
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->text, "one");
    EXPECT_EQ(spool_->oldest()->number, first->number) << "it stays until the server has it";
    spool_->done(first->number);
    EXPECT_EQ(spool_->oldest()->text, "two");
    spool_->done(spool_->oldest()->number);
    EXPECT_FALSE(spool_->oldest().has_value());
    open();
    ASSERT_TRUE(spool_->put("three", 1).has_value());
    EXPECT_EQ(spool_->oldest()->number, first->number + 2) << "no number is given twice";
}

TEST_F(RecordSpoolTest, PastItsBoundTheOldestGoAndAreCounted) {
    open(1'000);
    const std::string text(400, 'x');
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(spool_->put(text, 10).has_value());
    }
    EXPECT_EQ(spool_->waiting(), 2U);
    EXPECT_EQ(spool_->dropped_calls(), 30U);
    EXPECT_EQ(spool_->oldest()->number, 4U);
    EXPECT_FALSE(spool_->put(std::string(RecordSpool::batch_bytes_max + 1, 'x'), 7).has_value());
    EXPECT_EQ(spool_->dropped_calls(), 37U);
}

TEST_F(RecordSpoolTest, AFileThatIsGoneIsCountedAndDoesNotHoldUpTheOthers) {
    ASSERT_TRUE(spool_->put("one", 3).has_value());
    ASSERT_TRUE(spool_->put("two", 4).has_value());
    std::filesystem::remove(folder_ + "/1-3.batch");
    EXPECT_EQ(spool_->oldest()->text, "two");
    EXPECT_EQ(spool_->dropped_calls(), 3U);
    std::ofstream(folder_ + "/garbage.batch") << "x";
    std::ofstream(folder_ + "/7-x.batch") << "x";
    open();
    EXPECT_EQ(spool_->waiting(), 1U);
}

TEST(FolderLockTest, AFolderIsOneProcesssAtATime) {
    const std::string folder = testing::TempDir() + "folder-lock";
    ASSERT_TRUE(make_folder(folder).has_value());
    {
        const auto first = FolderLock::take(folder);
        ASSERT_TRUE(first.has_value());
        const auto second = FolderLock::take(folder);
        ASSERT_FALSE(second.has_value());
        EXPECT_EQ(second.error().code, ErrorCode::Conflict);
    }
    EXPECT_TRUE(FolderLock::take(folder).has_value());
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tagout::gateway
