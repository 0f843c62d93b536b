// What linking a span costs, in batches of 512 spans of new traces, as they come.
//
// Budget: at most 250 ns a span; two hash look-ups and about 80 bytes of memory each.

#include "intake/intake.h"
#include "intake/wire_sample.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

namespace tagout::intake {
namespace {

constexpr int batches = 60;

std::vector<std::shared_ptr<EventBatch>> decoded_traffic() {
    oracle::AgentTraffic traffic(3);
    std::vector<std::shared_ptr<EventBatch>> made;
    for (int i = 0; i < batches; ++i) {
        auto batch = decode(
            PaddedBytes::copy_of(traffic.batch()), Signal::Traces, Encoding::Protobuf,
            DecodeLimits{}
        );
        made.push_back(batch ? *batch : std::make_shared<EventBatch>());
    }
    return made;
}

void link_spans(benchmark::State& state) {
    const auto given = decoded_traffic();
    Linker linker({});
    std::size_t next = 0;
    std::size_t spans = 0;
    for (auto _ : state) {
        linker.link(*given[next % given.size()]);
        spans += given[next % given.size()]->events.size();
        ++next;
    }
    std::size_t without = 0;
    for (const auto& batch : given) {
        for (const AgentEvent& event : batch->events) {
            without += event.correlation.empty();
        }
    }
    if (without != 0 || linker.stats().duplicates != 0 || spans != batches * 512) {
        state.SkipWithError("wrong answer: every span is new and gets a correlation");
        return;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(spans));
    state.counters["ns_per_span"] = benchmark::Counter(
        static_cast<double>(spans) * 1e-9,
        benchmark::Counter::kIsRate | benchmark::Counter::kInvert
    );
}
BENCHMARK(link_spans)->Name("LinkSpans")->Iterations(batches);

}  // namespace
}  // namespace tagout::intake
