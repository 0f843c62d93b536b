// One figure of one set: its value with what it was counted from, beside its floor and its goal.
#pragma once

#include <boost/json/array.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::app {

enum class Better : std::uint8_t { Higher, Lower, Neither };

struct Interval {
    double low = 0;
    double high = 0;
};

struct QualityRow {
    std::string set;
    std::string figure;  ///< In words: "attacks that succeeded, found".
    double value = 0;    ///< A share from 0 to 1, or a number of `unit`.
    std::uint64_t hits = 0;  ///< Of a share: value is hits / n.
    std::uint64_t n = 0;     ///< What the value was counted from: records, points, hours.
    std::string unit;        ///< "" is a share, shown in percent.
    std::optional<Interval> interval;  ///< 95 %.
    std::optional<double> floor;       ///< What a simple detector reaches.
    std::optional<double> goal;        ///< What should be reached on the parts that are kept back.
    Better better = Better::Higher;
    std::string note = {};
};

struct Bars {
    std::optional<double> floor = {};
    std::optional<double> goal = {};
    Better better = Better::Higher;
};

/// 95 % interval of a share after Wilson; 0 to 1 when n is 0.
[[nodiscard]] Interval wilson(std::uint64_t hits, std::uint64_t n) noexcept;

[[nodiscard]] QualityRow share_row(
    std::string_view set, std::string_view figure, std::uint64_t hits, std::uint64_t n, Bars bars = {}
);
[[nodiscard]] QualityRow value_row(
    std::string_view set, std::string_view figure, double value, std::uint64_t n,
    std::string_view unit, Bars bars = {}
);

/// What was right and wrong of a yes-or-no judgement.
struct Confusion {
    std::uint64_t true_positive = 0;
    std::uint64_t false_positive = 0;
    std::uint64_t true_negative = 0;
    std::uint64_t false_negative = 0;

    void add(bool is, bool said) noexcept {
        ++(is ? (said ? true_positive : false_negative) : (said ? false_positive : true_negative));
    }
    [[nodiscard]] std::uint64_t positives() const noexcept { return true_positive + false_negative; }
    [[nodiscard]] std::uint64_t negatives() const noexcept { return false_positive + true_negative; }
    [[nodiscard]] std::uint64_t said() const noexcept { return true_positive + false_positive; }
    [[nodiscard]] double f1() const noexcept;
};

/// Columns SET, FIGURE, VALUE, 95 %, N, FLOOR, GOAL, MET as texts for a table.
[[nodiscard]] std::vector<std::vector<std::string>> table_rows(std::span<const QualityRow> rows);
[[nodiscard]] boost::json::array tree_of(std::span<const QualityRow> rows);

}  // namespace tagout::app
