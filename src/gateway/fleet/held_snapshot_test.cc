#include "gateway/fleet/held_snapshot.h"

#include "contain/policy.h"
#include "gateway/fleet/files.h"
#include "journal/chain.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tagout::gateway {
namespace {

namespace fleet = contain::fleet;

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 56));

Control stop(const std::string& id, const std::string& scope) {
    Control control;
    control.id = ControlId(id);
    control.scope = *parse_scope(scope);
    control.reason = "why";
    control.author = Actor("person:ann");
    control.since = noon;
    control.review_by = noon + std::chrono::hours(1);
    return control;
}

class HeldSnapshotTest : public testing::Test {
protected:
    HeldSnapshotTest() {
        folder_ = testing::TempDir() + "held-" +
                  testing::UnitTest::GetInstance()->current_test_info()->name();
        std::filesystem::remove_all(folder_);
        standing_.edition = 10;
        standing_.revision = 1;
        standing_.made_at = noon;
        standing_.controls = {stop("CTL-1", "tool:a")};
        add_part(standing_.parts.catalog, R"({"tools":{"a":{"effect":"write"}}})");
        EXPECT_TRUE(open().has_value());
    }
    ~HeldSnapshotTest() override { std::filesystem::remove_all(folder_); }

    Result<void> open() {
        held_ = std::make_unique<HeldSnapshot>(folder_);
        return held_->open(std::nullopt);
    }
    void add_part(std::string& hash, const std::string& text) {
        hash = journal::to_hex(verify::sha256(text));
        parts_[hash] = text;
    }
    HeldSnapshot::FetchPart fetch() {
        return [this](const std::string& hash) -> Result<std::string> {
            ++fetched_;
            const auto found = parts_.find(hash);
            return found == parts_.end() ? fail(ErrorCode::NotFound, "no such part")
                                         : Result<std::string>(found->second);
        };
    }
    Result<bool> give(const fleet::Standing& standing) {
        const std::string body = fleet::to_text(standing);
        return held_->take_standing(
            body, key_.sign(fleet::signed_text("standing", body)), fetch()
        );
    }
    Result<bool> give(const fleet::Step& step) {
        const std::string body = fleet::to_text(step);
        return held_->take_step(body, key_.sign(fleet::signed_text("step", body)), fetch());
    }
    /// The next edition with one more control, as a step.
    fleet::Step next_step() {
        fleet::Standing next = standing_;
        ++next.edition;
        ++next.revision;
        next.controls.push_back(stop("CTL-" + std::to_string(next.revision), "tool:b"));
        fleet::Step step = fleet::step_between(standing_, next);
        standing_ = next;
        return step;
    }
    void expect_refused(const Result<bool>& taken, ErrorCode code, std::string_view words) {
        ASSERT_FALSE(taken.has_value());
        EXPECT_EQ(taken.error().code, code) << taken.error().message;
        EXPECT_NE(taken.error().message.find(words), std::string::npos) << taken.error().message;
    }
    [[nodiscard]] std::string log_path() const { return folder_ + "/told.log"; }

    const verify::SigningKey key_ = verify::SigningKey::make();
    std::string folder_;
    std::map<std::string, std::string> parts_;
    int fetched_ = 0;
    fleet::Standing standing_;
    std::unique_ptr<HeldSnapshot> held_;
};

TEST_F(HeldSnapshotTest, WhatWasTakenIsThereAgainAfterARestartWithoutTheServer) {
    ASSERT_TRUE(held_->meet(key_.public_key()).has_value());
    ASSERT_TRUE(*give(standing_));
    ASSERT_TRUE(*give(next_step()));
    ASSERT_TRUE(*give(next_step()));
    held_->sync();
    held_->heard(noon + std::chrono::seconds(5));
    EXPECT_EQ(fetched_, 1);
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(held_->standing(), standing_);
    EXPECT_EQ(held_->standing().controls.size(), 3U);
    EXPECT_EQ(held_->parts().catalog->contents().tools.size(), 1U);
    EXPECT_EQ(held_->last_heard(), noon + std::chrono::seconds(5));
    EXPECT_EQ(*held_->key(), key_.public_key());
    EXPECT_EQ(fetched_, 1) << "the part is on the disk";
    ASSERT_TRUE(*give(next_step())) << "and goes on";
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(held_->standing(), standing_);
}

TEST_F(HeldSnapshotTest, OnlyTheServersKeyIsBelievedAndEachKindForItself) {
    const std::string body = fleet::to_text(standing_);
    EXPECT_FALSE(give(standing_).has_value()) << "nobody is known yet";
    ASSERT_TRUE(held_->meet(key_.public_key()).has_value());
    ASSERT_TRUE(held_->meet(key_.public_key()).has_value());
    const verify::SigningKey other = verify::SigningKey::make();
    expect_refused(
        held_->take_standing(body, other.sign(fleet::signed_text("standing", body)), fetch()),
        ErrorCode::Unauthorized, "not signed"
    );
    expect_refused(
        held_->take_standing(body, key_.sign(fleet::signed_text("step", body)), fetch()),
        ErrorCode::Unauthorized, "not signed"
    );
    expect_refused(
        held_->take_standing(
            body + " ", key_.sign(fleet::signed_text("standing", body)), fetch()
        ),
        ErrorCode::Unauthorized, "not signed"
    );
    EXPECT_TRUE(held_->empty());
    const Result<void> posed = held_->meet(other.public_key());
    ASSERT_FALSE(posed.has_value());
    EXPECT_NE(posed.error().message.find("control.pub"), std::string::npos);
    ASSERT_TRUE(open().has_value());
    EXPECT_FALSE(held_->meet(other.public_key()).has_value()) << "pinned over a restart";
    HeldSnapshot configured(folder_);
    ASSERT_TRUE(configured.open(other.public_key()).has_value());
    EXPECT_TRUE(configured.meet(other.public_key()).has_value()) << "configuration wins";
}

TEST_F(HeldSnapshotTest, WhatStoodBeforeAStopCannotBePlayedBack) {
    ASSERT_TRUE(held_->meet(key_.public_key()).has_value());
    const fleet::Standing before = standing_;
    ASSERT_TRUE(*give(standing_));
    const fleet::Step step = next_step();
    ASSERT_TRUE(*give(step));
    expect_refused(give(before), ErrorCode::Conflict, "older");
    EXPECT_FALSE(*give(step)) << "a step that was taken leads nowhere";
    EXPECT_FALSE(*give(standing_)) << "what is held already";
    EXPECT_EQ(held_->standing().controls.size(), 2U);
}

TEST_F(HeldSnapshotTest, AStepThatDoesNotFitChangesNothing) {
    ASSERT_TRUE(held_->meet(key_.public_key()).has_value());
    EXPECT_FALSE(*give(next_step())) << "nothing is held yet";
    standing_.edition = 20;
    ASSERT_TRUE(*give(standing_));
    (void)next_step();
    EXPECT_FALSE(*give(next_step())) << "one was missed";
    EXPECT_EQ(held_->standing().edition, 20U);
    fleet::Step wrong = next_step();
    wrong.from = 20;
    wrong.taken = {ControlId("CTL-404")};
    expect_refused(give(wrong), ErrorCode::Conflict, "CTL-404");
    EXPECT_EQ(held_->standing().edition, 20U);
}

TEST_F(HeldSnapshotTest, APartIsWhatItsHashSays) {
    ASSERT_TRUE(held_->meet(key_.public_key()).has_value());
    const std::string good = parts_[standing_.parts.catalog];
    parts_[standing_.parts.catalog] = "{}";
    expect_refused(give(standing_), ErrorCode::Unauthorized, "not what its hash says");
    EXPECT_TRUE(held_->empty());
    parts_[standing_.parts.catalog] = good;
    ASSERT_TRUE(*give(standing_));
    // One on the disk that was changed is fetched again.
    ASSERT_TRUE(write_file(folder_ + "/parts/" + standing_.parts.catalog, "{}").has_value());
    ASSERT_FALSE(open().has_value()) << "without the server it cannot be used";
    EXPECT_TRUE(held_->empty());
    std::filesystem::remove(log_path());
    ASSERT_TRUE(open().has_value());
    fetched_ = 0;
    ASSERT_TRUE(*give(standing_));
    EXPECT_EQ(fetched_, 1);
}

TEST_F(HeldSnapshotTest, PoliciesAndVersionsComeAsParts) {
    ASSERT_TRUE(held_->meet(key_.public_key()).has_value());
    const auto policy = contain::parse_policy(
        "p", "v1", "rules:\n  - name: r\n    match: { tool: x }\n    effect: deny\n"
    );
    ASSERT_TRUE(policy.has_value());
    add_part(standing_.parts.policies, *fleet::policies_part({*policy}));
    add_part(
        standing_.parts.versions,
        fleet::versions_part({{"prompts", "support", "production", "{}", "\"v1\""}})
    );
    ASSERT_TRUE(*give(standing_));
    ASSERT_TRUE(open().has_value());
    ASSERT_EQ(held_->parts().policies->size(), 1U);
    EXPECT_EQ(held_->parts().policies->front(), *policy);
    EXPECT_TRUE(held_->parts().versions->contains({"prompts", "support", "production"}));
    fleet::Standing next = standing_;
    next.edition = 11;
    next.parts.policies.clear();
    ASSERT_TRUE(*give(fleet::step_between(standing_, next)));
    EXPECT_TRUE(held_->parts().policies->empty());
    EXPECT_EQ(held_->parts().versions->size(), 1U);
}

TEST_F(HeldSnapshotTest, ALineThatADeathCutOffIsDroppedAndAnyOtherDamageIsToldAndNothingIsHeld) {
    ASSERT_TRUE(held_->meet(key_.public_key()).has_value());
    ASSERT_TRUE(*give(standing_));
    ASSERT_TRUE(*give(next_step()));
    const fleet::Standing whole = standing_;
    ASSERT_TRUE(*give(next_step()));
    const std::string log = **read_file(log_path(), 1'000'000);
    std::ofstream(log_path(), std::ios::trunc) << log.substr(0, log.size() - 7);
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(held_->standing(), whole);
    standing_ = whole;
    ASSERT_TRUE(*give(next_step()));
    ASSERT_TRUE(open().has_value()) << "the next line began a line";
    EXPECT_EQ(held_->standing(), standing_);

    for (const std::size_t at : {std::size_t{12}, log.find("CTL-1"), log.find("step ") + 200}) {
        std::string damaged = log;
        damaged[at] = damaged[at] == 'x' ? 'y' : 'x';
        std::ofstream(log_path(), std::ios::trunc) << damaged;
        const Result<void> opened = open();
        ASSERT_FALSE(opened.has_value()) << at;
        EXPECT_EQ(opened.error().code, ErrorCode::Corrupt);
        EXPECT_NE(opened.error().message.find(log_path()), std::string::npos);
        EXPECT_TRUE(held_->empty());
    }
    // A line that was taken out of the middle is a stop that is gone: that is damage, too.
    const std::size_t first = log.find('\n') + 1;
    const std::size_t second = log.find('\n', first) + 1;
    std::ofstream(log_path(), std::ios::trunc) << log.substr(0, first) + log.substr(second);
    EXPECT_FALSE(open().has_value());
}

TEST_F(HeldSnapshotTest, ALongLogIsMadeAnewByAWholeSnapshot) {
    ASSERT_TRUE(held_->meet(key_.public_key()).has_value());
    ASSERT_TRUE(*give(standing_));
    for (std::uint64_t i = 0; i < HeldSnapshot::log_steps_max; ++i) {
        fleet::Standing next = standing_;
        ++next.edition;
        ASSERT_TRUE(*give(fleet::step_between(standing_, next)));
        standing_ = next;
    }
    ASSERT_TRUE(held_->is_long());
    const auto before = std::filesystem::file_size(log_path());
    ASSERT_TRUE(*give(standing_)) << "the same edition, to be written whole";
    EXPECT_FALSE(held_->is_long());
    EXPECT_LT(std::filesystem::file_size(log_path()), before / 10);
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(held_->standing(), standing_);
}

}  // namespace
}  // namespace tagout::gateway
