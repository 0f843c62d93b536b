#include "base/clock.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <variant>

namespace tagout {

Instant SystemClock::now() const noexcept {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::string to_rfc3339(Instant at) {
    const auto clamped = at < Instant{} ? Instant{} : at;
    const auto day = std::chrono::floor<std::chrono::days>(clamped);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{
        std::chrono::floor<std::chrono::milliseconds>(clamped - day)
    };
    std::array<char, 40> text{};
    const int length = std::snprintf(
        text.data(),
        text.size(),
        "%04d-%02u-%02uT%02ld:%02ld:%02ld.%03ldZ",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        static_cast<long>(time.hours().count()),
        static_cast<long>(time.minutes().count()),
        static_cast<long>(time.seconds().count()),
        static_cast<long>(time.subseconds().count())
    );
    return std::string(text.data(), static_cast<std::size_t>(length));
}

namespace {

/// Reads exactly `digits` digits at the front of `text`; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) {
        return -1;
    }
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char wanted) {
    if (text.empty() || text.front() != wanted) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// Nanoseconds of a fraction such as ".25"; -1 when a dot has no digits behind it.
std::int64_t take_fraction(std::string_view& text) {
    if (!take(text, '.')) {
        return 0;
    }
    std::int64_t value = 0;
    int digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (digits < 9) {
            value = value * 10 + (text.front() - '0');
            ++digits;
        }
        text.remove_prefix(1);
    }
    if (digits == 0) {
        return -1;
    }
    for (; digits < 9; ++digits) {
        value *= 10;
    }
    return value;
}

/// Minutes east of UTC, or no value.
std::expected<int, std::monostate> take_offset(std::string_view& text) {
    if (take(text, 'Z') || take(text, 'z')) {
        return 0;
    }
    const bool west = !text.empty() && text.front() == '-';
    if (!take(text, '+') && !take(text, '-')) {
        return std::unexpected(std::monostate{});
    }
    const int hours = take_digits(text, 2);
    const bool colon = take(text, ':');
    const int minutes = take_digits(text, 2);
    if (hours < 0 || hours > 23 || !colon || minutes < 0 || minutes > 59) {
        return std::unexpected(std::monostate{});
    }
    return (west ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

Result<Instant> parse_rfc3339(std::string_view text) {
    const std::string_view whole = text;
    const auto refuse = [whole] {
        return fail(
            ErrorCode::InvalidArgument,
            "'" + std::string(whole.substr(0, 40)) +
                "' is not a time; write it as RFC 3339, for example 2026-11-24T03:39:27Z"
        );
    };
    const int year = take_digits(text, 4);
    const bool dash1 = take(text, '-');
    const int month = take_digits(text, 2);
    const bool dash2 = take(text, '-');
    const int day = take_digits(text, 2);
    const bool separator = take(text, 'T') || take(text, 't') || take(text, ' ');
    const int hour = take_digits(text, 2);
    const bool colon1 = take(text, ':');
    const int minute = take_digits(text, 2);
    const bool colon2 = take(text, ':');
    const int second = take_digits(text, 2);
    if (!dash1 || !dash2 || !separator || !colon1 || !colon2 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60) {
        return refuse();
    }
    const std::int64_t fraction = take_fraction(text);
    const auto offset = take_offset(text);
    const std::chrono::year_month_day date{
        std::chrono::year{year},
        std::chrono::month{static_cast<unsigned>(month < 0 ? 0 : month)},
        std::chrono::day{static_cast<unsigned>(day < 0 ? 0 : day)}
    };
    if (fraction < 0 || !offset || !text.empty() || !date.ok() || year < 1970 || year > 2261) {
        return refuse();
    }
    return Instant(
        std::chrono::sys_days(date) + std::chrono::hours(hour) +
        std::chrono::minutes(minute - *offset) + std::chrono::seconds(second) + Duration(fraction)
    );
}

namespace {

struct DurationUnit {
    std::string_view suffix;
    std::int64_t nanos;
};

/// From large to small: to_text writes them in this order. "ms" stands before "m" so that the
/// longest suffix is tried first where two share a letter.
constexpr std::array<DurationUnit, 7> duration_units{{
    {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"ms", 1'000'000},
    {"m", 60'000'000'000},
    {"s", 1'000'000'000},
    {"us", 1'000},
    {"ns", 1},
}};

constexpr std::array<std::size_t, 7> from_large_to_small{0, 1, 3, 4, 2, 5, 6};

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    const std::string_view whole = text;
    const auto refuse = [whole] {
        return fail(
            ErrorCode::InvalidArgument,
            "'" + std::string(whole.substr(0, 40)) +
                "' is not a duration; write it as 1d, 36h, 15m, 30s, 250ms or a sum such as 1h30m"
        );
    };
    if (text.empty()) {
        return refuse();
    }
    std::int64_t total = 0;
    while (!text.empty()) {
        std::int64_t count = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (error != std::errc{} || count < 0) {
            return refuse();
        }
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const DurationUnit* unit = nullptr;
        for (const DurationUnit& candidate : duration_units) {
            if (text.starts_with(candidate.suffix)) {
                unit = &candidate;
                break;
            }
        }
        std::int64_t part = 0;
        if (unit == nullptr || __builtin_mul_overflow(count, unit->nanos, &part) ||
            __builtin_add_overflow(total, part, &total)) {
            return refuse();
        }
        text.remove_prefix(unit->suffix.size());
    }
    return Duration(total);
}

std::string to_text(Duration duration) {
    std::int64_t rest = duration.count() < 0 ? 0 : duration.count();
    if (rest == 0) {
        return "0s";
    }
    std::string text;
    for (const std::size_t index : from_large_to_small) {
        const DurationUnit& unit = duration_units[index];
        if (rest >= unit.nanos) {
            text += std::to_string(rest / unit.nanos);
            text += unit.suffix;
            rest %= unit.nanos;
        }
    }
    return text;
}

}  // namespace tagout
