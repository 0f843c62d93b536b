// Actions and reviews: what is refused and why, and that the journal alone gives them back.
#include "incident/memory_journal.h"
#include "prevent/actions.h"
#include "prevent/review.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tagout::prevent {
namespace {

using std::chrono::hours;

constexpr Instant noon = Instant(hours(24 * 365 * 50));
const By ann{Actor("person:ann"), "to learn"};
const IncidentId inc1{"INC-1"};

incident::Incident resolved_incident() {
    incident::Incident made;
    made.id = inc1;
    made.title = "refund-agent refunds orders that nobody named";
    made.state = IncidentState::Resolved;
    made.severity = Severity::Sev1;
    made.anchors.onset_at = noon - hours(2);
    made.anchors.signal_at = noon - hours(1);
    made.anchors.resolved_at = noon;
    made.signals = {"tool.unexpected_write"};
    made.impact.sessions = 3;
    made.impact.failed_sessions = 2;
    made.timeline.resize(2);
    made.timeline[0].text = "Opened as triage";
    made.timeline[1].text = "2 findings | <b>";
    return made;
}

class Desks : public testing::Test {
protected:
    Desks() { open(); }

    void open() {
        actions_ = Actions::make(journal_, clock_, [](const IncidentId& id) { return id == inc1; });
        reviews_ = Reviews::make(ReviewParts{
            journal_,
            clock_,
            [this](const IncidentId& id) -> Result<incident::Incident> {
                if (id != inc1) {
                    return fail(ErrorCode::NotFound, "there is no incident '" + id.text() + "'");
                }
                return incident_;
            },
            [this](const IncidentId&) { return has_evidence_; },
            [this](const IncidentId& id) { return actions_->list(id); }});
        ASSERT_TRUE(actions_->rebuild().has_value());
        ASSERT_TRUE(reviews_->rebuild().has_value());
    }

    [[nodiscard]] Result<Action> add(Duration due_in = hours(48)) {
        return actions_->add(
            ActionDraft{inc1, "Cap refunds", ActionKind::Prevent, "payments", clock_.now() + due_in}, ann
        );
    }
    void write_all() {
        ASSERT_TRUE(reviews_
                        ->draft(
                            inc1,
                            {{"proximate_trigger", "Prompt 13 dropped the line about the order's number"},
                             {"systemic_gap", "No policy bounds refunds, so any prompt may empty the till"}},
                            ann
                        )
                        .has_value());
        ASSERT_TRUE(add().has_value());
        has_evidence_ = true;
    }
    /// All that both desks know, as the API shows it.
    [[nodiscard]] std::string everything() const {
        std::string text = *reviews_->json(inc1) + reviews_->list_json();
        for (const Action& action : actions_->list(IncidentId())) {
            text += to_json(action, clock_.now());
        }
        return text;
    }

    ManualClock clock_{noon};
    incident::MemoryJournal journal_{clock_};
    incident::Incident incident_ = resolved_incident();
    bool has_evidence_ = false;
    std::unique_ptr<Actions> actions_;
    std::unique_ptr<Reviews> reviews_;
};

TEST_F(Desks, AnActionNeedsATitleAnOwnerAndAnIncident) {
    EXPECT_EQ(
        actions_->add(ActionDraft{inc1, "", ActionKind::Detect, "ann", noon}, ann).error().code,
        ErrorCode::InvalidArgument
    );
    EXPECT_EQ(
        actions_->add(ActionDraft{inc1, "x", ActionKind::Detect, "", noon}, ann).error().code,
        ErrorCode::InvalidArgument
    );
    EXPECT_EQ(
        actions_->add(ActionDraft{IncidentId("INC-2"), "x", ActionKind::Detect, "ann", noon}, ann)
            .error()
            .code,
        ErrorCode::NotFound
    );
    EXPECT_TRUE(actions_->list(IncidentId()).empty());
}

TEST_F(Desks, AnActionIsClosedOnceAndWithEvidence) {
    ASSERT_EQ(add()->id, "ACT-1");
    EXPECT_EQ(actions_->close("ACT-1", "", ann).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(actions_->close("ACT-7", "done", ann).error().code, ErrorCode::NotFound);
    const Result<Action> closed = actions_->close("ACT-1", "policy refunds v2", ann);
    ASSERT_TRUE(closed.has_value());
    EXPECT_TRUE(closed->closed);
    EXPECT_EQ(closed->evidence, "policy refunds v2");
    EXPECT_EQ(actions_->close("ACT-1", "again", ann).error().code, ErrorCode::Conflict);
}

TEST_F(Desks, AnOverdueActionIsToldOnceEvenOverARestart) {
    std::vector<ActionChange::What> told;
    const auto listen = [&] {
        actions_->on_change([&](const ActionChange& change) { told.push_back(change.what); });
    };
    ASSERT_TRUE(add(hours(1)).has_value());
    listen();
    ASSERT_TRUE(actions_->tick().has_value());
    EXPECT_TRUE(told.empty());
    clock_.advance(hours(2));
    EXPECT_EQ(actions_->due().size(), 1U);
    open();
    listen();
    ASSERT_TRUE(actions_->tick().has_value());
    ASSERT_TRUE(actions_->tick().has_value());
    EXPECT_EQ(told, std::vector{ActionChange::What::Overdue});
    open();
    listen();
    ASSERT_TRUE(actions_->tick().has_value());
    EXPECT_EQ(told.size(), 1U);
    ASSERT_TRUE(actions_->close("ACT-1", "done", ann).has_value());
    EXPECT_TRUE(actions_->due().empty());
}

TEST_F(Desks, AReviewBeginsWithWhatTheIncidentTells) {
    const Result<Review> none = reviews_->get(inc1);
    ASSERT_TRUE(none.has_value());
    EXPECT_EQ(none->state, ReviewState::None);
    EXPECT_NE(none->fields.detection.find("tool.unexpected_write, 1h"), std::string::npos)
        << none->fields.detection;
    EXPECT_NE(none->fields.impact.find("2 of 3 sessions"), std::string::npos);
    EXPECT_TRUE(none->fields.systemic_gap.empty()) << "people write the gap";
    EXPECT_TRUE(reviews_->list().empty());
    EXPECT_EQ(reviews_->get(IncidentId("INC-2")).error().code, ErrorCode::NotFound);
    EXPECT_EQ(
        reviews_->draft(inc1, {{"root_cause", "x"}}, ann).error().code, ErrorCode::InvalidArgument
    );
    EXPECT_TRUE(reviews_->list().empty()) << "a refused draft leaves nothing";
}

TEST_F(Desks, PublishingNamesEverythingThatIsMissingAtOnce) {
    incident_.state = IncidentState::Declared;
    incident_.anchors.onset_at.reset();
    const Result<Review> refused = reviews_->publish(inc1, ann);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    for (const char* what :
         {"resolved: ", "timeline: ", "evidence: ", "proximate_trigger: ", "systemic_gap: ", "actions: ",
          "tagout evidence export INC-1", "tagout actions add INC-1"}) {
        EXPECT_NE(refused.error().message.find(what), std::string::npos) << what;
    }
    EXPECT_TRUE(journal_.entries().empty());
}

TEST_F(Desks, ATriggerSaidTwiceIsNoGap) {
    struct Row {
        const char* trigger;
        const char* gap;
        std::vector<std::string> missing;
    };
    const Row rows[] = {
        {"Prompt 13 dropped a line", "No policy bounds refunds at all", {}},
        {"Prompt 13 dropped a line", "prompt 13 DROPPED a line!", {"systemic_gap"}},
        {"Prompt 13 dropped a line", "n/a", {"systemic_gap"}},
        {"TBD", "No policy bounds refunds at all", {"proximate_trigger"}},
        {"", "", {"proximate_trigger", "systemic_gap"}},
    };
    Action action;
    action.owner = "payments";
    action.due = noon;
    for (const Row& row : rows) {
        ReviewFields fields;
        fields.proximate_trigger = row.trigger;
        fields.systemic_gap = row.gap;
        std::vector<std::string> missing;
        for (const MissingPart& part : missing_parts(fields, incident_, true, {action})) {
            missing.push_back(part.what);
        }
        EXPECT_EQ(missing, row.missing) << row.trigger << " / " << row.gap;
    }
}

TEST_F(Desks, APublishedReviewHasItsWholeTextInTheJournalAndDoesNotChange) {
    write_all();
    std::vector<ReviewState> told;
    reviews_->on_change([&](const ReviewChange& change) { told.push_back(change.review.state); });
    const Result<Review> published = reviews_->publish(inc1, ann);
    ASSERT_TRUE(published.has_value()) << published.error().message;
    EXPECT_EQ(told, std::vector{ReviewState::Published});
    const std::string body = journal_.entries().back().draft.body;
    EXPECT_NE(body.find("## Systemic gap"), std::string::npos);
    EXPECT_NE(body.find("ACT-1: Cap refunds"), std::string::npos);
    EXPECT_NE(published->markdown.find("2 findings \\| &lt;b>"), std::string::npos)
        << published->markdown;
    EXPECT_EQ(reviews_->publish(inc1, ann).error().code, ErrorCode::Conflict);
    EXPECT_EQ(reviews_->draft(inc1, {{"lessons", "more"}}, ann).error().code, ErrorCode::Conflict);
    EXPECT_NE(reviews_->json(inc1)->find(R"("missing":[])"), std::string::npos);
}

TEST_F(Desks, TheJournalGivesBackTheSameAfterEveryPrefix) {
    std::vector<std::string> after;  // What was known when the journal had so many entries.
    const auto note = [&] {
        after.resize(journal_.entries().size() + 1);
        after.back() = everything();
    };
    note();
    ASSERT_TRUE(add(hours(1)).has_value());
    note();
    ASSERT_TRUE(reviews_->draft(inc1, {}, ann).has_value());
    note();
    ASSERT_TRUE(reviews_->draft(inc1, {{"lessons", "Bound what money can do"}}, ann).has_value());
    note();
    clock_.advance(hours(3));
    ASSERT_TRUE(actions_->tick().has_value());
    note();
    ASSERT_TRUE(actions_->close("ACT-1", "policy v2", ann).has_value());
    note();
    write_all();
    note();
    ASSERT_TRUE(reviews_->publish(inc1, ann).has_value());
    note();

    const std::vector<journal::JournalEntry> entries = journal_.entries();
    for (std::size_t count = 0; count <= entries.size(); ++count) {
        if (after[count].empty()) {
            continue;  // Between two entries of write_all().
        }
        incident::MemoryJournal prefix(clock_);
        for (std::size_t i = 0; i < count; ++i) {
            ASSERT_TRUE(prefix.append(std::span(&entries[i].draft, 1)).has_value());
        }
        const auto actions =
            Actions::make(prefix, clock_, [](const IncidentId& id) { return id == inc1; });
        ASSERT_TRUE(actions->rebuild().has_value());
        const auto reviews = Reviews::make(ReviewParts{
            prefix,
            clock_,
            [this](const IncidentId&) -> Result<incident::Incident> { return incident_; },
            [](const IncidentId&) { return true; },
            [&](const IncidentId& id) { return actions->list(id); }});
        ASSERT_TRUE(reviews->rebuild().has_value());
        std::vector<std::string> ids;
        for (const Action& action : actions->list(IncidentId())) {
            ids.push_back(action.id);
            EXPECT_NE(after[count].find(action.id), std::string::npos) << count;
        }
        EXPECT_NE(
            after[count].find("\"state\":\"" + std::string(name_of(reviews->get(inc1)->state)) + "\""),
            std::string::npos
        ) << count;
        EXPECT_EQ(
            after[count].find("\"lessons\"") != std::string::npos,
            !reviews->get(inc1)->fields.lessons.empty()
        ) << count;
    }
    const std::string live = everything();
    open();
    EXPECT_EQ(everything(), live) << "a restart changes nothing";
}

TEST_F(Desks, NothingStandsThatIsNotDurable) {
    const std::string before = everything();
    journal_.fail_after(0);
    EXPECT_EQ(add().error().code, ErrorCode::Unavailable);
    EXPECT_EQ(reviews_->draft(inc1, {{"lessons", "x"}}, ann).error().code, ErrorCode::Unavailable);
    EXPECT_EQ(everything(), before);
}

}  // namespace
}  // namespace tagout::prevent
