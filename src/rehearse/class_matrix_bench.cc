// Which class a fault of the simulated fleet is put into, and how soon: every fault with several seeds,
// each in a fleet and a Tagout of its own, in process. Its counters are rows of
// docs/reference/quality.md (`./dev bench quality`).
//
// Right is a run whose incidents are all of the fault's class, and that has one. The delay is from when
// the span that a finding points at was received to when the finding was told, in the fleet's time:
// that runs `speed` times as fast, so a delay of this machine's counts as often. Sessions' findings
// and rates' are told apart, because a rate needs several bad steps and a session's finding one.
// Bounded: each fleet ends after fleet_time, and all faults of a seed run side by side.

#include "rehearse/detection_driver.h"
#include "rehearse/sim.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <thread>

namespace tagout::rehearse {
namespace {

constexpr int speed = 4;
constexpr std::uint64_t seeds = 3;
constexpr Duration fleet_time = std::chrono::seconds(75);
constexpr Duration fault_start = std::chrono::seconds(15);
constexpr std::size_t none = 5;  ///< The column of runs without an incident.

struct Seen {
    std::size_t column = none;
    bool right = false;
    std::vector<double> session_delays;  ///< Seconds.
    std::vector<double> rate_delays;
};

Seen watch(const FaultInfo& fault, std::uint64_t seed) {
    const SystemClock real;
    const FastClock clock(real, speed);
    DetectionDriver driver(clock);
    SimOptions options;
    options.otlp_endpoint = driver.url();
    options.duration = fleet_time;
    options.pace = 1.0 / speed;
    options.agents = 24;
    options.seed = seed;
    options.model_timeout = fault.kind == FaultKind::SlowModel ? std::chrono::milliseconds(600)
                                                               : std::chrono::seconds(10);
    Fault one;
    one.kind = fault.kind;
    one.start = fault_start;
    one.share = fault.share;
    options.faults.push_back(one);
    const std::atomic<bool> never{false};
    Seen seen;
    if (!run_sim(options, clock, never)) {
        return seen;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const std::vector<incident::Incident> incidents = driver.incidents();
    seen.right = !incidents.empty();
    for (const incident::Incident& incident : incidents) {
        const auto column = static_cast<std::size_t>(incident.failure_class) - 1;
        seen.column = seen.column == none ? column : seen.column;
        seen.right = seen.right && incident.failure_class == fault.failure_class;
    }
    const std::map<std::string, Instant> told = driver.first_told();
    for (const auto& [id, finding] : driver.findings()) {
        const std::optional<Instant> received = driver.received(finding);
        if (!received) {
            continue;
        }
        const double delay = std::chrono::duration<double>(told.at(id) - *received).count();
        (finding.rate ? seen.rate_delays : seen.session_delays).push_back(std::max(0.0, delay));
    }
    return seen;
}

double quantile(std::vector<double> values, double q) {
    if (values.empty()) {
        return 0;
    }
    std::ranges::sort(values);
    const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5);
    return values[at];
}

void BM_ClassMatrix(benchmark::State& state) {
    std::array<std::array<int, none + 1>, fault_table.size()> matrix{};
    std::uint64_t right = 0;
    std::uint64_t runs = 0;
    std::vector<double> session_delays;
    std::vector<double> rate_delays;
    for (auto _ : state) {
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            std::vector<Seen> seen(fault_table.size());
            std::vector<std::thread> fleets;
            for (std::size_t i = 0; i < fault_table.size(); ++i) {
                fleets.emplace_back([&seen, i, seed] { seen[i] = watch(fault_table[i], seed); });
            }
            for (std::size_t i = 0; i < fleets.size(); ++i) {
                fleets[i].join();
                ++runs;
                right += seen[i].right ? 1 : 0;
                ++matrix[i][seen[i].column];
                std::ranges::copy(seen[i].session_delays, std::back_inserter(session_delays));
                std::ranges::copy(seen[i].rate_delays, std::back_inserter(rate_delays));
            }
        }
    }
    constexpr std::array<const char*, none + 1> columns{
        "intent", "tool", "context", "safety", "cost", "none"};
    for (std::size_t i = 0; i < matrix.size(); ++i) {
        for (std::size_t column = 0; column < columns.size(); ++column) {
            if (matrix[i][column] > 0) {
                state.counters[std::string(fault_table[i].name) + ">" + columns[column]] =
                    matrix[i][column];
            }
        }
    }
    state.counters["right"] = static_cast<double>(right);
    state.counters["runs"] = static_cast<double>(runs);
    state.counters["session_findings"] = static_cast<double>(session_delays.size());
    state.counters["session_p50_s"] = quantile(session_delays, 0.5);
    state.counters["session_p99_s"] = quantile(session_delays, 0.99);
    state.counters["rate_findings"] = static_cast<double>(rate_delays.size());
    state.counters["rate_p50_s"] = quantile(rate_delays, 0.5);
    state.counters["rate_p99_s"] = quantile(rate_delays, 0.99);
    if (runs != seeds * fault_table.size()) {
        state.SkipWithError("wrong answer: every fault runs with every seed");
    }
}
BENCHMARK(BM_ClassMatrix)->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime();

}  // namespace
}  // namespace tagout::rehearse
