#include "intake/recorded_series.h"

#include <simdjson.h>
#include <cmath>

namespace tagout::intake {

namespace {

namespace dom = simdjson::dom;

constexpr double millis_max = 1e13;  ///< Year 2286: what is later is no time.

std::unexpected<Error> wrong(const std::string& place, std::string_view expected) {
    return fail(ErrorCode::InvalidArgument, place + ": " + std::string(expected) + " was expected");
}

Result<dom::object> object_of(std::string_view line, dom::parser& parser) {
    dom::element document;
    const auto error = parser.parse(line.data(), line.size()).get(document);
    if (error != simdjson::SUCCESS) {
        return fail(
            ErrorCode::InvalidArgument,
            std::string("no JSON: ") + simdjson::error_message(error) +
                "; one whole object a line was expected"
        );
    }
    dom::object object;
    if (document.get(object) != simdjson::SUCCESS) {
        return fail(ErrorCode::InvalidArgument, "a JSON object was expected, one a line");
    }
    return object;
}

std::string text_of(const dom::object& object, std::string_view name) {
    std::string_view text;
    return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

Result<Instant> time_of(const dom::element& value, const std::string& place) {
    double millis = 0;
    if (value.get(millis) == simdjson::SUCCESS) {
        if (!(std::abs(millis) < millis_max)) {
            return wrong(place, "a time before the year 2286, in milliseconds,");
        }
        return Instant(Duration(static_cast<std::int64_t>(millis * 1e6)));
    }
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
        return wrong(place, "a time, as a text or in milliseconds,");
    }
    std::string full(text);
    constexpr std::size_t date_size = 10;
    if (full.size() > date_size && full[date_size] == ' ') {
        full[date_size] = 'T';
    }
    const bool zone =
        full.size() > date_size && full.find_first_of("Zz+-", date_size + 1) != std::string::npos;
    const Result<Instant> at = parse_rfc3339(zone ? full : full + "Z");
    if (!at) {
        return fail(at.error().code, place + ": " + at.error().message);
    }
    return *at;
}

Result<std::int64_t> count_of(const dom::object& object, std::string_view name) {
    double value = 0;
    constexpr double tokens_max = 1e12;
    if (object[name].get(value) != simdjson::SUCCESS || !(value >= 0) || value > tokens_max) {
        return wrong(std::string(name), "a number of tokens");
    }
    return static_cast<std::int64_t>(value);
}

Result<std::pair<std::size_t, std::size_t>> window_of(
    const dom::element& value, const std::string& place, std::size_t points
) {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    dom::array pair;
    if (value.get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
        pair.at(0).get(first) != simdjson::SUCCESS || pair.at(1).get(last) != simdjson::SUCCESS ||
        first > last || last >= points) {
        return wrong(place, "[first, last], two points of the series in order,");
    }
    return std::pair<std::size_t, std::size_t>(first, last);
}

}  // namespace

Result<RecordedSeries> parse_recorded_series(std::string_view line) {
    thread_local dom::parser parser;
    const dom::object object = TAGOUT_TRY(object_of(line, parser));
    RecordedSeries series;
    series.id = text_of(object, "id");
    series.source = text_of(object, "source");
    dom::array times;
    dom::array values;
    if (object["t"].get(times) != simdjson::SUCCESS) {
        return wrong("t", "a list of times");
    }
    if (object["v"].get(values) != simdjson::SUCCESS) {
        return wrong("v", "a list of numbers");
    }
    for (const dom::element value : values) {
        double number = std::nan("");  // null: nothing was measured
        if (!value.is_null() && value.get(number) != simdjson::SUCCESS) {
            return wrong("v[" + std::to_string(series.values.size()) + "]", "a number");
        }
        if (series.values.size() >= series_points_max) {
            return fail(
                ErrorCode::LimitExceeded,
                "v: more than " + std::to_string(series_points_max) + " points; split the series"
            );
        }
        series.values.push_back(number);
    }
    for (const dom::element value : times) {
        const std::string place = "t[" + std::to_string(series.times.size()) + "]";
        series.times.push_back(TAGOUT_TRY(time_of(value, place)));
        if (series.times.size() > series.values.size()) {
            return wrong("t", "as many times as v has numbers");
        }
    }
    if (series.times.size() != series.values.size()) {
        return wrong("t", "as many times as v has numbers");
    }
    dom::array windows;
    if (object["windows"].get(windows) == simdjson::SUCCESS) {
        for (const dom::element value : windows) {
            const std::string place = "windows[" + std::to_string(series.windows.size()) + "]";
            series.windows.push_back(TAGOUT_TRY(window_of(value, place, series.values.size())));
            const std::size_t n = series.windows.size();
            if (n > 1 && series.windows[n - 1].first <= series.windows[n - 2].second) {
                return wrong(place, "a window behind the one before it");
            }
        }
    }
    return series;
}

Result<RecordedRequest> parse_recorded_request(std::string_view line) {
    thread_local dom::parser parser;
    const dom::object object = TAGOUT_TRY(object_of(line, parser));
    RecordedRequest request;
    request.source = text_of(object, "source");
    dom::element at;
    if (object["t"].get(at) != simdjson::SUCCESS) {
        return wrong("t", "a time");
    }
    request.at = TAGOUT_TRY(time_of(at, "t"));
    request.input_tokens = TAGOUT_TRY(count_of(object, "in"));
    request.output_tokens = TAGOUT_TRY(count_of(object, "out"));
    return request;
}

}  // namespace tagout::intake
