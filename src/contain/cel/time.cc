#include "contain/cel/time.h"

#include <charconv>
#include <cstdio>
#include <cstring>

namespace tagout::contain::cel {

namespace {

constexpr std::int64_t nanos_a_second = 1'000'000'000;
constexpr std::int64_t seconds_a_day = 86'400;
constexpr std::int64_t timestamp_min = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t timestamp_max = 253'402'300'799;  // 9999-12-31T23:59:59Z

std::int64_t floor_div(std::int64_t value, std::int64_t by) noexcept {
    return value / by - (value % by < 0 ? 1 : 0);
}

Value in_range(
    Kind kind, std::int64_t seconds, std::int64_t nanos, std::int64_t min, std::int64_t max
) noexcept {
    const std::int64_t carry = floor_div(nanos, nanos_a_second);
    if (__builtin_add_overflow(seconds, carry, &seconds) || seconds < min || seconds > max) {
        return error_of(Fault::Overflow);
    }
    return time_value(kind, seconds, static_cast<std::uint32_t>(nanos - carry * nanos_a_second));
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Reads from the front of a text.
class Digits {
public:
    explicit Digits(std::string_view text) : text_(text) {}

    /// Exactly `count` digits.
    std::int64_t number(std::size_t count) noexcept {
        std::int64_t value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (text_.empty() || !is_digit(text_.front())) {
                good_ = false;
                return 0;
            }
            value = value * 10 + (text_.front() - '0');
            text_.remove_prefix(1);
        }
        return value;
    }
    /// Digits behind a point, as billionths; further ones are cut.
    std::int64_t billionths() noexcept {
        std::int64_t value = 0;
        std::int64_t unit = nanos_a_second / 10;
        good_ = good_ && !text_.empty() && is_digit(text_.front());
        while (!text_.empty() && is_digit(text_.front())) {
            value += (text_.front() - '0') * unit;
            unit /= 10;
            text_.remove_prefix(1);
        }
        return value;
    }
    bool take(char expected) noexcept {
        if (text_.empty() || text_.front() != expected) {
            return false;
        }
        text_.remove_prefix(1);
        return true;
    }
    void expect(char expected) noexcept { good_ = take(expected) && good_; }
    [[nodiscard]] char peek() const noexcept { return text_.empty() ? '\0' : text_.front(); }
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool ends_well() const noexcept { return good_ && text_.empty(); }

private:
    std::string_view text_;
    bool good_ = true;
};

bool is_leap(std::int64_t year) noexcept {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

unsigned days_in(std::int64_t year, unsigned month) noexcept {
    constexpr unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

std::size_t write_fraction(std::uint32_t nanos, char* room) noexcept {
    if (nanos == 0) {
        return 0;
    }
    std::size_t size = static_cast<std::size_t>(std::snprintf(room, 12, ".%09u", nanos));
    while (room[size - 1] == '0') {
        --size;
    }
    return size;
}

/// What one unit of a duration is in nanoseconds; 0 for none. Takes its letters.
std::int64_t take_unit(std::string_view& text) noexcept {
    struct Unit {
        std::string_view name;
        std::int64_t nanos;
    };
    constexpr Unit units[] = {
        {"ns", 1},
        {"us", 1'000},
        {"\xC2\xB5s", 1'000},
        {"ms", 1'000'000},
        {"s", nanos_a_second},
        {"m", 60 * nanos_a_second},
        {"h", 3'600 * nanos_a_second}};
    for (const Unit& unit : units) {
        if (text.starts_with(unit.name)) {
            text.remove_prefix(unit.name.size());
            return unit.nanos;
        }
    }
    return 0;
}

}  // namespace

Value timestamp_of(std::int64_t seconds, std::int64_t nanos) noexcept {
    return in_range(Kind::Timestamp, seconds, nanos, timestamp_min, timestamp_max);
}

Value duration_of(std::int64_t seconds, std::int64_t nanos) noexcept {
    // What a signed 64-bit number of nanoseconds holds, as every implementation has it.
    constexpr std::int64_t seconds_max = INT64_MAX / nanos_a_second;
    return in_range(Kind::Duration, seconds, nanos, -seconds_max, seconds_max);
}

Value parse_timestamp(std::string_view rfc3339) noexcept {
    Digits from(rfc3339);
    Date date;
    date.year = from.number(4);
    from.expect('-');
    date.month = static_cast<unsigned>(from.number(2));
    from.expect('-');
    date.day = static_cast<unsigned>(from.number(2));
    if (!from.take('t')) {
        from.expect('T');
    }
    const std::int64_t hour = from.number(2);
    from.expect(':');
    const std::int64_t minute = from.number(2);
    from.expect(':');
    const std::int64_t second = from.number(2);
    const std::int64_t nanos = from.take('.') ? from.billionths() : 0;
    std::int64_t offset = 0;
    if (from.peek() == '+' || from.peek() == '-') {
        const std::int64_t sign = from.take('-') ? -1 : 1;
        (void)from.take('+');
        const std::int64_t hours = from.number(2);
        from.expect(':');
        const std::int64_t minutes = from.number(2);
        if (hours > 23 || minutes > 59) {
            return error_of(Fault::BadConversion);
        }
        offset = sign * (hours * 3'600 + minutes * 60);
    } else if (!from.take('z')) {
        from.expect('Z');
    }
    if (!from.ends_well() || date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > days_in(date.year, date.month) || hour > 23 || minute > 59 || second > 59) {
        return error_of(Fault::BadConversion);
    }
    const std::int64_t seconds =
        days_of(date) * seconds_a_day + hour * 3'600 + minute * 60 + second - offset;
    return timestamp_of(seconds, nanos);
}

Value parse_duration(std::string_view text) noexcept {
    const bool minus = text.starts_with('-');
    if (minus || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    if (text == "0") {
        return duration_of(0, 0);
    }
    if (text.empty()) {
        return error_of(Fault::BadConversion);
    }
    std::int64_t total = 0;
    while (!text.empty()) {
        std::int64_t count = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), count);
        const bool whole = end != text.data() && text.front() != '-';
        if (fault == std::errc::result_out_of_range) {
            return error_of(Fault::Overflow);
        }
        text.remove_prefix(whole ? static_cast<std::size_t>(end - text.data()) : 0);
        std::int64_t part = 0;  // Billionths of the unit.
        if (text.starts_with('.')) {
            Digits digits(text.substr(1));
            part = digits.billionths();
            if (!digits.good() && !whole) {
                return error_of(Fault::BadConversion);
            }
            text.remove_prefix(1);
            while (!text.empty() && is_digit(text.front())) {
                text.remove_prefix(1);
            }
        } else if (!whole) {
            return error_of(Fault::BadConversion);
        }
        const std::int64_t unit = take_unit(text);
        if (unit == 0) {
            return error_of(Fault::BadConversion);
        }
        // Billionths of a nanosecond are none; the rest stays within 63 bits.
        const std::int64_t fraction = part * (unit / 1'000) / 1'000'000;
        std::int64_t nanos = 0;
        if (__builtin_mul_overflow(count, unit, &nanos) ||
            __builtin_add_overflow(nanos, fraction, &nanos) ||
            __builtin_add_overflow(total, nanos, &total)) {
            return error_of(Fault::Overflow);
        }
    }
    return duration_of(0, minus ? -total : total);
}

std::size_t write_time(const Value& time, char* room) noexcept {
    if (time.kind == Kind::Timestamp) {
        const std::int64_t days = floor_div(time.integer, seconds_a_day);
        const std::int64_t second = time.integer - days * seconds_a_day;
        const Date date = date_of(days);
        auto size = static_cast<std::size_t>(std::snprintf(
            room,
            time_text_max,
            "%04d-%02u-%02uT%02d:%02d:%02d",
            static_cast<int>(date.year),
            date.month,
            date.day,
            static_cast<int>(second / 3'600),
            static_cast<int>(second / 60 % 60),
            static_cast<int>(second % 60)
        ));
        size += write_fraction(time.size, room + size);
        room[size] = 'Z';
        return size + 1;
    }
    const bool minus = time.integer < 0;
    std::int64_t seconds = time.integer;
    std::uint32_t nanos = time.size;
    if (minus) {  // From rounded down to rounded to zero.
        seconds = nanos > 0 ? -(seconds + 1) : -seconds;
        nanos = nanos > 0 ? static_cast<std::uint32_t>(nanos_a_second) - nanos : 0;
    }
    std::size_t size = 0;
    if (minus) {
        room[size++] = '-';
    }
    const auto [end, fault] = std::to_chars(room + size, room + time_text_max, seconds);
    size = static_cast<std::size_t>(end - room);
    size += write_fraction(nanos, room + size);
    room[size] = 's';
    return size + 1;
}

std::int64_t days_of(const Date& date) noexcept {
    // Years begin in March, so that the leap day is the last of its year.
    const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    const std::int64_t era = floor_div(year, 400);
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
    const std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146'097 + day_of_era - 719'468;
}

Date date_of(std::int64_t days) noexcept {
    days += 719'468;
    const std::int64_t era = floor_div(days, 146'097);
    const std::int64_t day_of_era = days - era * 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month = (5 * day_of_year + 2) / 153;
    Date date;
    date.day = static_cast<unsigned>(day_of_year - (153 * month + 2) / 5 + 1);
    date.month = static_cast<unsigned>(month < 10 ? month + 3 : month - 9);
    date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
    return date;
}

Value part_of(const Value& time, TimePart part, const Zone& zone) noexcept {
    if (time.kind == Kind::Duration) {
        // Rounded to zero, as a stopwatch shows it.
        const std::int64_t seconds = time.integer + (time.integer < 0 && time.size > 0 ? 1 : 0);
        const std::int64_t nanos = time.integer < 0 && time.size > 0
                                       ? static_cast<std::int64_t>(time.size) - nanos_a_second
                                       : static_cast<std::int64_t>(time.size);
        switch (part) {
            case TimePart::Hours:
                return value_of(seconds / 3'600);
            case TimePart::Minutes:
                return value_of(seconds / 60);
            case TimePart::Seconds:
                return value_of(seconds);
            case TimePart::Milliseconds:
                return value_of(nanos / 1'000'000);
            default:
                return error_of(Fault::NoSuchOverload);
        }
    }
    if (time.kind != Kind::Timestamp) {
        return error_of(Fault::NoSuchOverload);
    }
    const std::int64_t local = time.integer + zone.offset_at(time.integer);
    const std::int64_t days = floor_div(local, seconds_a_day);
    const std::int64_t second = local - days * seconds_a_day;
    const Date date = date_of(days);
    switch (part) {
        case TimePart::FullYear:
            return value_of(date.year);
        case TimePart::Month:
            return value_of(static_cast<std::int64_t>(date.month) - 1);
        case TimePart::Date:
            return value_of(static_cast<std::int64_t>(date.day));
        case TimePart::DayOfMonth:
            return value_of(static_cast<std::int64_t>(date.day) - 1);
        case TimePart::DayOfWeek:  // The first of January 1970 was a Thursday.
            return value_of((days % 7 + 11) % 7);
        case TimePart::DayOfYear:
            return value_of(days - days_of({date.year, 1, 1}));
        case TimePart::Hours:
            return value_of(second / 3'600);
        case TimePart::Minutes:
            return value_of(second / 60 % 60);
        case TimePart::Seconds:
            return value_of(second % 60);
        case TimePart::Milliseconds:
            return value_of(static_cast<std::int64_t>(time.size / 1'000'000));
    }
    return error_of(Fault::NoSuchOverload);
}

}  // namespace tagout::contain::cel
