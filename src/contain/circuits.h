// Which upstreams fail at the moment, so that requests go to their fallbacks without trying them in vain.
//
// An upstream's circuit is closed while it answers, open once it failed failures_max times in a row,
// and half-open when `pause` has passed since: then one request at a time is let through as a trial,
// and what becomes of it closes the circuit or opens it for another pause. Every change of state goes
// into the log and the journal (circuit.opened, circuit.closed) within a second.
//
// Only upstreams that configuration names are noted, so there are few; past upstreams_max the others
// are always tried. Thread-safe; choose(), answered(), failed() and left() wait for no disk.
#pragma once

#include "base/clock.h"
#include "base/metrics.h"
#include "journal/journal.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tagout::contain {

enum class CircuitState : std::uint8_t { Closed = 0, HalfOpen = 1, Open = 2 };
/// What a request does: goes to the upstream, goes there as the one trial, or goes to the fallback.
enum class CircuitWay : std::uint8_t { Straight = 0, Trial = 1, Fallback = 2 };

struct CircuitRow {
    std::string upstream;
    CircuitState state = CircuitState::Closed;
    std::uint32_t failures = 0;  ///< In a row.
    std::string why;             ///< Of the last failure.
    Instant since;               ///< Of the state.
};

class Circuits {
public:
    static constexpr std::uint32_t failures_max = 3;  ///< In a row, before it opens.
    static constexpr Duration pause = std::chrono::seconds(15);
    static constexpr std::size_t upstreams_max = 1'000;
    static constexpr std::size_t changes_max = 256;  ///< Waiting to be written; the oldest go first.
    static constexpr std::size_t why_bytes_max = 200;

    virtual ~Circuits() = default;
    static std::unique_ptr<Circuits> make(
        journal::Journal& journal, const Clock& clock, MetricRegistry& metrics
    );

    [[nodiscard]] virtual CircuitWay choose(const std::string& upstream) = 0;
    /// One of these for each request that did not go to the fallback.
    virtual void answered(const std::string& upstream) = 0;
    virtual void failed(const std::string& upstream, std::string why) = 0;
    /// The client went before it could be told; a trial's place is free again.
    virtual void left(const std::string& upstream) = 0;
    /// A request went to the fallback; `why` is a word of a fixed set.
    virtual void count_fallback(const std::string& upstream, std::string_view why) = 0;
    /// Writes what changed. About once a second; what cannot be written stays.
    virtual void tick() = 0;
    /// Those that are not closed, and those that failed last time.
    [[nodiscard]] virtual std::vector<CircuitRow> list() const = 0;
};

}  // namespace tagout::contain
