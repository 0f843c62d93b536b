#include "app/quality/quality_row.h"

#include <boost/json/object.hpp>

#include <cmath>
#include <cstdio>

namespace tagout::app {

namespace {

namespace json = boost::json;

std::string number_text(double value, bool share) {
    char text[32];
    if (share) {
        std::snprintf(text, sizeof text, "%.1f %%", value * 100);
    } else {
        std::snprintf(text, sizeof text, std::abs(value) >= 100 ? "%.0f" : "%.3g", value);
    }
    return text;
}

std::string met_text(const QualityRow& row) {
    if (!row.goal || row.better == Better::Neither || row.n == 0) {
        return "";
    }
    const bool met = row.better == Better::Higher ? row.value >= *row.goal : row.value <= *row.goal;
    return met ? "yes" : "no";
}

std::string bar_text(const std::optional<double>& bar, const QualityRow& row, bool goal) {
    if (!bar) {
        return "";
    }
    const std::string_view sign = !goal || row.better == Better::Neither ? ""
                                  : row.better == Better::Higher         ? ">= "
                                                                         : "<= ";
    return std::string(sign) + number_text(*bar, row.unit.empty());
}

}  // namespace

Interval wilson(std::uint64_t hits, std::uint64_t n) noexcept {
    if (n == 0) {
        return {0, 1};
    }
    constexpr double z = 1.959963985;
    const auto count = static_cast<double>(n);
    const double p = static_cast<double>(hits) / count;
    const double width = 1 + z * z / count;
    const double middle = p + z * z / (2 * count);
    const double spread = z * std::sqrt(p * (1 - p) / count + z * z / (4 * count * count));
    return {
        std::max(0.0, (middle - spread) / width), std::min(1.0, (middle + spread) / width)};
}

QualityRow share_row(
    std::string_view set, std::string_view figure, std::uint64_t hits, std::uint64_t n, Bars bars
) {
    return {
        .set = std::string(set),
        .figure = std::string(figure),
        .value = n == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(n),
        .hits = hits,
        .n = n,
        .unit = "",
        .interval = wilson(hits, n),
        .floor = bars.floor,
        .goal = bars.goal,
        .better = bars.better};
}

QualityRow value_row(
    std::string_view set, std::string_view figure, double value, std::uint64_t n,
    std::string_view unit, Bars bars
) {
    return {
        .set = std::string(set),
        .figure = std::string(figure),
        .value = value,
        .hits = 0,
        .n = n,
        .unit = std::string(unit),
        .interval = {},
        .floor = bars.floor,
        .goal = bars.goal,
        .better = bars.better};
}

double Confusion::f1() const noexcept {
    const auto hits = static_cast<double>(2 * true_positive);
    const auto all = hits + static_cast<double>(false_positive + false_negative);
    return all > 0 ? hits / all : 0;
}

std::vector<std::vector<std::string>> table_rows(std::span<const QualityRow> rows) {
    std::vector<std::vector<std::string>> out;
    for (const QualityRow& row : rows) {
        const bool share = row.unit.empty();
        const std::string value =
            number_text(row.value, share) + (share ? "" : " " + row.unit);
        const std::string interval =
            row.interval ? number_text(row.interval->low, share) + " to " +
                               number_text(row.interval->high, share)
                         : "";
        const std::string counted =
            share ? std::to_string(row.hits) + " of " + std::to_string(row.n)
                  : std::to_string(row.n);
        out.push_back(
            {row.set,
             row.figure + (row.note.empty() ? "" : " (" + row.note + ")"),
             value,
             interval,
             counted,
             bar_text(row.floor, row, false),
             bar_text(row.goal, row, true),
             met_text(row)}
        );
    }
    return out;
}

json::array tree_of(std::span<const QualityRow> rows) {
    json::array out;
    for (const QualityRow& row : rows) {
        json::object tree{
            {"set", row.set}, {"figure", row.figure}, {"value", row.value}, {"n", row.n},
            {"unit", row.unit.empty() ? "share" : row.unit}};
        if (row.unit.empty()) {
            tree["hits"] = row.hits;
        }
        if (row.interval) {
            tree["low"] = row.interval->low;
            tree["high"] = row.interval->high;
        }
        if (row.floor) {
            tree["floor"] = *row.floor;
        }
        if (row.goal) {
            tree["goal"] = *row.goal;
        }
        if (!row.note.empty()) {
            tree["note"] = row.note;
        }
        if (const std::string met = met_text(row); !met.empty()) {
            tree["met"] = met == "yes";
        }
        out.push_back(std::move(tree));
    }
    return out;
}

}  // namespace tagout::app
