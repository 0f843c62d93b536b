// The notifier against real receivers on loopback: who is told what, how often, and in which order;
// and that nothing is lost by a failure, a restart or a full disk.

#include "notify/notifier.h"

#include "net/http_server.h"
#include "notify/metrics.h"
#include "notify/notice_examples.h"
#include "notify/secret.h"
#include "store/memory/journal_store.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <thread>

namespace tagout::notify {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const std::string webhook_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A receiver that answers what it is told to, in order, and 200 after that.
class Receiver {
public:
    struct Answer {
        int status = 200;
        net::Headers headers = {};
        std::string body = "ok";
        bool never = false;  ///< Holds the request open.
    };
    struct Seen {
        net::Headers headers;
        std::string body;
        std::string path;
        [[nodiscard]] std::string header(std::string_view name) const {
            for (const auto& [key, value] : headers) {
                if (std::ranges::equal(key, name, [](char a, char b) {
                        return std::tolower(a) == std::tolower(b);
                    })) {
                    return value;
                }
            }
            return "";
        }
        [[nodiscard]] std::string type() const {
            return std::string(boost::json::parse(body).at("type").as_string());
        }
    };

    Receiver() {
        auto started = net::HttpServer::start(
            net::ServerOptions{},
            [this](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
                answer(request, std::move(responder));
            }
        );
        if (!started) {
            ADD_FAILURE() << started.error().message;
            std::abort();
        }
        server_ = std::move(*started);
    }
    ~Receiver() {
        held_.clear();
        server_.reset();
    }

    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_->port()) + "/hook";
    }
    void will_answer(std::vector<Answer> answers) {
        const MutexLock lock(mutex_);
        answers_.assign(answers.begin(), answers.end());
    }
    [[nodiscard]] std::vector<Seen> seen() const {
        const MutexLock lock(mutex_);
        return seen_;
    }

private:
    void answer(const net::ServerRequest& request, std::shared_ptr<net::Responder> responder) {
        const MutexLock lock(mutex_);
        seen_.push_back({request.headers, std::string(request.body.view()), request.path});
        Answer next;
        if (!answers_.empty()) {
            next = answers_.front();
            answers_.pop_front();
        }
        if (next.never) {
            held_.push_back(std::move(responder));
            return;
        }
        responder->respond({.status = next.status, .headers = next.headers, .body = next.body});
    }

    mutable Mutex mutex_;
    std::deque<Answer> answers_;
    std::vector<Seen> seen_;
    std::vector<std::shared_ptr<net::Responder>> held_;
    std::unique_ptr<net::HttpServer> server_;
};

/// Lets a journal be closed and opened again over the same rows.
class SharedStore final : public journal::JournalStore {
public:
    explicit SharedStore(store::MemoryJournalStore& rows) : rows_(rows) {}
    Result<void> append(std::span<const journal::JournalEntry> entries) override {
        return rows_.append(entries);
    }
    Result<void> read(
        std::uint64_t first, const std::function<bool(const journal::JournalEntry&)>& visit
    ) override {
        return rows_.read(first, visit);
    }
    Result<journal::JournalEntry> last() override { return rows_.last(); }

private:
    store::MemoryJournalStore& rows_;
};

class NotifierTest : public testing::Test {
protected:
    void SetUp() override {
        setenv("TAGOUT_TEST_HOOK_SECRET", webhook_secret.c_str(), 1);
        setenv("TAGOUT_TEST_ROUTING_KEY", "0123456789abcdef0123456789abcdef", 1);
        add_channel("ops", "webhook", receiver_.url(), "TAGOUT_TEST_HOOK_SECRET");
        restart();
    }

    void add_channel(
        const std::string& name, const std::string& type, const std::string& url,
        const std::string& secret_env
    ) {
        catalog::NoticeChannel channel;
        channel.name = name;
        channel.type = type;
        channel.url = url;
        channel.secret_env = secret_env;
        contents_.channels.push_back(channel);
        if (contents_.default_channel.empty()) {
            contents_.default_channel = name;
        }
    }
    [[nodiscard]] std::shared_ptr<const catalog::Catalog> catalog() const {
        return std::make_shared<const catalog::Catalog>(contents_);
    }
    /// As after kill -9: whatever was in memory is gone, the journal's rows stay.
    void restart() {
        notifier_.reset();
        journal_.reset();
        auto opened = journal::Journal::open(std::make_unique<SharedStore>(rows_), clock_);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        journal_ = std::move(*opened);
        notifier_ = std::make_unique<Notifier>(
            *journal_, clock_, catalog(), settings_, 42, metrics_
        );
        const Result<void> rebuilt = notifier_->rebuild();
        ASSERT_TRUE(rebuilt.has_value()) << rebuilt.error().message;
    }

    void tell(const incident::Incident& incident) {
        notifier_->on_change({
            .what = incident::Change::What::Updated,
            .incident = incident,
            .entry = entry_of(++changes_, "because"),
        });
    }
    [[nodiscard]] std::vector<std::string> events() const {
        std::vector<std::string> out;
        for (const Receiver::Seen& seen : receiver_.seen()) {
            out.push_back(seen.type());
        }
        return out;
    }
    [[nodiscard]] NoticeView newest() const {
        const std::vector<NoticeView> views = notifier_->list("", 1);
        return views.empty() ? NoticeView{} : views.front();
    }

    Receiver receiver_;
    ManualClock clock_{noon};
    store::MemoryJournalStore rows_;
    MetricRegistry metrics_;
    catalog::Contents contents_;
    Settings settings_;
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<Notifier> notifier_;
    std::uint64_t changes_ = 0;
};

using Words = std::vector<std::string>;

TEST_F(NotifierTest, TellsOnceThatAnIncidentIsDeclaredGetsWorseAndIsOver) {
    incident::Incident incident = refund_incident();
    tell(incident);
    tell(incident);  // A finding joined: nothing new for people.
    incident.severity = Severity::Sev1;
    tell(incident);
    tell(incident);
    incident.severity = Severity::Sev3;  // Lowered: nobody is woken for that.
    tell(incident);
    incident.state = IncidentState::Resolved;
    tell(incident);
    incident.state = IncidentState::Closed;
    tell(incident);
    EXPECT_EQ(notifier_->deliver_due(), 3u);
    EXPECT_EQ(
        events(), (Words{"incident.declared", "incident.escalated", "incident.resolved"})
    );
    EXPECT_EQ(notifier_->deliver_due(), 0u);
}

TEST_F(NotifierTest, APointThatFailsIsToldOnceAndSoIsThatItIsWell) {
    const std::string why = "edge-2 did not acknowledge revision 7: not heard of since noon";
    notifier_->on_point("edge-2", "edge-2 enforces revision 7 again", false, clock_.now());
    EXPECT_EQ(notifier_->deliver_due(), 0U) << "nobody was told that it failed";
    notifier_->on_point("edge-2", why, true, clock_.now());
    notifier_->on_point("edge-2", why, true, clock_.now());
    restart();
    notifier_->on_point("edge-2", why, true, clock_.now());
    notifier_->on_point("edge-3", why, true, clock_.now());
    clock_.advance(seconds(9));
    notifier_->on_point("edge-2", "edge-2 enforces revision 7 again", false, clock_.now());
    notifier_->deliver_due();
    EXPECT_EQ(events(), (Words{"point.failing", "point.failing", "point.well"}));
    const std::string body = receiver_.seen()[0].body;
    EXPECT_NE(body.find(why), std::string::npos) << body;
    EXPECT_NE(body.find("point:edge-2"), std::string::npos) << body;
    EXPECT_NE(body.find("SEV1"), std::string::npos) << body;
    notifier_->on_point("edge-2", why, true, clock_.now());
    notifier_->deliver_due();
    EXPECT_EQ(events().size(), 4U) << "the next time is told anew";
}

TEST_F(NotifierTest, AReviewDateIsToldToTheOwnerBeforeItPassesAndWhenItDid) {
    contain::ControlView view;
    view.control.id = ControlId("CTL-7");
    view.control.scope = {ScopeKind::Tool, "payments.refund"};
    view.control.reason = "it refunds twice";
    view.control.author = Actor("person:ana");
    view.control.review_by = clock_.now() + std::chrono::hours(1);
    const incident::Owner owner{"payments", "pay@example", "", ""};
    notifier_->on_control(view, owner);
    EXPECT_EQ(notifier_->deliver_due(), 0U) << "nothing is near";
    view.review = contain::Review::Near;
    notifier_->on_control(view, owner);
    notifier_->on_control(view, owner);
    restart();
    notifier_->on_control(view, owner);
    view.review = contain::Review::Passed;
    notifier_->on_control(view, owner);
    restart();
    notifier_->on_control(view, owner);
    view.review = contain::Review::Near;  // An older change that is told late.
    notifier_->on_control(view, owner);
    view.review = contain::Review::Ahead;
    view.control.review_by += std::chrono::hours(24);
    notifier_->on_control(view, owner);
    notifier_->on_control(view, owner);
    notifier_->deliver_due();
    EXPECT_EQ(events(), (Words{"control.due", "control.overdue", "control.reviewed"}));
    const std::string due = receiver_.seen()[0].body;
    for (const std::string_view part :
         {"control:CTL-7", "SEV3", "tool:payments.refund", "never released by itself",
          "it refunds twice", "person:ana", "payments"}) {
        EXPECT_NE(due.find(part), std::string::npos) << part << " in " << due;
    }
    EXPECT_NE(receiver_.seen()[1].body.find("SEV2"), std::string::npos);
    view.review = contain::Review::Near;
    notifier_->on_control(view, owner);
    notifier_->deliver_due();
    EXPECT_EQ(events().size(), 4U) << "the next date is told anew";
}

TEST_F(NotifierTest, ContainmentIsToldOnceWithWhatWasDoneAndHowToUndoIt) {
    incident::Incident incident = refund_incident();
    tell(incident);
    const char* const done = "Stopped tool:payments.refund (CTL-1). To undo it: tagout contain ...";
    incident.timeline.push_back({});
    incident.timeline.back().kind = "containment.automatic";
    incident.timeline.back().source = "containment";
    incident.timeline.back().text = done;
    incident.state = IncidentState::Contained;
    tell(incident);
    tell(incident);
    incident.state = IncidentState::Recovering;
    tell(incident);
    restart();
    incident.state = IncidentState::Contained;
    tell(incident);
    notifier_->deliver_due();
    EXPECT_EQ(events(), (Words{"incident.declared", "incident.contained"}));
    EXPECT_NE(receiver_.seen()[1].body.find(done), std::string::npos) << receiver_.seen()[1].body;
}

TEST_F(NotifierTest, NobodyIsToldOfASignalABackfilledIncidentOrOneThatWasNeverOpen) {
    incident::Incident incident = refund_incident();
    incident.state = IncidentState::Signal;
    tell(incident);
    incident.state = IncidentState::Merged;
    tell(incident);
    incident.state = IncidentState::Declared;
    incident.kind = IncidentKind::Backfilled;
    tell(incident);
    EXPECT_EQ(notifier_->deliver_due(), 0u);
    EXPECT_TRUE(notifier_->list("", 10).empty());
}

TEST_F(NotifierTest, TriageIsToldAsOpenedWhereThatIsWantedAndItsConfirmationAsDeclared) {
    incident::Incident incident = refund_incident();
    incident.state = IncidentState::Triage;
    tell(incident);
    EXPECT_EQ(notifier_->deliver_due(), 0u) << "by default people are told once it is declared";
    settings_.triage = true;
    restart();
    tell(incident);
    incident.state = IncidentState::Declared;
    tell(incident);
    incident.state = IncidentState::FalsePositive;
    tell(incident);
    notifier_->deliver_due();
    EXPECT_EQ(events(), (Words{"incident.opened", "incident.declared", "incident.resolved"}));
}

TEST_F(NotifierTest, AnIncidentThatOpensAgainIsToldAgain) {
    incident::Incident incident = refund_incident();
    tell(incident);
    incident.state = IncidentState::Resolved;
    tell(incident);
    incident.state = IncidentState::Declared;
    tell(incident);
    notifier_->deliver_due();
    EXPECT_EQ(
        events(), (Words{"incident.declared", "incident.resolved", "incident.declared"})
    );
    EXPECT_NE(receiver_.seen()[0].header("webhook-id"), receiver_.seen()[2].header("webhook-id"));
}

TEST_F(NotifierTest, TheOwnersChannelIsAskedFirstAndTheDefaultOneOtherwise) {
    Receiver owners;
    add_channel("payments", "webhook", owners.url(), "");
    notifier_->use(catalog());
    incident::Incident incident = refund_incident();
    incident.owner.channel = "payments";
    tell(incident);
    incident.id = IncidentId("INC-8");
    incident.owner.channel = "no-such-channel";
    tell(incident);
    notifier_->deliver_due();
    ASSERT_EQ(owners.seen().size(), 1u);
    ASSERT_EQ(receiver_.seen().size(), 1u);
    EXPECT_NE(owners.seen()[0].body.find("INC-7"), std::string::npos);
    EXPECT_NE(receiver_.seen()[0].body.find("INC-8"), std::string::npos);
}

TEST_F(NotifierTest, WhoeverHeardThatItBeganHearsThatItIsOverAlsoAfterANewOwner) {
    Receiver others;
    add_channel("others", "webhook", others.url(), "");
    notifier_->use(catalog());
    incident::Incident incident = refund_incident();
    tell(incident);
    incident.owner.channel = "others";
    incident.severity = Severity::Sev1;
    tell(incident);
    incident.state = IncidentState::Resolved;
    tell(incident);
    notifier_->deliver_due();
    EXPECT_EQ(events(), (Words{"incident.declared", "incident.escalated", "incident.resolved"}));
    ASSERT_EQ(others.seen().size(), 2u);
    EXPECT_EQ(others.seen()[0].type(), "incident.escalated");
    EXPECT_EQ(others.seen()[1].type(), "incident.resolved");
}

TEST_F(NotifierTest, RetriesOnTheScheduleUnderOneIdWithAFreshSignature) {
    receiver_.will_answer({{.status = 500}, {.status = 503}, {.status = 404}});
    tell(refund_incident());
    EXPECT_EQ(notifier_->deliver_due(), 1u);
    EXPECT_EQ(newest().state, NoticeState::Pending);
    EXPECT_EQ(newest().last_status, 500);
    EXPECT_EQ(notifier_->deliver_due(), 0u) << "not before its time";
    clock_.advance(seconds(4));
    EXPECT_EQ(notifier_->deliver_due(), 0u);
    clock_.advance(seconds(2) + std::chrono::milliseconds(1));
    EXPECT_EQ(notifier_->deliver_due(), 1u);
    clock_.advance(minutes(6));
    EXPECT_EQ(notifier_->deliver_due(), 1u);
    clock_.advance(minutes(36));
    EXPECT_EQ(notifier_->deliver_due(), 1u);
    EXPECT_EQ(newest().state, NoticeState::Delivered);
    EXPECT_EQ(newest().attempts, 4u);
    EXPECT_EQ(newest().last_error, "");

    const std::vector<Receiver::Seen> seen = receiver_.seen();
    ASSERT_EQ(seen.size(), 4u);
    std::set<std::string> ids;
    std::set<std::string> bodies;
    std::set<std::string> signatures;
    for (const Receiver::Seen& one : seen) {
        ids.insert(one.header("webhook-id"));
        bodies.insert(one.body);
        signatures.insert(one.header("webhook-signature"));
        EXPECT_EQ(
            one.header("webhook-signature"),
            *sign_webhook(
                webhook_secret, one.header("webhook-id"),
                std::stoll(one.header("webhook-timestamp")), one.body
            )
        );
    }
    EXPECT_EQ(ids.size(), 1u);
    EXPECT_EQ(bodies.size(), 1u);
    EXPECT_EQ(signatures.size(), 4u);
}

TEST_F(NotifierTest, GivesUpAfterTenAttemptsAndSaysSo) {
    receiver_.will_answer(std::vector<Receiver::Answer>(30, {.status = 500}));
    tell(refund_incident());
    std::size_t attempts = 0;
    for (int hours = 0; hours < 24 * 7; ++hours) {
        attempts += notifier_->deliver_due();
        clock_.advance(std::chrono::hours(1));
    }
    EXPECT_EQ(attempts, 10u);
    EXPECT_EQ(newest().state, NoticeState::Failed);
    EXPECT_FALSE(newest().next_attempt_at.has_value());
}

TEST_F(NotifierTest, WaitsAsLongAsTheReceiverAsks) {
    receiver_.will_answer({{.status = 429, .headers = {{"Retry-After", "600"}}}});
    tell(refund_incident());
    notifier_->deliver_due();
    EXPECT_EQ(newest().next_attempt_at, noon + minutes(10));
    incident::Incident worse = refund_incident();
    worse.severity = Severity::Sev1;
    tell(worse);  // News does not override what the receiver asked for.
    clock_.advance(minutes(9));
    EXPECT_EQ(notifier_->deliver_due(), 0u);
    clock_.advance(minutes(1));
    EXPECT_EQ(notifier_->deliver_due(), 2u);
    EXPECT_EQ(
        events(), (Words{"incident.declared", "incident.declared", "incident.escalated"})
    );
}

TEST_F(NotifierTest, NewsHastensAWaitingNoticeAndNeverOvertakesIt) {
    receiver_.will_answer({{.status = 500}, {.status = 500}});
    incident::Incident incident = refund_incident();
    tell(incident);
    notifier_->deliver_due();
    clock_.advance(seconds(6));
    notifier_->deliver_due();  // The next attempt would be in five minutes.
    incident.state = IncidentState::Resolved;
    tell(incident);
    EXPECT_EQ(notifier_->deliver_due(), 2u);
    EXPECT_EQ(
        events(),
        (Words{"incident.declared", "incident.declared", "incident.declared", "incident.resolved"})
    );
}

TEST_F(NotifierTest, AnAnswerThatNeverComesIsATimeoutAndIsRetried) {
    settings_.attempt_timeout = std::chrono::milliseconds(200);
    restart();
    receiver_.will_answer({{.never = true}});
    tell(refund_incident());
    notifier_->deliver_due();
    EXPECT_EQ(newest().state, NoticeState::Pending);
    EXPECT_EQ(newest().last_status, 0);
    EXPECT_NE(newest().last_error, "");
    clock_.advance(seconds(7));
    notifier_->deliver_due();
    EXPECT_EQ(newest().state, NoticeState::Delivered);
}

TEST_F(NotifierTest, ARedirectIsNotFollowed) {
    Receiver elsewhere;
    receiver_.will_answer({{.status = 307, .headers = {{"Location", elsewhere.url()}}}});
    tell(refund_incident());
    notifier_->deliver_due();
    EXPECT_EQ(newest().state, NoticeState::Failed);
    EXPECT_NE(newest().last_error.find("redirects are not followed"), std::string::npos);
    EXPECT_TRUE(elsewhere.seen().empty());
}

TEST_F(NotifierTest, GoneSwitchesTheChannelOffUntilATestSucceeds) {
    Receiver fallback;
    add_channel("fallback", "webhook", fallback.url(), "");
    contents_.default_channel = "fallback";
    notifier_->use(catalog());
    receiver_.will_answer({{.status = 410}});
    incident::Incident incident = refund_incident();
    tell(incident);
    notifier_->deliver_due();
    EXPECT_EQ(newest().state, NoticeState::Failed);
    restart();  // It stays off.
    incident.id = IncidentId("INC-8");
    tell(incident);
    notifier_->deliver_due();
    EXPECT_EQ(receiver_.seen().size(), 1u);
    EXPECT_EQ(fallback.seen().size(), 1u);

    const Result<NoticeView> tested = notifier_->test("ops");
    ASSERT_TRUE(tested.has_value());
    EXPECT_EQ(tested->state, NoticeState::Delivered);
    incident.id = IncidentId("INC-9");
    tell(incident);
    notifier_->deliver_due();
    EXPECT_EQ(receiver_.seen().size(), 3u);
}

TEST_F(NotifierTest, ABadRequestToPagerDutyIsNotRepeated) {
    contents_.channels[0].type = "pagerduty";
    contents_.channels[0].secret_env = "TAGOUT_TEST_ROUTING_KEY";
    notifier_->use(catalog());
    receiver_.will_answer({{.status = 400, .body = "invalid key 0123456789abcdef0123456789abcdef"}});
    tell(refund_incident());
    notifier_->deliver_due();
    EXPECT_EQ(newest().state, NoticeState::Failed);
    EXPECT_EQ(newest().attempts, 1u);
    EXPECT_NE(newest().last_error.find("[secret]"), std::string::npos) << newest().last_error;
    EXPECT_EQ(newest().last_error.find("0123456789abcdef"), std::string::npos);
}

TEST_F(NotifierTest, GoesOnAfterARestartInTheMiddleOfItsRetries) {
    receiver_.will_answer({{.status = 500}, {.status = 500}});
    incident::Incident incident = refund_incident();
    tell(incident);
    notifier_->deliver_due();
    clock_.advance(seconds(7));
    notifier_->deliver_due();
    const NoticeView before = newest();

    restart();
    const NoticeView after = newest();
    EXPECT_EQ(after.id, before.id);
    EXPECT_EQ(after.attempts, 2u);
    EXPECT_EQ(after.last_status, 500);
    EXPECT_LT(*before.next_attempt_at - *after.next_attempt_at, std::chrono::milliseconds(1));
    tell(incident);  // The desk's replayed changes must not tell it twice.
    EXPECT_EQ(notifier_->list("", 10).size(), 1u);
    clock_.advance(minutes(7));
    EXPECT_EQ(notifier_->deliver_due(), 1u);
    EXPECT_EQ(newest().state, NoticeState::Delivered);
    EXPECT_EQ(newest().attempts, 3u);

    restart();
    EXPECT_EQ(notifier_->deliver_due(), 0u) << "what was delivered is not sent again";
    EXPECT_EQ(newest().state, NoticeState::Delivered);
}

TEST_F(NotifierTest, AFullDiskNeitherLosesANoticeNorSendsOneThatIsNotDurable) {
    rows_.fail_appends(1);
    incident::Incident incident = refund_incident();
    tell(incident);
    EXPECT_EQ(notifier_->deliver_due(), 0u);
    EXPECT_EQ(metrics_.counter(notices_dropped_total, std::array{std::string_view("journal")}).value(), 1u);
    tell(incident);  // The incident's next change tells it.
    EXPECT_EQ(notifier_->deliver_due(), 1u);
    EXPECT_EQ(events(), (Words{"incident.declared"}));
}

TEST_F(NotifierTest, APastFullQueueIsCountedAndLogged) {
    settings_.pending_max = 2;
    restart();
    incident::Incident incident = refund_incident();
    for (int i = 0; i < 5; ++i) {
        incident.id = IncidentId("INC-" + std::to_string(i));
        tell(incident);
    }
    EXPECT_EQ(notifier_->list("", 10).size(), 2u);
    EXPECT_EQ(
        metrics_.counter(notices_dropped_total, std::array{std::string_view("queue_full")}).value(), 3u
    );
}

TEST_F(NotifierTest, AnOpenIncidentIsSentToAlertmanagerAgainUntilItIsOver) {
    contents_.channels[0].type = "alertmanager";
    contents_.channels[0].secret_env.clear();
    notifier_->use(catalog());
    incident::Incident incident = refund_incident();
    tell(incident);
    EXPECT_EQ(notifier_->deliver_due(), 1u);
    EXPECT_EQ(notifier_->deliver_due(), 0u);
    for (int minute = 1; minute <= 3; ++minute) {
        clock_.advance(minutes(1));
        EXPECT_EQ(notifier_->deliver_due(), 1u) << minute;
    }
    restart();
    clock_.advance(minutes(1));
    EXPECT_EQ(notifier_->deliver_due(), 1u) << "also after a restart";
    incident.state = IncidentState::Resolved;
    incident.anchors.resolved_at = clock_.now();
    tell(incident);
    EXPECT_EQ(notifier_->deliver_due(), 1u);
    clock_.advance(minutes(10));
    EXPECT_EQ(notifier_->deliver_due(), 0u);

    const std::vector<Receiver::Seen> seen = receiver_.seen();
    ASSERT_EQ(seen.size(), 6u);
    EXPECT_EQ(seen[0].path, "/hook/api/v2/alerts");
    const auto ends = [&](std::size_t at) {
        return std::string(boost::json::parse(seen[at].body).at(0).at("endsAt").as_string());
    };
    EXPECT_EQ(ends(0), "2026-11-24T12:05:00.000Z");
    EXPECT_EQ(ends(3), "2026-11-24T12:08:00.000Z");
    EXPECT_EQ(ends(5), "2026-11-24T12:04:00.000Z");
    EXPECT_EQ(notifier_->list("", 10).size(), 2u) << "refreshes are no notices of their own";
}

TEST_F(NotifierTest, ATestSaysWhatHappenedAndTouchesNoIncident) {
    const Result<NoticeView> good = notifier_->test("ops");
    ASSERT_TRUE(good.has_value());
    EXPECT_EQ(good->state, NoticeState::Delivered);
    EXPECT_EQ(good->event, "notice.test");
    EXPECT_EQ(good->incident, "");
    EXPECT_EQ(events(), (Words{"notice.test"}));
    receiver_.will_answer({{.status = 500}});
    const Result<NoticeView> bad = notifier_->test("ops");
    ASSERT_TRUE(bad.has_value());
    EXPECT_EQ(bad->state, NoticeState::Failed) << "a test is not retried";
    EXPECT_EQ(bad->last_status, 500);
    const Result<NoticeView> unknown = notifier_->test("nowhere");
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);
    EXPECT_NE(unknown.error().message.find("ops"), std::string::npos);
    EXPECT_EQ(notifier_->list("", 10).size(), 2u);
}

TEST_F(NotifierTest, ASecretThatIsMissingIsNamedRetriedAndReadAgain) {
    contents_.channels[0].secret_env = "TAGOUT_TEST_LATE_SECRET";
    unsetenv("TAGOUT_TEST_LATE_SECRET");
    notifier_->use(catalog());
    tell(refund_incident());
    notifier_->deliver_due();
    EXPECT_NE(newest().last_error.find("TAGOUT_TEST_LATE_SECRET is not set"), std::string::npos);
    EXPECT_TRUE(receiver_.seen().empty()) << "nothing goes out unsigned";
    setenv("TAGOUT_TEST_LATE_SECRET", webhook_secret.c_str(), 1);
    clock_.advance(seconds(7));
    notifier_->deliver_due();
    EXPECT_EQ(newest().state, NoticeState::Delivered);
}

TEST_F(NotifierTest, ASecretFromAFileSigns) {
    const std::string path = testing::TempDir() + "tagout_hook_secret";
    std::ofstream(path) << webhook_secret << "\n";
    contents_.channels[0].secret_env.clear();
    contents_.channels[0].secret_file = path;
    notifier_->use(catalog());
    tell(refund_incident());
    notifier_->deliver_due();
    EXPECT_TRUE(receiver_.seen().at(0).header("webhook-signature").starts_with("v1,"));
}

TEST_F(NotifierTest, NeitherJournalNorLogRowsHoldASecret) {
    receiver_.will_answer({{.status = 500, .body = "your secret is " + webhook_secret}});
    tell(refund_incident());
    notifier_->deliver_due();
    std::string everything = newest().last_error;
    ASSERT_TRUE(journal_->read(1, [&](const journal::JournalEntry& entry) {
        everything += entry.draft.body + entry.draft.reason + entry.draft.subject;
        return true;
    }));
    EXPECT_NE(everything.find("your secret is"), std::string::npos);
    EXPECT_EQ(everything.find(webhook_secret.substr(6)), std::string::npos);
}

TEST_F(NotifierTest, AHangingChannelDelaysNoOther) {
    Receiver quick;
    add_channel("quick", "webhook", quick.url(), "");
    settings_.attempt_timeout = seconds(2);
    receiver_.will_answer({{.never = true}});
    restart();
    std::vector<std::string> outcomes;
    Mutex mutex;
    Condition told;
    notifier_->on_outcome([&](const NoticeView& view) {
        const MutexLock lock(mutex);
        outcomes.push_back(view.channel + " " + std::string(name_of(view.state)));
        told.notify_all();
    });
    notifier_->start();
    incident::Incident incident = refund_incident();
    tell(incident);
    incident.id = IncidentId("INC-8");
    incident.owner.channel = "quick";
    tell(incident);
    {
        const MutexLock lock(mutex);
        while (outcomes.empty() && told.wait_for(mutex, seconds(10)) == std::cv_status::no_timeout) {
        }
    }
    notifier_.reset();  // It tells this test's own variables, also of the channel that hangs.
    ASSERT_FALSE(outcomes.empty());
    EXPECT_EQ(outcomes.front(), "quick delivered");
}

TEST_F(NotifierTest, AnEntryOfAnotherVersionKeepsNobodyFromStarting) {
    const journal::EntryDraft strange{
        .kind = "notice.queued",
        .subject = "INC-1",
        .actor = Actor("tagout"),
        .reason = {},
        .occurred_at = noon,
        .body = R"({"notice":"msg_1","event":"incident.exploded"})",
    };
    ASSERT_TRUE(journal_->append({&strange, 1}).has_value());
    restart();
    EXPECT_TRUE(notifier_->list("", 10).empty());
}

}  // namespace
}  // namespace tagout::notify
