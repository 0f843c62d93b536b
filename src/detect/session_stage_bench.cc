// What a span costs SessionStage, with every signal on: sessions of a fleet of support agents,
// decoded from OTLP as the server does it. Once their tools only read, as most calls do, and all is
// well; once every call changes something that nobody asked for, so that each value is looked for.
//
// Budget: at most 3 us a span that reads, so that one core takes 150 k spans a second from the
// socket on.

#include "detect/engine.h"
#include "detect/testing/agent_traffic.h"
#include "intake/intake.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

namespace tagout::detect {
namespace {

constexpr std::size_t sessions_per_batch = 64;
constexpr std::size_t batches = 20;
constexpr Instant traffic_at{std::chrono::hours(24 * 365 * 50)};

std::vector<std::shared_ptr<EventBatch>> linked_traffic(bool writes) {
    const otlp::Reporter reporter{{{"service.name", std::string("support")}}, "bench", "1"};
    Prose prose(42);
    intake::Linker linker({});
    std::vector<std::shared_ptr<EventBatch>> made;
    for (std::size_t i = 0; i < batches; ++i) {
        const std::string body =
            otlp::encode_spans(reporter, make_sessions(prose, sessions_per_batch, traffic_at));
        auto batch = intake::decode(
            PaddedBytes::copy_of(body),
            Signal::Traces,
            intake::Encoding::Protobuf,
            intake::DecodeLimits{}
        );
        if (!batch) {
            return {};
        }
        linker.link(**batch);
        for (AgentEvent& event : (*batch)->events) {
            if (writes && event.kind == EventKind::Tool) {
                event.tool_name = "update_order";
            }
        }
        made.push_back(*batch);
    }
    return made;
}

void observe_spans(benchmark::State& state) {
    const bool writes = state.range(0) != 0;
    const auto traffic = linked_traffic(writes);
    if (traffic.size() != batches) {
        state.SkipWithError("wrong answer: our own spans are not understood");
        return;
    }
    SessionStage stage(Settings{}, std::make_shared<const catalog::Catalog>());
    Output out;
    std::size_t spans = 0;
    for (auto _ : state) {
        const EventBatch& batch = *traffic[spans / (sessions_per_batch * spans_per_session)];
        stage.observe(batch.events, traffic_at, out);
        spans += batch.events.size();
    }
    stage.finish(out);
    std::size_t whole = 0;
    std::size_t well = 0;
    for (const SessionSummary& session : out.sessions) {
        const bool first = !session.revised;
        whole += first && session.tool_calls == 2 && session.steps == 5 && session.tokens > 0;
        well += first && session.outcome == SessionOutcome::Succeeded;
    }
    constexpr std::size_t sessions = sessions_per_batch * batches;
    // The words are few: by chance one user in hundreds seems to repeat himself.
    const bool told_apart = writes ? out.findings.size() > sessions
                                   : well == sessions && out.findings.size() <= batches;
    if ((!writes && whole != sessions) || out.sessions.size() < sessions || !told_apart) {
        state.SkipWithError("wrong answer: those who read do well, those who write are found");
        return;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(spans));
    state.counters["ns_per_span"] = benchmark::Counter(
        static_cast<double>(spans) * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert
    );
}
BENCHMARK(observe_spans)
    ->Name("ObserveSpans")
    ->ArgName("writes")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(batches);

}  // namespace
}  // namespace tagout::detect
