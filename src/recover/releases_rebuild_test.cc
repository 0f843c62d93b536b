// The journal is the truth: a desk that starts over any part of it knows what was known then, and
// goes on.

#include "base/prng.h"
#include "recover/testing.h"

namespace tagout::recover {
namespace {

class ReleaseRebuild : public ReleaseDesk {
protected:
    /// One random thing that people, sessions, incidents or time do; refused ones change nothing.
    void act(Prng& prng) {
        const catalog::VersionKey key =
            prng.below(2) == 0 ? prompt("p" + std::to_string(prng.below(2))) : policy("rules");
        const std::string number = std::to_string(1 + prng.below(4));
        clock_.advance(std::chrono::seconds(1 + prng.below(200)));
        switch (prng.below(8)) {
            case 0:
                (void)releases_->label({key, "production", number}, ann);
                return;
            case 1:
                (void)releases_->rollback({key, prng.below(2) == 0 ? number : ""}, bob);
                return;
            case 2:
                (void)releases_->rollback_bundle({AgentName("refund-agent")}, bob);
                return;
            case 3:
                sessions(static_cast<SessionOutcome>(prng.below(5)), 1);
                sessions(SessionOutcome::Succeeded, 20);
                return;
            case 4:
                (void)releases_->tick();
                return;
            case 5: {
                const IncidentId id = declare(Severity::Sev3);
                (void)releases_->incident_changed(*incidents_->get(id));
                (void)incidents_->move(
                    id, prng.below(2) == 0 ? IncidentState::FalsePositive : IncidentState::Resolved, ann
                );
                (void)releases_->incident_changed(*incidents_->get(id));
                return;
            }
            default:
                (void)publish(
                    key, "text " + std::to_string(prng.below(6)), prng.below(3) == 0 ? "" : "production"
                );
        }
    }

    std::string rebuilt(std::size_t entries) {
        incident::MemoryJournal part(clock_);
        const auto all = journal_.entries();
        for (std::size_t i = 0; i < entries; ++i) {
            EXPECT_TRUE(part.append(std::span(&all[i].draft, 1)).has_value());
        }
        const auto incidents = incident::Desk::make(part, clock_, catalog_, {});
        EXPECT_TRUE(incidents->rebuild().has_value());
        const auto desk = desk_over(part, *incidents);
        EXPECT_TRUE(desk->rebuild().has_value());
        const std::size_t settled = part.entries().size();
        const auto again = desk_over(part, *incidents);
        EXPECT_TRUE(again->rebuild().has_value());
        EXPECT_EQ(part.entries().size(), settled) << "a second start decides nothing anew";
        EXPECT_EQ(everything(*again), everything(*desk));
        // And it goes on: what is in production can be read, and a label can be moved.
        for (const catalog::Version& each : desk->policies_in_force()) {
            EXPECT_FALSE(each.content.empty());
        }
        return everything(*desk);
    }
};

TEST_F(ReleaseRebuild, AStartAfterAnyStepKnowsTheSame) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Prng prng(seed);
        for (int step = 0; step < 25; ++step) {
            act(prng);
            // Sums of evidence are journaled by a tick; before it they are in memory alone.
            clock_.advance(settings_.evidence_every);
            ASSERT_TRUE(releases_->tick().has_value());
            ASSERT_EQ(rebuilt(journal_.entries().size()), everything(*releases_));
        }
    }
}

TEST_F(ReleaseRebuild, AKillBetweenAnyTwoEntriesLeavesWhatGoesOn) {
    Prng prng(7);
    for (int step = 0; step < 60; ++step) {
        act(prng);
    }
    for (std::size_t entries = 0; entries <= journal_.entries().size(); ++entries) {
        SCOPED_TRACE(std::to_string(entries) + " entries");
        (void)rebuilt(entries);
    }
}

TEST_F(ReleaseRebuild, ACrashBetweenLabelAndBundleIsMendedAtTheStart) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    const Instant moved = clock_.now();
    journal_.fail_after(1);
    ASSERT_TRUE(publish(prompt("refund"), "two").has_value()) << "the change itself stands";
    journal_.recover();
    clock_.advance(std::chrono::hours(1));
    restart();
    const BundleContents now = *releases_->bundle(AgentName("refund-agent"), "");
    EXPECT_EQ(now.versions.at(0).content, "two");
    EXPECT_EQ(*now.bundle.record.in_force_since, moved + std::chrono::seconds(1))
        << "in force since the label moved, not since the restart";
}

TEST_F(ReleaseRebuild, AFullDiskChangesNothing) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    ASSERT_TRUE(publish(prompt("refund"), "two").has_value());
    const std::string before = everything(*releases_);
    journal_.fail_after(0);
    EXPECT_FALSE(publish(prompt("refund"), "three").has_value());
    EXPECT_FALSE(releases_->label({prompt("refund"), "production", "1"}, ann).has_value());
    EXPECT_FALSE(releases_->rollback({prompt("refund")}, ann).has_value());
    journal_.recover();
    clock_.set(clock_.now() - std::chrono::seconds(1));
    EXPECT_EQ(everything(*releases_), before);
    EXPECT_TRUE(releases_->rollback({prompt("refund")}, ann).has_value());
}

TEST_F(ReleaseRebuild, AnEntryThatDoesNotReadIsPassedOver) {
    ASSERT_TRUE(publish(prompt("refund"), "one").has_value());
    const char* const bodies[] = {
        "", "{", "[]", "{}", R"({"family":"prompt","name":"refund","number":7,"content":"x"})",
        R"({"family":"nothing","name":"x","number":1})",
        R"({"family":"prompt","name":"refund","label":"production","to":99})"};
    for (const char* kind : {"version.published", "version.labelled", "bundle.made", "bundle.good",
                             "bundle.evidence", "bundle.in_force"}) {
        for (const char* body : bodies) {
            const journal::EntryDraft draft{kind, "x", Actor("tagout"), "", clock_.now(), body};
            ASSERT_TRUE(journal_.append(std::span(&draft, 1)).has_value());
        }
    }
    const std::string before = everything(*releases_);
    restart();
    EXPECT_EQ(everything(*releases_), before);
}

}  // namespace
}  // namespace tagout::recover
