// The fleet against a receiver: every event that arrives is the kind it should be, and each fault is
// visible in the events, because it happened.

#include "rehearse/sim.h"

#include "base/mutex.h"
#include "intake/intake.h"
#include "net/http_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

namespace tagout::rehearse {
namespace {

/// Takes OTLP like Tagout's intake and keeps every event.
class Receiver {
public:
    Receiver() : linker_(intake::LinkerOptions{}) {
        auto started = net::HttpServer::start(
            net::ServerOptions{},
            [this](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
                take(std::move(request), std::move(responder));
            }
        );
        if (!started) {
            ADD_FAILURE() << started.error().message;
            std::abort();
        }
        server_ = *std::move(started);
    }
    ~Receiver() { server_.reset(); }

    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_->port());
    }
    void refuse_first(int count) { refusals_ = count; }
    /// Every event by conversation; call after the run.
    [[nodiscard]] std::map<std::string, std::vector<const AgentEvent*>> conversations() const {
        std::map<std::string, std::vector<const AgentEvent*>> out;
        for (const auto& batch : batches_) {
            for (const AgentEvent& event : batch->events) {
                out[std::string(event.correlation)].push_back(&event);
            }
        }
        return out;
    }
    [[nodiscard]] std::uint64_t rejected() const { return rejected_; }
    [[nodiscard]] std::size_t largest_batch() const { return largest_; }

private:
    void take(net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
        const MutexLock lock(mutex_);
        if (request.body.size() > 0 && refusals_ > 0) {
            --refusals_;
            responder->respond({.status = 503, .headers = {{"Retry-After", "0"}}, .body = {}});
            return;
        }
        const Signal signal = request.path == "/v1/logs" ? Signal::Logs : Signal::Traces;
        auto batch = intake::decode(
            std::move(request.body), signal, intake::Encoding::Protobuf, intake::DecodeLimits{}
        );
        if (!batch) {
            ADD_FAILURE() << batch.error().message;
            responder->respond({.status = 400, .headers = {}, .body = {}});
            return;
        }
        linker_.link(**batch);
        rejected_ += (*batch)->rejected;
        largest_ = std::max(largest_, (*batch)->events.size());
        batches_.push_back(*std::move(batch));
        responder->respond(
            {.status = 200, .headers = {{"Content-Type", "application/x-protobuf"}}, .body = {}}
        );
    }

    Mutex mutex_;
    intake::Linker linker_;
    std::vector<std::shared_ptr<EventBatch>> batches_;
    std::uint64_t rejected_ = 0;
    std::size_t largest_ = 0;
    int refusals_ = 0;
    std::unique_ptr<net::HttpServer> server_;
};

/// Fast enough for a unit test: no thinking times, some dozens of conversations.
SimOptions quick(const Receiver& receiver, std::vector<Fault> faults = {}) {
    SimOptions options;
    options.otlp_endpoint = receiver.url();
    options.agents = 8;
    options.rate = 100;
    options.seed = 5;
    options.duration = std::chrono::milliseconds(800);
    options.pace = 0;
    options.faults = std::move(faults);
    return options;
}

Fault now(FaultKind kind) {
    Fault fault;
    fault.kind = kind;
    fault.start = Duration::zero();
    fault.share = 1;
    return fault;
}

SimReport run(const SimOptions& options) {
    const std::atomic<bool> never{false};
    const SystemClock clock;
    const Result<SimReport> report = run_sim(options, clock, never);
    EXPECT_TRUE(report.has_value()) << (report ? "" : report.error().message);
    return report ? *report : SimReport{};
}

TEST(Sim, AHealthyFleetReportsWholeConversationsInTheConventionsWords) {
    Receiver receiver;
    const SimReport report = run(quick(receiver));
    EXPECT_GT(report.sessions_ended, 30u);
    EXPECT_EQ(report.sessions_ended, report.sessions_started);
    EXPECT_EQ(report.items_lost, 0u) << report.export_error;
    EXPECT_EQ(receiver.rejected(), 0u);
    EXPECT_LE(receiver.largest_batch(), 64u);

    std::uint64_t spans = 0;
    std::set<std::string> services;
    std::int64_t tokens = 0;
    const auto conversations = receiver.conversations();
    EXPECT_EQ(conversations.size(), report.sessions_ended);
    for (const auto& [id, events] : conversations) {
        EXPECT_TRUE(id.starts_with("conv-")) << id << ": every event names its conversation";
        std::map<EventKind, int> kinds;
        for (const AgentEvent* event : events) {
            ++kinds[event->kind];
            spans += event->signal == Signal::Traces ? 1 : 0;
            services.insert(std::string(event->service_name));
            tokens += event->tokens.counted();
            EXPECT_EQ(event->environment, "production");
            if (event->kind == EventKind::Llm && event->outcome == StepOutcome::Ok) {
                EXPECT_GT(event->tokens.input, 0);
                EXPECT_NE(event->prompt_version, "");
                EXPECT_NE(event->user_text, "");
            }
            if (event->kind == EventKind::Tool) {
                EXPECT_NE(event->tool_name, "");
                EXPECT_TRUE(event->tool_args.starts_with("{")) << event->tool_args;
                EXPECT_NE(event->tool_result, "");
            }
        }
        EXPECT_GT(kinds[EventKind::Workflow], 0) << id;
        EXPECT_EQ(kinds[EventKind::Workflow], kinds[EventKind::Agent]) << id;
        EXPECT_GE(kinds[EventKind::Llm], kinds[EventKind::Workflow]) << id;
    }
    EXPECT_EQ(spans, report.spans_exported);
    EXPECT_EQ(tokens, report.tokens) << "tokens are counted once";
    EXPECT_EQ(services.size(), 4u);
    std::uint64_t unsatisfied = 0;
    for (const AgentReport& agent : report.agents) {
        unsatisfied += agent.unsatisfied;
    }
    EXPECT_LE(unsatisfied, report.sessions_ended / 10) << "a healthy fleet helps nearly everybody";
}

TEST(Sim, TelemetryThatTheServerShedsIsSentAgain) {
    Receiver receiver;
    receiver.refuse_first(3);
    const SimReport report = run(quick(receiver));
    EXPECT_GE(report.export_retries, 3u);
    EXPECT_EQ(report.items_lost, 0u);
    EXPECT_EQ(receiver.conversations().size(), report.sessions_ended);
}

/// Conversations in which `shows` finds the fault.
using Shows = std::function<bool(const std::vector<const AgentEvent*>&)>;

int count_tool(
    const std::vector<const AgentEvent*>& events, std::string_view tool, StepOutcome outcome
) {
    int count = 0;
    for (const AgentEvent* event : events) {
        count += event->kind == EventKind::Tool && event->tool_name == tool && event->outcome == outcome;
    }
    return count;
}

bool failed_with(const std::vector<const AgentEvent*>& events, std::string_view error) {
    return std::ranges::any_of(events, [&](const AgentEvent* event) {
        return event->kind == EventKind::Workflow && event->error_type == error;
    });
}

int said(const std::vector<const AgentEvent*>& events, std::string_view words) {
    std::set<std::string_view> texts;
    for (const AgentEvent* event : events) {
        if (event->kind == EventKind::Workflow && event->user_text.find(words) != std::string_view::npos) {
            texts.insert(event->user_text);
        }
    }
    return static_cast<int>(texts.size());
}

std::int64_t tokens_of(const std::vector<const AgentEvent*>& events) {
    std::int64_t tokens = 0;
    for (const AgentEvent* event : events) {
        tokens += event->tokens.counted();
    }
    return tokens;
}

struct FaultRow {
    FaultKind kind;
    const char* agent;  ///< Whose conversations show it, all of those that were hit.
    Shows shows;
};

class FaultTest : public testing::TestWithParam<FaultRow> {
protected:
    static void SetUpTestSuite() {
        healthy_ = std::make_unique<Receiver>();
        run(quick(*healthy_));
    }
    static void TearDownTestSuite() { healthy_.reset(); }

    static inline std::unique_ptr<Receiver> healthy_;
};

TEST_P(FaultTest, IsVisibleInWhatHappenedAndOnlyWhereItStruck) {
    Receiver struck;
    SimOptions storm = quick(struck, {now(GetParam().kind)});
    if (GetParam().kind == FaultKind::SlowModel) {
        storm.rate = 20;
        storm.model_timeout = std::chrono::milliseconds(250);  // Which each of its calls takes.
    }
    const SimReport report = run(storm);
    ASSERT_EQ(report.faults.size(), 1u);
    EXPECT_GT(report.faults[0].sessions, 0u);
    EXPECT_GT(report.faults[0].unsatisfied, report.faults[0].sessions / 2);

    std::uint64_t shown = 0;
    for (const auto& [id, events] : struck.conversations()) {
        if (GetParam().shows(events)) {
            ++shown;
            EXPECT_EQ(events.front()->service_name, GetParam().agent) << id;
        }
    }
    EXPECT_GT(shown, 0u);
    EXPECT_LE(shown, report.faults[0].sessions);
    EXPECT_GE(shown * 2, report.faults[0].sessions);
    for (const auto& [id, events] : healthy_->conversations()) {
        EXPECT_FALSE(GetParam().shows(events)) << id << ": a healthy fleet does not do that";
    }
}

INSTANTIATE_TEST_SUITE_P(
    EveryFault, FaultTest,
    testing::Values(
        FaultRow{FaultKind::ToolErrors, "support-agent",
                 [](const auto& events) {
                     return count_tool(events, "track_shipment", StepOutcome::ClientError) >= 2 &&
                            failed_with(events, "task_failed");
                 }},
        FaultRow{FaultKind::UnexpectedWrite, "support-agent",
                 [](const auto& events) {
                     return count_tool(events, "update_address", StepOutcome::Ok) == 1 &&
                            count_tool(events, "track_shipment", StepOutcome::Ok) >= 1;
                 }},
        FaultRow{FaultKind::WrongWorkflow, "support-agent",
                 [](const auto& events) { return said(events, "efund") >= 2; }},
        FaultRow{FaultKind::RetryStorm, "billing-agent",
                 [](const auto& events) {
                     return count_tool(events, "search_invoices", StepOutcome::Ok) >= 8;
                 }},
        FaultRow{FaultKind::Loop, "mail-agent",
                 [](const auto& events) { return failed_with(events, "max_steps_exceeded"); }},
        FaultRow{FaultKind::Injection, "mail-agent",
                 [](const auto& events) {
                     return std::ranges::any_of(events, [](const AgentEvent* event) {
                         return event->tool_name == "send_mail" &&
                                event->tool_args.find("verify-partners") != std::string_view::npos;
                     });
                 }},
        FaultRow{FaultKind::TokenRunaway, "billing-agent",
                 [](const auto& events) {
                     return tokens_of(events) > 400'000 && failed_with(events, "token_budget_exceeded");
                 }},
        FaultRow{FaultKind::SlowModel, "refund-agent",
                 [](const auto& events) { return failed_with(events, "timeout"); }}
    ),
    [](const auto& row) { return std::string(info_of(row.param.kind).name); }
);

TEST(Sim, StopsSoonWhenAsked) {
    Receiver receiver;
    SimOptions options = quick(receiver);
    options.duration = Duration::zero();
    options.pace = 1;
    std::atomic<bool> stop{false};
    int told = 0;
    options.on_progress = [&](const SimProgress& progress) {
        EXPECT_GT(progress.sessions_started, 0u);
        ++told;
        stop.store(true);
    };
    const SystemClock clock;
    const Result<SimReport> report = run_sim(options, clock, stop);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(told, 1);
    EXPECT_LT(report->elapsed, std::chrono::seconds(8));
}

TEST(Sim, SaysWhatIsWrongBeforeItStarts) {
    const std::atomic<bool> never{false};
    const SystemClock clock;
    const struct {
        const char* name;
        std::function<void(SimOptions&)> spoil;
        ErrorCode code;
        const char* says;
    } rows[] = {
        {"nobody listens", [](SimOptions& o) { o.otlp_endpoint = "http://127.0.0.1:1"; },
         ErrorCode::Unavailable, "start `tagout serve`"},
        {"no URL", [](SimOptions& o) { o.otlp_endpoint = "localhost"; }, ErrorCode::InvalidArgument,
         "http://"},
        {"no agents", [](SimOptions& o) { o.agents = 0; }, ErrorCode::InvalidArgument, "agents"},
        {"no rate", [](SimOptions& o) { o.rate = 0; }, ErrorCode::InvalidArgument, "rate"},
    };
    for (const auto& row : rows) {
        SimOptions options;
        row.spoil(options);
        const Result<SimReport> report = run_sim(options, clock, never);
        ASSERT_FALSE(report.has_value()) << row.name;
        EXPECT_EQ(report.error().code, row.code) << row.name;
        EXPECT_NE(report.error().message.find(row.says), std::string::npos) << report.error().message;
    }
}

}  // namespace
}  // namespace tagout::rehearse
