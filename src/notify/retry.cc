#include "notify/retry.h"

#include <algorithm>
#include <charconv>

namespace tagout::notify {

namespace {

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that senders may still write.
std::optional<Instant> parse_http_date(std::string_view text) {
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != 29 || text.substr(25) != " GMT") {
        return std::nullopt;
    }
    const auto number = [&](std::size_t at, std::size_t digits) -> int {
        int value = -1;
        const char* const end = text.data() + at + digits;
        const auto [stop, error] = std::from_chars(text.data() + at, end, value);
        return error == std::errc() && stop == end ? value : -1;
    };
    const std::size_t month = months.find(text.substr(8, 3));
    const std::chrono::year_month_day date{
        std::chrono::year(number(12, 4)),
        std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
        std::chrono::day(static_cast<unsigned>(std::max(0, number(5, 2)))),
    };
    const int hour = number(17, 2);
    const int minute = number(20, 2);
    const int second = number(23, 2);
    const bool clock_ok = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0;
    if (month == std::string_view::npos || month % 3 != 0 || !date.ok() || !clock_ok) {
        return std::nullopt;
    }
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second);
}

bool is_client_error(int status) noexcept { return status >= 400 && status < 500; }

/// A receiver of webhooks is somebody's own program: while it is being deployed it may answer 404 or
/// 401 for a minute. These say that the message itself is refused.
bool refuses_the_message(int status) noexcept {
    constexpr std::array refusals{400, 405, 406, 413, 414, 415, 422, 431};
    return std::find(refusals.begin(), refusals.end(), status) != refusals.end();
}

}  // namespace

Judgement judge(ChannelType type, int status) noexcept {
    if (status >= 200 && status < 300) {
        return Judgement::Delivered;
    }
    if (status == 410) {
        return Judgement::Disable;
    }
    if (status >= 300 && status < 400) {
        return Judgement::Fail;
    }
    if (status == 408 || status == 425 || status == 429 || !is_client_error(status)) {
        return Judgement::Retry;
    }
    const bool refused = type != ChannelType::Webhook || refuses_the_message(status);
    return refused ? Judgement::Fail : Judgement::Retry;
}

std::optional<Duration> retry_delay(std::uint32_t attempts, Prng& chance) noexcept {
    if (attempts >= retry_delays.size()) {
        return std::nullopt;
    }
    const Duration delay = retry_delays[attempts];
    const double jitter = chance.unit() * jitter_max * static_cast<double>(delay.count());
    return delay + Duration(static_cast<std::int64_t>(jitter));
}

std::optional<Duration> parse_retry_after(std::string_view value, Instant now) {
    std::uint64_t seconds = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, seconds);
    if (!value.empty() && stop == end && error == std::errc()) {
        const auto bound = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(retry_after_max).count()
        );
        return std::chrono::seconds(std::min(seconds, bound));
    }
    if (const std::optional<Instant> at = parse_http_date(value)) {
        return std::clamp<Duration>(*at - now, Duration::zero(), retry_after_max);
    }
    return std::nullopt;
}

}  // namespace tagout::notify
