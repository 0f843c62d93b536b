// The book with several enforcement points, some of which are away, slow, or back again.
#include "base/mutex.h"
#include "contain/control_json.h"
#include "contain/controls.h"
#include "incident/memory_journal.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tagout::contain {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 56));
const By ann{Actor("person:ann"), "refunds go out twice"};

/// A point elsewhere: it answers when it is told to, and may be away.
class FarPoint final : public EnforcementPoint {
public:
    explicit FarPoint(std::string name) : name_(std::move(name)) {}

    [[nodiscard]] std::string name() const override { return name_; }
    void enforce(
        std::shared_ptr<const ControlSnapshot>, std::function<void(Result<std::uint64_t>)> done
    ) override {
        done(fail(ErrorCode::Unavailable, "a far point takes what it can make its own tables of"));
    }
    void put_in_force(
        const Published& published, std::function<void(Result<std::uint64_t>)> done
    ) override {
        const MutexLock lock(mutex_);
        published_ = published;
        if (frozen) {
            kept_.push_back([done = std::move(done), revision = published.snapshot->revision()] {
                done(revision);
            });
        } else {
            done(published.snapshot->revision());
        }
    }
    [[nodiscard]] std::vector<ProbeResult> probe(const Control&) override { return {}; }
    void start_probe(
        const Control& control, std::function<void(std::vector<ProbeResult>)> done
    ) override {
        ++probes;
        if (frozen) {
            return;
        }
        std::vector<ProbeResult> found{
            {.road = "decide",
             .reached = true,
             .verdict = leaks ? Verdict::Allow : Verdict::Deny,
             .decided_by = control.id.text(),
             .revision = 1,
             .detail = "asked"}};
        done(std::move(found));
    }
    [[nodiscard]] bool is_connected() const override { return connected; }
    [[nodiscard]] PointContact contact() const override {
        PointContact contact;
        contact.remote = true;
        contact.connected = connected;
        contact.away = connected ? "" : "not heard of since noon";
        contact.last_contact = noon;
        contact.rules = 3;
        contact.calls_denied = 7;
        return contact;
    }
    void thaw() {
        std::vector<std::function<void()>> kept;
        {
            const MutexLock lock(mutex_);
            frozen = false;
            kept.swap(kept_);
        }
        for (const auto& each : kept) {
            each();
        }
    }
    [[nodiscard]] Published published() const {
        const MutexLock lock(mutex_);
        return published_;
    }

    std::atomic<bool> connected{true};
    std::atomic<bool> frozen{false};
    std::atomic<bool> leaks{false};
    std::atomic<int> probes{0};

private:
    const std::string name_;
    mutable Mutex mutex_;
    Published published_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<std::function<void()>> kept_ TAGOUT_GUARDED_BY(mutex_);
};

class PointsTest : public testing::Test {
protected:
    PointsTest() { open(); }

    void open() {
        controls_.reset();
        controls_ = Controls::make(journal_, clock_, settings_, metrics_, "CTL-");
        ASSERT_TRUE(controls_->rebuild().has_value());
        controls_->on_point([this](const PointChange& change) {
            const MutexLock lock(mutex_);
            told_.push_back(change);
        });
    }
    std::shared_ptr<FarPoint> join(const std::string& name) {
        auto point = std::make_shared<FarPoint>(name);
        controls_->add_point(point);
        return point;
    }
    ControlView stop(const std::string& scope) {
        ControlDraft draft;
        draft.scope = *parse_scope(scope);
        const auto view = controls_->apply(draft, ann);
        EXPECT_TRUE(view.has_value()) << view.error().message;
        return view ? *view : ControlView{};
    }
    [[nodiscard]] ControlView view(const std::string& id = "CTL-1") const {
        return controls_->get(ControlId(id)).value_or(ControlView{});
    }
    template <class Holds>
    static bool comes_true(Holds holds) {
        for (int i = 0; i < 2'000 && !holds(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return holds();
    }
    bool comes(ControlState state, const std::string& id = "CTL-1") {
        return comes_true([&] { return view(id).state == state; });
    }
    std::size_t entries(const std::string& kind) const {
        std::size_t count = 0;
        for (const journal::JournalEntry& entry : journal_.entries()) {
            count += entry.draft.kind == kind ? 1 : 0;
        }
        return count;
    }
    std::vector<PointChange> told() {
        const MutexLock lock(mutex_);
        return told_;
    }
    void pass(Duration time) {
        clock_.advance(time);
        controls_->tick();
    }

    ManualClock clock_{noon};
    incident::MemoryJournal journal_{clock_};
    MetricRegistry metrics_;
    Settings settings_;
    Mutex mutex_;
    std::vector<PointChange> told_;
    std::unique_ptr<Controls> controls_;
};

TEST_F(PointsTest, AStopIsProvedAtEveryOneAndJournaledOnce) {
    for (const char* name : {"edge-2", "edge-1", "edge-3"}) {
        join(name);
    }
    stop("tool:refund");
    ASSERT_TRUE(comes(ControlState::Proved));
    const ControlView proved = view();
    EXPECT_EQ(proved.tally, (PointTally{.of = 3, .reached = 3, .proved = 3, .away = 0}));
    ASSERT_EQ(proved.points.size(), 3U);
    EXPECT_EQ(proved.points[0].point, "edge-1") << "by name";
    EXPECT_EQ(entries("control.acknowledged"), 1U) << "one entry for all of them";
    EXPECT_EQ(entries("control.proved"), 1U);
    EXPECT_TRUE(proved.time_to_effect.has_value());
    const auto points = controls_->points();
    ASSERT_EQ(points.size(), 3U);
    EXPECT_EQ(points[2].effect.count, 1U);
    EXPECT_EQ(points[2].contact.calls_denied, 7U);
    controls_->tick();
    const std::string page = metrics_.expose();
    for (const std::string_view row :
         {"tagout_point_connected{point=\"edge-2\"} 1", "tagout_point_revision{point=\"edge-2\"} 1",
          "tagout_point_rules{point=\"edge-2\"} 3",
          "tagout_point_time_to_effect_seconds_count{point=\"edge-2\"} 1"}) {
        EXPECT_NE(page.find(row), std::string::npos) << row;
    }
}

TEST_F(PointsTest, TheSameStandsAfterARestart) {
    join("edge-1");
    join("edge-2");
    stop("tool:refund");
    ASSERT_TRUE(comes(ControlState::Proved));
    open();
    join("edge-1");
    join("edge-2");
    EXPECT_TRUE(comes(ControlState::Proved));
    EXPECT_EQ(view().tally.proved, 2U);
}

TEST_F(PointsTest, OfOneThatIsAwayNothingIsClaimedAndTheOthersAreProved) {
    const auto near = join("edge-1");
    const auto gone = join("edge-2");
    ASSERT_TRUE(controls_->wait_in_force(std::chrono::seconds(5)));
    gone->connected = false;
    stop("tool:refund");
    ASSERT_TRUE(comes(ControlState::Proved)) << "over the connected ones";
    const ControlView seen = view();
    EXPECT_EQ(seen.tally, (PointTally{.of = 2, .reached = 1, .proved = 1, .away = 1}));
    EXPECT_FALSE(seen.points[1].connected);
    EXPECT_EQ(seen.points[1].error, "not heard of since noon");
    EXPECT_FALSE(seen.points[1].acknowledged_at.has_value());
    const std::string json = boost::json::serialize(tree_of(seen));
    EXPECT_NE(json.find(R"("acknowledged":{"reached":1,"of":2,"away":1})"), std::string::npos)
        << json;
    // It is back, with whatever it held: it gets what stands, and has to prove it.
    const auto back = join("edge-2");
    ASSERT_TRUE(comes_true([&] { return view().tally.proved == 2; }));
    EXPECT_EQ(back->published().controls->size(), 1U);
    EXPECT_EQ(back->probes, 1);
    EXPECT_EQ(near->probes, 1) << "the others proved it before";
    EXPECT_EQ(view().state, ControlState::Proved);
}

TEST_F(PointsTest, AFrozenOneHoldsTheClaimBackUntilItIsKnownToBeAway) {
    join("edge-1");
    const auto frozen = join("edge-2");
    ASSERT_TRUE(controls_->wait_in_force(std::chrono::seconds(5)));
    frozen->frozen = true;
    stop("tool:refund");
    ASSERT_TRUE(comes_true([&] { return controls_->points()[0].revision == 1; }));
    EXPECT_EQ(view().state, ControlState::Requested) << "it may still let calls pass";
    EXPECT_EQ(entries("control.acknowledged"), 0U);
    pass(settings_.point_timeout + std::chrono::milliseconds(1));
    ASSERT_TRUE(comes_true([&] { return told().size() == 1; }));
    EXPECT_TRUE(told()[0].failing);
    EXPECT_EQ(told()[0].point, "edge-2");
    EXPECT_NE(told()[0].sentence.find("has not answered within 5s"), std::string::npos);
    EXPECT_EQ(entries("point.failing"), 1U);
    ASSERT_TRUE(comes_true([&] { return entries("control.acknowledged") == 1; })) << "edge-1's";
    frozen->connected = false;
    controls_->contact_changed();
    ASSERT_TRUE(comes(ControlState::Proved));
    EXPECT_TRUE(comes_true([&] { return view().acknowledged_at.has_value(); }));
    EXPECT_EQ(view().time_to_effect, Duration(0)) << "when the last of the connected had it";
    pass(std::chrono::seconds(1));
    EXPECT_EQ(told().size(), 1U) << "people are told once";
    frozen->connected = true;
    frozen->thaw();
    ASSERT_TRUE(comes_true([&] { return controls_->points()[1].revision == 1; }));
    pass(std::chrono::seconds(1));
    ASSERT_TRUE(comes_true([&] { return view().tally.reached == 2; }));
    pass(std::chrono::seconds(1));
    ASSERT_TRUE(comes_true([&] { return told().size() == 2; }));
    EXPECT_FALSE(told()[1].failing);
    EXPECT_EQ(entries("point.well"), 1U);
}

TEST_F(PointsTest, AProbeThatNeverComesBackLeavesItUnprovedThereAlone) {
    const auto near = join("edge-1");
    const auto slow = join("edge-2");
    ASSERT_TRUE(controls_->wait_in_force(std::chrono::seconds(5)));
    stop("tool:a");
    ASSERT_TRUE(comes(ControlState::Proved));
    slow->frozen = true;
    std::thread asked([&] { (void)controls_->probe(ControlId("CTL-1"), ann); });
    ASSERT_TRUE(comes_true([&] { return slow->probes == 2; }));
    pass(settings_.probe_timeout + std::chrono::milliseconds(1));
    asked.join();
    ASSERT_TRUE(comes(ControlState::Unproved));
    EXPECT_EQ(view().points[0].error, "");
    EXPECT_NE(view().points[1].error.find("has not come back within 5s"), std::string::npos);
    slow->frozen = false;
    pass(settings_.retry_pause_max);
    ASSERT_TRUE(comes(ControlState::Proved));
    EXPECT_EQ(near->probes, 2) << "only the one that owed an answer was asked again";
}

TEST_F(PointsTest, OneThatLetsAProbePassIsNamed) {
    join("edge-1");
    join("edge-2")->leaks = true;
    stop("tool:a");
    ASSERT_TRUE(comes(ControlState::Unproved));
    EXPECT_EQ(view().tally.proved, 1U);
    EXPECT_NE(view().points[1].error.find("decide answered allow"), std::string::npos);
}

TEST_F(PointsTest, OfManyPointsAListNamesThoseThatLag) {
    std::vector<std::shared_ptr<FarPoint>> points;
    for (int i = 0; i < 40; ++i) {
        points.push_back(join("edge-" + std::to_string(i)));
    }
    stop("tool:a");
    ASSERT_TRUE(comes(ControlState::Proved));
    EXPECT_EQ(view().points.size(), 40U);
    EXPECT_EQ(controls_->list(false)[0].points.size(), 0U);
    EXPECT_EQ(controls_->list(false)[0].tally.proved, 40U);
    points[7]->connected = false;
    const ControlView listed = controls_->list(false)[0];
    ASSERT_EQ(listed.points.size(), 1U);
    EXPECT_EQ(listed.points[0].point, "edge-7");
    EXPECT_EQ(listed.state, ControlState::Proved);
    // What is journaled of forty points is how many roads each has, and not each road.
    for (const journal::JournalEntry& entry : journal_.entries()) {
        if (entry.draft.kind == "control.proved") {
            EXPECT_EQ(entry.draft.body.find("\"verdict\""), std::string::npos);
            EXPECT_NE(entry.draft.body.find("\"roads\":1"), std::string::npos);
        }
    }
}

TEST_F(PointsTest, ARetiredPointHoldsNothingBack) {
    join("edge-1");
    const auto gone = join("edge-2");
    ASSERT_TRUE(controls_->wait_in_force(std::chrono::seconds(5)));
    gone->frozen = true;
    stop("tool:a");
    ASSERT_TRUE(comes_true([&] { return controls_->points()[0].revision == 1; }));
    EXPECT_EQ(view().state, ControlState::Requested);
    ASSERT_TRUE(controls_->remove_point("edge-2").has_value());
    EXPECT_TRUE(comes(ControlState::Proved));
    EXPECT_EQ(view().tally.of, 1U);
    EXPECT_FALSE(controls_->remove_point("edge-2").has_value());
}

TEST_F(PointsTest, WhatWasAppliedAtAHostIsAdoptedOnceWithItsAuthorAndTime) {
    join("edge-1");
    Control local;
    local.id = ControlId("edge-1:CTL-1");
    local.scope = *parse_scope("tool:refund");
    local.mode = ControlMode::Stopped;
    local.reason = "the server is down and it pays twice";
    local.author = Actor("person:ops");
    local.since = noon - std::chrono::hours(2);
    local.review_by = noon + std::chrono::hours(22);
    const auto adopted = controls_->adopt({local, "edge-1:CTL-1"});
    ASSERT_TRUE(adopted.has_value()) << adopted.error().message;
    EXPECT_EQ(adopted->control.id, ControlId("CTL-1"));
    EXPECT_EQ(adopted->control.author, local.author);
    EXPECT_EQ(adopted->control.since, local.since);
    EXPECT_EQ(adopted->control.reason, local.reason);
    EXPECT_EQ(adopted->origin, "edge-1:CTL-1");
    ASSERT_TRUE(comes(ControlState::Proved));
    EXPECT_EQ(controls_->adopt({local, "edge-1:CTL-1"})->control.id, ControlId("CTL-1"));
    EXPECT_EQ(controls_->list(true).size(), 1U);
    open();
    EXPECT_EQ(view().control.since, local.since);
    EXPECT_EQ(controls_->adopt({local, "edge-1:CTL-1"})->control.id, ControlId("CTL-1"));
    // Somebody else did the same elsewhere: one control, and both in the record.
    local.author = Actor("person:eve");
    const auto same = controls_->adopt({local, "edge-2:CTL-4"});
    ASSERT_TRUE(same.has_value());
    EXPECT_EQ(same->control.id, ControlId("CTL-1"));
    EXPECT_EQ(entries("control.adopted"), 1U);
    EXPECT_EQ(journal_.entries().back().draft.actor, Actor("person:eve"));
    open();
    EXPECT_EQ(controls_->adopt({local, "edge-2:CTL-4"})->control.id, ControlId("CTL-1"));
    EXPECT_EQ(entries("control.adopted"), 1U);
}

TEST_F(PointsTest, ABookOfAnotherPrefixHandsOverWithoutASecondPerson) {
    controls_ = Controls::make(journal_, clock_, settings_, metrics_, "edge-1:CTL-");
    ASSERT_TRUE(controls_->rebuild().has_value());
    const ControlView local = stop("tool:refund");
    EXPECT_EQ(local.control.id, ControlId("edge-1:CTL-1"));
    EXPECT_EQ(controls_->snapshot()->controls(), 1U);
    const auto over = controls_->hand_over(
        local.control.id, {Actor("tagout"), "in force as CTL-8 at the control server"}
    );
    ASSERT_TRUE(over.has_value());
    EXPECT_EQ(over->state, ControlState::Released);
    EXPECT_EQ(controls_->snapshot()->controls(), 0U);
    EXPECT_EQ(entries("control.handed_over"), 1U);
    controls_ = Controls::make(journal_, clock_, settings_, metrics_, "edge-1:CTL-");
    ASSERT_TRUE(controls_->rebuild().has_value());
    EXPECT_EQ(controls_->snapshot()->controls(), 0U);
    EXPECT_EQ(stop("tool:other").control.id, ControlId("edge-1:CTL-2"));
}

TEST_F(PointsTest, PublishedHoldsWhatTheTablesWereMadeFrom) {
    const auto far = join("edge-1");
    stop("tool:a");
    stop("tool:b");
    ASSERT_TRUE(comes_true([&] {
        return far->published().snapshot && far->published().snapshot->revision() == 2;
    }));
    const Published published = far->published();
    ASSERT_EQ(published.controls->size(), 2U);
    EXPECT_EQ((*published.controls)[1].id, ControlId("CTL-2"));
    EXPECT_EQ(controls_->published().snapshot, published.snapshot);
}

}  // namespace
}  // namespace tagout::contain
