// Metrics of the program itself, defined once: each room declares its MetricInfo constants in its
// metrics.h, and registration, the /metrics page and docs/reference/metrics.md are made from them.
//
// Names follow the Prometheus conventions (unit suffix, _total for counters). Thread-safe; an
// increment is one relaxed atomic add, so a hot path keeps the reference it got from the registry.
#pragma once

#include "base/mutex.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout {

enum class MetricType : std::uint8_t { Counter, Gauge, Histogram };

struct MetricInfo {
    std::string_view name;
    MetricType type;
    std::string_view help;    ///< One sentence, without a full stop at the end.
    std::string_view labels;  ///< Comma-separated label names, "" for none.
};

class Counter {
public:
    void add(std::uint64_t by = 1) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
    /// For a total that is counted elsewhere and only read on demand; it never goes back.
    void advance_to(std::uint64_t total) noexcept {
        std::uint64_t now = value_.load(std::memory_order_relaxed);
        while (now < total &&
               !value_.compare_exchange_weak(now, total, std::memory_order_relaxed)) {
        }
    }
    [[nodiscard]] std::uint64_t value() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> value_{0};
};

class Gauge {
public:
    void set(double to) noexcept { value_.store(to, std::memory_order_relaxed); }
    void add(double by) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
    [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

/// Fixed bounds in seconds, from 0.0001 to 60.
class Histogram {
public:
    static std::span<const double> bounds() noexcept;
    void observe(double seconds) noexcept;
    [[nodiscard]] std::vector<std::uint64_t> counts() const;  ///< One a bound, then +Inf.
    [[nodiscard]] double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

private:
    static constexpr std::size_t buckets = 17;
    std::array<std::atomic<std::uint64_t>, buckets + 1> counts_{};
    std::atomic<double> sum_{0};
};

class MetricRegistry {
public:
    MetricRegistry();
    ~MetricRegistry();

    /// The same info and label values give the same object, which lives as long as the registry.
    /// `values` pairs with info.labels. Past 1,000 series of one name, the rest share the value "other".
    Counter& counter(const MetricInfo& info, std::span<const std::string_view> values = {});
    Gauge& gauge(const MetricInfo& info, std::span<const std::string_view> values = {});
    Histogram& histogram(const MetricInfo& info, std::span<const std::string_view> values = {});

    /// Prometheus text format 0.0.4, families in order of name.
    [[nodiscard]] std::string expose() const;

private:
    struct Family;
    Family& family(
        const MetricInfo& info, std::span<const std::string_view> values, std::string& key
    ) TAGOUT_REQUIRES(mutex_);

    mutable Mutex mutex_;
    std::map<std::string, std::unique_ptr<Family>, std::less<>> families_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace tagout
