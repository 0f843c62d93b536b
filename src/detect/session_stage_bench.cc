// What a span costs SessionStage, with every signal on: sessions of a fleet of support agents that
// work well, decoded from OTLP as the server does it.
//
// Budget: at most 3 us a span, so that one core takes 150 k spans a second from the socket on.

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

std::vector<std::shared_ptr<EventBatch>> linked_traffic() {
    const otlp::Reporter reporter{{{"service.name", std::string("support")}}, "bench", "1"};
    Prose prose(42);
    intake::Linker linker({});
    std::vector<std::shared_ptr<EventBatch>> made;
    for (std::size_t i = 0; i < batches; ++i) {
        const std::string body =
            otlp::encode_spans(reporter, make_sessions(prose, sessions_per_batch, traffic_at));
        auto batch = intake::decode(
            PaddedBytes::copy_of(body), Signal::Traces, intake::Encoding::Protobuf,
            intake::DecodeLimits{}
        );
        if (!batch) {
            return {};
        }
        linker.link(**batch);
        made.push_back(*batch);
    }
    return made;
}

void observe_spans(benchmark::State& state) {
    const auto traffic = linked_traffic();
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
    std::size_t good = 0;
    for (const SessionSummary& session : out.sessions) {
        good += session.outcome == SessionOutcome::Succeeded && session.tool_calls == 2 &&
                session.steps == 5 && session.tokens > 0;
    }
    // The words are few: by chance one user in hundreds seems to repeat himself.
    if (good != sessions_per_batch * batches || out.findings.size() > batches) {
        state.SkipWithError("wrong answer: every session succeeded and hardly one shows a fault");
        return;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(spans));
    state.counters["ns_per_span"] = benchmark::Counter(
        static_cast<double>(spans) * 1e-9,
        benchmark::Counter::kIsRate | benchmark::Counter::kInvert
    );
}
BENCHMARK(observe_spans)->Name("ObserveSpans")->Iterations(batches);

}  // namespace
}  // namespace tagout::detect
