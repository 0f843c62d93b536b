// Recorded numbers: a series a line, and the requests of a model service, one a line.
//
//   {"kind":"series","id","source","t":[...],"v":[...],"windows":[[first,last],...]}
//   {"source","t","in","out"}
//
// A time is a text ("2014-04-01 00:00:00", RFC 3339) or a number of milliseconds since any
// beginning. Windows are labels for whoever scores; nothing that judges reads them.
//
// Untrusted input: any line gives a value or an Error that names the member. Thread-safe.
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::intake {

inline constexpr std::size_t series_points_max = 10'000'000;

struct RecordedSeries {
    std::string id;
    std::string source;
    std::vector<Instant> times;  ///< As many as values.
    std::vector<double> values;
    std::vector<std::pair<std::size_t, std::size_t>> windows;  ///< First and last point, in order.
};

struct RecordedRequest {
    std::string source;
    Instant at;
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
};

[[nodiscard]] Result<RecordedSeries> parse_recorded_series(std::string_view line);
[[nodiscard]] Result<RecordedRequest> parse_recorded_request(std::string_view line);

}  // namespace tagout::intake
