// A release in stages goes back when a journey fails or something new is found, by itself and once.
#include "app/response.h"
#include "incident/memory_journal.h"

#include <gtest/gtest.h>

#include <thread>

namespace tagout::app {
namespace {

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));
const contain::By ann{Actor("person:ann"), "it pays twice"};
const contain::By bob{Actor("person:bob"), "mended"};
const contain::By cleo{Actor("person:cleo"), "the journeys passed"};
const ControlId first("CTL-1");

/// Runs nothing: says what it is told to say.
class ToldJourneys final : public recover::Journeys {
public:
    Result<void> rebuild() override { return {}; }
    void use(std::shared_ptr<const catalog::Catalog>, const recover::Settings&) override {}
    void on_run(std::function<void(const recover::JourneyRun&)>) override {}
    Result<std::vector<recover::JourneyRun>> run(
        const std::vector<std::string>&, std::string_view, const recover::By&
    ) override {
        return std::vector<recover::JourneyRun>{};
    }
    [[nodiscard]] std::vector<recover::JourneyView> list() const override { return views; }
    [[nodiscard]] recover::JourneyProof passed_since(std::string_view, Instant) const override {
        return {{"refund"}, {}};
    }

    void ran(const std::string& name, bool passed, Instant at) {
        for (recover::JourneyView& view : views) {
            if (view.journey.name == name) {
                recover::JourneyRun run;
                run.journey = name;
                run.passed = passed;
                run.at = at;
                run.sentence = passed ? "passed" : "step 2 answered 500";
                view.runs.insert(view.runs.begin(), run);
            }
        }
    }

    std::vector<recover::JourneyView> views;
};

class StagedReleaseTest : public testing::Test {
protected:
    StagedReleaseTest() {
        catalog_ = std::make_shared<const catalog::Catalog>();
        desk_ = incident::Desk::make(journal_, clock_, catalog_, {});
        controls_ = contain::Controls::make(journal_, clock_, {}, metrics_);
        for (const char* const tool : {"payments.refund", "orders.get"}) {
            recover::JourneyView view;
            view.journey.name = tool;
            view.journey.tools = {ToolName(tool)};
            journeys_.views.push_back(view);
        }
        response_ = std::make_unique<Response>(
            ResponseParts{*desk_, *controls_, journeys_, journal_, [this] { return catalog_; }}
        );
        desk_->on_change([this](const incident::Change& change) {
            response_->look_at(change.incident.id);
        });
    }
    ~StagedReleaseTest() override {
        response_->stop();
        controls_->stop();
    }

    /// Open for a tenant, then for a share of the sessions.
    void open_share() {
        contain::ControlDraft draft;
        draft.scope = {ScopeKind::Tool, "payments.refund"};
        ASSERT_TRUE(controls_->apply(draft, ann).has_value());
        ASSERT_TRUE(controls_->request_release(first, bob).has_value());
        clock_.advance(std::chrono::minutes(1));
        ASSERT_TRUE(controls_->open_stage(first, {"acme", 0}, cleo).has_value());
        clock_.advance(std::chrono::minutes(1));
        ASSERT_TRUE(controls_->open_stage(first, {"acme", 10}, cleo).has_value());
    }

    Result<void> find(std::string_view tool, Instant at) {
        Finding finding;
        finding.id = std::string(tool) + "@" + std::to_string(unix_nanos(at));
        finding.failure_class = FailureClass::Tool;
        finding.signal = "tool.4xx_spike";
        finding.agent = AgentName("refund-agent");
        finding.tool = ToolName(tool);
        finding.cause = tool;
        finding.seen_at = at;
        finding.evidence = "half of the calls fail";
        auto joined = desk_->join(std::vector{finding}, IncidentKind::Real);
        return joined ? Result<void>() : std::unexpected(joined.error());
    }

    [[nodiscard]] ReleaseStage stage() const { return stage_of(controls_->get(first)->control); }
    [[nodiscard]] bool comes(ReleaseStage wanted) const {
        for (int i = 0; i < 2'000 && stage() != wanted; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return stage() == wanted;
    }
    [[nodiscard]] std::size_t entries(std::string_view kind) const {
        std::size_t count = 0;
        for (const journal::JournalEntry& entry : journal_.entries()) {
            count += entry.draft.kind == kind ? 1 : 0;
        }
        return count;
    }

    ManualClock clock_{noon};
    incident::MemoryJournal journal_{clock_};
    MetricRegistry metrics_;
    std::shared_ptr<const catalog::Catalog> catalog_;
    std::unique_ptr<incident::Desk> desk_;
    std::unique_ptr<contain::Controls> controls_;
    ToldJourneys journeys_;
    std::unique_ptr<Response> response_;
};

TEST_F(StagedReleaseTest, AJourneyThatFailsPutsItBackOnceAndSaysWhy) {
    open_share();
    journeys_.ran("payments.refund", false, clock_.now() - std::chrono::seconds(1));
    journeys_.ran("orders.get", false, clock_.now());
    ASSERT_TRUE(response_->start().has_value());
    response_->look_at_all();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(stage(), ReleaseStage::Share) << "before the stage, or about something else";
    clock_.advance(std::chrono::seconds(5));
    {
        contain::ControlView view = *controls_->get(first);
        EXPECT_EQ(view.stages.size(), 2U);
    }
    response_->stop();
    journeys_.ran("payments.refund", false, clock_.now());
    response_ = std::make_unique<Response>(
        ResponseParts{*desk_, *controls_, journeys_, journal_, [this] { return catalog_; }}
    );
    ASSERT_TRUE(response_->start().has_value()) << "found at the start too";
    ASSERT_TRUE(comes(ReleaseStage::Tenant));
    const contain::ControlView view = *controls_->get(first);
    EXPECT_EQ(view.put_back, "journey payments.refund: step 2 answered 500");
    const journal::EntryDraft last = journal_.entries().back().draft;
    EXPECT_EQ(last.kind, "control.put_back");
    EXPECT_EQ(last.actor, Actor("tagout"));
    clock_.advance(std::chrono::seconds(1));
    response_->look_at_all();
    response_->look_at_all();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(entries("control.put_back"), 1U) << "one failure, one stage";
}

TEST_F(StagedReleaseTest, ANewFindingAboutWhatItClosesPutsItBack) {
    open_share();
    ASSERT_TRUE(response_->start().has_value());
    const Instant opened = clock_.now();
    clock_.advance(std::chrono::minutes(1));
    ASSERT_TRUE(find("payments.refund", opened - std::chrono::seconds(30)).has_value());
    ASSERT_TRUE(find("orders.get", clock_.now()).has_value());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(stage(), ReleaseStage::Share) << "older than the stage, or about something else";
    ASSERT_TRUE(find("payments.refund", clock_.now()).has_value());
    ASSERT_TRUE(comes(ReleaseStage::Tenant));
    EXPECT_NE(controls_->get(first)->put_back.find("tool.4xx_spike"), std::string::npos);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(entries("control.put_back"), 1U);
    clock_.advance(std::chrono::minutes(1));
    ASSERT_TRUE(find("payments.refund", clock_.now()).has_value());
    ASSERT_TRUE(comes(ReleaseStage::Shadow));
    clock_.advance(std::chrono::minutes(1));
    ASSERT_TRUE(find("payments.refund", clock_.now()).has_value());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(entries("control.put_back"), 2U) << "journeys alone: there is nothing to put back";
}

}  // namespace
}  // namespace tagout::app
