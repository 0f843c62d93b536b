// Time zones: fixed offsets, and the machine's zoneinfo files (TZif, RFC 8536).
#include "contain/cel/time.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace tagout::contain::cel {

namespace {

constexpr std::size_t zone_file_bytes_max = 64 * 1024;
constexpr std::string_view zone_folder = "/usr/share/zoneinfo/";
constexpr std::int64_t seconds_a_day = 86'400;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::int64_t take_number(std::string_view& text) noexcept {
    std::int64_t value = 0;
    for (int digits = 0; digits < 4 && !text.empty() && is_digit(text.front()); ++digits) {
        value = value * 10 + (text.front() - '0');
        text.remove_prefix(1);
    }
    return value;
}

/// "[+-]H[:MM[:SS]]" as seconds.
std::int64_t take_clock(std::string_view& text) noexcept {
    const std::int64_t sign = text.starts_with('-') ? -1 : 1;
    if (text.starts_with('-') || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    std::int64_t seconds = take_number(text) * 3'600;
    for (const std::int64_t unit : {60, 1}) {
        if (text.starts_with(':')) {
            text.remove_prefix(1);
            seconds += take_number(text) * unit;
        }
    }
    return sign * seconds;
}

/// "[+-]HH:MM": the form of a fixed offset in a condition.
std::optional<std::int32_t> fixed_offset(std::string_view text) {
    std::string_view rest = text;
    const std::int64_t sign = rest.starts_with('-') ? -1 : 1;
    if (rest.starts_with('-') || rest.starts_with('+')) {
        rest.remove_prefix(1);
    }
    const std::size_t colon = rest.find(':');
    if (colon == 0 || colon > 2 || rest.size() != colon + 3) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (i != colon && !is_digit(rest[i])) {
            return std::nullopt;
        }
    }
    const std::int64_t hours = take_number(rest);
    rest.remove_prefix(1);
    const std::int64_t minutes = take_number(rest);
    if (hours > 23 || minutes > 59) {
        return std::nullopt;
    }
    return static_cast<std::int32_t>(sign * (hours * 3'600 + minutes * 60));
}

void skip_name(std::string_view& text) noexcept {
    if (text.starts_with('<')) {
        text.remove_prefix(std::min(text.find('>'), text.size() - 1) + 1);
        return;
    }
    while (!text.empty() && ((text.front() >= 'A' && text.front() <= 'Z') ||
                             (text.front() >= 'a' && text.front() <= 'z'))) {
        text.remove_prefix(1);
    }
}

/// ",Mm.w.d[/clock]"; other forms are used by no zone of today and are not taken.
bool take_change(std::string_view& text, YearlyChange& change) noexcept {
    if (!text.starts_with(",M")) {
        return false;
    }
    text.remove_prefix(2);
    change.month = static_cast<unsigned>(take_number(text));
    for (unsigned* const part : {&change.week, &change.weekday}) {
        if (!text.starts_with('.')) {
            return false;
        }
        text.remove_prefix(1);
        *part = static_cast<unsigned>(take_number(text));
    }
    change.second = 2 * 3'600;
    if (text.starts_with('/')) {
        text.remove_prefix(1);
        change.second = take_clock(text);
    }
    return change.month >= 1 && change.month <= 12 && change.week >= 1 && change.week <= 5 &&
           change.weekday <= 6;
}

/// The second of `year` at which `change` is, by a clock that is `offset` ahead of UTC before it.
std::int64_t second_of(const YearlyChange& change, std::int64_t year, std::int32_t offset) noexcept {
    const std::int64_t first = days_of({year, change.month, 1});
    const std::int64_t next = change.month == 12 ? days_of({year + 1, 1, 1})
                                                 : days_of({year, change.month + 1, 1});
    const std::int64_t weekday = ((first + 4) % 7 + 7) % 7;
    std::int64_t day = first + (change.weekday + 7 - weekday) % 7 + (change.week - 1) * 7;
    while (day >= next) {
        day -= 7;
    }
    return day * seconds_a_day + change.second - offset;
}

/// Big-endian numbers of a file, within its bounds.
class FileReader {
public:
    explicit FileReader(std::string_view bytes) : bytes_(bytes) {}

    std::int64_t number(std::size_t size) noexcept {
        if (bytes_.size() - at_ < size) {
            good_ = false;
            return 0;
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            value = value << 8 | static_cast<unsigned char>(bytes_[at_++]);
        }
        return size == 4 ? static_cast<std::int32_t>(static_cast<std::uint32_t>(value))
                         : static_cast<std::int64_t>(value);
    }
    void skip(std::size_t size) noexcept {
        good_ = good_ && bytes_.size() - at_ >= size;
        at_ += good_ ? size : 0;
    }
    [[nodiscard]] std::string_view rest() const noexcept { return bytes_.substr(at_); }
    [[nodiscard]] bool good() const noexcept { return good_; }

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    bool good_ = true;
};

struct Counts {
    std::size_t utc = 0, standard = 0, leaps = 0, changes = 0, types = 0, letters = 0;
};

std::optional<Counts> read_header(FileReader& file) {
    if (!file.rest().starts_with("TZif")) {
        return std::nullopt;
    }
    file.skip(20);
    Counts counts;
    for (std::size_t* const count : {&counts.utc, &counts.standard, &counts.leaps, &counts.changes,
                                     &counts.types, &counts.letters}) {
        *count = static_cast<std::size_t>(static_cast<std::uint32_t>(file.number(4)));
        if (*count > zone_file_bytes_max) {
            return std::nullopt;
        }
    }
    return file.good() ? std::optional(counts) : std::nullopt;
}

}  // namespace

/// The POSIX rule behind the lists: "CET-1CEST,M3.5.0,M10.5.0/3".
bool read_footer(std::string_view text, Zone& zone) {
    skip_name(text);
    zone.standard_ = static_cast<std::int32_t>(-take_clock(text));
    zone.summer_ = zone.standard_;
    if (text.empty()) {
        return true;
    }
    skip_name(text);
    zone.summer_ = zone.standard_ + 3'600;
    if (!text.starts_with(',')) {
        zone.summer_ = static_cast<std::int32_t>(-take_clock(text));
    }
    return take_change(text, zone.begins_) && take_change(text, zone.ends_) && text.empty();
}

std::int32_t Zone::offset_at(std::int64_t unix_seconds) const noexcept {
    if (changes_.empty() || unix_seconds < changes_.front().at) {
        return offset_;
    }
    if (unix_seconds < changes_.back().at || begins_.month == 0) {
        const auto after = std::ranges::upper_bound(changes_, unix_seconds, {}, &Change::at);
        return std::prev(after)->offset;
    }
    const std::int64_t year = date_of((unix_seconds + standard_) / seconds_a_day).year;
    const std::int64_t begins = second_of(begins_, year, standard_);
    const std::int64_t ends = second_of(ends_, year, summer_);
    const bool summer = begins < ends ? unix_seconds >= begins && unix_seconds < ends
                                      : unix_seconds >= begins || unix_seconds < ends;
    return summer ? summer_ : standard_;
}

std::optional<Zone> parse_zone_file(std::string_view bytes) {
    FileReader file(bytes);
    const std::optional<Counts> old = read_header(file);
    if (!old) {
        return std::nullopt;
    }
    // The second block has the same with times of eight bytes.
    file.skip(old->changes * 5 + old->types * 6 + old->letters + old->leaps * 8 + old->standard + old->utc);
    const std::optional<Counts> counts = read_header(file);
    if (!counts || counts->types == 0) {
        return std::nullopt;
    }
    std::vector<std::int64_t> times(counts->changes);
    std::vector<std::size_t> kinds(counts->changes);
    std::vector<std::int32_t> offsets(counts->types);
    for (std::int64_t& time : times) {
        time = file.number(8);
    }
    for (std::size_t& kind : kinds) {
        kind = static_cast<std::size_t>(file.number(1));
    }
    for (std::int32_t& offset : offsets) {
        offset = static_cast<std::int32_t>(file.number(4));
        file.skip(2);
    }
    file.skip(counts->letters + counts->leaps * 12 + counts->standard + counts->utc);
    std::string_view footer = file.rest();
    if (!file.good() || !footer.starts_with('\n') || !std::ranges::is_sorted(times)) {
        return std::nullopt;
    }
    footer.remove_prefix(1);
    footer = footer.substr(0, footer.find('\n'));
    Zone zone(offsets.front());
    for (std::size_t i = 0; i < times.size(); ++i) {
        if (kinds[i] >= offsets.size()) {
            return std::nullopt;
        }
        zone.changes_.push_back({times[i], offsets[kinds[i]]});
    }
    if (!footer.empty() && !read_footer(footer, zone)) {
        return std::nullopt;
    }
    if (zone.changes_.empty()) {
        zone.offset_ = footer.empty() ? zone.offset_ : zone.standard_;
    }
    return zone;
}

std::optional<Zone> read_zone(std::string_view name) {
    if (name == "UTC" || name == "Z" || name.empty()) {
        return Zone();
    }
    if (const auto offset = fixed_offset(name)) {
        return Zone(*offset);
    }
    const bool plain = name.size() <= 64 && name.front() != '/' &&
                       name.find("..") == std::string_view::npos &&
                       std::ranges::all_of(name, [](char c) {
                           return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                  c == '/' || c == '_' || c == '-' || c == '+';
                       });
    if (!plain) {
        return std::nullopt;
    }
    std::ifstream file(std::string(zone_folder) + std::string(name), std::ios::binary);
    std::string bytes(zone_file_bytes_max + 1, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return bytes.size() > zone_file_bytes_max ? std::nullopt : parse_zone_file(bytes);
}

}  // namespace tagout::contain::cel
