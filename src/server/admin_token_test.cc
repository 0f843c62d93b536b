#include "server/admin_token.h"

#include "server/api.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tagout::server {
namespace {

class AdminTokenFile : public testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("tagout-token-" + std::to_string(::getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::create_directories(folder_);
        path_ = (folder_ / "admin.token").string();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_;
    std::string path_;
};

TEST_F(AdminTokenFile, IsMadeOnceForItsOwnerOnlyAndReadAfterwards) {
    const Result<AdminToken> first = load_or_make_admin_token(path_);
    ASSERT_TRUE(first.has_value());
    EXPECT_TRUE(first->is_new);
    EXPECT_EQ(first->token.size(), std::string("tagout_").size() + 43);
    struct stat facts {};
    ASSERT_EQ(stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
    const Result<AdminToken> second = load_or_make_admin_token(path_);
    ASSERT_TRUE(second.has_value());
    EXPECT_FALSE(second->is_new);
    EXPECT_EQ(second->token, first->token);
}

TEST_F(AdminTokenFile, TwoTokensDiffer) {
    const std::string other = path_ + "2";
    EXPECT_NE(load_or_make_admin_token(path_)->token, load_or_make_admin_token(other)->token);
}

TEST_F(AdminTokenFile, AFileThatOthersReadIsRefusedWithTheRemedy) {
    ASSERT_TRUE(load_or_make_admin_token(path_).has_value());
    ASSERT_EQ(chmod(path_.c_str(), 0640), 0);
    const Result<AdminToken> refused = load_or_make_admin_token(path_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
}

TEST_F(AdminTokenFile, AnEmptyOrBrokenFileIsNoToken) {
    for (const char* content : {"", "short", "two words that are long enough to be one"}) {
        std::filesystem::remove(path_);
        std::ofstream(path_) << content;
        ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
        EXPECT_FALSE(load_or_make_admin_token(path_).has_value()) << content;
    }
}

TEST(TokenVerifier, AcceptsItsTokenAndNothingNear) {
    const TokenVerifier verifier("tagout_abcdefghijklmnopqrstuvwxyz");
    EXPECT_TRUE(verifier.accepts("tagout_abcdefghijklmnopqrstuvwxyz"));
    for (const char* other :
         {"",
          "tagout_",
          "tagout_abcdefghijklmnopqrstuvwxyZ",
          "tagout_abcdefghijklmnopqrstuvwxyz "}) {
        EXPECT_FALSE(verifier.accepts(other)) << other;
    }
}

TEST(OwnHost, LoopbackAndConfiguredNamesOnly) {
    struct Row {
        const char* host;
        bool own;
    };
    const Row rows[] = {
        {"127.0.0.1:8321", true},
        {"localhost", true},
        {"localhost:8321", true},
        {"[::1]:8321", true},
        {"127.1.2.3", true},
        {"tagout.example:443", true},
        {"evil.example", false},
        {"127.0.0.1.evil.example", false},
        {"", false},
        {"localhost.evil.example", false},
        {"tagout.example.evil.example", false},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(is_own_host(row.host, {"tagout.example"}), row.own) << row.host;
    }
}

}  // namespace
}  // namespace tagout::server
