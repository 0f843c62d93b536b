// What an event costs in the evidence log: CPU of the whole process, bytes on disk with the index,
// and how long a trace takes to be found. The answers are checked before any clock starts.

#include "store/segment/sample_batches.h"
#include "store/segment/segment_log.h"
#include "store/test_support.h"

#include <benchmark/benchmark.h>
#include <zstd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <semaphore>
#include <string>
#include <vector>

namespace tagout::store {
namespace {

constexpr std::size_t spans = 512;

double process_cpu_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

std::vector<std::shared_ptr<EventBatch>> requests(std::size_t count, bool conversations) {
    SampleBatches samples(1);
    std::vector<std::shared_ptr<EventBatch>> batches;
    for (std::size_t i = 0; i < count; ++i) {
        batches.push_back(samples.batch(spans, conversations));
    }
    return batches;
}

/// Appends `batches`, at most 16 at a time, and waits until all are durable. False if one was not.
bool append_all(
    journal::EvidenceLog& log, const std::vector<std::shared_ptr<EventBatch>>& batches
) {
    std::counting_semaphore<> room(16);
    std::atomic<bool> good = true;
    for (const auto& batch : batches) {
        room.acquire();
        const Result<void> queued = log.append(batch, [&](Result<void> stored) {
            good = good && stored;
            room.release();
        });
        if (!queued) {
            return false;
        }
    }
    for (int i = 0; i < 16; ++i) {
        room.acquire();
    }
    return good;
}

bool finds(journal::EvidenceLog& log, const RawItem& want, std::size_t least) {
    const auto items = log.find(to_hex(want.trace_id), 1'000);
    return items && items->size() >= least &&
           std::any_of(items->begin(), items->end(), [&want](const journal::EvidenceItem& item) {
               return item.bytes == want.bytes && item.resource == want.resource &&
                      item.correlation == want.correlation;
           });
}

/// Arguments: zstd level, KiB of a block, 1 for conversation ids beside trace ids.
void evidence_append(benchmark::State& state) {
    const auto batches = requests(96, state.range(2) == 1);
    const SystemClock clock;
    double cpu = 0;
    double events = 0;
    double disk = 0;
    double raw = 0;
    for (auto _ : state) {
        const TemporaryDirectory directory;
        SegmentLogOptions options;
        options.directory = directory.path();
        options.segment_bytes = 8 << 20;  // several are sealed: their cost is in the figure
        options.zstd_level = static_cast<int>(state.range(0));
        options.block_bytes = static_cast<std::uint64_t>(state.range(1)) << 10;
        auto log = SegmentLog::open(options, clock).value();
        const double before = process_cpu_ns();
        const bool stored = append_all(*log, batches);
        cpu += process_cpu_ns() - before;
        if (!stored || !finds(*log, batches[7]->items[300], 8) || !log->verify()->empty()) {
            state.SkipWithError("wrong answer: what was appended must be found");
            return;
        }
        log.reset();  // indexes are written
        log = SegmentLog::open(options, clock).value();
        const journal::EvidenceStats stats = log->stats();
        disk += static_cast<double>(stats.bytes_on_disk);
        events += static_cast<double>(stats.items);
    }
    for (const auto& batch : batches) {
        for (const RawItem& item : batch->items) {
            raw += static_cast<double>(item.bytes.size());
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(events));
    state.counters["cpu_ns_per_event"] = cpu / events;
    state.counters["disk_bytes_per_event"] = disk / events;
    state.counters["raw_bytes_per_event"] = raw / static_cast<double>(batches.size() * spans);
}
BENCHMARK(evidence_append)
    ->Args({1, 256, 0})
    ->Args({1, 256, 1})
    ->Args({1, 128, 0})
    ->Args({0, 256, 0})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// The physical limit: zstd level 1 over the same bytes in 128 KiB pieces.
void zstd_alone(benchmark::State& state) {
    const auto batches = requests(96, false);
    std::string raw;
    for (const auto& batch : batches) {
        for (const RawItem& item : batch->items) {
            raw += item.bytes;
        }
    }
    constexpr std::size_t piece = 128 << 10;
    std::string out(ZSTD_compressBound(piece), '\0');
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    std::size_t stored = 0;
    double cpu = 0;
    for (auto _ : state) {
        const double before = process_cpu_ns();
        stored = 0;
        for (std::size_t at = 0; at < raw.size(); at += piece) {
            stored += ZSTD_compressCCtx(
                context, out.data(), out.size(), raw.data() + at, std::min(piece, raw.size() - at),
                static_cast<int>(state.range(0))
            );
        }
        cpu += process_cpu_ns() - before;
    }
    ZSTD_freeCCtx(context);
    const double events = static_cast<double>(batches.size() * spans);
    state.counters["ratio"] = static_cast<double>(raw.size()) / static_cast<double>(stored);
    state.counters["cpu_ns_per_event"] = cpu / (events * static_cast<double>(state.iterations()));
}
BENCHMARK(zstd_alone)->Arg(1)->Unit(benchmark::kMillisecond);

/// Warm look-ups of random traces; argument: segments in the log.
void evidence_find(benchmark::State& state) {
    const auto batches = requests(96, false);
    const SystemClock clock;
    const TemporaryDirectory directory;
    SegmentLogOptions options;
    options.directory = directory.path();
    options.segment_bytes = (std::uint64_t{16} << 20) / static_cast<std::uint64_t>(state.range(0));
    auto log = SegmentLog::open(options, clock).value();
    if (!append_all(*log, batches) || !finds(*log, batches[95]->items[511], 8)) {
        state.SkipWithError("wrong answer: what was appended must be found");
        return;
    }
    SeededBits bits(5);
    std::vector<double> micros;
    for (auto _ : state) {
        const RawItem& item = batches[bits.below(96)]->items[bits.below(spans)];
        const std::string trace = to_hex(item.trace_id);
        const auto begun = std::chrono::steady_clock::now();
        const auto items = log->find(trace, 1'000);
        const std::chrono::duration<double, std::micro> took =
            std::chrono::steady_clock::now() - begun;
        micros.push_back(took.count());
        benchmark::DoNotOptimize(items->data());
    }
    std::sort(micros.begin(), micros.end());
    state.counters["p50_us"] = micros[micros.size() / 2];
    state.counters["p99_us"] = micros[micros.size() * 99 / 100];
    state.counters["segments"] = static_cast<double>(log->stats().segments);
}
BENCHMARK(evidence_find)->Arg(1)->Arg(160)->Iterations(5'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tagout::store
