// What normalising a span costs beside reading it: the same walk with and without the normaliser.
//
// Budget: at most 150 ns a span of the mix in wire_sample.h, so that decode stays within its own.

#include "intake/normalise.h"
#include "intake/wire_items.h"
#include "intake/wire_sample.h"

#include <benchmark/benchmark.h>

#include <vector>

namespace tagout::intake {
namespace {

constexpr std::size_t batches = 24;

/// Bodies of the spans of some batches, and the resource and scope that they came under.
class Spans {
public:
    static Spans& get() {
        static Spans spans;
        return spans;
    }
    [[nodiscard]] const std::vector<std::string_view>& bodies() const { return bodies_; }
    [[nodiscard]] ResourceView resource() const { return {resource_}; }
    static constexpr ScopeView scope{"opentelemetry.instrumentation.genai", "1.0b0", {}};

private:
    Spans() {
        oracle::AgentTraffic traffic(11);
        for (std::size_t index = 0; index < batches; ++index) {
            requests_.push_back(PaddedBytes::copy_of(traffic.batch()));
        }
        for (const PaddedBytes& request : requests_) {
            collect(request.view());
        }
        for (const auto& [key, value] :
             {std::pair{"service.name", "support-desk"}, {"service.version", "4.11.2"},
              {"deployment.environment.name", "production"}, {"telemetry.sdk.language", "python"},
              {"telemetry.sdk.version", "1.39.0"}, {"host.name", "worker-17"}}) {
            resource_.push_back({key, AnyValue::text(value), key_id_of(key)});
        }
    }
    void collect(std::string_view request) {
        wire::Fault fault;
        wire::Field group;
        wire::Field scope_group;
        wire::Field item;
        for (wire::Fields groups(request, fault); groups.next(group);) {
            for (wire::Fields scopes(group.bytes, fault); scopes.next(scope_group);) {
                for (wire::Fields items(scope_group.bytes, fault); items.next(item);) {
                    if (item.tag == wire::tag(2, wire::Length)
                        && scope_group.tag == wire::tag(2, wire::Length)) {
                        bodies_.push_back(item.bytes);
                    }
                }
            }
        }
    }

    std::vector<PaddedBytes> requests_;
    std::vector<std::string_view> bodies_;
    std::vector<Attribute> resource_;
};

enum class Work { ReadOnly, ReadAndNormalise };

template <Work work>
void spans(benchmark::State& state) {
    const Spans& given = Spans::get();
    const DecodeLimits limits;
    ItemReader reader;
    reader.start(limits);
    EventBatch batch;
    std::size_t wrong = 0;
    for (const std::string_view body : given.bodies()) {
        SpanView view;
        AgentEvent event;
        (void)reader.read_span(body, view);
        normalise_span(view, Spans::scope, given.resource(), batch, event);
        wrong += event.service_name != "support-desk" || event.kind == EventKind::Other
            || (event.kind == EventKind::Llm && (event.user_text.empty() || event.output_text.empty()));
    }
    if (wrong != 0) {
        state.SkipWithError("wrong answer: every span has a kind, and calls have their texts");
        return;
    }
    std::size_t next = 0;
    for (auto _ : state) {
        SpanView view;
        benchmark::DoNotOptimize(reader.read_span(given.bodies()[next], view));
        if constexpr (work == Work::ReadAndNormalise) {
            AgentEvent event;
            normalise_span(view, Spans::scope, given.resource(), batch, event);
            benchmark::DoNotOptimize(event);
        }
        next = next + 1 == given.bodies().size() ? 0 : next + 1;
    }
}
BENCHMARK(spans<Work::ReadOnly>)->Name("ReadSpan");
BENCHMARK(spans<Work::ReadAndNormalise>)->Name("ReadAndNormaliseSpan");

}  // namespace
}  // namespace tagout::intake
