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
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>
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

std::size_t resident_bytes() {
    std::size_t pages = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// A million conversations at once, a model call of each, nothing said: what a session costs bare.
/// Budget (DESIGN section 10): 400 MiB.
void live_sessions(benchmark::State& state) {
    constexpr std::size_t sessions = 1'000'000;
    constexpr std::size_t chunk = 500;
    Settings settings;
    settings.sessions_max = sessions;
    std::vector<std::string> names(chunk);
    for (auto _ : state) {
        const std::size_t before = resident_bytes();
        SessionStage stage(settings, std::make_shared<const catalog::Catalog>());
        Output out;
        std::vector<AgentEvent> events(chunk);
        for (std::size_t at = 0; at < sessions; at += chunk) {
            for (std::size_t i = 0; i < chunk; ++i) {
                AgentEvent& event = events[i];
                std::memcpy(event.trace_id.bytes.data(), &at, sizeof at);
                event.trace_id.bytes[15] = static_cast<std::uint8_t>(i);
                event.trace_id.bytes[14] = static_cast<std::uint8_t>(i >> 8U);
                names[i] = to_hex(event.trace_id);
                event.correlation = names[i];
                event.kind = EventKind::Llm;
                event.agent_name = "support-agent";
                event.model_response = "gpt-x-2026";
                event.tokens = {.input = 400, .output = 60, .accounting = TokenAccounting::Leaf};
                event.started_at = traffic_at;
                event.ended_at = traffic_at;
            }
            stage.observe(events, traffic_at, out);
        }
        const StageStats stats = stage.stats();
        if (stats.sessions_live != sessions || stats.sessions_evicted != 0) {
            state.SkipWithError("wrong answer: a million sessions live");
            return;
        }
        const auto bytes = static_cast<double>(resident_bytes() - before);
        state.counters["bytes_per_session"] = bytes / static_cast<double>(sessions);
        state.counters["MiB_per_million"] = bytes / static_cast<double>(sessions) * 1e6 / 1048576.0;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(sessions));
}
BENCHMARK(live_sessions)->Name("LiveSessions")->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tagout::detect
