// Time is an input. No room reads a clock of its own: it is given a Clock, or an Instant.
//
// Tests and replay drive a ManualClock, so hours of incident run in milliseconds and the same
// events always give the same findings. tidy refuses `::now()` outside base/clock.cc.
#pragma once

#include "base/result.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tagout {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::sys_time<Duration>;

/// Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const noexcept = 0;
};

/// Thread-safe. The machine's wall clock.
class SystemClock final : public Clock {
public:
    [[nodiscard]] Instant now() const noexcept override;
};

/// Thread-safe. Stands still until it is moved.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Instant start) : nanos_(start.time_since_epoch().count()) {}
    [[nodiscard]] Instant now() const noexcept override {
        return Instant(Duration(nanos_.load(std::memory_order_relaxed)));
    }
    void advance(Duration by) noexcept { nanos_.fetch_add(by.count(), std::memory_order_relaxed); }
    void set(Instant to) noexcept {
        nanos_.store(to.time_since_epoch().count(), std::memory_order_relaxed);
    }

private:
    std::atomic<std::int64_t> nanos_;
};

[[nodiscard]] constexpr Instant instant_of_nanos(std::uint64_t unix_nanos) noexcept {
    return Instant(Duration(static_cast<std::int64_t>(unix_nanos)));
}
[[nodiscard]] constexpr std::int64_t unix_nanos(Instant at) noexcept {
    return at.time_since_epoch().count();
}

/// "2026-11-24T03:39:27.123Z": RFC 3339, UTC, milliseconds. Years outside 1970-2261 are clamped.
[[nodiscard]] std::string to_rfc3339(Instant at);
/// Accepts any RFC 3339 offset and 0-9 fraction digits. InvalidArgument says what was expected.
[[nodiscard]] Result<Instant> parse_rfc3339(std::string_view text);
/// "1d", "36h", "15m", "30s", "250ms" and sums such as "1h30m"; never negative.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
/// The shortest such text: 90 s is "1m30s".
[[nodiscard]] std::string to_text(Duration duration);

}  // namespace tagout
