// Timestamps and durations of CEL, and time zones.
//
// A timestamp is a second of 0001-01-01 to 9999-12-31 with nanoseconds, a duration what a
// signed 64-bit number of nanoseconds holds, about 292 years; what would leave that range is an
// error. Nanoseconds are never negative: -1.5 s is second -2 and 500,000,000.
//
// A zone is a fixed offset or a file of the machine's zoneinfo, read when the condition is compiled
// and kept with it, never on the way of a call. Thread-safe: values and pure functions, but for
// read_zone(), which reads that file.
#pragma once

#include "contain/cel/value.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain::cel {

[[nodiscard]] Value parse_timestamp(std::string_view rfc3339) noexcept;  ///< Or BadConversion.
[[nodiscard]] Value parse_duration(std::string_view text) noexcept;      ///< "1h30m", "-1.5s"
/// In range, or Overflow. `nanos` may be anything.
[[nodiscard]] Value timestamp_of(std::int64_t seconds, std::int64_t nanos) noexcept;
[[nodiscard]] Value duration_of(std::int64_t seconds, std::int64_t nanos) noexcept;

inline constexpr std::size_t time_text_max = 40;
/// Writes RFC 3339, or seconds with an "s", into `room` of time_text_max bytes; gives its length.
[[nodiscard]] std::size_t write_time(const Value& time, char* room) noexcept;

/// Days since 1970-01-01 of a proleptic Gregorian date, and back.
struct Date {
    std::int64_t year = 1970;
    unsigned month = 1;
    unsigned day = 1;
};
[[nodiscard]] std::int64_t days_of(const Date& date) noexcept;
[[nodiscard]] Date date_of(std::int64_t days) noexcept;

/// When clocks change in the years after the last change that a zone's file lists.
struct YearlyChange {
    unsigned month = 0;  ///< 0: they never change.
    unsigned week = 0;   ///< 1 to 5, 5 is the last.
    unsigned weekday = 0;
    std::int64_t second = 0;  ///< Of the day, by the clock before the change.
};

class Zone {
public:
    Zone() = default;
    explicit Zone(std::int32_t offset) : offset_(offset) {}

    /// Seconds that local time is ahead of UTC at `unix_seconds`.
    [[nodiscard]] std::int32_t offset_at(std::int64_t unix_seconds) const noexcept;

private:
    friend std::optional<Zone> parse_zone_file(std::string_view bytes);
    friend bool read_footer(std::string_view text, Zone& zone);

    struct Change {
        std::int64_t at = 0;
        std::int32_t offset = 0;
    };
    std::int32_t offset_ = 0;  ///< Before the first change; of a fixed zone always.
    std::vector<Change> changes_;
    std::int32_t standard_ = 0;  ///< After the last one.
    std::int32_t summer_ = 0;
    YearlyChange begins_;
    YearlyChange ends_;
};

/// "UTC", "+02:00", "-9:30", "Europe/Berlin". Nothing: there is no such zone on this machine.
[[nodiscard]] std::optional<Zone> read_zone(std::string_view name);
/// Bytes of a TZif file (RFC 8536), untrusted.
[[nodiscard]] std::optional<Zone> parse_zone_file(std::string_view bytes);

enum class TimePart : std::uint8_t {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
};
/// Of a timestamp in `zone`, or of a duration, which has hours, minutes, seconds and milliseconds.
[[nodiscard]] Value part_of(const Value& time, TimePart part, const Zone& zone) noexcept;

}  // namespace tagout::contain::cel
