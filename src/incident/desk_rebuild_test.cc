// The journal is the truth: whatever happened, in whatever order, and wherever the disk gave out, a
// desk that starts again over the same journal knows the same.

#include "incident/desk.h"

#include "base/prng.h"
#include "incident/incident_json.h"
#include "incident/memory_journal.h"

#include <gtest/gtest.h>

#include <thread>

namespace tagout::incident {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
const By ann{Actor("person:ann"), "seen it"};

Finding finding(std::size_t number, std::string cause, Instant at, SessionOutcome outcome) {
    Finding made;
    made.id = "f" + std::to_string(number);
    made.failure_class = FailureClass::Tool;
    made.signal = "tool.4xx_spike";
    made.correlation = CorrelationId("s" + std::to_string(number));
    made.agent = AgentName("refund-agent");
    made.tool = ToolName("issue_refund");
    made.cause = std::move(cause);
    made.seen_at = at;
    made.score = 0.9;
    made.evidence = "status 422";
    made.outcome = outcome;
    return made;
}

std::vector<Incident> everything(const Desk& desk) {
    Filter filter;
    filter.limit = 100'000;
    for (int state = 1; state <= 12; ++state) {
        filter.states.push_back(static_cast<IncidentState>(state));
    }
    return desk.list(filter);
}

std::vector<std::string> as_json(const Desk& desk) {
    std::vector<std::string> texts;
    for (const Incident& each : everything(desk)) {
        texts.push_back(to_json(each, Detail::Full));
    }
    return texts;
}

class DeskRebuild : public testing::Test {
protected:
    DeskRebuild() { restart(); }

    void restart() {
        desk_ = Desk::make(journal_, clock_, std::make_shared<const catalog::Catalog>(), settings_);
        ASSERT_TRUE(desk_->rebuild().has_value());
    }

    Result<void> join(std::vector<Finding> findings) {
        return desk_->join(findings, IncidentKind::Real);
    }

    ManualClock clock_{noon};
    Settings settings_;
    MemoryJournal journal_{clock_};
    std::unique_ptr<Desk> desk_;
};

/// One random thing that telemetry, time or a person does; refused ones change nothing.
void act(Desk& desk, ManualClock& clock, Prng& prng) {
    const IncidentId id("INC-" + std::to_string(1 + prng.below(8)));
    const IncidentId other("INC-" + std::to_string(1 + prng.below(8)));
    switch (prng.below(10)) {
        case 0:
            (void)desk.ack(id, ann);
            return;
        case 1:
            (void)desk.note(id, "note " + std::to_string(prng.below(100)), ann);
            return;
        case 2:
            (void)desk.assign(id, "team " + std::to_string(prng.below(3)), ann);
            return;
        case 3:
            (void)desk.set_severity(id, static_cast<Severity>(1 + prng.below(3)), ann);
            return;
        case 4:
            (void)desk.set_anchor(id, "onset", clock.now() - std::chrono::hours(1), ann);
            return;
        case 5:
            (void
            )(prng.below(4) == 0 ? desk.merge(id, other, ann)
                                 : desk.record(id, "notice.told", "Told ops", ann));
            return;
        case 6:
            (void)desk.move(id, static_cast<IncidentState>(1 + prng.below(12)), ann);
            return;
        case 7:
            clock.advance(std::chrono::minutes(prng.below(20)));
            (void)desk.tick();
            return;
        default:
            break;
    }
    std::vector<Finding> findings;
    for (std::size_t i = prng.below(30) + 1; i > 0; --i) {
        Finding made = finding(
            prng.below(400),
            "cause " + std::to_string(prng.below(3)),
            clock.now(),
            static_cast<SessionOutcome>(prng.below(5))
        );
        if (prng.below(5) == 0) {
            made.explained_by = "f" + std::to_string(prng.below(400));
        }
        made.rate = prng.below(10) == 0;
        made.write_completed = prng.below(10) == 0;
        findings.push_back(std::move(made));
    }
    (void)desk.join(findings, IncidentKind::Real);
}

TEST_F(DeskRebuild, ARestartAfterAnythingKnowsTheSame) {
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Prng prng(seed);
        ManualClock clock(noon);
        MemoryJournal journal(clock);
        const auto catalog = std::make_shared<const catalog::Catalog>();
        const auto live = Desk::make(journal, clock, catalog, settings_);
        ASSERT_TRUE(live->rebuild().has_value());
        for (int step = 0; step < 120; ++step) {
            act(*live, clock, prng);
        }
        const std::size_t entries = journal.entries().size();
        const auto again = Desk::make(journal, clock, catalog, settings_);
        ASSERT_TRUE(again->rebuild().has_value());
        ASSERT_FALSE(everything(*live).empty());
        EXPECT_EQ(as_json(*again), as_json(*live));
        EXPECT_EQ(journal.entries().size(), entries) << "a restart decides nothing anew";
    }
}

TEST_F(DeskRebuild, WhereverTheDiskGivesOutTheIncidentIsDeclaredInTheEnd) {
    std::vector<Finding> findings;
    for (std::size_t i = 0; i < 20; ++i) {
        findings.push_back(finding(i, "422", noon, SessionOutcome::Failed));
    }
    for (std::size_t good = 0; good < 10; ++good) {
        SCOPED_TRACE("the disk takes " + std::to_string(good) + " batches");
        MemoryJournal journal(clock_);
        const auto catalog = std::make_shared<const catalog::Catalog>();
        auto desk = Desk::make(journal, clock_, catalog, settings_);
        ASSERT_TRUE(desk->rebuild().has_value());
        journal.fail_after(good);
        const Result<void> first = desk->join(findings, IncidentKind::Real);
        journal.recover();
        // A crash here; what had been received is sent again.
        desk = Desk::make(journal, clock_, catalog, settings_);
        ASSERT_TRUE(desk->rebuild().has_value());
        ASSERT_TRUE(desk->join(findings, IncidentKind::Real).has_value());
        const std::vector<Incident> all = everything(*desk);
        ASSERT_EQ(all.size(), 1U);
        EXPECT_EQ(all[0].state, IncidentState::Declared);
        EXPECT_EQ(all[0].severity, Severity::Sev2);
        EXPECT_EQ(all[0].finding_count, 20U);
        EXPECT_EQ(all[0].impact.failed_sessions, 20U);
        if (first.has_value()) {
            EXPECT_GT(good, 0U);
            return;
        }
        EXPECT_EQ(first.error().code, ErrorCode::Unavailable);
    }
    FAIL() << "the join never succeeded";
}

TEST_F(DeskRebuild, ALongStormLeavesRoomForPeople) {
    constexpr std::size_t batches = 3'000;
    for (std::size_t i = 0; i < batches; ++i) {
        clock_.advance(std::chrono::milliseconds(40));
        ASSERT_TRUE(join({finding(i, "422", clock_.now(), SessionOutcome::Failed)}).has_value());
    }
    ASSERT_TRUE(desk_->note(IncidentId("INC-1"), "the tool was redeployed", ann).has_value());
    const std::vector<Incident> all = everything(*desk_);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].finding_count, batches);
    EXPECT_EQ(all[0].impact.failed_sessions, batches);
    EXPECT_EQ(all[0].findings.size(), 100U);
    EXPECT_EQ(all[0].last_finding_at, clock_.now());
    ASSERT_FALSE(all[0].timeline.empty());
    EXPECT_EQ(all[0].timeline.back().text, "the tool was redeployed");
    EXPECT_LT(all[0].timeline.size(), 50U) << "a line a minute, not a line a finding";
    EXPECT_LT(journal_.body_bytes() / batches, 400U) << "a finding past the first 100 is an id";
    const std::vector<std::string> before = as_json(*desk_);
    restart();
    EXPECT_EQ(as_json(*desk_), before);
}

TEST_F(DeskRebuild, TheLastFindingIsExactInALargeBatch) {
    std::vector<Finding> findings;
    for (std::size_t i = 0; i < 500; ++i) {
        findings.push_back(finding(
            i,
            "422",
            noon + std::chrono::seconds(i),
            i == 499 ? SessionOutcome::Failed : SessionOutcome::Unknown
        ));
    }
    findings[450].signal = "tool.unexpected_write";
    ASSERT_TRUE(join(findings).has_value());
    const std::vector<Incident> all = everything(*desk_);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].last_finding_at, noon + std::chrono::seconds(499));
    EXPECT_EQ(all[0].signals.size(), 2U) << "signals past the first 100 findings are named too";
    EXPECT_EQ(all[0].anchors.onset_at, noon);
}

TEST_F(DeskRebuild, ImpactThatGoesOnAfterAQuietTimeHasNotEnded) {
    ASSERT_TRUE(join({finding(1, "422", noon, SessionOutcome::Failed)}).has_value());
    clock_.advance(settings_.quiet_period);
    ASSERT_TRUE(desk_->tick().has_value());
    ASSERT_TRUE(everything(*desk_)[0].anchors.impact_ended_at.has_value());
    ASSERT_TRUE(join({finding(2, "422", clock_.now(), SessionOutcome::Failed)}).has_value());
    const Incident going_on = everything(*desk_)[0];
    EXPECT_FALSE(going_on.anchors.impact_ended_at.has_value());
    EXPECT_NE(going_on.timeline.back().text.find("goes on"), std::string::npos)
        << going_on.timeline.back().text;
    clock_.advance(settings_.quiet_period);
    ASSERT_TRUE(desk_->tick().has_value());
    EXPECT_TRUE(everything(*desk_)[0].anchors.impact_ended_at.has_value());
}

TEST_F(DeskRebuild, ManyThreadsMakeOneHistory) {
    constexpr std::size_t each = 60;
    std::vector<std::uint64_t> told;
    desk_->on_change([&told](const Change& change) { told.push_back(change.entry.sequence); });
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < 3; ++t) {
            threads.emplace_back([this, t] {
                for (std::size_t i = 0; i < each; ++i) {
                    const Finding made = finding(
                        t * each + i, "cause " + std::to_string(i % 3), noon, SessionOutcome::Failed
                    );
                    EXPECT_TRUE(desk_->join({&made, 1}, IncidentKind::Real).has_value());
                }
            });
        }
        threads.emplace_back([this] {
            for (std::size_t i = 0; i < each; ++i) {
                (void)desk_->note(IncidentId("INC-1"), "n" + std::to_string(i), ann);
                (void)desk_->tick();
                (void)desk_->list({});
            }
        });
    }
    ASSERT_TRUE(desk_->tick().has_value());
    EXPECT_EQ(told.size(), journal_.entries().size()) << "each change is told once";
    EXPECT_TRUE(std::ranges::is_sorted(told)) << "in the order of the journal";
    std::uint64_t findings = 0;
    for (const Incident& incident : everything(*desk_)) {
        findings += incident.finding_count;
    }
    EXPECT_EQ(everything(*desk_).size(), 3U);
    EXPECT_EQ(findings, 3 * each);
    const std::vector<std::string> before = as_json(*desk_);
    restart();
    EXPECT_EQ(as_json(*desk_), before);
}

}  // namespace
}  // namespace tagout::incident
