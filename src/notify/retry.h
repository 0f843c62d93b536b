// When a failed delivery is tried again, and when it is not.
//
// Schedule and rules: Standard Webhooks 1.0 (standardwebhooks/standard-webhooks, spec), operations
// reference 5.9: ten attempts after 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, with
// jitter; Retry-After honoured; 410 switches the channel off; redirects are not followed. Pure.
#pragma once

#include "base/clock.h"
#include "base/prng.h"
#include "notify/notice.h"

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

namespace tagout::notify {

inline constexpr std::array<Duration, 10> retry_delays{
    std::chrono::seconds(0),  std::chrono::seconds(5), std::chrono::minutes(5),
    std::chrono::minutes(30), std::chrono::hours(2),   std::chrono::hours(5),
    std::chrono::hours(10),   std::chrono::hours(14),  std::chrono::hours(20),
    std::chrono::hours(24),
};
inline constexpr Duration retry_after_max = std::chrono::hours(24);
inline constexpr double jitter_max = 0.2;  ///< Of the delay, added to it.

enum class Judgement : std::uint8_t { Delivered = 1, Retry = 2, Fail = 3, Disable = 4 };

/// What an answer means. `status` 0 stands for no answer at all.
[[nodiscard]] Judgement judge(ChannelType type, int status) noexcept;

/// How long to wait after `attempts` failed ones, nothing when there is no attempt left.
[[nodiscard]] std::optional<Duration> retry_delay(std::uint32_t attempts, Prng& chance) noexcept;

/// Seconds or an HTTP date (RFC 9110, 10.2.3), at most retry_after_max; nothing if it says nothing.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view value, Instant now);

}  // namespace tagout::notify
