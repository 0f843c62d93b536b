#include "base/metrics.h"

#include <gtest/gtest.h>

#include <thread>

namespace tagout {
namespace {

constexpr MetricInfo spans_total{"test_spans_total", MetricType::Counter, "Spans seen", "signal"};
constexpr MetricInfo queue_items{"test_queue_items", MetricType::Gauge, "Items waiting", ""};
constexpr MetricInfo wait_seconds{"test_wait_seconds", MetricType::Histogram, "Time waited", ""};

TEST(Metrics, TheTextFormatIsWhatPrometheusReads) {
    MetricRegistry registry;
    const std::string_view traces[] = {"tra\"ces"};
    registry.counter(spans_total, traces).add(3);
    registry.gauge(queue_items).set(1.5);
    registry.histogram(wait_seconds).observe(0.002);
    registry.histogram(wait_seconds).observe(100);
    const std::string text = registry.expose();
    EXPECT_NE(text.find("# HELP test_spans_total Spans seen\n"), std::string::npos);
    EXPECT_NE(text.find("test_spans_total{signal=\"tra\\\"ces\"} 3\n"), std::string::npos);
    EXPECT_NE(text.find("test_queue_items 1.5\n"), std::string::npos);
    EXPECT_NE(text.find("test_wait_seconds_bucket{le=\"0.001\"} 0\n"), std::string::npos);
    EXPECT_NE(text.find("test_wait_seconds_bucket{le=\"0.0025\"} 1\n"), std::string::npos);
    EXPECT_NE(text.find("test_wait_seconds_bucket{le=\"+Inf\"} 2\n"), std::string::npos);
    EXPECT_NE(text.find("test_wait_seconds_count 2\n"), std::string::npos);
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameSeries) {
    MetricRegistry registry;
    const std::string_view logs[] = {"logs"};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n) {
                registry.counter(spans_total, logs).add();
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(registry.counter(spans_total, logs).value(), 4000U);
}

TEST(Metrics, AFloodOfLabelValuesIsBounded) {
    MetricRegistry registry;
    for (int i = 0; i < 3000; ++i) {
        const std::string value = "v" + std::to_string(i);
        const std::string_view values[] = {value};
        registry.counter(spans_total, values).add();
    }
    const std::string_view other[] = {"other"};
    EXPECT_EQ(registry.counter(spans_total, other).value(), 2000U);
}

}  // namespace
}  // namespace tagout
