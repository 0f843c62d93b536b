#include "contain/controls.h"

#include "base/mutex.h"
#include "contain/control_json.h"
#include "contain/metrics.h"
#include "incident/memory_journal.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tagout::contain {
namespace {

using What = ControlChange::What;

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
const By ann{Actor("person:ann"), "refunds go out twice"};
const By bob{Actor("person:bob"), "mended in v8"};
const By cleo{Actor("person:cleo"), "the journeys passed"};
const By eve{Actor("person:eve"), "looked at it, fine"};

/// A point that does as it is told, unless it is told otherwise.
class FakePoint final : public EnforcementPoint {
public:
    explicit FakePoint(std::string name = "gateway") : name_(std::move(name)) {}

    [[nodiscard]] std::string name() const override { return name_; }

    void enforce(
        std::shared_ptr<const ControlSnapshot> snapshot,
        std::function<void(Result<std::uint64_t>)> done
    ) override {
        {
            const MutexLock lock(mutex_);
            revisions_.push_back(snapshot->revision());
            if (mute_) {
                kept_.push_back([this, done = std::move(done), snapshot] {
                    with([&](FakePoint& point) { point.snapshot_ = snapshot; });
                    done(snapshot->revision());
                });
                return;
            }
            if (refusals_ > 0) {
                --refusals_;
                done(fail(ErrorCode::Unavailable, "the gateway is restarting"));
                return;
            }
            snapshot_ = snapshot;
        }
        done(snapshot->revision());
    }

    [[nodiscard]] std::vector<ProbeResult> probe(const Control& control) override {
        const MutexLock lock(mutex_);
        ++probes_;
        if (no_road_) {
            return {};
        }
        ToolCall call;
        call.tool = "refund";
        call.server = "payments";
        call.agent = "refund-agent";
        call.workflow = "refunds";
        call.effect = ToolEffect::Write;
        if (control.mode == ControlMode::Route) {
            call.kind = CallKind::Workflow;
        }
        const Decision decision = decide(*snapshot_, call);
        return {
            {.road = "mcp:payments",
             .reached = !unreachable_,
             .verdict = leaks_ ? Verdict::Allow : decision.verdict,
             .decided_by = decision.by == nullptr ? "" : decision.by->id,
             .revision = decision.revision,
             .detail = unreachable_ ? "connection refused" : "answered"}};
    }

    template <class Change>
    void with(Change change) {
        const MutexLock lock(mutex_);
        change(*this);
    }
    void answer_late() {
        std::vector<std::function<void()>> kept;
        with([&](FakePoint& point) { kept.swap(point.kept_); });
        for (const auto& each : kept) {
            each();
        }
    }
    [[nodiscard]] std::vector<std::uint64_t> revisions() const {
        const MutexLock lock(mutex_);
        return revisions_;
    }
    [[nodiscard]] int probes() const {
        const MutexLock lock(mutex_);
        return probes_;
    }

    bool mute_ = false;
    int refusals_ = 0;
    bool leaks_ = false;
    bool unreachable_ = false;
    bool no_road_ = false;

private:
    const std::string name_;
    mutable Mutex mutex_;
    std::shared_ptr<const ControlSnapshot> snapshot_;
    std::vector<std::uint64_t> revisions_;
    std::vector<std::function<void()>> kept_;
    int probes_ = 0;
};

class ControlsTest : public testing::Test {
protected:
    ControlsTest() { open(); }

    /// A restart: the same journal, everything else new.
    void open() {
        controls_.reset();
        controls_ = Controls::make(journal_, clock_, settings_, metrics_);
        ASSERT_TRUE(controls_->rebuild().has_value());
        controls_->on_change([this](const ControlChange& change) {
            const MutexLock lock(seen_mutex_);
            seen_.push_back(change);
        });
    }
    void join() {
        controls_->add_point(point_);
        ASSERT_TRUE(controls_->wait_in_force(std::chrono::seconds(5)));
    }

    static ControlDraft stop_refunds() {
        return {.scope = {ScopeKind::Tool, "payments.refund"}, .allowed = {}, .route_to = {},
                .incident = IncidentId("INC-7"), .rule = {}, .review_by = {}};
    }
    static ControlDraft draft(const std::string& scope, ControlMode mode) {
        return {.scope = parse_scope(scope).value_or(Scope{}), .mode = mode, .allowed = {},
                .route_to = {}, .incident = {}, .rule = {}, .review_by = {}};
    }
    ControlView applied(const ControlDraft& draft, const By& by = ann) {
        const Result<ControlView> view = controls_->apply(draft, by);
        EXPECT_TRUE(view.has_value()) << (view ? "" : view.error().message);
        return view ? *view : ControlView{};
    }
    [[nodiscard]] ControlView view(const std::string& id = "CTL-1") const {
        const Result<ControlView> found = controls_->get(ControlId(id));
        EXPECT_TRUE(found.has_value());
        return found ? *found : ControlView{};
    }
    /// Acknowledgements and probes come from the book's own threads.
    bool comes(ControlState state, const std::string& id = "CTL-1") {
        for (int i = 0; i < 2'000 && view(id).state != state; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return view(id).state == state;
    }
    template <class Holds>
    static bool comes_true(Holds holds) {
        for (int i = 0; i < 2'000 && !holds(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return holds();
    }
    std::size_t entries(const std::string& kind) const {
        std::size_t count = 0;
        for (const journal::JournalEntry& entry : journal_.entries()) {
            count += entry.draft.kind == kind ? 1 : 0;
        }
        return count;
    }
    std::size_t seen(What what) {
        const MutexLock lock(seen_mutex_);
        std::size_t count = 0;
        for (const ControlChange& change : seen_) {
            count += change.what == what ? 1 : 0;
        }
        return count;
    }
    void expect_refused(const Result<ControlView>& answer, ErrorCode code, std::string_view words) {
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().code, code) << answer.error().message;
        EXPECT_NE(answer.error().message.find(words), std::string::npos) << answer.error().message;
    }

    ManualClock clock_{noon};
    incident::MemoryJournal journal_{clock_};
    MetricRegistry metrics_;
    Settings settings_;
    std::shared_ptr<FakePoint> point_ = std::make_shared<FakePoint>();
    Mutex seen_mutex_;
    std::vector<ControlChange> seen_;
    std::unique_ptr<Controls> controls_;
};

std::string text_of(const ControlView& view) {
    return boost::json::serialize(tree_of(view));
}

TEST_F(ControlsTest, AStopIsPublishedAcknowledgedAndProved) {
    join();
    const ControlView first = applied(stop_refunds());
    EXPECT_EQ(first.control.id, ControlId("CTL-1"));
    EXPECT_EQ(first.control.review_by, noon + settings_.review_after);
    EXPECT_TRUE(first.published_at.has_value());
    ToolCall call;
    call.tool = "refund";
    call.server = "payments";
    EXPECT_EQ(decide(*controls_->snapshot(), call).verdict, Verdict::Deny) << "in force at once";
    ASSERT_TRUE(comes(ControlState::Proved));
    const ControlView proved = view();
    ASSERT_EQ(proved.points.size(), 1U);
    EXPECT_TRUE(proved.points[0].acknowledged_at.has_value());
    EXPECT_TRUE(proved.points[0].proved_at.has_value());
    ASSERT_EQ(proved.points[0].probes.size(), 1U);
    EXPECT_EQ(proved.points[0].probes[0].decided_by, "CTL-1");
    EXPECT_TRUE(proved.time_to_effect.has_value());
    EXPECT_EQ(entries("control.acknowledged"), 1U);
    EXPECT_EQ(entries("control.proved"), 1U);
    ASSERT_TRUE(comes_true([&] { return seen(What::Proved) == 1; }));
    EXPECT_EQ(seen(What::Applied), 1U);
    EXPECT_EQ(seen(What::Acknowledged), 1U);
    EXPECT_NE(
        metrics_.expose().find("tagout_time_to_effect_seconds_count 1"), std::string::npos
    ) << metrics_.expose();
}

TEST_F(ControlsTest, ARestartGivesTheSameViewsAndNumbersOn) {
    join();
    applied(stop_refunds());
    ControlDraft routed = draft("workflow:refunds", ControlMode::Route);
    routed.route_to = WorkflowName("refunds-by-hand");
    applied(routed);
    ControlDraft listed = draft("agent:refund-*", ControlMode::Allowlist);
    listed.allowed = {"lookup", "mail.*"};
    listed.rule = "playbook tool/SEV2";
    applied(listed, {Actor("tagout"), "by rule"});
    ASSERT_TRUE(comes(ControlState::Proved, "CTL-1"));
    ASSERT_TRUE(comes(ControlState::Proved, "CTL-2"));
    ASSERT_TRUE(comes(ControlState::Proved, "CTL-3"));
    clock_.advance(std::chrono::minutes(5));
    ASSERT_TRUE(controls_->request_release(ControlId("CTL-2"), ann).has_value());
    ASSERT_TRUE(controls_->renew(ControlId("CTL-1"), noon + std::chrono::hours(80), ann).has_value());
    std::vector<std::string> before;
    for (const ControlView& each : controls_->list(true)) {
        before.push_back(text_of(each));
    }
    const std::uint64_t revision = controls_->snapshot()->revision();
    clock_.advance(std::chrono::minutes(5));
    open();
    std::vector<std::string> after;
    for (const ControlView& each : controls_->list(true)) {
        after.push_back(text_of(each));
    }
    EXPECT_EQ(after, before);
    EXPECT_EQ(controls_->snapshot()->revision(), revision);
    EXPECT_EQ(controls_->snapshot()->controls(), 3U) << "in force before a door opens";
    join();
    EXPECT_TRUE(comes(ControlState::Proved, "CTL-1")) << "acknowledged and proved anew";
    EXPECT_EQ(entries("control.acknowledged"), 3U) << "once a point and control";
    EXPECT_EQ(applied(draft("global", ControlMode::Observe)).control.id, ControlId("CTL-4"));
}

TEST_F(ControlsTest, AfterARestartNothingIsClaimedOfAPointThatHasNotSpoken) {
    join();
    applied(stop_refunds());
    ASSERT_TRUE(comes(ControlState::Proved));
    open();
    point_ = std::make_shared<FakePoint>();
    point_->mute_ = true;
    controls_->add_point(point_);
    EXPECT_EQ(view().state, ControlState::Requested);
    EXPECT_FALSE(controls_->wait_in_force(std::chrono::milliseconds(20)));
    point_->answer_late();
    EXPECT_TRUE(comes_true([&] {
        point_->answer_late();
        return view().state == ControlState::Proved;
    }));
}

TEST_F(ControlsTest, ADeathBetweenJournalAndPublishIsMadeGoodByTheRestart) {
    // The journal holds an application that nobody lived to publish.
    const std::string body =
        R"({"scope":"tool:refund","mode":"stopped","review_by":)" +
        std::to_string(unix_nanos(noon + std::chrono::hours(1))) + R"(,"revision":1})";
    const journal::EntryDraft draft{"control.applied", "CTL-1", ann.actor, ann.reason, noon, body};
    ASSERT_TRUE(journal_.append(std::span(&draft, 1)).has_value());
    clock_.advance(std::chrono::seconds(9));
    open();
    EXPECT_EQ(controls_->snapshot()->controls(), 1U);
    EXPECT_EQ(view().published_at, noon + std::chrono::seconds(9)) << "when it really was";
    join();
    EXPECT_TRUE(comes(ControlState::Proved));
}

TEST_F(ControlsTest, NothingHappensWhenTheJournalDoesNotTakeIt) {
    join();
    journal_.fail_after(0);
    const auto refused = controls_->apply(stop_refunds(), ann);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    EXPECT_TRUE(controls_->list(true).empty());
    EXPECT_EQ(controls_->snapshot()->controls(), 0U);
    EXPECT_EQ(seen(What::Applied), 0U);
    journal_.recover();
    applied(stop_refunds());
    EXPECT_TRUE(comes(ControlState::Proved));
}

TEST_F(ControlsTest, AnAcknowledgementThatCouldNotBeJournaledIsJournaledLater) {
    join();
    journal_.fail_after(1);  // The application goes in, the acknowledgement does not.
    applied(stop_refunds());
    ASSERT_TRUE(controls_->wait_in_force(std::chrono::seconds(5))) << "the point enforces it";
    EXPECT_EQ(view().state, ControlState::Requested) << "and nothing is claimed that is not durable";
    journal_.recover();
    controls_->tick();
    EXPECT_TRUE(comes(ControlState::Proved));
    EXPECT_EQ(entries("control.acknowledged"), 1U);
}

TEST_F(ControlsTest, APointThatRefusesIsShownAndAskedAgain) {
    join();
    point_->with([](FakePoint& point) { point.refusals_ = 2; });
    applied(stop_refunds());
    ASSERT_TRUE(comes_true([&] { return !controls_->points()[0].error.empty(); }));
    EXPECT_EQ(controls_->points()[0].error, "the gateway is restarting");
    EXPECT_EQ(view().state, ControlState::Requested);
    EXPECT_EQ(view().points[0].error, "the gateway is restarting");
    controls_->tick();
    EXPECT_FALSE(controls_->wait_in_force(std::chrono::milliseconds(20))) << "not before its pause";
    clock_.advance(settings_.retry_pause);
    controls_->tick();
    ASSERT_TRUE(comes_true([&] {
        return metrics_.expose().find(R"(point_failures_total{point="gateway"} 2)") !=
               std::string::npos;
    }));
    clock_.advance(settings_.retry_pause);
    controls_->tick();
    EXPECT_FALSE(controls_->wait_in_force(std::chrono::milliseconds(20))) << "the pause has doubled";
    clock_.advance(settings_.retry_pause);
    controls_->tick();
    EXPECT_TRUE(controls_->wait_in_force(std::chrono::seconds(5)));
    EXPECT_TRUE(comes(ControlState::Proved));
    EXPECT_EQ(controls_->points()[0].error, "");
}

TEST_F(ControlsTest, APointThatIsSilentIsShownAndALateAnswerCounts) {
    join();
    point_->with([](FakePoint& point) { point.mute_ = true; });
    applied(stop_refunds());
    ASSERT_TRUE(comes_true([&] { return point_->revisions().back() == 1; }));
    clock_.advance(settings_.point_timeout + std::chrono::seconds(1));
    controls_->tick();
    EXPECT_NE(controls_->points()[0].error.find("has not answered"), std::string::npos);
    point_->answer_late();
    EXPECT_TRUE(controls_->wait_in_force(std::chrono::seconds(5)));
    EXPECT_EQ(controls_->points()[0].error, "");
    EXPECT_EQ(view().time_to_effect, settings_.point_timeout + std::chrono::seconds(1));
}

TEST_F(ControlsTest, APointNeverGetsAnOlderSnapshotAfterANewerOne) {
    join();
    std::vector<std::thread> people;
    for (int person = 0; person < 4; ++person) {
        people.emplace_back([this, person] {
            for (int i = 0; i < 10; ++i) {
                applied(draft(
                    "tool:t" + std::to_string(person) + "-" + std::to_string(i),
                    ControlMode::Stopped
                ));
            }
        });
    }
    for (std::thread& person : people) {
        person.join();
    }
    ASSERT_TRUE(controls_->wait_in_force(std::chrono::seconds(5)));
    const std::vector<std::uint64_t> revisions = point_->revisions();
    EXPECT_TRUE(std::is_sorted(revisions.begin(), revisions.end()));
    EXPECT_EQ(controls_->snapshot()->controls(), 40U);
    EXPECT_EQ(controls_->snapshot()->revision(), 40U);
}

TEST_F(ControlsTest, TwoPeopleWhoStopTheSameThingMakeOneControl) {
    applied(stop_refunds());
    expect_refused(controls_->apply(stop_refunds(), bob), ErrorCode::Conflict, "CTL-1");
    expect_refused(controls_->apply(stop_refunds(), bob), ErrorCode::Conflict, "person:ann");
    ControlDraft softer = stop_refunds();
    softer.mode = ControlMode::ReadOnly;
    EXPECT_EQ(applied(softer).control.id, ControlId("CTL-2")) << "another mode is another control";
}

TEST_F(ControlsTest, ADraftThatMakesNoSenseIsRefusedWithItsRemedy) {
    using enum ControlMode;
    const auto refused = [&](const ControlDraft& made, std::string_view words) {
        expect_refused(controls_->apply(made, ann), ErrorCode::InvalidArgument, words);
    };
    expect_refused(
        controls_->apply(stop_refunds(), {ann.actor, " \t"}), ErrorCode::InvalidArgument,
        "needs a reason"
    );
    refused(draft("tool:x", Route), "workflow:NAME");
    refused(draft("workflow:x", Route), "needs route_to");
    refused(draft("agent:x", Allowlist), "without any, use stopped");
    refused(draft("model:gpt-5", ReadOnly), "Use stopped");
    refused(draft("tool_class:read", Approvals), "Use stopped");
    ControlDraft past = draft("tool:x", Stopped);
    past.review_by = noon;
    refused(past, "future");
    ControlDraft odd = draft("tool:x", Stopped);
    odd.allowed = {"y"};
    refused(odd, "allowlist only");
    odd = draft("tool:x", Stopped);
    odd.route_to = WorkflowName("y");
    refused(odd, "mode route only");
    ControlDraft itself = draft("workflow:refund*", Route);
    itself.route_to = WorkflowName("refund-fallback");
    refused(itself, "routed to themselves");
    ControlDraft there = draft("workflow:a", Route);
    there.route_to = WorkflowName("b");
    applied(there);
    ControlDraft back = draft("workflow:b", Route);
    back.route_to = WorkflowName("a");
    refused(back, "lead back");
    ControlDraft scope = draft("tool:x", Stopped);
    scope.scope.name = "";
    refused(scope, "no scope");
}

TEST_F(ControlsTest, AProbeThatPassesMakesItUnprovedUntilOneIsRefused) {
    join();
    point_->with([](FakePoint& point) { point.leaks_ = true; });
    applied(stop_refunds());
    ASSERT_TRUE(comes(ControlState::Unproved));
    ASSERT_TRUE(comes_true([&] { return seen(What::Unproved) == 1; }));
    EXPECT_NE(view().points[0].error.find("mcp:payments answered allow"), std::string::npos);
    EXPECT_NE(metrics_.expose().find("tagout_controls_unproved 1"), std::string::npos);
    const int before = point_->probes();
    clock_.advance(settings_.retry_pause);
    controls_->tick();
    ASSERT_TRUE(comes_true([&] { return point_->probes() == before + 1; }));
    EXPECT_EQ(entries("control.unproved"), 1U) << "a repeat says nothing new";
    point_->with([](FakePoint& point) { point.leaks_ = false; });
    EXPECT_TRUE(comes_true([&] {
        clock_.advance(settings_.retry_pause_max);
        controls_->tick();
        return view().state == ControlState::Proved;
    }));
    EXPECT_EQ(view().points[0].error, "");
    EXPECT_TRUE(comes_true([&] {
        return metrics_.expose().find("tagout_controls_unproved 0") != std::string::npos;
    }));
}

TEST_F(ControlsTest, WhatCannotBeProbedIsUnproved) {
    join();
    point_->with([](FakePoint& point) { point.unreachable_ = true; });
    applied(stop_refunds());
    ASSERT_TRUE(comes(ControlState::Unproved));
    EXPECT_NE(view().points[0].error.find("connection refused"), std::string::npos);
    point_->with([](FakePoint& point) { point.no_road_ = true; });
    applied(draft("tool:nobody.has-it", ControlMode::Stopped));
    ASSERT_TRUE(comes(ControlState::Unproved, "CTL-2"));
    EXPECT_NE(view("CTL-2").points[0].error.find("no road leads to"), std::string::npos);
}

TEST_F(ControlsTest, ObservingRefusesNothingAndIsNotProved) {
    join();
    applied(draft("tool:refund", ControlMode::Observe));
    ASSERT_TRUE(comes(ControlState::Acknowledged));
    EXPECT_EQ(point_->probes(), 0);
    expect_refused(controls_->probe(ControlId("CTL-1"), ann), ErrorCode::Conflict, "observes");
}

TEST_F(ControlsTest, APersonProbesAtAnyTime) {
    applied(stop_refunds());
    expect_refused(
        controls_->probe(ControlId("CTL-1"), ann), ErrorCode::Conflict, "no enforcement point"
    );
    join();
    ASSERT_TRUE(comes(ControlState::Proved));
    const auto probed = controls_->probe(ControlId("CTL-1"), bob);
    ASSERT_TRUE(probed.has_value()) << probed.error().message;
    EXPECT_EQ(probed->state, ControlState::Proved);
    EXPECT_EQ(entries("control.proved"), 2U) << "what a person asked for is recorded";
    expect_refused(controls_->probe(ControlId("CTL-9"), ann), ErrorCode::NotFound, "CTL-9");
}

TEST_F(ControlsTest, ReleaseTakesASecondPerson) {
    join();
    applied(stop_refunds());
    ASSERT_TRUE(comes(ControlState::Proved));
    const ControlId id("CTL-1");
    const By nameless{Actor("token:admin"), "because"};
    expect_refused(controls_->release(id, bob), ErrorCode::Conflict, "request-release CTL-1");
    expect_refused(
        controls_->request_release(id, nameless), ErrorCode::Unauthorized, "say who you are"
    );
    const auto asked = controls_->request_release(id, bob);
    ASSERT_TRUE(asked.has_value());
    EXPECT_TRUE(asked->control.validating);
    expect_refused(controls_->request_release(id, eve), ErrorCode::Conflict, "person:bob asked");
    expect_refused(controls_->release(id, ann), ErrorCode::Unauthorized, "person:ann applied CTL-1");
    expect_refused(controls_->release(id, bob), ErrorCode::Unauthorized, "person:bob asked");
    expect_refused(
        controls_->release(id, {Actor("person: Ann"), "x"}), ErrorCode::Unauthorized, "second person"
    );
    expect_refused(controls_->release(id, nameless), ErrorCode::Unauthorized, "say who you are");
    expect_refused(
        controls_->release(id, {eve.actor, ""}), ErrorCode::InvalidArgument, "needs a reason"
    );
    ToolCall journey;
    journey.tool = "payments.refund";
    journey.journey = true;
    EXPECT_EQ(decide(*controls_->snapshot(), journey).verdict, Verdict::Allow);
    journey.journey = false;
    EXPECT_EQ(decide(*controls_->snapshot(), journey).verdict, Verdict::Deny);
    const auto released = controls_->release(id, eve);
    ASSERT_TRUE(released.has_value()) << released.error().message;
    EXPECT_EQ(released->state, ControlState::Released);
    EXPECT_EQ(decide(*controls_->snapshot(), journey).verdict, Verdict::Allow);
    EXPECT_TRUE(controls_->list(false).empty());
    EXPECT_EQ(controls_->list(true).size(), 1U);
    expect_refused(controls_->release(id, eve), ErrorCode::Conflict, "was released by person:eve");
    expect_refused(controls_->release(ControlId("CTL-x"), eve), ErrorCode::NotFound, "CTL-x");
    EXPECT_EQ(applied(stop_refunds()).control.id, ControlId("CTL-2")) << "it may be stopped again";
}

TEST_F(ControlsTest, TheProgramsOwnControlIsReleasedByTwoPeopleToo) {
    ControlDraft by_rule = stop_refunds();
    by_rule.rule = "playbook safety/SEV1";
    applied(by_rule, {Actor("tagout"), "playbook safety/SEV1"});
    ASSERT_TRUE(controls_->request_release(ControlId("CTL-1"), ann).has_value());
    expect_refused(
        controls_->release(ControlId("CTL-1"), ann), ErrorCode::Unauthorized, "second person"
    );
    EXPECT_TRUE(controls_->release(ControlId("CTL-1"), bob).has_value());
}

TEST_F(ControlsTest, AReleaseIsCheckedByWhomTheAppNames) {
    applied(stop_refunds());
    ASSERT_TRUE(controls_->request_release(ControlId("CTL-1"), ann).has_value());
    std::string heard;
    controls_->check_release_with([&](const ControlView& checked, std::string_view without) {
        heard = checked.control.id.text() + "/" + std::string(without);
        return without.empty()
                   ? Result<void>(fail(ErrorCode::Conflict, "no journey names payments.refund; add one"))
                   : Result<void>();
    });
    expect_refused(controls_->release(ControlId("CTL-1"), bob), ErrorCode::Conflict, "no journey names");
    EXPECT_EQ(controls_->list(false).size(), 1U);
    EXPECT_TRUE(controls_->release(ControlId("CTL-1"), bob, "tried by hand").has_value());
    EXPECT_EQ(heard, "CTL-1/tried by hand");
    EXPECT_NE(journal_.entries().back().draft.body.find("tried by hand"), std::string::npos);
}

TEST_F(ControlsTest, AReleaseGoesThroughStagesBySecondPersonsAndJourneys) {
    join();
    applied(stop_refunds());
    const ControlId id("CTL-1");
    std::optional<Instant> asked_since;
    bool journeys_hold = true;
    controls_->check_release_with([&](const ControlView& view, std::string_view) {
        asked_since = view.stage_since;
        return journeys_hold ? Result<void>()
                             : Result<void>(fail(ErrorCode::Conflict, "journeys have not proved it"));
    });
    const auto verdict = [&](std::string_view tenant, std::string_view session) {
        ToolCall call;
        call.tool = "payments.refund";
        call.tenant = tenant;
        call.session = session;
        return decide(*controls_->snapshot(), call).verdict;
    };
    const auto passing = [&] {
        int count = 0;
        for (int i = 0; i < 1'000; ++i) {
            count += verdict("", "s" + std::to_string(i)) == Verdict::Allow ? 1 : 0;
        }
        return count;
    };
    const Opening acme{"acme", 0};
    expect_refused(controls_->open_stage(id, acme, cleo), ErrorCode::Conflict, "nobody has asked");
    ASSERT_TRUE(controls_->request_release(id, bob).has_value());
    EXPECT_EQ(stage_of(controls_->get(id)->control), ReleaseStage::Shadow);
    EXPECT_EQ(verdict("acme", "s1"), Verdict::Deny);
    expect_refused(controls_->open_stage(id, acme, bob), ErrorCode::Unauthorized, "second person");
    expect_refused(controls_->open_stage(id, acme, ann), ErrorCode::Unauthorized, "second person");
    expect_refused(controls_->open_stage(id, {}, cleo), ErrorCode::InvalidArgument, "name one");
    expect_refused(controls_->open_stage(id, {"", 100}, cleo), ErrorCode::InvalidArgument, "1 to 99");
    expect_refused(controls_->put_back(id, cleo), ErrorCode::Conflict, "no stage to take back");
    journeys_hold = false;
    expect_refused(controls_->open_stage(id, acme, cleo), ErrorCode::Conflict, "journeys");
    journeys_hold = true;
    clock_.advance(std::chrono::minutes(5));
    ASSERT_TRUE(controls_->open_stage(id, acme, cleo).has_value());
    EXPECT_EQ(stage_of(controls_->get(id)->control), ReleaseStage::Tenant);
    EXPECT_EQ(verdict("acme", "s1"), Verdict::Allow);
    EXPECT_EQ(verdict("other", "s1"), Verdict::Deny);
    EXPECT_EQ(passing(), 0);
    const Instant tenant_at = clock_.now();
    clock_.advance(std::chrono::minutes(5));
    expect_refused(controls_->open_stage(id, {"", 10}, cleo), ErrorCode::InvalidArgument, "further");
    ASSERT_TRUE(controls_->open_stage(id, {"acme", 10}, cleo).has_value());
    EXPECT_EQ(asked_since, tenant_at) << "journeys since the stage before began";
    const int tenth = passing();
    EXPECT_GT(tenth, 60);
    EXPECT_LT(tenth, 150);
    EXPECT_EQ(verdict("acme", "s1"), Verdict::Allow) << "the tenant stays open";
    EXPECT_EQ(verdict("", ""), Verdict::Deny) << "without a session nobody is of a share";
    open();
    EXPECT_EQ(passing(), tenth) << "the same sessions after a restart";
    EXPECT_EQ(stage_of(controls_->get(id)->control), ReleaseStage::Share);
    ASSERT_EQ(controls_->get(id)->stages.size(), 2U);
    // Closing takes nobody's permission, and what is closed is shown as closed once points said so.
    ASSERT_TRUE(controls_->put_back(id, {Actor("tagout"), "journey refund failed"}).has_value());
    EXPECT_EQ(controls_->get(id)->state, ControlState::Requested) << "no point is here yet";
    EXPECT_EQ(passing(), 0);
    EXPECT_EQ(verdict("acme", "s1"), Verdict::Allow);
    EXPECT_EQ(controls_->get(id)->put_back, "journey refund failed");
    EXPECT_EQ(entries("control.put_back"), 1U);
    ASSERT_TRUE(controls_->open_stage(id, {"acme", 25}, cleo).has_value());
    EXPECT_TRUE(controls_->get(id)->put_back.empty());
    ASSERT_TRUE(controls_->put_back(id, ann, true).has_value());
    EXPECT_EQ(stage_of(controls_->get(id)->control), ReleaseStage::Shadow);
    EXPECT_EQ(verdict("acme", "s1"), Verdict::Deny);
    ASSERT_TRUE(controls_->release(id, cleo).has_value()) << "straight to all, by the same permission";
    EXPECT_EQ(verdict("other", "s1"), Verdict::Allow);
    open();
    EXPECT_TRUE(controls_->list(false).empty());
}

TEST_F(ControlsTest, WhatIsPutBackTakesEffectAtEveryPointAnew) {
    join();
    applied(stop_refunds());
    const ControlId id("CTL-1");
    ASSERT_TRUE(comes(ControlState::Proved));
    ASSERT_TRUE(controls_->request_release(id, bob).has_value());
    ASSERT_TRUE(controls_->open_stage(id, {"acme", 0}, cleo).has_value());
    const std::uint64_t opened = controls_->snapshot()->revision();
    clock_.advance(std::chrono::seconds(3));
    ASSERT_TRUE(controls_->put_back(id, bob).has_value());
    EXPECT_GT(controls_->get(id)->revision, opened);
    EXPECT_EQ(controls_->get(id)->requested_at, clock_.now());
    ASSERT_TRUE(comes(ControlState::Proved));
    EXPECT_EQ(entries("control.acknowledged"), 2U);
    EXPECT_LT(*controls_->get(id)->time_to_effect, std::chrono::seconds(1));
}

TEST_F(ControlsTest, AReviewDateIsToldOnceAndNeverReleases) {
    applied(stop_refunds());
    clock_.advance(settings_.review_after - settings_.review_warning - std::chrono::seconds(1));
    controls_->tick();
    EXPECT_EQ(seen(What::Due), 0U);
    clock_.advance(std::chrono::seconds(1));
    controls_->tick();
    controls_->tick();
    EXPECT_TRUE(comes_true([&] { return seen(What::Due) == 1; }));
    EXPECT_EQ(entries("control.due"), 1U);
    EXPECT_EQ(controls_->get(ControlId("CTL-1"))->review, Review::Near);
    open();
    clock_.advance(settings_.review_after * 10);
    controls_->tick();
    controls_->tick();
    EXPECT_EQ(entries("control.due"), 1U) << "a restart does not tell it again";
    EXPECT_EQ(entries("control.overdue"), 1U);
    open();
    controls_->tick();
    EXPECT_EQ(entries("control.overdue"), 1U);
    EXPECT_EQ(controls_->get(ControlId("CTL-1"))->review, Review::Passed);
    EXPECT_EQ(metrics_.gauge(controls_overdue).value(), 1);
    EXPECT_EQ(controls_->list(false).size(), 1U) << "it never lapses";
    ToolCall call;
    call.tool = "payments.refund";
    EXPECT_EQ(decide(*controls_->snapshot(), call).verdict, Verdict::Deny);
    const Instant next = clock_.now() + std::chrono::hours(24);
    expect_refused(
        controls_->renew(ControlId("CTL-1"), clock_.now(), bob), ErrorCode::InvalidArgument, "future"
    );
    const auto renewed = controls_->renew(ControlId("CTL-1"), next, bob);
    ASSERT_TRUE(renewed.has_value());
    EXPECT_EQ(renewed->control.review_by, next);
    EXPECT_EQ(renewed->review, Review::Ahead);
    EXPECT_EQ(journal_.entries().back().draft.actor, bob.actor);
    EXPECT_EQ(journal_.entries().back().draft.reason, bob.reason);
    clock_.set(next - settings_.review_warning);
    controls_->tick();
    EXPECT_EQ(entries("control.due"), 2U) << "once for each date";
    clock_.set(next);
    controls_->tick();
    EXPECT_EQ(entries("control.overdue"), 2U);
    EXPECT_EQ(controls_->list(false).size(), 1U);
}

TEST_F(ControlsTest, AReviewDateInLessThanTheWarningIsWarnedOfHalfway) {
    ControlDraft draft = stop_refunds();
    draft.review_by = clock_.now() + settings_.review_warning / 2;
    applied(draft);
    clock_.advance(settings_.review_warning / 4 - std::chrono::seconds(1));
    controls_->tick();
    EXPECT_EQ(entries("control.due"), 0U);
    clock_.advance(std::chrono::seconds(1));
    controls_->tick();
    EXPECT_EQ(entries("control.due"), 1U);
}

TEST_F(ControlsTest, WhoWasAwayWhileAReviewDateCameNearIsToldOnceThatItPassed) {
    applied(stop_refunds());
    clock_.advance(settings_.review_after + std::chrono::hours(2));
    controls_->tick();
    EXPECT_EQ(entries("control.due"), 0U);
    EXPECT_EQ(entries("control.overdue"), 1U);
}

TEST_F(ControlsTest, PoliciesArePublishedAllOrNotAtAll) {
    join();
    PolicyRule rule;
    rule.name = "no-refunds";
    rule.tool = "refund";
    ASSERT_TRUE(controls_->use_policies({Policy{"shop", "v1", {rule}}}).has_value());
    EXPECT_EQ(controls_->snapshot()->rules(), 1U);
    const std::uint64_t revision = controls_->snapshot()->revision();
    ASSERT_TRUE(controls_->use_policies({Policy{"shop", "v1", {rule}}}).has_value());
    EXPECT_EQ(controls_->snapshot()->revision(), revision) << "the same ones change nothing";
    Policy huge{"shop", "v2", std::vector<PolicyRule>(ControlSnapshot::rules_max + 1)};
    EXPECT_FALSE(controls_->use_policies({huge}).has_value());
    EXPECT_EQ(controls_->snapshot()->rules(), 1U);
    ASSERT_TRUE(controls_->wait_in_force(std::chrono::seconds(5)));
    open();
    EXPECT_EQ(controls_->snapshot()->revision(), revision) << "revisions never go back";
}

TEST_F(ControlsTest, WhileAPolicyIsReplacedNoCallSlipsThrough) {
    PolicyRule rule;
    rule.name = "no-refunds";
    rule.tool = "refund";
    ASSERT_TRUE(controls_->use_policies({Policy{"shop", "v0", {rule}}}).has_value());
    join();
    std::atomic<bool> over{false};
    std::uint64_t passed = 0;
    std::atomic<std::uint64_t> asked{0};
    std::thread caller([&] {
        ToolCall call;
        call.tool = "refund";
        while (!over.load()) {
            passed += decide(*controls_->snapshot(), call).verdict == Verdict::Deny ? 0 : 1;
            ++asked;
        }
    });
    for (int version = 1; version <= 100 || asked.load() < 1'000; ++version) {
        const Policy next{"shop", "v" + std::to_string(version), {rule}};
        ASSERT_TRUE(controls_->use_policies({next}).has_value());
    }
    over.store(true);
    caller.join();
    EXPECT_EQ(passed, 0U);
}

TEST_F(ControlsTest, WhatPointsRefusedIsCounted) {
    applied(stop_refunds());
    controls_->count_refused(ControlId("CTL-1"), 2);
    controls_->count_refused(ControlId("CTL-1"), 1);
    controls_->count_refused(ControlId("policy:x"), 1);
    EXPECT_EQ(view().calls_refused, 3U);
}

TEST_F(ControlsTest, AChangeSaysInWordsWhatHappened) {
    applied(stop_refunds());
    ASSERT_TRUE(comes_true([&] { return seen(What::Applied) == 1; }));
    const MutexLock lock(seen_mutex_);
    EXPECT_EQ(seen_[0].sentence, "Stopped tool:payments.refund (CTL-1)");
    EXPECT_EQ(seen_[0].view.control.incident, IncidentId("INC-7"));
    EXPECT_EQ(seen_[0].by.actor, ann.actor);
}

}  // namespace
}  // namespace tagout::contain
