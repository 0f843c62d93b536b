#include "intake/queue_metrics.h"

#include "intake/intake.h"

#include <gtest/gtest.h>

namespace tagout::intake {
namespace {

TEST(QueueMetrics, TheEndingOfTheNameDecides) {
    const char* const queues[] = {
        "vllm:num_requests_waiting",
        "vllm.num_requests_waiting",
        "sglang:num_queue_reqs",
        "tgi_queue_size",
        "kafka.consumer_group.lag",
        "work.queue.depth",
        "queue_depth"};
    for (const char* name : queues) {
        EXPECT_TRUE(measures_a_queue(name)) << name;
    }
    const char* const others[] = {
        "",
        "queue",
        "vllm:num_requests_running",
        "gen_ai.client.token.usage",
        "unqueue_depth",
        "queue_depth_limit"};
    for (const char* name : others) {
        EXPECT_FALSE(measures_a_queue(name)) << name;
    }
}

TEST(QueueMetrics, PointsOfOneMetricAreAddedUp) {
    const std::string request =
        R"({"resourceMetrics":[{"resource":{"attributes":[)"
        R"({"key":"service.name","value":{"stringValue":"llm-pool"}}]},"scopeMetrics":[{"metrics":[)"
        R"({"name":"vllm:num_requests_waiting","gauge":{"dataPoints":[)"
        R"({"timeUnixNano":"1700000000000000000","asDouble":3.5},)"
        R"({"timeUnixNano":"1700000001000000000","asInt":"4"}]}},)"
        R"({"name":"work.queue_size","sum":{"dataPoints":[{"timeUnixNano":"1","asInt":"-2"}]}},)"
        R"({"name":"queue_depth","gauge":{"dataPoints":[]}},)"
        R"({"name":"queue_depth","histogram":{"dataPoints":[{"timeUnixNano":"1","count":"7"}]}},)"
        R"({"name":"requests","gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"9"}]}}]}]}]})";
    const auto batch =
        decode(PaddedBytes::copy_of(request), Signal::Metrics, Encoding::Json, DecodeLimits{});
    ASSERT_TRUE(batch) << batch.error().message;
    const std::vector<QueueDepth> depths = queue_depths(**batch);
    ASSERT_EQ(depths.size(), 2U);
    EXPECT_EQ(depths[0].metric, "vllm:num_requests_waiting");
    EXPECT_EQ(depths[0].service, "llm-pool");
    EXPECT_EQ(depths[0].depth, 7.5);
    EXPECT_EQ(unix_nanos(depths[0].at), 1'700'000'001'000'000'000);
    EXPECT_EQ(depths[1].depth, 0) << "nothing is less deep than empty";
}

}  // namespace
}  // namespace tagout::intake
