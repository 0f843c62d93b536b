// What reading a span costs, beside what moving its bytes costs and what libprotobuf needs.
//
// 96 batches of 512 spans are visited in turn, so that each is out of the caches when it comes up
// again: that is how a request arrives. Budget (DESIGN section 10): decode <= 2.0x memcpy and >= 7x
// faster than libprotobuf with a reused arena. `Ratios` measures the three alternately, for a machine
// that is not quiet.

#include "intake/wire_oracle.h"
#include "intake/wire_sample.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <vector>

namespace tagout::intake {
namespace {

constexpr std::size_t batches = 96;
constexpr std::size_t arena_bytes = 8 * 1024 * 1024;

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::size_t attributes_of(const oracle::pb::ExportTraceServiceRequest& request) {
    std::size_t count = 0;
    for (const auto& theirs : oracle::flattened<oracle::Traces>(request)) {
        count += static_cast<std::size_t>(theirs.item->attributes_size());
    }
    return count;
}

/// The batches, and everything that works on them in turn. The answer is checked when it is made.
class Bench {
public:
    static Bench& get() {
        static Bench bench;
        return bench;
    }

    [[nodiscard]] const std::string& wrong() const { return wrong_; }
    [[nodiscard]] double bytes_a_span() const { return bytes_a_span_; }
    [[nodiscard]] double attributes_a_span() const { return attributes_a_span_; }

    void copy() {
        const std::string_view from = next().view();
        char* const to = copies_[turn_].data();
        std::copy(from.begin(), from.end(), to);
        benchmark::DoNotOptimize(to);
        benchmark::ClobberMemory();
    }
    void libprotobuf() {
        const std::string_view from = next().view();
        google::protobuf::ArenaOptions options;
        options.initial_block = arena_block_.data();
        options.initial_block_size = arena_block_.size();
        google::protobuf::Arena arena(options);
        auto* const request =
            google::protobuf::Arena::CreateMessage<oracle::pb::ExportTraceServiceRequest>(&arena);
        const bool parsed =
            request->ParseFromArray(from.data(), static_cast<int>(from.size()));
        benchmark::DoNotOptimize(parsed);
    }
    void read_alone() {
        const std::string_view from = next().view();
        wire::Fault fault;
        wire::Field group;
        wire::Field scope;
        wire::Field item;
        reader_.start(limits_);
        std::size_t attributes = 0;
        for (wire::Fields groups(from, fault); groups.next(group);) {
            for (wire::Fields scopes(group.bytes, fault); scopes.next(scope);) {
                if (scope.tag != wire::tag(2, wire::Length)) {
                    continue;
                }
                for (wire::Fields items(scope.bytes, fault); items.next(item);) {
                    if (item.tag == wire::tag(2, wire::Length)) {
                        SpanView view;
                        benchmark::DoNotOptimize(reader_.read_span(item.bytes, view));
                        attributes += view.attributes.size();
                    }
                }
            }
        }
        benchmark::DoNotOptimize(attributes);
    }
    void decode_all() {
        PaddedBytes& bytes = next();
        auto batch = decode(std::move(bytes), Signal::Traces, Encoding::Protobuf, limits_);
        benchmark::DoNotOptimize((*batch)->events.data());
        bytes = std::move((*batch)->bytes);
    }

private:
    Bench() {
        oracle::AgentTraffic traffic(7);
        std::size_t size = 0;
        std::size_t attributes = 0;
        for (std::size_t index = 0; index < batches; ++index) {
            const std::string bytes = traffic.batch();
            size += bytes.size();
            oracle::pb::ExportTraceServiceRequest request;
            attributes += request.ParseFromString(bytes) ? attributes_of(request) : 0;
            if (index < 4 && wrong_.empty()) {
                wrong_ = oracle::disagreement(bytes, Signal::Traces);
            }
            bytes_.push_back(PaddedBytes::copy_of(bytes));
            copies_.emplace_back(bytes.size(), '\1');
        }
        const auto spans = static_cast<double>(batches * oracle::AgentTraffic::spans_a_batch);
        bytes_a_span_ = static_cast<double>(size) / spans;
        attributes_a_span_ = static_cast<double>(attributes) / spans;
        const auto batch = decode(
            PaddedBytes::copy_of(bytes_[0].view()), Signal::Traces, Encoding::Protobuf, limits_
        );
        const bool whole =
            batch && (*batch)->events.size() == oracle::AgentTraffic::spans_a_batch &&
            std::ranges::count(
                (*batch)->events, EventKind::Tool, [](const AgentEvent& e) { return e.kind; }
            ) > 100;
        if (wrong_.empty() && !whole) {
            wrong_ = "not every span became its event";
        }
    }
    PaddedBytes& next() {
        turn_ = (turn_ + 1) % batches;
        return bytes_[turn_];
    }

    const DecodeLimits limits_;
    std::string wrong_;
    double bytes_a_span_ = 0;
    double attributes_a_span_ = 0;
    std::vector<PaddedBytes> bytes_;
    std::vector<std::string> copies_;
    std::vector<char> arena_block_ = std::vector<char>(arena_bytes);
    ItemReader reader_;
    std::size_t turn_ = 0;
};

bool checked(benchmark::State& state) {
    if (!Bench::get().wrong().empty()) {
        state.SkipWithError(("wrong answer: " + Bench::get().wrong()).c_str());
        return false;
    }
    return true;
}

void measure(benchmark::State& state, void (Bench::*work)()) {
    Bench& bench = Bench::get();
    if (!checked(state)) {
        return;
    }
    double spent = 0;
    std::vector<double> rounds;
    for (auto _ : state) {
        const double start = cpu_seconds();
        (bench.*work)();
        rounds.push_back(cpu_seconds() - start);
        spent += rounds.back();
    }
    const auto spans = static_cast<double>(oracle::AgentTraffic::spans_a_batch);
    std::ranges::nth_element(rounds, rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 2));
    state.counters["ns_per_span"] = 1e9 * rounds[rounds.size() / 2] / spans;
    state.counters["bytes_per_span"] = bench.bytes_a_span();
    state.counters["attributes_per_span"] = bench.attributes_a_span();
    state.SetItemsProcessed(
        static_cast<std::int64_t>(state.iterations() * oracle::AgentTraffic::spans_a_batch)
    );
}

void MemcpyToColdBuffer(benchmark::State& state) { measure(state, &Bench::copy); }
void LibprotobufReusedArena(benchmark::State& state) { measure(state, &Bench::libprotobuf); }
void ReaderAlone(benchmark::State& state) { measure(state, &Bench::read_alone); }
void DecodeToAgentEvents(benchmark::State& state) { measure(state, &Bench::decode_all); }
BENCHMARK(MemcpyToColdBuffer);
BENCHMARK(LibprotobufReusedArena);
BENCHMARK(ReaderAlone);
BENCHMARK(DecodeToAgentEvents);

/// Rounds over all batches, one kind after the other; medians of the rounds' ratios. `read` does
/// what libprotobuf's parse does, fields and attributes of every span; `decode` also makes an
/// AgentEvent of it: keys recognised, kind, outcome, texts found in messages, UTF-8 checked.
void Ratios(benchmark::State& state) {
    Bench& bench = Bench::get();
    if (!checked(state)) {
        return;
    }
    const auto round = [&bench](void (Bench::*work)()) {
        const double start = cpu_seconds();
        for (std::size_t index = 0; index < batches; ++index) {
            (bench.*work)();
        }
        return cpu_seconds() - start;
    };
    std::vector<double> read_to_memcpy;
    std::vector<double> libprotobuf_to_read;
    std::vector<double> to_memcpy;
    std::vector<double> to_libprotobuf;
    for (auto _ : state) {
        const double copied = round(&Bench::copy);
        const double read = round(&Bench::read_alone);
        const double decoded = round(&Bench::decode_all);
        const double parsed = round(&Bench::libprotobuf);
        read_to_memcpy.push_back(read / copied);
        libprotobuf_to_read.push_back(parsed / read);
        to_memcpy.push_back(decoded / copied);
        to_libprotobuf.push_back(parsed / decoded);
    }
    const auto median = [](std::vector<double>& of) {
        std::ranges::sort(of);
        return of[of.size() / 2];
    };
    state.counters["read_to_memcpy"] = median(read_to_memcpy);
    state.counters["libprotobuf_to_read"] = median(libprotobuf_to_read);
    state.counters["decode_to_memcpy"] = median(to_memcpy);
    state.counters["libprotobuf_to_decode"] = median(to_libprotobuf);
}
BENCHMARK(Ratios)->Iterations(15)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tagout::intake
