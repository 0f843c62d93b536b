// libprotobuf and the wire reader, held side by side over seeded random requests.

#include "intake/wire_oracle.h"
#include "intake/wire_random.h"

#include <gtest/gtest.h>

namespace tagout::intake {
namespace {

constexpr Signal signals[] = {Signal::Traces, Signal::Logs, Signal::Metrics};

std::string hex_of(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    for (const char byte : bytes) {
        hex += digits[static_cast<std::uint8_t>(byte) >> 4];
        hex += digits[static_cast<std::uint8_t>(byte) & 15];
    }
    return hex;
}

TEST(WireDifferential, WhatEncodersWriteIsReadAlike) {
    for (const Signal signal : signals) {
        for (std::uint64_t seed = 0; seed < 400; ++seed) {
            const std::string bytes = oracle::RandomRequests(seed).request(signal);
            ASSERT_EQ(oracle::disagreement(bytes, signal), "")
                << name_of(signal) << " seed " << seed << ": " << hex_of(bytes);
        }
    }
}

TEST(WireDifferential, DamagedRequestsAreReadOrRefusedAlike) {
    std::size_t refused = 0;
    for (const Signal signal : signals) {
        for (std::uint64_t seed = 0; seed < 2000; ++seed) {
            oracle::RandomRequests random(seed);
            const std::string bytes = random.damaged(random.request(signal));
            ASSERT_EQ(oracle::disagreement(bytes, signal), "")
                << name_of(signal) << " seed " << seed << ": " << hex_of(bytes);
            const auto ours = decode(
                PaddedBytes::copy_of(bytes), signal, Encoding::Protobuf, oracle::far_limits()
            );
            refused += ours.has_value() ? 0 : 1;
        }
    }
    EXPECT_GT(refused, 1000U) << "the damage is too slight to show anything";
    EXPECT_LT(refused, 5500U) << "the damage is too heavy to show anything";
}

TEST(WireDifferential, StoredItemsAreReadBackAsTheyWere) {
    for (const Signal signal : {Signal::Traces, Signal::Logs}) {
        for (std::uint64_t seed = 0; seed < 200; ++seed) {
            const std::string bytes = oracle::RandomRequests(seed).request(signal);
            const auto whole =
                decode(PaddedBytes::copy_of(bytes), signal, Encoding::Protobuf, DecodeLimits{});
            ASSERT_TRUE(whole.has_value());
            EventBatch again;
            for (const RawItem& item : (*whole)->items) {
                ASSERT_TRUE(decode_item(item, DecodeLimits{}, again).has_value());
            }
            ASSERT_EQ(again.events.size(), (*whole)->events.size());
            for (const AgentEvent& event : (*whole)->events) {
                const AgentEvent& same = again.events[event.item];
                ASSERT_EQ(same.trace_id, event.trace_id);
                ASSERT_EQ(same.span_id, event.span_id);
                ASSERT_EQ(same.kind, event.kind);
                ASSERT_EQ(same.name, event.name);
                ASSERT_EQ(same.ended_at, event.ended_at);
                ASSERT_EQ(same.error_message, event.error_message);
            }
        }
    }
}

}  // namespace
}  // namespace tagout::intake
